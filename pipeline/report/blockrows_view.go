package report

import (
	"cmp"
	"net/netip"
	"time"
)

// view is what the rows of sweeps, or those of the rollups of one window, tell of one network.
type view struct {
	targets map[netip.Addr]*Target
	frames  map[int64]*Frame // by time >> shift
	shift   uint
	times   map[int64]struct{}
	hours   [24]spread // RTTs by hour of the day
	use     map[int64]Use
}

func newView() *view {
	return &view{targets: map[netip.Addr]*Target{}, frames: map[int64]*Frame{}, times: map[int64]struct{}{}, use: map[int64]Use{}}
}

// look takes what one target answered at one time.
func (v *view) look(t *Target, at int64, a Answer, clock *hourClock, frames int) {
	switch {
	case t.Time == 0 || at > t.Time:
		t.Last, t.Time = a, at
	case at == t.Time:
		t.Last = better(t.Last, a)
	}
	v.keep(t, at, a)
	for len(v.frames) > frames || len(v.frames) > 1 && len(v.frames)*len(v.targets) > maxAnswers {
		v.widen()
	}
	if a == NotProbed {
		return
	}
	start, hour := clock.hour(at)
	u := v.use[start]
	u.Probed++
	if a.Answered() {
		u.Responding++
	}
	v.use[start] = u
	if ns, ok := a.RTT(); ok {
		v.hours[hour].add(int64(ns))
	}
}

// maxAnswers is how many answers the frames of a network hold at most: 256 MB.
const maxAnswers = 64 << 20

// keep puts an answer into its frame. Of the sweeps that share a slot of time the first is kept, so that the order in
// which rows come does not matter.
func (v *view) keep(t *Target, at int64, a Answer) {
	v.times[at] = struct{}{}
	f := v.frames[at>>v.shift]
	switch {
	case f == nil || at < f.Time:
		f = &Frame{Time: at}
		v.frames[at>>v.shift] = f
	case at > f.Time:
		return
	}
	for t.place >= len(f.answers) {
		f.answers = append(f.answers, NotProbed)
	}
	f.answers[t.place] = better(f.answers[t.place], a)
}

// widen makes slots of time twice as long.
func (v *view) widen() {
	v.shift++
	wide := make(map[int64]*Frame, len(v.frames))
	for _, f := range v.frames {
		if key := f.Time >> v.shift; wide[key] == nil || f.Time < wide[key].Time {
			wide[key] = f
		}
	}
	v.frames = wide
}

// better is what counts of two rows of one target at one time: of several sizes of payload, or of a late reply.
func better(a, b Answer) Answer {
	rank := func(a Answer) int {
		switch {
		case a > 0:
			return 5
		case a == Untimed:
			return 4
		case a == Late:
			return 3
		case a == ICMPError:
			return 2
		case a == Silent:
			return 1
		}
		return 0
	}
	if c := cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(b, a)); c < 0 {
		return b
	}
	return a
}

// hourClock finds the hour in which a time lies. Rows of one sweep share theirs, so that it remembers the last one.
type hourClock struct {
	location *time.Location
	start    int64
	of       int
}

// hour returns the start of the hour, ns, and its number in the day, by local time.
func (c *hourClock) hour(at int64) (start int64, of int) {
	if c.start == 0 || at < c.start || at >= c.start+int64(time.Hour) {
		t := time.Unix(0, at).In(c.location)
		past := time.Duration(t.Minute())*time.Minute + time.Duration(t.Second())*time.Second + time.Duration(t.Nanosecond())
		c.start, c.of = at-int64(past), t.Hour()
	}
	return c.start, c.of
}
