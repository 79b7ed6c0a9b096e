package block

import (
	"math"
	"slices"
)

// readdressing is the hour at which a pool gives its clients other addresses (Padmanabhan et al., Reasons Dynamic
// Addresses Change, IMC '16: mostly a multiple of 24 h after the last time).
type readdressing struct {
	at      float64 // s of the local day
	period  int     // days; 0: seen once
	changed int64   // addresses that were left at the last one, if that is the day's
	moved   Set     // addresses that take part
}

// exchange is one time at which many addresses were left and as many others taken.
type exchange struct {
	day, slot int
	at        float64 // s of the day
	left      int
	weak      bool // alone it says nothing
	moved     Set  // that were left, and taken
	up        Set  // before or behind
	shuffle   bool // as many moved as if every client had taken any address
}

const (
	some     = 3    // weak exchanges that say something
	sameHour = 3600 // s
	sparse   = 1800 // s between sweeps, above which they do not tell who changed together
)

// readdressing finds the hour with most exchanges. Those that are small, or beside an outage, must be some.
func (h *history) readdressing(interval uint32) (readdressing, bool) {
	if interval > sparse {
		return readdressing{}, false
	}
	var best []exchange
	all := h.exchanges(interval)
	for _, e := range all {
		if same := slices.DeleteFunc(slices.Clone(all), e.otherHour); len(same) > len(best) {
			best = same
		}
	}
	strong := slices.ContainsFunc(best, func(e exchange) bool { return !e.weak })
	if len(best) == 0 || 2*len(best) <= len(all) || !strong && len(best) < some {
		return readdressing{}, false
	}
	r := readdressing{period: period(best)}
	sum := 0.0
	for _, e := range best {
		sum += best[0].offset(e)
		r.moved.Join(e.moved)
		if len(best) < some && e.shuffle {
			r.moved.Join(e.up)
		}
	}
	r.at = math.Mod(best[0].at+sum/float64(len(best))+daySeconds, daySeconds)
	if last := best[len(best)-1]; last.slot >= (len(h.seen)-1)*slots-settled {
		r.changed = int64(last.left)
	}
	return r, true
}

const daySeconds = 24 * 3600

// offset is how much later in the day o is, the short way round.
func (e exchange) offset(o exchange) float64 {
	return math.Mod(o.at-e.at+1.5*daySeconds, daySeconds) - daySeconds/2
}

func (e exchange) otherHour(o exchange) bool { return math.Abs(e.offset(o)) > sameHour }

// period is the number of days that lie most often between two exchanges.
func period(row []exchange) int {
	count := map[int]int{}
	best := 0
	for i := 1; i < len(row); i++ {
		from, to := row[i-1], row[i]
		days := int(math.Round(float64(to.day-from.day) + (to.at-from.at)/daySeconds))
		if count[days]++; best == 0 || count[days] > count[best] || count[days] == count[best] && days < best {
			best = days
		}
	}
	return best
}

const settled = 4 // slots before the end of the last day that tell no exchange yet: the next day's will

// exchanges lists those that stand out of the hours around: as many addresses taken as left, so that no evening on which
// all leave is one; and left together, so that no change of shifts is.
func (h *history) exchanges(interval uint32) (out []exchange) {
	swaps, moves, fewest := h.swaps(), h.moves(), h.cfg.Churn.Fewest
	for i, n := range swaps {
		end := len(h.seen)*slots - settled
		if i == 0 || h.samples[i].slot >= end || n < fewest+2*usual(swaps, i) || !highest(swaps, i) {
			continue
		}
		from, to := h.samples[i-1], h.samples[i+1]
		if e, ok := moves.burst(&h.cfg.Churn, (from.slot+1)*inSlot, (to.slot+1)*inSlot, interval); ok {
			e.slot, e.left = h.samples[i].slot, from.up.Without(to.up).Len()
			e.weak = from.dark || to.dark || h.samples[i].dark || 2*n < 3*(fewest+2*usual(swaps, i))
			h.movers(&e, from.up, to.up, n)
			out = append(out, e)
		}
	}
	return out
}

