package block

import "slices"

// Limits between static and dynamic addresses. They were set on simulated blocks; the literature has none for echoes.
const (
	irregular = 0.4 // changes that no other day repeats, for each day that the address was up, and one more day
	absent    = 0.6 // changes between a day up and a day absent, for each active day
	leastDays = 2   // to tell
	certain   = 0.5 // score below which an address is static whatever its neighbours are
)

// kinds counts the static addresses and tells the places of the dynamic ones. moved are dynamic in any case.
//
// A static address belongs to one machine, which keeps its hours: it is always up, or it comes and goes at the same hours
// as on the days beside, as office PCs do. The next client of a pool's address keeps others. So what counts is how often
// an address comes or goes when neither the day before nor the day after has the like within 1.5 h, less what would be
// repeated by chance; and how often it is away for a whole day on which its block is active. How much is much depends on
// its block: limit.
func (h *history) kinds(moved Set) (static int64, dynamic Set) {
	if h.days < leastDays {
		return 0, nil
	}
	scores := h.scores()
	limit := h.limit(scores)
	for place := range h.ever.All {
		if scores[place] >= limit || moved.Has(place) {
			dynamic.Add(place)
		} else {
			static++
		}
	}
	return static, dynamic
}

// limit is the score from which an address is dynamic: 1, but where most of the clear ones are, a third of their median.
func (h *history) limit(scores []float64) float64 {
	var dynamic []float64
	static := 0
	for place := range h.ever.All {
		if score := scores[place]; score >= 1 {
			dynamic = append(dynamic, score)
		} else if score < certain {
			static++
		}
	}
	if len(dynamic) <= static {
		return 1
	}
	slices.Sort(dynamic)
	return min(max(dynamic[len(dynamic)/2]/3, certain), 3*certain)
}

// scores weighs both signs of a dynamic address, by place.
func (h *history) scores() []float64 {
	n := len(h.ever) * 64
	lone, up, flips := make([]float64, n), make([]int, n), make([]int, n)
	for _, down := range []bool{false, true} {
		h.lonely(h.turns(down), lone)
	}
	active := h.presence(up, flips)
	for place := range h.ever.All {
		lone[place] = lone[place]/float64(up[place]+1)/irregular + float64(flips[place])/float64(max(active-1, 1))/absent
	}
	return lone
}

// lonely adds by place how many changes are at no hour of their own. Of n changes at random a share of about x/(1+x) is
// repeated by chance, with x of them expected near the hour of two other days.
func (h *history) lonely(t *turns, out []float64) {
	all, lone := make([]int, len(out)), make([]int, len(out))
	h.count(t, all, lone)
	for place, n := range lone {
		x := float64(all[place]*2*(2*near+1)) / float64(len(h.samples))
		out[place] += float64(float64(n) * (1 + x)) // rounded, on every machine
	}
}

// presence counts by place the days up, and the changes between up and absent from one active day to the next. It returns
// how many days are active.
func (h *history) presence(up, flips []int) (active int) {
	last := -1
	for day, seen := range h.seen {
		for place := range seen.All {
			up[place]++
		}
		if !h.active[day] {
			continue
		}
		if active++; last >= 0 {
			changed := seen.Without(h.seen[last])
			changed.Join(h.seen[last].Without(seen))
			for place := range changed.All {
				flips[place]++
			}
		}
		last = day
	}
	return active
}
