//go:build integration

package main

import (
	"net/netip"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"echogram/plugins/netlab"
)

// fullest is the most requests that any window of a length holds.
func fullest(all []request, window time.Duration) int {
	most, first := 0, 0
	for i := range all {
		for all[i].at-all[first].at >= int64(window) {
			first++
		}
		most = max(most, i-first+1)
	}
	return most
}

// TestRate: --rate holds over the sweep, and no tenth of a second has more than its share and a burst. A burst that the
// machine has held up under way may stand beside the next, so that such a sweep is repeated.
func TestRate(t *testing.T) {
	lab := newLab(t, netlab.SweepConfig{AllAnswering: true})
	for _, c := range []struct {
		rate, burst int
		network     string
	}{
		{10, 1, "198.18.0.0/28"}, {1000, 10, "198.18.0.0/21"}, {20_000, 128, "198.18.0.0/18"}, {100_000, 128, "198.18.0.0/16"},
	} {
		t.Run(strconv.Itoa(c.rate), func(t *testing.T) {
			steady, even, idle := false, false, 0.0
			for try := 0; try < 4 && !(steady && even); try++ {
				began, before := time.Now(), idleTime(t)
				all, s := requested(t, lab.Prober, "--rate", strconv.Itoa(c.rate), "--timeout", "200ms", c.network)
				s.wantAll(t, int64(len(all)), 1)
				span := time.Duration(all[len(all)-c.burst].at - all[0].at)
				idle = (idleTime(t) - before).Seconds() / time.Since(began).Seconds()
				rate := float64(len(all)-c.burst) / span.Seconds()
				worst, most := fullest(all, 100*time.Millisecond), c.rate/10+c.burst
				if worst > most+c.burst || rate > 1.01*float64(c.rate) {
					t.Errorf("%.1f/s, and %d requests within 100 ms: want %d and %d at most", rate, worst, c.rate, most)
				}
				steady, even = steady || rate > 0.99*float64(c.rate), even || worst <= most
				t.Logf("%d requests at %.1f/s, %d at most within 100 ms; the row says %.1f/s; %.2f processors idle", len(all), rate, worst, s.stats["rate"], idle)
			}
			if !even {
				t.Error("more than a burst above the rate within 100 ms, in every sweep")
			}
			// Alone on two processors, even the fastest of these sweeps leaves three quarters of them idle.
			if !steady && idle > 0.7*float64(runtime.NumCPU()) {
				t.Error("short of the rate by more than 1 % in every sweep")
			} else if !steady {
				t.Log("void: the rate fell short on a machine whose processors were not to be had")
			}
		})
	}
}

// idleTime is how long the machine's processors have been idle, in sum (proc_stat(5)).
func idleTime(t *testing.T) time.Duration {
	t.Helper()
	data, err := os.ReadFile("/proc/stat")
	if err != nil {
		t.Fatal(err)
	}
	ticks, err := strconv.Atoi(strings.Fields(string(data))[4])
	if err != nil {
		t.Fatal(err)
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

// TestBlockRate: no /24 gets more than its share, whatever the rate of the whole.
func TestBlockRate(t *testing.T) {
	t.Parallel()
	lab := newLab(t, netlab.SweepConfig{AllAnswering: true})
	const rate = 100
	all, s := requested(t, lab.Prober, "--rate", "5000", "--block-rate", strconv.Itoa(rate), "--exclude", "198.18.0.128/25", "198.18.0.0/20")
	s.wantAll(t, 4096-128, 1)
	blocks := map[netip.Prefix][]request{}
	for _, r := range all {
		block, _ := r.to.Prefix(24)
		blocks[block] = append(blocks[block], r)
	}
	for block, list := range blocks {
		for _, window := range []time.Duration{100 * time.Millisecond, time.Second} {
			if n, most := fullest(list, window), int(rate*window.Seconds())+1; n > most {
				t.Errorf("%v: %d requests within %v, want %d at most", block, n, window, most)
			}
		}
	}
	if span := time.Duration(all[len(all)-1].at - all[0].at); len(blocks) != 16 || span > 3500*time.Millisecond {
		t.Errorf("%d blocks in %v", len(blocks), span)
	}
}

// TestBlockWait: a burst stays in one block, and is followed by the time to listen.
func TestBlockWait(t *testing.T) {
	t.Parallel()
	lab := newLab(t, netlab.SweepConfig{AllAnswering: true})
	const wait = 200 * time.Millisecond
	all, s := requested(t, lab.Prober, "--burst", "128", "--block-wait", wait.String(), "--timeout", "300ms", "--exclude", "198.18.1.200-198.18.1.255", "198.18.0.0/22")
	s.wantAll(t, 1024-56, 1)
	bursts := 1
	for i := 1; i < len(all); i++ {
		gap := time.Duration(all[i].at - all[i-1].at)
		a, _ := all[i-1].to.Prefix(24)
		switch {
		case gap >= wait:
			bursts++
		case !a.Contains(all[i].to):
			t.Errorf("%v follows %v after %v", all[i].to, all[i-1].to, gap)
		}
	}
	if bursts != 8 {
		t.Errorf("%d bursts", bursts)
	}
}
