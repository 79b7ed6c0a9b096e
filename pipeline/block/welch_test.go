package block

import (
	"fmt"
	"math"
	"testing"

	"echogram/pipeline/median"
)

// scipySeries is the series of the reference: in Python
//
//	x, s = [], 1
//	for i in range(n):
//	    s = (s*1103515245 + 12345) % 2**31
//	    x.append(2*math.sin(2*math.pi*i/48 + 1) + 0.01*i + s/2**31)
func scipySeries(n int) []float64 {
	x, s := make([]float64, n), int64(1)
	for i := range x {
		s = (s*1103515245 + 12345) % (1 << 31)
		x[i] = 2*math.Sin(2*math.Pi*float64(i)/48+1) + 0.01*float64(i) + float64(s)/(1<<31)
	}
	return x
}

// The powers are those of SciPy 1.17.1,
//
//	welch(x, fs=2, nperseg=144, window="hann", detrend="linear", scaling="spectrum", average="median")[1]
//
// times scipy.signal._spectral_py._median_bias of the number of segments.
func TestWelchAgreesWithSciPy(t *testing.T) {
	bins := []int{0, 1, 2, 3, 4, 6, 10, 71, 72}
	for _, c := range []struct {
		n      int
		powers []float64
	}{
		{144, []float64{0.0002530487761846311, 0.015918678089117812, 0.5538732825074978, 2.0829954071482466, 0.5475867736106896,
			0.0027172888711803084, 0.0006998938983134496, 0.001331840074710178, 0.0005151388168245237}},
		{300, []float64{0.0002551018759877151, 0.018498127506994803, 0.48867968999340505, 2.0778575478736707, 0.5161219619178147,
			0.0011910764363997075, 0.0006998938983134496, 0.001331840074710178, 0.0005151388168245237}},
		{672, []float64{0.0004704293880322291, 0.017282840136107636, 0.483172803730173, 2.054052362907514, 0.5221593703707788,
			0.002595050212707485, 0.0006503963964362668, 0.0009593951161977518, 0.0002025353662956233}},
	} {
		w, x := newWelch(), scipySeries(c.n)
		w.transform(x)
		got := make([]float64, len(w.powers))
		for k := range got {
			got[k] = median.Of(w.powers[k])
		}
		got[0], got[72] = got[0]/2, got[72]/2 // their other half is themselves
		for i, k := range bins {
			if math.Abs(got[k]-c.powers[i]) > 1e-10 {
				t.Errorf("%d values, bin %d: %v, SciPy has %v", c.n, k, got[k], c.powers[i])
			}
		}
		if daily := w.daily(x); math.Abs(daily-got[aDay]) > 1e-12 {
			t.Errorf("%d values: one cycle a day has %v alone and %v among all", c.n, daily, got[aDay])
		}
	}
}

// The line that is taken away takes up to 5 % of the sine's amplitude along, or adds it, by its phase.
func TestASineHasItsAmplitude(t *testing.T) {
	for _, days := range []int{3, 5, 14} {
		for hour := range 24 {
			t.Run(fmt.Sprintf("%d days, peak at %d", days, hour), func(t *testing.T) {
				x := make([]float64, days*halvesADay)
				for i := range x {
					x[i] = 2e6 * math.Cos(2*math.Pi*(float64(i%halvesADay)+0.5-2*float64(hour))/halvesADay)
				}
				s := newWelch().latency(&testDaily, x)
				if math.Abs(s.amplitude-4e6) > 0.05*4e6 || s.class != "severe" || s.days != days || s.slots != len(x) {
					t.Errorf("%+v", s)
				}
				if apart(s.hour.F, float64(hour)) > 0.05 {
					t.Errorf("peaks at %v", s.hour.F)
				}
			})
		}
	}
}

// apart is how many hours lie between two hours of the day.
func apart(a, b float64) float64 { return math.Abs(math.Remainder(a-b, 24)) }

func TestASineOfAnotherPeriodIsNotDaily(t *testing.T) {
	for _, hours := range []float64{3, 8, 12, 20, 30, 36, 72} {
		x := make([]float64, 14*halvesADay)
		for i := range x {
			x[i] = 2e6 * math.Sin(2*math.Pi*float64(i)/2/hours)
		}
		if s := newWelch().latency(&testDaily, x); s.class != "none" || s.hour.Set {
			t.Errorf("every %v h: %+v", hours, s)
		}
	}
}
