package service

import (
	"bytes"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"echogram/pipeline/block"
	"echogram/pipeline/ledger"
	"echogram/pipeline/lines"
	"echogram/pipeline/source"
	"echogram/plugins/schema"
)

// Of a small network: a block that is out from 20:00 to 21:10 of the second day, and one that is not.
const (
	outBlock   = "192.0.2.0/24"
	otherBlock = "198.51.100.0/24"
	people     = 40 // that answer in each
)

// network makes the sweeps of some hours, one in ten minutes.
func network(hours int) (all []*schema.SweepRow, manifests []schema.SweepStatsRow) {
	out := noon.Add(32 * time.Hour)
	for k := range hours * 6 {
		at := noon.Add(time.Duration(k) * 10 * time.Minute)
		stats := schema.SweepStatsRow{Host: "h", Instance: "i", Time: at.UnixNano(), Trust: schema.TrustOK}
		for _, b := range []string{outBlock, otherBlock} {
			for place := range people {
				r := &schema.SweepRow{Time: at.UnixNano(), Sent: 1, ResultCode: schema.ResultSilent}
				r.Series = schema.Series{Host: "h", Instance: "i", Network: "n", Block: b, Target: strings.TrimSuffix(b, "0/24") + fmt.Sprint(place+1)}
				r.Labels = []schema.Tag{{Key: "site", Value: "hall"}}
				if silent := at.Sub(out); b != outBlock || silent < 0 || silent >= 70*time.Minute {
					r.Received, r.ResultCode, r.RTT = 1, schema.ResultAnswered, schema.Some(int64(1e6+place*1000+k%7))
				}
				all = append(all, r)
				stats.Points++
				stats.Received += r.Received
			}
		}
		stats.Targets, stats.Sent = stats.Points, stats.Points
		manifests = append(manifests, stats)
	}
	return all, manifests
}

// remembered is a memory that holds the network.
func remembered(hours int) *memory {
	_, m := fixture()
	m.blocks = []string{outBlock, otherBlock}
	m.rows, m.manifests = network(hours)
	for _, s := range m.manifests {
		m.stats = append(m.stats, source.Minute{Host: s.Host, Instance: s.Instance, Start: s.Time, Rows: s.Points})
	}
	return m
}

func blocksConfig(log *bytes.Buffer) Config {
	cfg := config
	cfg.Blocks = &block.Config{Window: time.Hour, Location: time.UTC, Labels: []string{"site"}, Span: 14}
	cfg.Lateness = 12 * time.Minute
	if log != nil {
		cfg.Log = slog.New(slog.NewTextHandler(log, nil))
	}
	return cfg
}

func blocksService(m *memory, log *bytes.Buffer) *Service {
	return New(blocksConfig(log), ledger.New(accounts), Ends{Accounts: m, Points: m, Sink: m}, m)
}

// told are the lines of blocks, the last one of each series and time.
func (m *memory) told() string {
	last := map[string]string{}
	for _, l := range m.order {
		if strings.HasPrefix(l, "block_") {
			head, rest, _ := strings.Cut(l, " ")
			last[head+rest[strings.LastIndexByte(rest, ' '):]] = l
		}
	}
	var b strings.Builder
	for _, k := range slices.Sorted(maps.Keys(last)) {
		b.WriteString(last[k])
	}
	return b.String()
}

// same names the first line that differs.
func same(t *testing.T, got, want string) {
	t.Helper()
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			t.Fatalf("got  %s\nwant %s", g[i], w[i])
		}
	}
	if len(g) != len(w) {
		t.Fatalf("%d lines, want %d", len(g), len(w))
	}
}

const hours = 53

