//go:build integration

package source

import (
	"cmp"
	"slices"
	"testing"
)

// TestDoubted: in either language, the sweeps from from on and before to whose trust is there and not ok.
func TestDoubted(t *testing.T) {
	ctx := t.Context()
	client := stored(t, `icmp_sweep_stats,host=h,instance=i points=1i,trust="unseen" 50000000000
icmp_sweep_stats,host=h,instance=i points=1i,trust="capture_drops,unseen" 60000000000
icmp_sweep_stats,host=h,instance=i,site=b points=1i,trust="ok" 70000000000
icmp_sweep_stats,host=h,instance=i,site=b points=1i,trust="nic_drops" 80000000000
icmp_sweep_stats,host=h,instance=j points=1i 80000000000
icmp_sweep_stats,host=h,instance=j points=1i,trust="carrier" 90000000000
icmp_sweep_stats,host=h,instance=i points=1i,trust="unseen" 120000000000
`)
	want := []Minute{{Host: "h", Instance: "i", Start: 60e9}, {Host: "h", Instance: "i", Start: 80e9}, {Host: "h", Instance: "j", Start: 90e9}}
	for _, language := range []string{InfluxQL, Flux} {
		s := New(client, language, nil)
		got, err := s.Doubted(ctx, 60e9, 120e9)
		slices.SortFunc(got, func(a, b Minute) int { return cmp.Compare(a.Start, b.Start) })
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %+v, %v", language, got, err)
		}
		if got, err := s.Doubted(ctx, 200e9, 300e9); err != nil || len(got) > 0 {
			t.Errorf("%s, where nothing is: %+v, %v", language, got, err)
		}
	}
}
