package path

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// The floor of a target behind a shared medium (cable, mobile) rises each evening, by more than it scatters, and falls
// at night. Both last for hours, so that nothing but the day before tells them from a path that has changed. Windows that
// do not reach back to it tell of both; so does the first evening, unless the windows' own StdErr, which grows with load,
// is of the size of the rise.
const (
	aDay      = int64(24 * time.Hour)
	sameHours = int64(3 * time.Hour) // by which a daily peak begins earlier or later than the day before
	alike     = 3                    // times as large as the day before, at most
	proven    = 3                    // standard errors of the step that the day before must have moved by
)

// dailyStep tells of a step that is one of the hour: a day before, at about the same hours, the floor moved the same
// way, by a third of it at least, and came back since. It is not told, and steps are looked for anew behind it. One that
// is hidden so is told as a drift once the floor rests where it did not at the same hours of the day before. One with
// another TTL is of the path, every day anew.
func (s *scan) dailyStep(c *change, from int) bool {
	return s.dayBefore(c, from, max(c.size()/alike, proven*c.err()))
}

// surelyDaily is dailyStep as far as it can be told of a step of unknown error: one that is larger is none.
func (s *scan) surelyDaily(c *change, from int) bool {
	return s.dayBefore(c, from, max(1./alike, float64(proven)/significant)*c.size())
}

// dayBefore tells whether the floor moved by more than least at about the hours of a change a day before, the same way,
// and came back.
func (s *scan) dayBefore(c *change, from int, least float64) bool {
	if before, after := s.lastTTLs(c, from); rerouted(before, after) {
		return false
	}
	up, start := math.Copysign(1, c.high-c.low), s.at(from+c.at).Start-aDay
	i, j := s.between(start-sameHours, start+sameHours)
	for i = max(i, c.at); i < j && i+len(c.row)-c.at <= from; i++ {
		end := i + len(c.row) - c.at
		before, high := s.values[i-c.at:i-c.at+c.to], meanOf(s.values[i:end])
		if max(high-slices.Min(before), slices.Max(before)-high) <= least {
			continue // cheaper than a median
		}
		if low := medianOf(before); up*(high-low) > least && s.cameBack(end, from+c.to, (low+high)/2, up) {
			return true
		}
	}
	return false
}

// cameBack tells whether two windows in a row, one alone may be an outlier, lie on the side of a level that a move up
// (1) or down (-1) comes from.
func (s *scan) cameBack(from, to int, level, up float64) bool {
	for i := from + 1; i < to; i++ {
		if up*s.values[i-1] < up*level && up*s.values[i] < up*level {
			return true
		}
	}
	return false
}

// drifted tells from where a floor drifted to where it rests: from home, unless where it was at the same hours of the day
// before is nearer; ok is false when it did not.
func (s *scan) drifted(r *rest, home float64) (from float64, ok bool) {
	if !r.after(home, s.cfg.Least) {
		return 0, false
	}
	i, j := s.between(s.at(r.end-settled).Start-aDay, s.at(r.end-1).Start-aDay)
	if j-i < settled/2 {
		return home, true
	}
	if from = medianOf(s.values[i:j]); math.Abs(r.level-from) > math.Abs(r.level-home) {
		from = home
	}
	return from, r.after(from, s.cfg.Least)
}

// between are the places of the windows that start from one time to another, that included.
func (s *scan) between(from, to int64) (i, j int) {
	start := func(place int, t int64) int { return cmp.Compare(s.floors[place].Start, t) }
	i, _ = slices.BinarySearchFunc(s.places, from, start)
	j, _ = slices.BinarySearchFunc(s.places, to+1, start)
	return i, j
}
