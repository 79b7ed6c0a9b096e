package witness

import "slices"

// tolerance is the difference that two stamps of one frame may have and still count as the same, ns.
const tolerance = 1000

// Agreement is how far a prober's RTTs lie from tcpdump's. Times are ns.
type Agreement struct {
	Compared int          `json:"compared"`      // targets or probes that both have
	Unseen   int          `json:"unseen"`        // what only the prober has
	Within   int          `json:"within_1us"`    // differences of at most 1 µs
	Median   int64        `json:"median_ns"`     // of prober's less tcpdump's
	P90      int64        `json:"p90_ns"`        // of the differences without their sign
	P99      int64        `json:"p99_ns"`        // likewise
	Max      int64        `json:"max_ns"`        // likewise
	Prober   Distribution `json:"rtt_prober_ns"` // of what was compared
	Tcpdump  Distribution `json:"rtt_tcpdump_ns"`
}

// Distribution holds quantiles by nearest rank.
type Distribution struct {
	P50 int64 `json:"p50"`
	P90 int64 `json:"p90"`
	P99 int64 `json:"p99"`
}

// Compare sets a prober's RTTs, ns by target or by probe, against tcpdump's.
func Compare[K comparable](prober, tcpdump map[K]int64) Agreement {
	var a Agreement
	var ours, theirs, signed, absolute []int64
	for k, rtt := range prober {
		truth, ok := tcpdump[k]
		if !ok {
			a.Unseen++
			continue
		}
		d := rtt - truth
		ours, theirs = append(ours, rtt), append(theirs, truth)
		signed, absolute = append(signed, d), append(absolute, max(d, -d))
		if absolute[len(absolute)-1] <= tolerance {
			a.Within++
		}
	}
	a.Compared = len(signed)
	if a.Compared == 0 {
		return a
	}
	for _, values := range [][]int64{ours, theirs, signed, absolute} {
		slices.Sort(values)
	}
	a.Prober, a.Tcpdump = distribution(ours), distribution(theirs)
	a.Median = quantile(signed, 50)
	a.P90, a.P99, a.Max = quantile(absolute, 90), quantile(absolute, 99), absolute[len(absolute)-1]
	return a
}

// Share is the part of the compared targets that lies within 1 µs, 0 to 1.
func (a Agreement) Share() float64 { return float64(a.Within) / float64(max(1, a.Compared)) }

func distribution(sorted []int64) Distribution {
	return Distribution{quantile(sorted, 50), quantile(sorted, 90), quantile(sorted, 99)}
}

// quantile is the nearest-rank percentile of sorted values, at least one.
func quantile(sorted []int64, percent int) int64 {
	return sorted[max(0, (len(sorted)*percent+99)/100-1)]
}
