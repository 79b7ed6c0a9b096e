package block

import (
	"errors"
	"io"

	"echogram/plugins/schema"
)

// Monitor reads the sweeps of all instances. Each instance (host and instance of the rows) is read apart from the others.
type Monitor struct {
	cfg Config
	pos int64
}

// ErrOther: the state is of another version, or no state at all.
var ErrOther = errors.New("block: state of another version")

// New makes a Monitor that knows nothing.
func New(cfg Config) *Monitor { return &Monitor{cfg: cfg} }

// Add takes what a sweep found out about one target, in any order. Rows of sweeps before Position are left out.
func (m *Monitor) Add(series *schema.RTTSeries, p *schema.SweepRow) {}

// Manifest takes what closes a sweep.
func (m *Monitor) Manifest(s *schema.SweepStatsRow) {}

// Close judges all sweeps that started before, in order of time. Judgement lags one sweep behind.
func (m *Monitor) Close(before int64, emit func(schema.Row) error) error {
	m.pos = max(m.pos, before)
	return nil
}

// Finish judges what is left, as it stands, and emits what is open.
func (m *Monitor) Finish(emit func(schema.Row) error) error { return nil }

// Position is from when on sweeps are to be read: what lies before it is in the state.
func (m *Monitor) Position() int64 { return m.pos }

// Save writes the state, without the sweeps that are not closed.
func (m *Monitor) Save(w io.Writer) error { return nil }

// Load reads what Save wrote. The error is ErrOther when it is of no use.
func Load(cfg Config, r io.Reader) (*Monitor, error) { return New(cfg), nil }
