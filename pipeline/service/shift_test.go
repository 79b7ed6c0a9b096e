package service

import (
	"context"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"echogram/pipeline/ledger"
	"echogram/pipeline/path"
	"echogram/pipeline/source"
	"echogram/plugins/schema"
)

// Floors reads what was written back.
func (m *memory) Floors(_ context.Context, block, window string, from, to int64, begin func(), add func(*schema.RTTSeries, *schema.SweepRollupRow)) error {
	return m.floors(func(s *schema.Series) bool { return s.Block == block }, window, from, to, begin, add)
}

func (m *memory) TargetFloors(_ context.Context, targets []string, window string, from, to int64, begin func(), add func(*schema.RTTSeries, *schema.SweepRollupRow)) error {
	m.mu.Lock()
	m.note("targets %v", targets)
	m.mu.Unlock()
	return m.floors(func(s *schema.Series) bool { return slices.Contains(targets, s.Target) }, window, from, to, begin, add)
}

func (m *memory) floors(want func(*schema.Series) bool, window string, from, to int64, begin func(), add func(*schema.RTTSeries, *schema.SweepRollupRow)) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	begin()
	series := map[string]*schema.RTTSeries{}
	for line := range m.lines {
		var r schema.SweepRollupRow
		if schema.ParseLine([]byte(line), &r) != nil || !want(&r.Series) || r.Window != window || r.Time < from || r.Time >= to {
			continue
		}
		key := r.Series.Key()
		if series[key] == nil {
			series[key] = &schema.RTTSeries{Series: r.Series}
		}
		add(series[key], &r)
	}
	return nil
}

// jumps tells of a step when the last floor lies 100 ns above the one before, under the same facts.
func jumps(_ path.ShiftConfig, floors []path.Floor) []path.Shift {
	n := len(floors)
	if n < 2 || floors[n-1].Floor-floors[n-2].Floor < 100 || floors[n-1].Facts != floors[n-2].Facts {
		return nil
	}
	return []path.Shift{{At: floors[n-1].Start, Kind: schema.ShiftStep, Step: floors[n-1].Floor - floors[n-2].Floor,
		Before: floors[n-2].Floor, After: floors[n-1].Floor, TTLAfter: floors[n-1].TTLMax, Metres: 25}}
}

// shifting is a database of five hours in which the floor of all targets rises by 250 ns at the fourth.
func shifting(facts []source.Facts) *memory {
	m := &memory{lines: map[string]bool{}, facts: facts}
	for k := range 5 {
		m.add(noon.Add(time.Duration(k)*time.Hour), 6)
	}
	for _, r := range m.rows {
		r.TTL = schema.Some(64)
		if r.Time >= noon.Add(3*time.Hour).UnixNano() {
			r.RTT.N += 250
		}
	}
	return m
}

func (m *memory) shifts() (all []string) {
	for line := range m.lines {
		if strings.HasPrefix(line, schema.PathShift+",") {
			all = append(all, line)
		}
	}
	slices.Sort(all)
	return all
}

func TestShiftsComeOutOfWhatIsStored(t *testing.T) {
	var found [][]string
	for _, back := range []bool{true, false} {
		m := shifting(nil)
		c := config
		c.Shifts = &path.ShiftConfig{}
		ends := Ends{Accounts: m, Points: m, Sink: m}
		if back {
			ends.Floors = m
		}
		s := New(c, ledger.New(accounts), ends, m)
		s.shifter.find = jumps
		for _, until := range []time.Duration{2*time.Hour + 30*time.Minute, 7 * time.Hour} {
			if err := s.Once(t.Context(), noon.Add(until)); err != nil {
				t.Fatal(err)
			}
		}
		found = append(found, m.shifts())
		again := New(c, ledger.New(accounts), ends, m)
		again.shifter.find = jumps
		if err := again.Once(t.Context(), noon.Add(7*time.Hour)); err != nil {
			t.Fatal(err)
		}
		if got := m.shifts(); !slices.Equal(got, found[len(found)-1]) {
			t.Errorf("a second time\n%v", got)
		}
	}
	if len(found[0]) != 6 || !slices.Equal(found[0], found[1]) {
		t.Errorf("read back %d, kept %d:\n%v\n%v", len(found[0]), len(found[1]), found[0], found[1])
	}
	const want = `path_shift,block=10.0.0.0/24,host=h,instance=i,target=10.0.0.0,window=1h kind="step",step_ns=250i,step_low_ns=0i,step_high_ns=0i,before_ns=1i,after_ns=251i,hops=0,cable_m=25,ttl_after=64i 1768057200000000000` + "\n"
	if found[0][0] != want {
		t.Errorf("got  %swant %s", found[0][0], want)
	}
}

// TestShiftsNeedTheSameFacts: interrupt coalescing that changed at the same hour explains the step.
func TestShiftsNeedTheSameFacts(t *testing.T) {
	var facts []source.Facts
	for k := range int64(5) {
		facts = append(facts, source.Facts{Host: "h", Instance: "i", Start: noon.UnixNano() + k*int64(time.Hour),
			Link: schema.LinkFacts{RXUsecs: schema.Some(3 + 20*(k/3))}})
	}
	m := shifting(facts)
	c := config
	c.Shifts = &path.ShiftConfig{}
	s := New(c, ledger.New(accounts), Ends{Accounts: m, Points: m, Sink: m, Floors: m}, m)
	s.shifter.find = jumps
	if err := s.Once(t.Context(), noon.Add(7*time.Hour)); err != nil || len(m.shifts()) != 0 || len(m.lines) == 0 {
		t.Errorf("%v: %v", err, m.shifts())
	}
}

func TestFactsText(t *testing.T) {
	if got := factsText(&schema.LinkFacts{}); got != "" {
		t.Errorf("no facts: %q", got)
	}
	l := schema.LinkFacts{RXUsecs: schema.Some(3), EEE: "off", Adaptive: "on", Governor: "performance"}
	if got := factsText(&l); got != "rx_usecs 3, tx_usecs ?, adaptive on, eee off, governor performance" {
		t.Errorf("got %q", got)
	}
}

// TestShiftOfAFloor: the real method finds a switch that was put in, once and at its hour.
func TestShiftOfAFloor(t *testing.T) {
	m := &memory{lines: map[string]bool{}}
	random := rand.New(rand.NewPCG(1, 2))
	for k := range 24 * 60 {
		m.add(noon.Add(time.Duration(k)*time.Minute), 1)
		r := m.rows[len(m.rows)-1]
		r.RTT = schema.Some(200_000 + int64(500*random.NormFloat64()))
		if k >= 15*60 {
			r.RTT.N += 2000
		}
	}
	c := config
	c.Shifts = &path.ShiftConfig{}
	s := New(c, ledger.New(accounts), Ends{Accounts: m, Points: m, Sink: m, Floors: m}, m)
	if err := s.Once(t.Context(), noon.Add(48*time.Hour)); err != nil {
		t.Fatal(err)
	}
	all := m.shifts()
	var r schema.PathShiftRow
	if len(all) != 1 || schema.ParseLine([]byte(all[0]), &r) != nil {
		t.Fatalf("shifts %v", all)
	}
	if r.Kind != schema.ShiftStep || r.Time != noon.Add(15*time.Hour).UnixNano() || r.StepLow.N > 2000 || r.StepHigh.N < 2000 || r.Step.N < 1800 || r.Step.N > 2200 {
		t.Errorf("got %s", all[0])
	}
}
