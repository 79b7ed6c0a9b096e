package service

import (
	"cmp"
	"errors"
	"fmt"

	"echogram/pipeline/source"
	"echogram/plugins/schema"
)

// badPoints are the stored points that nothing can have measured.
type badPoints struct {
	n      int64
	first  string
	series *schema.RTTSeries // of the last point
	wrong  error             // with it
}

// look tells whether a point is one, and counts it.
func (b *badPoints) look(series *schema.RTTSeries, row *schema.SweepRow) bool {
	if series != b.series {
		b.series, b.wrong = series, series.Check()
	}
	err := cmp.Or(b.wrong, row.Check())
	if err == nil {
		return false
	}
	if b.n++; b.n == 1 {
		if row.RTT.Set && row.RTT.N == source.NoRTT {
			err = errors.New("RTT beyond what nanoseconds can hold")
		}
		b.first = fmt.Sprintf("target %s at %s: %v", series.Target, stamp(row.Time), err)
	}
	return true
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
	s.log.Warn("malformed points are left out", "of", cmp.Or(of, schema.ICMPSweep), "count", b.n, "first", b.first)
}
