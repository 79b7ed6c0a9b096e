// Package rtt sums round-trip times up in the words of the rows, so that a sweep and the reading of its capture say
// the same of the same replies: Sum (the replies of one target), Quantiles (the targets of one block), Rank and Between
// (a percentile in two ways). It is pure. All times are ns.
//
// What the RTTs of a target say of its path is the business of package floor.
package rtt

import (
	"math"
	"slices"

	"echogram/plugins/schema"
)

// Sum gathers the RTTs of a target in constant memory.
type Sum struct {
	n, sum, least, most int64
	squares             float64
}

// Add takes one RTT.
func (s *Sum) Add(rtt int64) {
	if s.n == 0 || rtt < s.least {
		s.least = rtt
	}
	s.most = max(s.most, rtt)
	s.n++
	s.sum += rtt
	s.squares += float64(rtt) * float64(rtt)
}

// Into fills in the mean, and the spread if a row stands for several requests. Without RTTs it fills in nothing.
func (s *Sum) Into(row *schema.SweepRow, several bool) {
	if s.n == 0 {
		return
	}
	row.RTT = schema.Some(s.sum / s.n)
	if !several {
		return
	}
	mean := float64(s.sum) / float64(s.n)
	row.RTTMin, row.RTTMax = schema.Some(s.least), schema.Some(s.most)
	row.RTTStddev = schema.Some(int64(math.Sqrt(max(0, s.squares/float64(s.n)-mean*mean))))
}

// Quantiles sorts the RTTs of a block's targets and fills in what they say. Without RTTs it fills in nothing.
func Quantiles(row *schema.SweepBlockRow, rtts []int64) {
	if len(rtts) == 0 {
		return
	}
	slices.Sort(rtts)
	var sum int64
	for _, v := range rtts {
		sum += v
	}
	row.RTTMin, row.RTTMax = schema.Some(rtts[0]), schema.Some(rtts[len(rtts)-1])
	row.RTTMean = schema.Some(sum / int64(len(rtts)))
	row.RTTP50, row.RTTP90, row.RTTP99 = schema.Some(Rank(rtts, 50)), schema.Some(Rank(rtts, 90)), schema.Some(Rank(rtts, 99))
}

// Rank is the least of sorted values, at least one, that at least percent of them do not exceed (nearest rank).
func Rank(sorted []int64, percent int) int64 {
	return sorted[max(0, (percent*len(sorted)+99)/100-1)]
}

// Between is a percentile as Telegraf's inputs.ping has it: on the line between the values next to it (R7 of Hyndman
// and Fan, 1996).
func Between(sorted []int64, percent int) int64 {
	at := percent * (len(sorted) - 1)
	low := sorted[at/100]
	high := sorted[min(at/100+1, len(sorted)-1)]
	return low + int64(float64(at%100)/100*float64(high-low))
}
