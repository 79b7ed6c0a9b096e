package bfdwatch

import (
	"cmp"
	"math"
	"slices"

	"echogram/plugins/schema"
)

// echoWait is how long a return is awaited at most, and so how long after a period its echoes are known.
const echoWait = int64(1e9)

// clock is how far time has come, in the time of the data.
type clock struct {
	period int64
	begun  bool
	start  int64 // of the open period
	echoes int64 // start of the oldest period whose echoes are open: start, or the period before it
	first  int64 // the first packet, which makes its period a partial one; before it, when time began
	now    int64 // how far time has come
}

// floor is the start of the period that t lies in.
func (c *clock) floor(t int64) int64 { return t - ((t%c.period)+c.period)%c.period }

// advance brings time to t: periods that end until then are closed, in their order.
func (w *Watch) advance(t int64) {
	c := &w.clock
	c.now = max(c.now, t)
	if !c.begun {
		c.begun, c.first = true, t
		c.start = c.floor(t)
		c.echoes = c.start
		w.countDropped(t)
		return
	}
	for {
		control, echoes := c.start+c.period, int64(math.MaxInt64)
		if c.echoes < c.start {
			echoes = c.echoes + c.period + echoWait
		}
		switch {
		case echoes <= t && echoes <= control:
			w.closeEchoes(echoes, false)
		case control <= t:
			if w.idle() {
				c.start = c.floor(t)
				c.echoes = c.start
				w.statsRows(c.start, false)
				return
			}
			w.closeControl(control, false)
			w.statsRows(control, false)
			w.clock.start = control
			w.forget(control)
		default:
			return
		}
	}
}

// idle tells whether periods can pass without a row.
func (w *Watch) idle() bool {
	return len(w.sessions.list) == 0 && len(w.streams.list) == 0 && w.clock.echoes == w.clock.start
}

// closeControl ends the open period, which is over at end, for control packets.
func (w *Watch) closeControl(end int64, partial bool) {
	w.expireSessions(end)
	for _, s := range w.sessions.list {
		w.sessionRows(s, w.clock.start, partial || w.clock.first > w.clock.start)
	}
}

// closeEchoes ends the oldest period for echoes, now that all its returns have come.
func (w *Watch) closeEchoes(now int64, partial bool) {
	start := w.clock.echoes
	w.resolve(now, start+w.clock.period)
	w.echoRows(start, partial || w.clock.first > start)
	w.clock.echoes = start + w.clock.period
}

// forget drops what has been silent for long.
func (w *Watch) forget(now int64) {
	then := now - int64(w.config.Forget)
	if n := w.forgetSessions(then) + w.forgetStreams(then); n > 0 {
		w.tally(now).Forgotten += n
	}
}

// finish closes what is open at the end of the data.
func (w *Watch) finish() {
	if c := &w.clock; c.begun {
		for c.echoes < c.start {
			w.closeEchoes(c.now, false)
		}
		w.closeControl(c.now, true)
		w.closeEchoes(c.now, true)
		w.finishEvents()
	}
	w.statsRows(math.MaxInt64, true)
}

// tally returns the counts of the period that t lies in, of those that are open.
func (w *Watch) tally(t int64) *schema.BFDStatsRow {
	t = max(t, w.clock.start)
	if r := w.tallied; r != nil && t >= r.Time && t-r.Time < w.clock.period {
		return r
	}
	start := w.clock.floor(t)
	i, found := slices.BinarySearchFunc(w.tallies, start, func(r *schema.BFDStatsRow, start int64) int { return cmp.Compare(r.Time, start) })
	if !found {
		row := &schema.BFDStatsRow{Host: w.config.Host, Instance: w.config.Instance, Tap: w.config.Tap(0), Labels: w.config.Labels, Time: start}
		w.tallies = slices.Insert(w.tallies, i, row)
	}
	w.tallied = w.tallies[i]
	return w.tallied
}

// statsRows emits the counts of the periods from before end.
func (w *Watch) statsRows(end int64, partial bool) {
	for len(w.tallies) > 0 && w.tallies[0].Time < end {
		r := w.tallies[0]
		w.tallies, w.tallied = w.tallies[1:], nil
		r.Sessions, r.EchoStreams = int64(len(w.sessions.list)), int64(len(w.streams.list))
		r.Partial = partial || w.clock.first > r.Time
		w.emit(r)
	}
}
