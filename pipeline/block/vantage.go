package block

import (
	"fmt"
	"strings"

	"echogram/plugins/schema"
)

// Words of trust that say that the prober's own link was down.
var carrierLost = []string{"interface_down", "carrier"}

// ownWay follows whether the prober's own way is suspect: most blocks silent at once, the references silent as they
// never are, or the carrier lost. It breaks and is mended in the middle of a sweep, so that the sweep before such a one
// and the one behind it are suspect, too, where blocks are silent in them that were not before; or all of that happens
// while some blocks are probed. It emits one event for all of it, and tells whether nothing can be said of the blocks.
func (in *instance) ownWay(s *span, told bool) bool {
	silent, why := in.suspect(s.cur, told)
	if told && why == "" && in.referencesLost(s) {
		why = "the references are silent"
	}
	switch {
	case why != "":
		in.VantageLast = true
	case told && silent > 0 && in.soon(s):
		why = "the way broke in the middle of the sweep"
	case told && silent >= in.cfg.Outage.SpreadLeast && in.blinked(s):
		why = "the way broke and was mended within a sweep"
	case told && silent > 0 && in.VantageLast:
		why, in.VantageLast = "the way was mended in the middle of the sweep", false
	case in.Vantage != nil && !told:
		return true // nothing is known
	default:
		in.endVantage(s)
		return false
	}
	if in.Vantage == nil {
		in.Vantage = &schema.BlockOutageRow{BlockSeries: schema.BlockSeries{Host: in.Host, Instance: in.Instance},
			Event: schema.EventVantage, Time: s.time, Open: true, Uncertain: s.time - s.before, Reason: why}
		in.Vantage.Blocks = int64(max(silent, in.silentNext(s)))
		in.emitEvent(in.Vantage)
	}
	in.Vantage.Blocks = max(in.Vantage.Blocks, int64(silent))
	return true
}

func (in *instance) endVantage(s *span) {
	in.VantageLast = false
	if row := in.Vantage; row != nil {
		row.Open, row.Duration = false, s.time-row.Time
		in.emitEvent(row)
		in.Vantage = nil
	}
}

// suspect says why a sweep says nothing of the blocks, "" when there is no reason, and how many blocks are silent in it
// that answered in the last sweep that told something.
func (in *instance) suspect(w *sweep, told bool) (silent int, why string) {
	for _, word := range carrierLost {
		if strings.Contains(w.Trust, word) {
			return 0, "the prober's link was down"
		}
	}
	if !told {
		return 0, ""
	}
	silent, of := in.silentBlocks(w)
	if silent > 1 && float64(silent) >= in.cfg.Vantage*float64(of) {
		return silent, fmt.Sprintf("%d of %d blocks are silent at once", silent, of)
	}
	return silent, ""
}

// soon tells whether the next sweep is suspect.
func (in *instance) soon(s *span) bool {
	if s.after == nil {
		return false
	}
	_, why := in.suspect(s.after, s.next != nil)
	return why != ""
}

// blinked tells of many blocks, spread over all, that are silent in one sweep and answer in the next: what they have in
// common is when they were probed. Blocks that are silent by chance make silent × (1 - share) runs of neighbours; half of
// these are enough, while a region makes one or a few.
func (in *instance) blinked(s *span) bool {
	if s.next == nil {
		return false
	}
	silent, of, runs, back, before := 0, 0, 0, 0, false
	for _, b := range in.sorted() {
		hushed, counts := in.hushed(b, s.cur)
		if !counts {
			continue
		}
		of++
		if hushed {
			silent++
			if !before {
				runs++
			}
			if s.look(b.number).Answered.Len() > 0 {
				back++
			}
		}
		before = hushed
	}
	return float64(silent) >= in.cfg.Outage.SpreadShare*float64(of) && 2*runs*of >= silent*(of-silent) && 10*back >= 9*silent
}

func (in *instance) silentNext(s *span) int {
	if s.next == nil {
		return 0
	}
	silent, _ := in.silentBlocks(s.next)
	return silent
}

// silentBlocks counts the blocks that answered before, and those of them of which nobody does.
func (in *instance) silentBlocks(w *sweep) (silent, of int) {
	for _, b := range in.Blocks {
		hushed, counts := in.hushed(b, w)
		if counts {
			of++
		}
		if hushed {
			silent++
		}
	}
	return silent, of
}

// hushed tells of a block that answered before, as far as that counts, whether nobody does in a sweep.
func (in *instance) hushed(b *blockState, w *sweep) (hushed, counts bool) {
	if b == nil || b.Whole.Mood != standing || int(b.Whole.Recent[0]) < in.cfg.Outage.VantageLeast {
		return false, false
	}
	l := w.look(b.number)
	counts = l.Probed.Len() > 0
	return counts && l.Answered.Len() == 0, counts
}

// referencesLost takes a sweep into the belief that the references can be reached. They are lost when the belief says so,
// or begins to fall and says so after the next sweep.
func (in *instance) referencesLost(s *span) bool {
	in.References = in.reached(in.References, s.cur)
	if in.References <= s.cfg.Down {
		return true
	}
	return in.References < s.cfg.Up && s.next != nil && in.reached(in.References, s.next) <= s.cfg.Down
}

// reached is the belief that the references can be reached after a sweep. They are independent of each other, unlike the
// addresses of a block.
func (in *instance) reached(belief float64, w *sweep) float64 {
	c, silence, answers, probed := &in.cfg.Outage, 0.0, 0, false
	for _, r := range in.references {
		l := w.look(r.block.number)
		if !l.Probed.Has(r.place) {
			continue
		}
		probed = true
		if l.Answered.Has(r.place) {
			answers++
		} else {
			p := r.block.at(r.place)
			silence += p.silence(p.Own)
		}
	}
	if !probed {
		return belief
	}
	return c.update(belief, silence/c.Dependence, answers)
}
