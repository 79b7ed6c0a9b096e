package service

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// written are what stands before the fields of the lines, and their times, sorted.
func (m *memory) written(measurement string) (all []string) {
	for line := range m.lines {
		head, rest, _ := strings.Cut(line, " ")
		if strings.HasPrefix(head, measurement+",") {
			_, window, _ := strings.Cut(head, "window=")
			at := time.Unix(0, atoi(rest[strings.LastIndexByte(rest, ' ')+1:len(rest)-1])).UTC()
			all = append(all, window+" "+at.Format("15:04"))
		}
	}
	slices.Sort(all)
	return all
}

func atoi(s string) (n int64) {
	for _, c := range s {
		n = 10*n + int64(c-'0')
	}
	return n
}

func TestBackfillTakesWholeWindowsThatOverlap(t *testing.T) {
	_, m := fixture()
	for k := range 18 {
		m.add(noon.Add(time.Duration(k)*10*time.Minute), 3)
	}
	f := Filler{Ends: Ends{Accounts: m, Points: m, Sink: m}, Config: config, Ledger: accounts}
	now := noon.Add(24 * time.Hour).UnixNano()
	if err := f.Backfill(t.Context(), noon.Add(70*time.Minute+30*time.Second).UnixNano(), noon.Add(80*time.Minute).UnixNano(), now, false); err != nil {
		t.Fatal(err)
	}
	if got := m.written("icmp_sweep_network_rollup"); !slices.Equal(got, []string{"1h 13:00", "1m 13:10"}) {
		t.Errorf("written %v", got)
	}
	for _, e := range m.events {
		if e == "save" {
			t.Error("a checkpoint was saved")
		}
	}
}

// TestBackfillLeavesHalfExpiredWindowsAlone: what was rolled up of them in time is better.
func TestBackfillLeavesHalfExpiredWindowsAlone(t *testing.T) {
	for _, partial := range []bool{false, true} {
		_, m := fixture()
		for k := range 12 {
			m.add(noon.Add(30*time.Minute+time.Duration(k)*10*time.Minute), 3)
		}
		f := Filler{Ends: Ends{Accounts: m, Points: m, Sink: m}, Config: config, Ledger: accounts}
		if err := f.Backfill(t.Context(), 0, noon.Add(24*time.Hour).UnixNano(), noon.Add(24*time.Hour).UnixNano(), partial); err != nil {
			t.Fatal(err)
		}
		if got := slices.Contains(m.written("icmp_sweep_network_rollup"), "1h 12:00"); got != partial {
			t.Errorf("partial %v: the half hour is written: %v", partial, got)
		}
		if n := len(m.written("icmp_sweep_network_rollup")); n < 14 {
			t.Errorf("%d rows of the network", n)
		}
	}
}
