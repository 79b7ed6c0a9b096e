package block

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"echogram/plugins/schema"
)

// routine is how the hosts of a block come and go.
type routine int

const (
	serverRoutine routine = iota // always there
	poolRoutine                  // DHCP: sessions of hours; all lose their addresses at one hour, for one sweep
	officeRoutine                // at work from Monday to Friday
	homeRoutine                  // most are there in the evening
	routines
)

func (r routine) String() string { return [...]string{"servers", "pool", "office", "homes"}[r] }

func (r routine) diurnal() bool { return r == officeRoutine || r == homeRoutine }

// village is one block with what is true of it.
type village struct {
	routine
	rng           *rand.Rand
	hosts         []villager
	loss          float64
	from, to      float64 // office hours
	busy          float64 // hour at which most homes are there
	share         float64 // of the hosts that follow the routine; the others are always there
	peak, width   float64 // of the RTTs: hour, and hours at half height
	height, noise float64 // ms
	amplitude     float64 // ms, of the sine of 24 h in the peak, from least to most
	outages       [][2]time.Time
}

type villager struct {
	floor   float64 // ms
	follows bool
	on      bool    // of a pool
	middle  float64 // hour in the middle of its stay
	stay    float64 // h
	wander  float64 // ms; a villager whose own path wanders
	walks   bool
}

// Amplitudes by class, in ms: apart from the thresholds by more than the error of a method that reads noise.
var amplitudes20 = [][2]float64{{0, 0}, {0.6, 0.85}, {1.2, 2.5}, {3.6, 12}}

var classes = []string{schema.DailyNone, schema.DailyLow, schema.DailyMild, schema.DailySevere}

func newVillage(rng *rand.Rand, n int, start time.Time) *village {
	v := &village{routine: routine(n) % routines, rng: rng, hosts: make([]villager, 30+rng.IntN(40)),
		loss: 0.02 + 0.03*rng.Float64(), from: 7 + 2*rng.Float64(), busy: 18 + 5*rng.Float64(),
		share: 0.3 + 0.6*rng.Float64(), peak: 24 * rng.Float64(), width: 2 + 3*rng.Float64(), noise: 0.1 + 0.7*rng.Float64()}
	v.to = v.from + 8 + 2*rng.Float64()
	for i := range v.hosts {
		v.hosts[i] = villager{floor: 5 + 60*rng.Float64(), follows: rng.Float64() < v.share, on: rng.Float64() < 0.5, walks: rng.Float64() < 0.1}
	}
	class := amplitudes20[rng.IntN(len(amplitudes20))]
	v.amplitude = class[0] + (class[1]-class[0])*rng.Float64()
	sigma := v.width / math.Sqrt(8*math.Ln2)
	v.height = v.amplitude / (4 * sigma * math.Sqrt(2*math.Pi) / 24 * math.Exp(-math.Pow(2*math.Pi*sigma/24, 2)/2))
	for range rng.IntN(4) {
		at := start.Add(time.Duration(14 * 24 * rng.Float64() * float64(time.Hour)))
		v.outages = append(v.outages, [2]time.Time{at, at.Add(time.Duration(10 * rng.Float64() * float64(time.Hour)))})
	}
	return v
}

// there tells whether the routine has a host at home, or at work.
func (v *village) there(h *villager, at time.Time) bool {
	hour := clockHour(at)
	switch {
	case !h.follows || v.routine == serverRoutine:
		return true
	case v.routine == poolRoutine:
		if v.rng.Float64() < 1./60 { // a session lasts ten hours
			h.on = !h.on
		}
		return h.on && hour != 4
	}
	if hour == 4 {
		h.plan(v, at.Weekday())
	}
	return apart(hour, h.middle) < h.stay/2
}

// plan draws when the villager is there, from 4:00 on for a day.
func (h *villager) plan(v *village, day time.Weekday) {
	h.middle, h.stay = v.busy+v.rng.NormFloat64(), 3+4*v.rng.Float64()
	absent := 0.15
	if v.routine == officeRoutine {
		h.middle, h.stay = (v.from+v.to)/2+v.rng.NormFloat64()/2, v.to-v.from+v.rng.NormFloat64()/2
		absent = 0.1
		if day == time.Saturday || day == time.Sunday {
			absent = 0.97
		}
	}
	if v.rng.Float64() < absent {
		h.stay = 0
	}
}