// TestBlocksFromAFileAndFromADatabase give the same rows, the outage among them, and tell it once.
func TestBlocksFromAFileAndFromADatabase(t *testing.T) {
	var log bytes.Buffer
	m := remembered(hours)
	if err := blocksService(m, &log).Once(t.Context(), noon.Add(hours*time.Hour)); err != nil {
		t.Fatal(err)
	}
	fromDatabase := m.told()
	for _, want := range []string{
		"block_outage,block=192.0.2.0/24,event=outage,group=block,host=h,instance=i,network=n,site=hall ", "duration_ns=4200000000000i",
		"block_state,group=site,host=h,instance=i,site=hall ", "block_churn,block=198.51.100.0/24,", "block_daily,",
	} {
		if !strings.Contains(fromDatabase, want) {
			t.Errorf("no %s", want)
		}
	}
	for _, want := range []string{`level=WARN msg=outage block=192.0.2.0/24`, `since=2026-01-11T20:00:00Z addresses=40`, `level=INFO msg="outage is over" block=192.0.2.0/24`, "after=1h10m"} {
		if strings.Count(log.String(), want) != 1 {
			t.Errorf("the log does not say once %s:\n%s", want, log.String())
		}
	}
	_, streamed := fixture()
	s := NewStream(StreamConfig{Config: blocksConfig(nil), OnlyBlocks: true}, Closed{}, streamed, nil, nil)
	if err := pour(t, s, m.text()); err != nil {
		t.Fatal(err)
	}
	same(t, streamed.told(), fromDatabase)
	if len(streamed.written("icmp_sweep_network_rollup")) != 0 {
		t.Error("something was rolled up")
	}
}

// TestBlocksGoOnFromTheirState: run now and then by a new process each, they give the rows of one that was not ended.
func TestBlocksGoOnFromTheirState(t *testing.T) {
	calm := remembered(hours)
	if err := blocksService(calm, nil).Once(t.Context(), noon.Add(hours*time.Hour)); err != nil {
		t.Fatal(err)
	}
	m := remembered(hours)
	for h := 1; h <= hours; h += 13 {
		if err := blocksService(m, nil).Once(t.Context(), noon.Add(time.Duration(h)*time.Hour+5*time.Minute)); err != nil {
			t.Fatal(err)
		}
	}
	same(t, m.told(), calm.told())
	if !slices.Contains(m.events, "state") {
		t.Error("no state was saved")
	}
}

// TestBlocksAfterAFailedWrite go on from the state, and tell again what was not written.
func TestBlocksAfterAFailedWrite(t *testing.T) {
	calm, m := remembered(hours), remembered(hours)
	until := noon.Add(hours * time.Hour)
	if err := blocksService(calm, nil).Once(t.Context(), until); err != nil {
		t.Fatal(err)
	}
	s := blocksService(m, nil)
	m.failAt = 20
	if err := s.Once(t.Context(), until); err == nil {
		t.Fatal("the sink did not fail")
	}
	if err := s.Once(t.Context(), until); err != nil {
		t.Fatal(err)
	}
	same(t, m.told(), calm.told())
}

