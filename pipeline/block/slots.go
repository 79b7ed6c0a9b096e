package block

import "math/bits"

// history is who was up over the last days, slot by slot.
type history struct {
	cfg     *Config
	pages   []page
	samples []sample
	days    int    // with a sample
	ever    Set    // places that were up
	seen    []Set  // by day from the first page's: places that were up
	active  []bool // likewise: at least half as many were up as on the busiest day
}

// sample is the state of a block at the end of a slot.
type sample struct {
	slot int // from the beginning of the first page's day
	up   Set
	dark bool // an outage lies in the slot
}

func historyOf(cfg *Config, pages []page) *history {
	h := &history{cfg: cfg, pages: pages}
	length := h.day(&pages[len(pages)-1]) + 1
	h.seen, h.active = make([]Set, length), make([]bool, length)
	for i := range pages {
		h.open(&pages[i])
	}
	h.samples = withoutBlackouts(h.samples, cfg.Outage.Same)
	most := 0
	for _, s := range h.seen {
		h.ever.Join(s)
		most = max(most, s.Len())
	}
	for day, s := range h.seen {
		h.active[day] = len(s) > 0 && 2*s.Len() >= most
	}
	return h
}

// day is that of a page from the first page's.
func (h *history) day(p *page) int { return p.Number - h.pages[0].Number }

func (h *history) open(p *page) {
	if p.Told != 0 {
		h.days++
	}
	day := h.day(p)
	for w := p.Told; w != 0; w &= w - 1 {
		slot := bits.TrailingZeros64(w)
		h.seen[day].Join(p.Up[slot])
		h.samples = append(h.samples, sample{day*slots + slot, p.Up[slot], p.Dark>>slot&1 == 1})
	}
}

// withoutBlackouts leaves out the samples in which nobody was up, where those who were before are behind it, too: what
// befell all at once says nothing of one. Of a block with too few addresses nobody else says that it was out.
func withoutBlackouts(samples []sample, same float64) []sample {
	out := samples[:0]
	for i := 0; i < len(samples); i++ {
		if end := lit(samples, i); end > i && i > 0 && end < len(samples) {
			before, behind := samples[i-1].up, samples[end].up
			if float64(before.And(behind).Len()) >= same*float64(max(before.Len(), behind.Len())) {
				i = end
			}
		}
		out = append(out, samples[i])
	}
	return out
}

// lit is the first sample from i on in which somebody is up.
func lit(samples []sample, i int) int {
	for i < len(samples) && samples[i].up.Len() == 0 {
		i++
	}
	return i
}

const continuous = 8 // slots; of a change between samples further apart it is not known when it was

// turns are the places that changed their state: a row of words for each slot.
type turns struct {
	words int
	rows  []uint64
}

// turns lists those that came up, or with down those that went.
func (h *history) turns(down bool) *turns {
	t := &turns{len(h.ever), make([]uint64, len(h.seen)*slots*len(h.ever))}
	for i := 1; i < len(h.samples); i++ {
		from, to := h.samples[i-1], h.samples[i]
		if to.slot-from.slot > continuous {
			continue
		}
		if down {
			from.up, to.up = to.up, from.up
		}
		for w := range t.words {
			t.rows[h.samples[i].slot*t.words+w] = to.up.at(w) &^ from.up.at(w)
		}
	}
	return t
}

const near = 3 // slots from a change to one that is at the same hour of another day

// around joins word w of the slots near slot.
func (t *turns) around(slot, w int) (out uint64) {
	for at := max(slot-near, 0); at <= slot+near && (at+1)*t.words <= len(t.rows); at++ {
		out |= t.rows[at*t.words+w]
	}
	return out
}

// count adds by place how many changes there are, and how many of them neither the day before nor the day after repeats.
// A change that has no active day beside it says nothing.
func (h *history) count(t *turns, all, lone []int) {
	for i, word := range t.rows {
		if word == 0 || !h.comparable(i/t.words/slots) {
			continue
		}
		slot, w := i/t.words, i%t.words
		repeated := t.around(slot-slots, w) | t.around(slot+slots, w)
		for ; word != 0; word &= word - 1 {
			bit, place := word&-word, w<<6+bits.TrailingZeros64(word)
			all[place]++
			if repeated&bit == 0 {
				lone[place]++
			}
		}
	}
}

func (h *history) comparable(day int) bool {
	return day > 0 && h.active[day-1] || day+1 < len(h.active) && h.active[day+1]
}
