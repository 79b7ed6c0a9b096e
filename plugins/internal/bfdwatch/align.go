package bfdwatch

import (
	"math"
	"slices"

	"echogram/plugins/schema"
)

// alike holds the returns of a stream whose echoes are all the same bytes. Which return is which echo's is told by the
// sender's jitter, which RFC 5880 demands: of the differences between all returns and all sends, those that belong
// together lie close, at the RTT, while all others are spread by the jitter.
type alike struct {
	returns []int64
	delay   int64 // the RTT by which returns were told last; 0: none were yet
}

const (
	alignMost    = 512  // sends that are looked at together, at most
	clusterShare = 16   // the cluster is searched with a window of the mean interval / 16
	nearShare    = 0.35 // of the mean interval: as far from the cluster a return may lie
	dominance    = 1.25 // the cluster has as many times the differences of the next one
	leastShare   = 0.3  // and as many of the returns
	stillShare   = 0.75 // as many of the returns lie as before, when they are too few to tell
	fewReturns   = 8    // fewer than these do not tell of another RTT than before
)

// align settles the sends from before end. At the end of the data (now) those younger than the window are in flight.
func (st *stream) align(w *Watch, end, now int64) {
	a := st.alike
	n := 0
	for n < len(st.pending) && st.pending[n].at < end {
		n++
	}
	window := st.window()
	delay, how := cluster(st.pending, a.returns, window, st.intervals)
	if how == byAlignment && a.delay != 0 && len(a.returns) < fewReturns && abs(delay-a.delay) > clusterWidth(st.intervals) {
		how = ambiguous // two of them may lie close by chance
	}
	if how == ambiguous && st.asBefore() {
		delay, how = a.delay, byAlignment
	}
	if how == ambiguous {
		st.unaligned(w, n, window, now)
		return
	}
	taken := nearest(st.pending, a.returns, delay, int64(nearShare*float64(meanInterval(st.intervals))))
	late(st.pending, a.returns, taken, delay)
	if how == byAlignment {
		a.delay = delay
	}
	kept := a.returns[:0]
	for i, r := range a.returns {
		switch k := taken[i]; {
		case k >= 0 && k < n:
			w.answer(st, &st.pending[k], r, how)
		case k >= 0 || n < len(st.pending) && r >= st.pending[n].at+delay/2:
			kept = append(kept, r)
		default:
			st.tally(&w.clock, min(r, now)).unmatched++
		}
	}
	a.returns = kept
	st.drop(w, n, window, now)
}

// asBefore tells whether the returns lie where those before them did: a few at the end of a capture may not tell alone.
func (st *stream) asBefore() bool {
	a := st.alike
	if a.delay == 0 {
		return false
	}
	told := 0
	for _, k := range nearest(st.pending, a.returns, a.delay, clusterWidth(st.intervals)) {
		if k >= 0 {
			told++
		}
	}
	return float64(told) >= stillShare*float64(len(a.returns))
}

// crowded settles sends when there are many. Those that come too fast for a return to be awaited are not looked at.
func (st *stream) crowded(w *Watch, now int64) {
	if half := alignMost / 2; now-st.pending[half].at > echoWait {
		st.align(w, now-echoWait, now)
	} else {
		st.unaligned(w, half, 0, now)
	}
}

// meanInterval is that of the sends; as long as one is awaited while there are none.
func meanInterval(intervals average) int64 {
	if intervals.n == 0 {
		return echoWait
	}
	return intervals.mean()
}

// drop gives the n oldest sends up, but for those that are in flight.
func (st *stream) drop(w *Watch, n int, window, now int64) {
	for i := range st.pending[:n] {
		if e := &st.pending[i]; !e.answered && now-e.at < window {
			e.answered = true
			st.tally(&w.clock, e.at).inFlight++
		}
	}
	st.giveUp(w, n)
}