// TestDamagedStateOfBlocks: it begins again, and says so.
func TestDamagedStateOfBlocks(t *testing.T) {
	var log bytes.Buffer
	m := remembered(10)
	m.state = []byte("no state")
	if err := blocksService(m, &log).Once(t.Context(), noon.Add(10*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(log.String(), "state of blocks not usable") || !strings.Contains(m.told(), "block_state") {
		t.Error(log.String())
	}
}

// TestBackfillOfBlocks writes what overlaps the stretch, as a run over all writes it, and nothing else.
func TestBackfillOfBlocks(t *testing.T) {
	whole, m := remembered(hours), remembered(hours)
	if err := blocksService(whole, nil).Once(t.Context(), noon.Add(hours*time.Hour)); err != nil {
		t.Fatal(err)
	}
	f := Filler{Ends: Ends{Accounts: m, Points: m, Sink: m}, Config: blocksConfig(nil), Ledger: accounts}
	start, stop := noon.Add(32*time.Hour+30*time.Minute), noon.Add(34*time.Hour)
	if err := f.Backfill(t.Context(), start.UnixNano(), stop.UnixNano(), noon.Add(hours*time.Hour).UnixNano(), false); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(m.told()) {
		if !strings.Contains(whole.told(), line) {
			t.Errorf("not in the whole: %s", line)
		}
	}
	state := schema.BlockState + ",block=" + outBlock
	if n := strings.Count(m.told(), state); n != 2 || !strings.Contains(m.told(), schema.BlockOutage) {
		t.Errorf("%d hours of the block, want 2", n)
	}
}

// TestMissingRowsAreAwaited: a sweep that is not whole is not judged before its lateness.
func TestMissingRowsAreAwaited(t *testing.T) {
	m := remembered(2)
	last := m.rows[len(m.rows)-1]
	m.rows = m.rows[:len(m.rows)-1]
	now := noon.Add(time.Hour + 51*time.Minute).UnixNano()
	b := blocksService(m, nil).blocks
	if err := b.round(t.Context(), now, 0); err != nil || b.next != now-int64(12*time.Minute) {
		t.Fatalf("judged up to %s, %v", stamp(b.next), err)
	}
	m.rows = append(m.rows, last)
	if err := b.round(t.Context(), now, 0); err != nil || b.next != last.Time+1 {
		t.Errorf("judged up to %s, %v", stamp(b.next), err)
	}
}

// TestThinSweepsAreLeftOut: where answers have no point nothing is concluded from silence, which is said once.
func TestThinSweepsAreLeftOut(t *testing.T) {
	var log bytes.Buffer
	m := remembered(hours)
	thin := m.rows[:0]
	for i, r := range m.rows {
		if r.Received == 0 || i%7 == 0 { // much like per_target = "changed"
			thin = append(thin, r)
		}
	}
	m.rows = thin
	points := map[int64]int64{}
	for _, r := range m.rows {
		points[r.Time]++
	}
	for i := range m.manifests {
		m.manifests[i].Points = points[m.manifests[i].Time]
		m.stats[i].Rows = m.manifests[i].Points
	}
	if err := blocksService(m, &log).Once(t.Context(), noon.Add(hours*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(m.told(), schema.BlockOutage) || strings.Count(log.String(), `per_target = \"all\"`) != 1 {
		t.Error(log.String())
	}
}

// TestStretch: a stretch holds whole sweeps, and one at least.
func TestStretch(t *testing.T) {
	sweep := func(at, points int64) schema.SweepStatsRow { return schema.SweepStatsRow{Time: at, Points: points} }
	for _, c := range []struct {
		manifests []schema.SweepStatsRow
		want      int64
	}{
		{nil, 100},
		{[]schema.SweepStatsRow{sweep(20, 10), sweep(10, 10)}, 100},
		{[]schema.SweepStatsRow{sweep(10, 5e6), sweep(20, 1)}, 20},
		{[]schema.SweepStatsRow{sweep(30, 2e6), sweep(10, 2e6), sweep(20, 1e6)}, 30},
		{[]schema.SweepStatsRow{sweep(10, 3e6), sweep(10, 3e6)}, 100},
	} {
		if got := stretchEnd(c.manifests, 100); got != c.want {
			t.Errorf("%v: %d, want %d", c.manifests, got, c.want)
		}
	}
}

// TestLiveStreamReadsWhatItDidNotHear: a process that was away goes on from its state and the database.
func TestLiveStreamReadsWhatItDidNotHear(t *testing.T) {
	whole, m := remembered(hours), remembered(hours)
	if err := blocksService(whole, nil).Once(t.Context(), noon.Add(hours*time.Hour)); err != nil {
		t.Fatal(err)
	}
	cfg := StreamConfig{Config: blocksConfig(nil), Sweep: 10 * time.Minute, Now: func() time.Time { return noon.Add(hours * time.Hour) }}
	filler := &Filler{Ends: Ends{Accounts: m, Points: m, Sink: m}, Config: cfg.Config, Ledger: accounts}
	for _, part := range [][2]int{{0, 20}, {30, hours}} { // hours
		text := m.between(noon.Add(time.Duration(part[0])*time.Hour), noon.Add(time.Duration(part[1])*time.Hour))
		if err := NewStream(cfg, Closed{}, m, m, filler).Read(t.Context(), lines.NewReader(strings.NewReader(text), nil)); err != nil {
			t.Fatal(err)
		}
	}
	day := fmt.Sprintf(" %d\n", noon.Truncate(24*time.Hour).Add(24*time.Hour).UnixNano())
	n := 0
	for line := range strings.Lines(m.told()) {
		if strings.HasSuffix(line, day) || strings.HasPrefix(line, schema.BlockOutage) {
			n++
			if !strings.Contains(whole.told(), line) {
				t.Errorf("not in the whole: %s", line)
			}
		}
	}
	if n < 5 {
		t.Errorf("%d rows of the day and of outages", n)
	}
}
