package service

import (
	"fmt"

	"echogram/pipeline/source"
	"echogram/plugins/schema"
)

// badPoints are the stored points of another measurement whose RTT is none.
type badPoints struct {
	n     int64
	first string
}

// look counts a point if it is one.
func (b *badPoints) look(series *schema.RTTSeries, row *schema.SweepRow) {
	if !row.RTT.Set || row.RTT.N >= 0 {
		return
	}
	if b.n++; b.n > 1 {
		return
	}
	rtt := fmt.Sprintf("%d ns", row.RTT.N)
	if row.RTT.N == source.NoRTT {
		rtt = "beyond what nanoseconds can hold"
	}
	b.first = fmt.Sprintf("target %s at %s: RTT %s", series.Target, stamp(row.Time), rtt)
}

func (b *badPoints) merge(o *badPoints) {
	if b.n == 0 {
		b.first = o.first
	}
	b.n += o.n
}

// complain says what was left out of a measurement, the first time and whenever it is more than twice as much.
func (s *Service) complain(of string, b *badPoints) {
	if b.n <= 2*s.told[of] {
		return
	}
	s.told[of] = b.n
	s.log.Warn("malformed points are left out", "of", of, "count", b.n, "first", b.first)
}