// unaligned settles the n oldest sends when nothing tells whose a return is: how many came back is known, no RTT.
func (st *stream) unaligned(w *Watch, n int, window, now int64) {
	for k := range st.pending[:n] {
		e := &st.pending[k]
		if e.answered {
			continue
		}
		st.unmatched(w, e.at)
		if len(st.alike.returns) > 0 {
			t := st.tally(&w.clock, e.at)
			t.returned++
			t.ambiguous++
			t.weakest = ambiguous
			e.answered = true
			w.echoRow(st, e, schema.Opt{}, ambiguous.String())
			st.alike.returns = st.alike.returns[1:]
		}
	}
	if n < len(st.pending) {
		st.unmatched(w, st.pending[n].at)
	} else {
		st.unmatched(w, math.MaxInt64)
	}
	st.drop(w, n, window, now)
}

// unmatched gives up the returns that came before the oldest send that may be theirs.
func (st *stream) unmatched(w *Watch, before int64) {
	a := st.alike
	n := 0
	for n < len(a.returns) && a.returns[n] < before {
		st.tally(&w.clock, a.returns[n]).unmatched++
		n++
	}
	a.returns = append(a.returns[:0], a.returns[n:]...)
}

// cluster finds the RTT of echoes that are alike: the middle of the densest differences within the window.
func cluster(sends []send, returns []int64, window int64, intervals average) (delay int64, how pairing) {
	var differences []int64
	first, single := 0, true
	for _, r := range returns {
		for first < len(sends) && r-sends[first].at > window {
			first++
		}
		candidates := 0
		for _, s := range sends[first:] {
			if s.at > r {
				break
			}
			if !s.answered {
				differences = append(differences, r-s.at)
				candidates++
			}
		}
		single = single && candidates <= 1
	}
	if len(differences) == 0 {
		return 0, byIdentity
	}
	slices.Sort(differences)
	width := clusterWidth(intervals)
	best, at := densest(differences, width, 0, -1)
	delay = differences[at+best/2]
	if single {
		return delay, byIdentity
	}
	apart := int64(nearShare * float64(meanInterval(intervals)))
	second, _ := densest(differences, width, delay-apart, delay+apart)
	if float64(best) < leastShare*float64(len(returns)) || float64(best) < dominance*float64(second) {
		return 0, ambiguous
	}
	return delay, byAlignment
}

func clusterWidth(intervals average) int64 { return max(meanInterval(intervals)/clusterShare, 1) }

// densest finds the most values within a width, outside of from to to, and the place of their first.
func densest(sorted []int64, width, from, to int64) (most, at int) {
	for lo, hi := 0, 0; lo < len(sorted); lo++ {
		if v := sorted[lo]; v+width >= from && v <= to {
			continue
		}
		hi = max(hi, lo)
		for hi < len(sorted) && sorted[hi]-sorted[lo] <= width {
			hi++
		}
		if hi-lo > most {
			most, at = hi-lo, lo
		}
	}
	return most, at
}

// nearest gives each return the send that lies nearest to it less the delay, within a reach; of two returns the nearer
// one has it. -1 is none.
func nearest(sends []send, returns []int64, delay, reach int64) []int {
	taken := make([]int, len(returns))
	owner := make(map[int]int, len(returns))
	k := 0
	for i, r := range returns {
		taken[i] = -1
		for k+1 < len(sends) && abs(r-delay-sends[k+1].at) <= abs(r-delay-sends[k].at) {
			k++
		}
		if k >= len(sends) || sends[k].answered || sends[k].at > r || abs(r-delay-sends[k].at) > reach {
			continue
		}
		if before, ok := owner[k]; ok {
			if abs(returns[before]-delay-sends[k].at) <= abs(r-delay-sends[k].at) {
				continue
			}
			taken[before] = -1
		}
		owner[k], taken[i] = i, k
	}
	return taken
}

// late tells returns that came too late to lie near their sends. A path that keeps the order has them between two that
// are told; where as many returns as sends are left between these, each send has its own.
func late(sends []send, returns []int64, taken []int, delay int64) {
	before := -1 // the last return that is told
	for i, k := range taken {
		if k < 0 {
			continue
		}
		if before >= 0 && k-taken[before] == i-before {
			for j := before + 1; j < i; j++ {
				s := &sends[taken[before]+j-before]
				if rtt := returns[j] - s.at; !s.answered && rtt > delay && rtt <= echoWait {
					taken[j] = taken[before] + j - before
				}
			}
		}
		before = i
	}
}
