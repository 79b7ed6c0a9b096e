package block

import (
	"fmt"
	"math"

	"echogram/plugins/schema"
)

// A renumbering is told from an outage by where the population went (IAS, PAM '24): as many addresses begin to answer
// elsewhere. RenumberingConfig says what counts.

// riser is a block in which addresses begin to answer.
type riser struct {
	block *blockState
	rise  float64 // addresses that no emptied block has accounted for
}

// risers are the blocks of which addresses began to answer since the sweep before last, at once and not as in the hour
// before, at addresses of which most were not in use. They are looked up once a sweep.
func (in *instance) risers(s *span) []riser {
	if in.risersOf == s.time {
		return in.rising
	}
	in.risersOf, in.rising = s.time, in.rising[:0]
	for _, b := range in.Blocks {
		if b == nil || b.troubled(s) {
			continue
		}
		if n := b.Whole.rise(s, b); n > 0 {
			in.rising = append(in.rising, riser{b, n})
		}
	}
	return in.rising
}

// troubled tells whether answers of the block may be those of an outage that ends, or did in the sweep before.
func (b *blockState) troubled(s *span) bool {
	for _, u := range b.units {
		if u.Mood == out || u.Mood == silent || u.Ended >= s.before {
			return true
		}
	}
	return false
}

// rise is how many of the unit's addresses more answer than before, as far as they were not in use; 0 when it may be
// chance, when they come one by one over several sweeps or as before, or when most of these addresses were in use.
func (u *unit) rise(s *span, b *blockState) float64 {
	c, l, next := &s.cfg.Renumbering, s.cur.look(b.number), s.look(b.number)
	counts := [...]float64{float64(u.Recent[1]), float64(u.Recent[0]), float64(u.count), float64(max(u.count, u.answers(next.Answered)))}
	before := min(counts[0], counts[1])
	n := max(counts[2], counts[3]) - before
	one := max(counts[1]-counts[0], counts[2]-counts[1], counts[3]-counts[2])
	two := max(counts[2]-counts[0], counts[3]-counts[1])
	if n < 3+4*math.Sqrt(b.Limit.Falls) || one < c.AtOnce*n && two < c.InTwo*n || before-float64(u.Recent[4]) > n/4 {
		return 0
	}
	begun, taken := 0, 0
	for place := range max(len(l.Probed), len(next.Probed)) * 64 {
		if !u.in(place) || !l.Answered.Has(place) && !next.Answered.Has(place) {
			continue
		}
		p := b.at(place)
		if p.Begun || p.silentFor(2) {
			begun++
			if p.Taken || p.free(s.cfg, s.now) {
				taken++
			}
		}
	}
	if 2*float64(begun) < n || 2*taken < begun {
		return 0
	}
	return min(n, float64(taken))
}

// moved is the block to which the population of a silent unit went; nil: to none. A population that was on its way in
// the last sweep in which some answered was larger in the one before.
func (in *instance) moved(s *span, b *blockState, u *unit) *blockState {
	for _, lost := range u.lost(s.cfg) {
		if to := in.takenAtOnce(s, b, u, lost); to != nil {
			return to
		}
	}
	return nil
}

// lost is how many addresses a silent unit may have lost.
func (u *unit) lost(cfg *Config) []float64 {
	last, before := float64(u.Ref.Len()), float64(u.Recent[min(u.Sweeps, recentCounts-1)])
	if before > cfg.Renumbering.High*last {
		return []float64{last, before}
	}
	return []float64{last}
}

// rivalled tells whether another block that is silent has lost more nearly as many addresses as a riser gained: two blocks
// that fall silent at the same time need not have done so for the same reason.
func (in *instance) rivalled(u *unit, r *riser, lost float64) bool {
	for _, b := range in.Blocks {
		if b == nil || b.Whole.Mood != silent || b == r.block || &b.Whole == u || b.Whole.To != (blockKey{}) {
			continue
		}
		for _, other := range b.Whole.lost(&in.cfg) {
			if in.cfg.Renumbering.match(r.rise, other) && abs(r.rise-other) < abs(r.rise-lost) {
				return true
			}
		}
	}
	return false
}

// seek notes where the population of a silent unit went. It is asked in each sweep of the silence: of few addresses it takes
// some to believe in it, and by then those who moved have long been answering elsewhere.
func (in *instance) seek(s *span, b *blockState, u *unit) {
	if u.To != (blockKey{}) {
		return
	}
	if to := in.moved(s, b, u); to != nil {
		u.To = blockKey{to.Network, to.Block}
	}
}

// takenAtOnce is the block in which as many addresses began to answer as the unit lost, or nil.
func (in *instance) takenAtOnce(s *span, b *blockState, u *unit, lost float64) *blockState {
	c := &s.cfg.Renumbering
	if lost < float64(c.Least) {
		return nil
	}
	all := in.risers(s)
	if i, half := b.other(u); half {
		if n := b.Halves[i].rise(s, b); c.match(n, lost) {
			return b
		}
	}
	for _, network := range []bool{true, false} {
		if to := in.takenBy(all, b, u, lost, network); to != nil {
			return to
		}
	}
	return nil
}

// takenBy finds the block whose rise is nearest to lost, or else the greatest of those that share it.
func (in *instance) takenBy(all []riser, from *blockState, u *unit, lost float64, network bool) *blockState {
	c := &in.cfg.Renumbering
	var best, greatest *riser
	sum, parts := 0.0, 0
	for i := range all {
		r := &all[i]
		if r.block == from || network && r.block.Network != from.Network || in.rivalled(u, r, lost) {
			continue
		}
		if c.match(r.rise, lost) && (best == nil || abs(r.rise-lost) < abs(best.rise-lost)) {
			best = r
		}
		if r.rise >= max(float64(c.Least), lost/10) {
			sum, parts = sum+r.rise, parts+1
			if greatest == nil || r.rise > greatest.rise {
				greatest = r
			}
		}
	}
	if best != nil {
		best.rise -= lost
		return best.block
	}
	if parts == 0 || parts > c.Parts || !c.match(sum, lost) {
		return nil
	}
	greatest.rise -= lost * greatest.rise / sum
	return greatest.block
}

// match tells whether so many addresses that began to answer may be those that were lost. A few come by chance.
func (c *RenumberingConfig) match(rise, lost float64) bool {
	return rise >= c.Low*lost && rise <= c.High*lost+3
}

func abs(x float64) float64 { return max(x, -x) }

// renumbered emits the event and lets the history of both blocks begin anew: the people are others.
func (in *instance) renumbered(b *blockState, u *unit, to *blockState) {
	row := in.outageRow(b, u)
	row.Event, row.Open, row.To = schema.EventRenumbering, false, to.Block
	row.Reason = fmt.Sprintf("%d addresses fell silent, and as many began to answer in %s", row.Addresses, to.Block)
	in.emitEvent(row)
	own := u.places(b.Places)
	clear(own)
	u.rest()
	for _, t := range to.units {
		if to != b {
			t.Least = hourly{}
		}
	}
}
