package outlier

// Verdict is what a stream says of a value at once, by what it knows until then.
type Verdict uint8

// The verdicts.
const (
	Warming Verdict = iota // too early to tell; judged when the warm-up ends
	Kept
	Cut
)

func (v Verdict) String() string { return [...]string{"warming", "kept", "cut"}[v] }

// Stream filters values as they come, in the order of their time, with bounded memory (about 120 kB at most): a
// histogram for the limit and the moments, batches for the autocorrelation. During the warm-up its result is exact;
// after it the limit and the floors come from 1,024 quantiles, and the mean errs by at most the bin that the limit
// parts. The same values in the same order give the same result. The zero value is not ready.
type Stream struct {
	cfg     Config
	held    []int64 // those of the warm-up
	bins    bins
	batches batches
	limit   float64
	due     int64 // number of values at which the limit is looked for again
	filter  Filter
	points  []int64
}

// NewStream makes a stream.
func NewStream(cfg Config) *Stream { return &Stream{cfg: cfg.defaults()} }

// Add takes the next value.
func (s *Stream) Add(v int64) Verdict {
	s.bins.add(v)
	if s.bins.n < int64(s.cfg.WarmUp) {
		s.held = append(s.held, v)
		return Warming
	}
	if s.bins.n >= s.due {
		s.limit = s.look()
		s.due = s.bins.n + max(s.bins.n/16, 16)
	}
	if s.batches.size == 0 {
		s.batches.reset(s.filter.base, 1)
		for _, h := range s.held {
			s.batches.add(float64(h), float64(h) <= s.limit)
		}
		s.held = nil
	}
	kept := float64(v) <= s.limit
	s.batches.add(float64(v), kept)
	if !kept {
		return Cut
	}
	return Kept
}

// look finds the limit by the quantiles of all values so far.
func (s *Stream) look() (limit float64) {
	s.points = s.bins.points(s.points[:0])
	s.filter.sort(s.points)
	return s.filter.limit(s.cfg)
}

// Result is that of all values so far. Its N, Kept and Cut are by the limit of the moment; autocorrelation is judged
// by what was kept when it came.
func (s *Stream) Result() Result {
	if s.batches.size == 0 {
		return s.filter.Window(s.cfg, s.held, nil)
	}
	r := Result{N: int(s.bins.n), Limit: s.look()}
	r.Kept, r.Mean, r.Sigma = s.bins.below(r.Limit)
	r.Cut = r.N - r.Kept
	kept := s.points[:below(s.points, r.Limit)]
	r.Floor, r.Shorth = HalfSampleMode(kept), Shorth(kept)
	s.filter.conclude(s.cfg, &s.batches, &r)
	return r
}