// swaps is for each sample how many addresses were left, or taken if those are fewer, between the samples beside it.
func (h *history) swaps() []int {
	out := make([]int, len(h.samples))
	for i := 1; i+1 < len(h.samples); i++ {
		if from, to := h.samples[i-1], h.samples[i+1]; to.slot-from.slot <= continuous {
			out[i] = min(lacking(from.up, to.up), lacking(to.up, from.up))
		}
	}
	return out
}

// usual is the median of the swaps some hours before or behind, whichever is higher: a morning is not the night before it.
func usual(swaps []int, i int) (most int) {
	for _, span := range [][2]int{{i - 8, i - 2}, {i + 3, i + 9}} {
		side := slices.Clone(swaps[min(max(span[0], 0), len(swaps)):min(max(span[1], 0), len(swaps))])
		if slices.Sort(side); len(side) > 0 {
			most = max(most, side[len(side)/2])
		}
	}
	return most
}

// highest tells whether no swap near is higher, nor as high before.
func highest(swaps []int, i int) bool {
	for j := max(i-2, 0); j <= min(i+2, len(swaps)-1); j++ {
		if swaps[j] > swaps[i] || swaps[j] == swaps[i] && j < i {
			return false
		}
	}
	return true
}

// lacking counts the places of a that are not in b.
func lacking(a, b Set) int { return a.Without(b).Len() }

// movers notes the addresses that take part in an exchange of n. By chance an address that was left is free behind it as
// often as any other one.
func (h *history) movers(e *exchange, before, after Set, n int) {
	e.moved = before.Without(after)
	e.moved.Join(after.Without(before))
	e.up.Join(before)
	e.up.Join(after)
	free := 1 - float64(after.Len())/float64(h.ever.Len())
	e.shuffle = float64(n) >= h.cfg.Churn.Shuffled*free*float64(before.Len())
}

// moves counts by tickSeconds, from the beginning of the first page's day, the sessions that began and that ended.
type moves struct{ came, left []int }

func (h *history) moves() moves {
	m := moves{make([]int, len(h.seen)*ticks), make([]int, len(h.seen)*ticks)}
	for i := range h.pages {
		p := &h.pages[i]
		for t := range ticks {
			m.came[h.day(p)*ticks+t] += int(p.Came[t])
			m.left[h.day(p)*ticks+t] += int(p.Left[t])
		}
	}
	return m
}

// burst finds the ticks between from and to in which most left together, and tells whether these are unusually many.
//
// It was the middle between those who left and those who came: in a crowded pool an address that is left early is taken
// by who moves later, so that those which stay free are left late, as those that were free are taken early. A session
// ended half an interval before the sweep that missed it, give or take as much, and began as much before its first answer.
func (m *moves) burst(cfg *ChurnConfig, from, to int, interval uint32) (exchange, bool) {
	start, most, jointly := 0, 0, max(2, int(cfg.Jointly.Seconds())/tickSeconds)
	for at := from; at <= to-jointly/2; at++ {
		if n, _ := sum(m.left, at, at+jointly); n > most {
			start, most = at, n
		}
	}
	before, _ := sum(m.left, start-4*jointly, start-jointly/2)
	behind, _ := sum(m.left, start+3*jointly/2, start+5*jointly)
	if 7*float64(most) < 7*float64(cfg.Fewest)+cfg.Unusual*2*float64(max(before, behind)) {
		return exchange{}, false
	}
	_, mean := sum(m.left, start, start+jointly)
	if n, came := sum(m.came, start-jointly/2, start+jointly); n > 0 {
		mean = (mean + came) / 2
	}
	at := float64(mean*tickSeconds) - float64(interval)/2
	day := math.Floor(at / daySeconds)
	return exchange{day: int(day), at: at - day*daySeconds}, true
}

// sum returns how many there are in the ticks, and the mean of their ticks.
func sum(row []int, from, to int) (n int, mean float64) {
	weighted := 0
	for t := max(from, 0); t < min(to, len(row)); t++ {
		n, weighted = n+row[t], weighted+t*row[t]
	}
	return n, float64(weighted) / float64(max(n, 1))
}
