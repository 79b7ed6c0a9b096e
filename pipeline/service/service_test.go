package service

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"echogram/pipeline/checkpoint"
	"echogram/pipeline/ledger"
	"echogram/pipeline/rollup"
	"echogram/pipeline/source"
	"echogram/plugins/schema"
)

// memory is a source, a sink and a store in one; what happens to it is noted in events.
type memory struct {
	mu     sync.Mutex
	rows   []*schema.SweepRow
	stats  []source.Minute // one a sweep, Start is its time
	facts  []source.Facts
	events []string
	lines  map[string]bool
	hidden int64 // rows that counts see and reads do not
	fail   error // of the next write
	failAt int   // the write that fails: so many go well before it; 0: none

	blocks    []string               // what the rows are of; nil: those of add
	manifests []schema.SweepStatsRow // of sweeps of blocks
	state     []byte                 // of blocks
	order     []string               // all lines as they came
}

func (m *memory) note(format string, args ...any) {
	m.events = append(m.events, fmt.Sprintf(format, args...))
}

func (m *memory) add(at time.Time, targets int) {
	for i := range targets {
		r := &schema.SweepRow{Time: at.UnixNano(), Sent: 1, Received: 1, RTT: schema.Some(int64(i + 1))}
		r.Series = schema.Series{Host: "h", Instance: "i", Block: fmt.Sprintf("10.0.%d.0/24", i%3), Target: fmt.Sprint("10.0.0.", i)}
		m.rows = append(m.rows, r)
	}
	m.stats = append(m.stats, source.Minute{Host: "h", Instance: "i", Start: at.UnixNano(), Rows: int64(targets)})
}

func (m *memory) Newest(_ context.Context, before int64) (all []source.Minute, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range m.stats {
		if s.Start < before {
			all = append(all, s)
		}
	}
	return all, nil
}

func byMinute(all []source.Minute, from, to int64) []source.Minute {
	sum := map[int64]*source.Minute{}
	var list []source.Minute
	for _, s := range all {
		if s.Start < from || s.Start >= to {
			continue
		}
		start := s.Start / int64(time.Minute) * int64(time.Minute)
		if sum[start] == nil {
			sum[start] = &source.Minute{Host: s.Host, Instance: s.Instance, Start: start}
		}
		sum[start].Rows += s.Rows
	}
	for _, s := range sum {
		list = append(list, *s)
	}
	return list
}

func (m *memory) Manifests(_ context.Context, from, to int64) ([]source.Minute, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return byMinute(m.stats, from, to), nil
}

func (m *memory) Doubted(ctx context.Context, from, to int64) (all []source.Minute, err error) {
	sweeps, err := m.Sweeps(ctx, from, to)
	for _, s := range sweeps {
		if s.Trust != schema.TrustOK {
			all = append(all, source.Minute{Host: s.Host, Instance: s.Instance, Start: s.Time})
		}
	}
	return all, err
}

func (m *memory) Counts(_ context.Context, _ string, from, to int64) ([]source.Minute, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []source.Minute
	for _, r := range m.rows {
		all = append(all, source.Minute{Host: "h", Instance: "i", Start: r.Time, Rows: 1})
	}
	return byMinute(all, from, to), nil
}

// text is all that there is, as a prober writes it.
func (m *memory) text() string { return m.between(time.Unix(0, 0), time.Unix(1<<33, 0)) }

func (m *memory) between(from, to time.Time) string {
	var b []byte
	next := 0
	for i := range m.manifests {
		s := &m.manifests[i]
		within := s.Time >= from.UnixNano() && s.Time < to.UnixNano()
		for ; next < len(m.rows) && m.rows[next].Time <= s.Time; next++ {
			if within {
				b, _ = schema.AppendLine(b, m.rows[next])
			}
		}
		if within {
			b, _ = schema.AppendLine(b, s)
		}
	}
	return string(b)
}

func (m *memory) Totals(ctx context.Context, from, to int64) ([]source.Minute, bool, error) {
	minutes, err := m.Counts(ctx, "", from, to)
	total := source.Minute{Host: "h", Instance: "i"}
	for _, c := range minutes {
		total.Rows += c.Rows
	}
	return []source.Minute{total}, true, err
}

func (m *memory) Oldest(context.Context) (int64, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.rows) == 0 {
		return 0, false, nil
	}
	return m.rows[0].Time, true, nil
}

func (m *memory) Parts(context.Context, string, int64, int64) ([]source.Part, error) {
	if m.blocks != nil {
		return []source.Part{{Values: m.blocks[:1]}, {Values: m.blocks[1:]}}, nil
	}
	return []source.Part{{Values: []string{"10.0.0.0/24"}}, {Values: []string{"10.0.1.0/24"}}, {Values: []string{"10.0.2.0/24"}}}, nil
}

func (m *memory) Facts(context.Context, int64, int64, time.Duration) ([]source.Facts, error) {
	return m.facts, nil
}

func (m *memory) Read(_ context.Context, part source.Part, from, to int64, begin func(), add func(*schema.RTTSeries, *schema.SweepRow)) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	begin()
	skip := m.hidden
	var within []*schema.SweepRow
	for _, r := range m.rows {
		if r.Time >= from && r.Time < to && r.Block == part.Values[0] {
			within = append(within, r)
		}
	}
	slices.SortStableFunc(within, func(a, b *schema.SweepRow) int { return cmp.Compare(a.Target, b.Target) })
	for _, r := range within {
		if skip--; skip >= 0 {
			continue
		}
		add(&schema.RTTSeries{HasCounts: true, Series: r.Series}, r)
	}
	return nil
}

