package block

import (
	"math"

	"gonum.org/v1/gonum/dsp/fourier"
	"gonum.org/v1/gonum/floats"

	"echogram/pipeline/median"
)

// segmentDays is the length of Welch's segments, which overlap by half. With three days in one the bins lie 1/72 h
// apart: that of a day is the third, and the only one between 1/25 and 1/23 per hour.
const (
	segmentDays = 3
	segment     = segmentDays * halvesADay
	aDay        = segmentDays // the bin of one cycle a day
)

// welch estimates power spectra as scipy.signal.welch does with nperseg = 144, window = "hann", detrend = "linear",
// scaling = "spectrum" and average = "median", but for one thing: the median over the segments stays as it is. SciPy
// divides it by the bias of a median of noise, 0.76 for the 8 segments of 14 days; a cycle that is the same in all of
// them would come out 15 % too large.
type welch struct {
	fft      *fourier.FFT
	hann     []float64
	ramp     []float64 // a line of norm 1 and mean 0
	cos, sin []float64 // onto one cycle a day: window and removal of the trend included
	room     []float64 // a segment without trend, in the window
	bins     []complex128
	powers   [segment/2 + 1][]float64 // by bin: of each segment
}

func newWelch() *welch {
	w := &welch{fft: fourier.NewFFT(segment)}
	w.hann, w.ramp = make([]float64, segment), make([]float64, segment)
	w.cos, w.sin = make([]float64, segment), make([]float64, segment)
	for i := range segment {
		turn := 2 * math.Pi * float64(i) / segment
		w.hann[i] = (1 - math.Cos(turn)) / 2
		w.ramp[i] = float64(i) - (segment-1)/2.
		w.cos[i], w.sin[i] = w.hann[i]*math.Cos(aDay*turn), w.hann[i]*math.Sin(aDay*turn)
	}
	floats.Scale(1/floats.Norm(w.ramp, 2), w.ramp)
	w.detrend(w.cos)
	w.detrend(w.sin)
	return w
}

// detrend takes the line of least squares away from x.
func (w *welch) detrend(x []float64) {
	floats.AddConst(-floats.Sum(x)/segment, x)
	floats.AddScaled(x, -floats.Dot(x, w.ramp), w.ramp)
}

// oneSided is the factor from |coefficient|² to the power of a bin whose other half lies at negative frequencies: a
// sine of amplitude a has the power a²/2. The window's sum is segment/2.
const oneSided = 2 / (segment / 2. * segment / 2.)

// daily is the power of one cycle a day alone. Taking away a line is a projection, so it may be done once, to what the
// series is multiplied by.
func (w *welch) daily(x []float64) float64 {
	all := w.powers[0][:0]
	for from := 0; from+segment <= len(x); from += segment / 2 {
		s := x[from : from+segment]
		re, im := floats.Dot(s, w.cos), floats.Dot(s, w.sin)
		all = append(all, (re*re+im*im)*oneSided)
	}
	w.powers[0] = all
	return median.Of(all)
}

// transform finds the power of each bin in each segment of x, which has one or more.
func (w *welch) transform(x []float64) {
	for k := range w.powers {
		w.powers[k] = w.powers[k][:0]
	}
	for from := 0; from+segment <= len(x); from += segment / 2 {
		w.room = append(w.room[:0], x[from:from+segment]...)
		w.detrend(w.room)
		floats.Mul(w.room, w.hann)
		w.bins = w.fft.Coefficients(w.bins, w.room)
		for k, c := range w.bins {
			w.powers[k] = append(w.powers[k], (real(c)*real(c)+imag(c)*imag(c))*oneSided)
		}
	}
}

// strongest tells whether the largest power of x is that of one cycle a day. Harmonics do not compete: those of a narrow
// peak each evening are as strong as the day itself.
func (w *welch) strongest(x []float64) bool {
	w.transform(x)
	day := median.Of(w.powers[aDay])
	for k := 1; k < len(w.powers); k++ {
		if k%aDay != 0 && !medianBelow(w.powers[k], day) {
			return false
		}
	}
	return true
}

// medianBelow tells whether the median of x, which it may reorder, lies below limit. How many do tells it mostly.
func medianBelow(x []float64, limit float64) bool {
	n := 0
	for _, v := range x {
		if v < limit {
			n++
		}
	}
	if 2*n > len(x)+1 {
		return true
	}
	return 2*n >= len(x)-1 && median.Of(x) < limit
}
