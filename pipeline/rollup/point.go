package rollup

import (
	"cmp"
	"slices"

	"echogram/plugins/schema"
)

// point is what a rollup takes of one raw point.
type point struct {
	time                            int64
	sent, received, late, dup, corr int64
	rtt                             int64 // ns; valid with hasRTT, as are those below
	low, high                       int64 // ns; extremes of the sweep's replies
	seat                            uint32
	ttl                             uint16
	has                             uint8
}

// What a point has.
const (
	hasRTT = 1 << iota
	hasTTL
	onlyLate  // it corrects late of the point of the same time, and is none itself
	malformed // it is only counted as read
	inDoubt   // its sweep is not trusted: what did not come back may not be lost
)

func pointOf(p *schema.SweepRow) point {
	q := point{time: p.Time, sent: p.Sent, received: p.Received, late: p.Late, dup: p.Duplicates, corr: p.Corrupt}
	if p.TTL.Set && p.TTL.N == int64(uint16(p.TTL.N)) {
		q.ttl = uint16(p.TTL.N)
		q.has |= hasTTL
	}
	if !p.RTT.Set {
		return q
	}
	q.has |= hasRTT
	q.rtt, q.low, q.high = p.RTT.N, p.RTT.N, p.RTT.N
	if p.RTTMin.Set {
		q.low = min(q.low, p.RTTMin.N)
	}
	if p.RTTMax.Set {
		q.high = max(q.high, p.RTTMax.N)
	}
	return q
}

// settle brings the points of one series, given in order of arrival, into the order of their time and makes one of
// those of the same time: the last that arrived. Late replies only grow in number, so the greatest count holds,
// whichever of the two rows that tell it came first.
func settle(points []point) []point {
	byTime := func(a, b point) int { return cmp.Compare(a.time, b.time) }
	if !slices.IsSortedFunc(points, byTime) {
		slices.SortStableFunc(points, byTime)
	}
	kept := points[:0]
	for i := range points {
		p := &points[i]
		switch n := len(kept); {
		case n == 0 || kept[n-1].time != p.time:
			kept = append(kept, *p)
		case p.has&onlyLate != 0:
			kept[n-1].late = max(kept[n-1].late, p.late)
		default:
			p.late = max(p.late, kept[n-1].late)
			kept[n-1] = *p
		}
	}
	return slices.DeleteFunc(kept, func(p point) bool { return p.has&onlyLate != 0 })
}