// look is what a sweep sees, with verdicts for outages and now and then a doubted one.
func (v *village) look(at time.Time) (*Look, Verdict) {
	l := &Look{Time: at.UnixNano(), RTT: make([]int64, len(v.hosts))}
	verdict := Up
	for _, o := range v.outages {
		if at.After(o[0]) && at.Before(o[1]) {
			verdict = Down
		}
	}
	if verdict == Up && v.rng.Float64() < 0.01 {
		verdict = Doubted
	}
	excess := v.height * bump(clockHour(at), v.peak, v.width)
	for i := range v.hosts {
		h := &v.hosts[i]
		l.Probed.Add(i)
		there := v.there(h, at)
		if h.walks {
			h.wander = 0.98*h.wander + v.rng.NormFloat64()
		}
		if !there || verdict != Up || v.rng.Float64() < v.loss {
			continue
		}
		rtt := h.floor + max(h.wander, 0) + excess + v.noise*v.rng.ExpFloat64()
		if v.rng.Float64() < 0.02 {
			rtt += 100 * v.rng.ExpFloat64()
		}
		l.Answered.Add(i)
		l.RTT[i] = int64(rtt * 1e6)
	}
	return l, verdict
}

// reading is how often what is said is true.
type reading struct {
	blocks, class, peaks, hours          int
	found, false, missed, most, mostHour int
	targets, targetClass, targetHours    int
	targetPeaks                          int
}

func (t *reading) latency(v *village, s swing) {
	t.blocks++
	want := classes[len(classes)-1]
	for i := range amplitudes20 {
		if v.amplitude <= amplitudes20[i][1] {
			want = classes[i]
			break
		}
	}
	if s.class == want {
		t.class++
	}
	if want != schema.DailyNone {
		t.peaks++
		if s.hour.Set && apart(s.hour.F, v.peak) <= 1 {
			t.hours++
		}
	}
}

func (t *reading) availability(v *village, s swing) {
	switch said := s.class != schema.DiurnalNone; {
	case said && v.diurnal():
		t.found++
	case said:
		t.false++
	case v.diurnal():
		t.missed++
	}
	if v.diurnal() && s.hour.Set {
		top := v.busy
		if v.routine == officeRoutine {
			top = (v.from + v.to) / 2
		}
		t.most++
		if apart(s.hour.F, top) <= 1 {
			t.mostHour++
		}
	}
}

func percent(n, of int) float64 { return 100 * float64(n) / float64(max(of, 1)) }

func (t *reading) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "class of latency    %5.1f %% of %d blocks\n", percent(t.class, t.blocks), t.blocks)
	fmt.Fprintf(&b, "hour of the peak    %5.1f %% of %d with one\n", percent(t.hours, t.peaks), t.peaks)
	fmt.Fprintf(&b, "class of a target   %5.1f %% of %d\n", percent(t.targetClass, t.targets), t.targets)
	fmt.Fprintf(&b, "hour of a target    %5.1f %% of %d with one\n", percent(t.targetHours, t.targetPeaks), t.targetPeaks)
	fmt.Fprintf(&b, "diurnal: precision  %5.1f %%, recall %.1f %%\n", percent(t.found, t.found+t.false), percent(t.found, t.found+t.missed))
	fmt.Fprintf(&b, "hour of the most    %5.1f %% of %d", percent(t.mostHour, t.most), t.most)
	return b.String()
}

// Twenty seeds of two weeks, and of one, with 8 blocks each: 2-5 % of all replies are lost, blocks are out for up to ten hours,
// offices rest at weekends, pools are handed out anew, a tenth of the hosts has a path of its own that wanders.
func TestDaysAreReadRight(t *testing.T) {
	start := time.Date(2024, 3, 20, 0, 0, 0, 0, berlin) // clocks change within
	for _, days := range []int{14, 7} {
		var all, targets reading
		for seed := range uint64(20) {
			rng := rand.New(rand.NewPCG(seed, 14))
			for n := range 8 {
				v, d := newVillage(rng, n, start), daily{}
				for at := start; at.Before(start.AddDate(0, 0, days)); at = at.Add(10 * time.Minute) {
					l, verdict := v.look(at)
					d.observe(&testDaily, l, verdict)
				}
				last := start.AddDate(0, 0, days-1).UnixNano()
				day := d.day(&testDaily, last)
				all.latency(v, day.latency)
				all.availability(v, day.availability)
				for _, one := range d.targets(&testDaily, last, day.excess) {
					if !v.hosts[one.place].walks {
						targets.latency(v, one.latency)
					}
				}
			}
		}
		all.targets, all.targetClass, all.targetHours, all.targetPeaks = targets.blocks, targets.class, targets.hours, targets.peaks
		t.Logf("%d days\n%v", days, &all)
		for _, c := range []struct {
			what      string
			n, of, ok int
		}{
			{"class of latency", all.class, all.blocks, 95}, {"hour of the peak", all.hours, all.peaks, 95},
			{"precision", all.found, all.found + all.false, 90}, {"recall", all.found, all.found + all.missed, 90},
			{"hour of the most", all.mostHour, all.most, 95},
			{"class of a target", all.targetClass, all.targets, 90}, {"hour of a target", all.targetHours, all.targetPeaks, 90},
		} {
			if percent(c.n, c.of) < float64(c.ok) {
				t.Errorf("%d days: %s: %d of %d", days, c.what, c.n, c.of)
			}
		}
	}
}