func (m *memory) Write(_ context.Context, lines []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		err := m.fail
		m.fail = nil
		return err
	}
	if len(lines) == 0 {
		return nil
	}
	if m.failAt > 0 {
		if m.failAt--; m.failAt == 0 {
			return errors.New("full")
		}
	}
	n := 0
	for line := range bytes.Lines(lines) {
		m.lines[string(line)] = true
		m.order = append(m.order, string(line))
		n++
	}
	m.note("write %d", n)
	return nil
}

func (m *memory) Save(any) error { m.note("save"); return nil }

func (m *memory) SaveStream(_ string, write func(io.Writer) error) error {
	var b bytes.Buffer
	err := write(&b)
	m.state = b.Bytes()
	m.note("state")
	return err
}

func (m *memory) LoadStream(_ string, read func(io.Reader) error) error {
	if m.state == nil {
		return checkpoint.ErrNone
	}
	return read(bytes.NewReader(m.state))
}

func (m *memory) Sweeps(_ context.Context, from, to int64) (all []schema.SweepStatsRow, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range m.manifests {
		if s.Time >= from && s.Time < to {
			all = append(all, s)
		}
	}
	return all, nil
}

func (m *memory) Answers(ctx context.Context, block string, from, to int64, begin func(), add func(*schema.RTTSeries, *schema.SweepRow)) error {
	return m.Read(ctx, source.Part{Values: []string{block}}, from, to, begin, add)
}

func fixture() (*Service, *memory) {
	m := &memory{lines: map[string]bool{}}
	return New(config, ledger.New(accounts), Ends{Accounts: m, Points: m, Sink: m}, m), m
}

var (
	lengths  = []time.Duration{time.Minute, time.Hour}
	accounts = ledger.Config{Lengths: lengths, Lateness: 2 * time.Minute, Revisit: 24 * time.Hour}
	config   = Config{Interval: 10 * time.Second, Readers: 2, Batch: 4, Log: slog.New(slog.DiscardHandler),
		Rollup: rollup.Config{Lengths: lengths, PerTarget: time.Hour}}
)

var noon = time.Date(2026, 1, 10, 12, 0, 0, 0, time.UTC)

func TestSaveComesAfterTheWrites(t *testing.T) {
	s, m := fixture()
	m.add(noon, 6)
	m.add(noon.Add(4*time.Hour), 6)
	if err := s.Once(t.Context(), noon.Add(7*time.Hour)); err != nil {
		t.Fatal(err)
	}
	// A run: 3 blocks and a network with a minute and an hour, 6 targets: 14 lines, in batches of 4. Then all is settled.
	if got, want := fmt.Sprint(m.events), "[write 4 write 4 write 4 write 2 save write 4 write 4 write 4 write 2 save save]"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	m.events = nil
	if err := s.Once(t.Context(), noon.Add(7*time.Hour)); err != nil || len(m.events) != 0 {
		t.Errorf("a second time: %v, %v", m.events, err)
	}
}

func TestFailedWriteIsDoneAgain(t *testing.T) {
	s, m := fixture()
	m.add(noon, 6)
	m.fail = errors.New("refused")
	if err := s.Once(t.Context(), noon.Add(3*time.Hour)); err == nil || err.Error() != "refused" {
		t.Fatalf("got %v", err)
	}
	for _, e := range m.events {
		if e == "save" {
			t.Fatal("saved without the rows")
		}
	}
	if err := s.Once(t.Context(), noon.Add(3*time.Hour)); err != nil || len(m.lines) != 14 {
		t.Errorf("%d lines, %v", len(m.lines), err)
	}
}

func TestShortReadIsNoticed(t *testing.T) {
	s, m := fixture()
	m.add(noon, 6)
	m.hidden = 1
	err := s.Once(t.Context(), noon.Add(3*time.Hour))
	if !errors.Is(err, ErrShort) {
		t.Fatalf("got %v", err)
	}
	if want := `service: fewer rows were read than were counted: 3 of 6, window of 1m at 2026-01-10T12:00:00Z, host "h", instance "i"`; err.Error() != want {
		t.Errorf("got %s", err)
	}
	m.hidden = 0
	if err := s.Once(t.Context(), noon.Add(3*time.Hour)); err != nil {
		t.Error(err)
	}
}

func TestNothingThere(t *testing.T) {
	s, m := fixture()
	if err := s.Once(t.Context(), noon); err != nil || len(m.events) != 0 {
		t.Errorf("%v, %v", m.events, err)
	}
	m.add(noon.Add(time.Hour), 1)
	if err := s.Once(t.Context(), noon); err != nil || len(m.events) != 0 {
		t.Errorf("only behind the end: %v, %v", m.events, err)
	}
}

// TestRunRollsUpMinutesAsTheyClose: in made-up time, a sweep each 10 s.
func TestRunRollsUpMinutesAsTheyClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, m := fixture()
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- s.Run(ctx) }()
		begin := time.Now().Truncate(time.Minute)
		for k := range 18 {
			m.mu.Lock()
			m.add(begin.Add(time.Duration(k)*10*time.Second), 3)
			m.mu.Unlock()
			time.Sleep(10 * time.Second)
			synctest.Wait()
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		// Two minutes are over; the third lasts until a sweep behind it.
		if len(m.lines) != 8 {
			t.Errorf("%d lines: %v", len(m.lines), m.lines)
		}
	})
}

func TestRunEndsOnALastingError(t *testing.T) {
	s, m := fixture()
	m.add(time.Now().Add(-time.Hour), 3)
	m.fail = errors.New("refused")
	if err := s.Run(t.Context()); err == nil || err.Error() != "refused" {
		t.Errorf("got %v", err)
	}
}
