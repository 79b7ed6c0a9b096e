package main

import (
	"math"
	"strings"
	"testing"
	"time"
)

const output = `icmp_sweep,block=192.0.2.0/24,instance=default,network=192.0.2.0/24,target=192.0.2.1 sent=1i,received=1i,result_code=0i 1700000000000000000
icmp_sweep,block=192.0.2.0/24,instance=default,network=192.0.2.0/24,target=192.0.2.2 late=1i,late_rtt_ns=5i 1700000000000000000
icmp_sweep_block,block=192.0.2.0/24,instance=default targets=2i 1700000000000000000
internal_write,output=file metrics_dropped=3i 1700000000000000000
icmp_sweep_stats,instance=default points=2i,targets=2i,sent=2i,received=1i,late=1i,skipped=1i,trust="unseen" 1700000000000000000
`

func TestReaderTallies(t *testing.T) {
	var r reader
	if err := r.run(strings.NewReader(output)); err != nil {
		t.Fatal(err)
	}
	got := r.now()
	if got.sweeps != 1 || got.rows != 1 || got.points != 2 || got.sent != 2 || got.received != 2 || got.skipped != 1 || got.dropped != 3 || len(got.untrusted) != 1 {
		t.Errorf("%+v", got)
	}
	if err := r.run(strings.NewReader("nonsense\n")); err == nil {
		t.Error("what is no line protocol was taken")
	}
	if _, problems := report(nil, got, time.Minute); len(problems) != 4 {
		t.Errorf("problems: %q", problems)
	}
}

// growing is memory that grows by so many bytes a second.
func growing(bytes int64) (all []sample) {
	for i := range 60 {
		at := time.Duration(i+1) * 10 * time.Second
		all = append(all, sample{at, 50<<20 + bytes*int64(at.Seconds())})
	}
	return all
}

func TestSlope(t *testing.T) {
	if s := slope(growing(1000)); math.Abs(s-1000) > 1e-3 {
		t.Errorf("1000 bytes a second are found as %v", s)
	}
	if s := slope(nil); s != 0 {
		t.Errorf("nothing grows by %v", s)
	}
	if n := len(settled(growing(0), settleTime)); n != 49 {
		t.Errorf("%d samples are left", n)
	}
}

func TestVerdictOnMemory(t *testing.T) {
	good := tally{sweeps: 60, rows: 10, points: 10, sent: 40, received: 40}
	for bytes, want := range map[int64]int{0: 0, 2000: 0, 20_000: 1} {
		if lines, problems := report(growing(bytes), good, 10*time.Minute); len(problems) != want || len(lines) != 4 {
			t.Errorf("growth of %d bytes a second: %q, %q", bytes, lines, problems)
		}
	}
}
