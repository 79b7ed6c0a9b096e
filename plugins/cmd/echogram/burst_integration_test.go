//go:build integration

package main

import (
	"context"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"echogram/plugins/netlab"
)

// TestPlaceInBurst sends bursts through a link that serialises at 100 Mbit/s: the floor of a burst's first request is
// that of a lone one, and the last has waited for all before it.
func TestPlaceInBurst(t *testing.T) {
	const (
		rate   = 100_000_000
		size   = 200
		places = 128
		bursts = 128
	)
	wire := time.Duration(14+20+8+size+24) * 8 * time.Second / rate // of a frame, with FCS, preamble and gap
	lab := newLab(t, netlab.SweepConfig{AllAnswering: true})
	serial, err := netlab.Serialise(lab.Responder, netlab.ResponderLink, rate)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { serial.Close() })
	if err := lab.Prober.Steer(netlab.ProberLink, 0); err != nil {
		t.Fatal(err)
	}
	// A busy machine adds to the floors, and holds up some bursts on their way out: several sweeps may be needed.
	alone := at(sweepInOrder(t, lab, 500, 1, size, bursts*4), 0, 1)[0]
	var first, last time.Duration
	for try := range 5 {
		full := sweepInOrder(t, lab, 10_000, places, size, bursts*places)
		if floor := at(full, 0, places)[0]; try == 0 || floor < first {
			first, last = floor, at(full, places-1, places)[bursts/2]
		}
		t.Logf("least RTT alone %v, first of %d %v, median of the last %v; a frame takes %v", alone, places, first, last, wire)
		if first-alone < wire/4 {
			break
		}
	}
	if d := first - alone; d.Abs() > wire/4 {
		t.Errorf("the first of a burst is %v off a lone request", d)
	}
	// The burst leaves faster than the link takes it, but not at once.
	if queue := last - first; queue < places*wire/2 || queue > places*wire {
		t.Errorf("the last of a burst has waited %v, want up to %v", queue, places*wire)
	}
}

// sweepInOrder sweeps n targets by address from other CPUs than the link's, and returns their RTTs in that order.
func sweepInOrder(t *testing.T, lab *netlab.Sweep, rate, burst, size, n int) []time.Duration {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	from := netip.MustParseAddr("198.18.0.0")
	to := netip.AddrFrom4([4]byte{198, 18, byte((n - 1) >> 8), byte(n - 1)})
	o := finish(t, lab.Prober.Command(ctx, "taskset", "-c", netlab.SenderCPUs(), program, "sweep", "--order", "sequential",
		"--rate", strconv.Itoa(rate), "--burst", strconv.Itoa(burst), "--size", strconv.Itoa(size), from.String()+"-"+to.String()))
	if o.code != exitDone {
		t.Fatalf("exit code %d: %s", o.code, o.stderr)
	}
	var rtts []time.Duration
	for line := range strings.Lines(o.stdout) {
		_, seconds, _ := strings.Cut(strings.TrimSpace(line), ",")
		s, err := strconv.ParseFloat(seconds, 64)
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		rtts = append(rtts, time.Duration(s*1e9))
	}
	if len(rtts) != n {
		t.Fatalf("%d rows, want %d", len(rtts), n)
	}
	return rtts
}

// at returns the RTTs at one place of their bursts, sorted.
func at(rtts []time.Duration, place, places int) []time.Duration {
	var out []time.Duration
	for i := place; i < len(rtts); i += places {
		out = append(out, rtts[i])
	}
	slices.Sort(out)
	return out
}
