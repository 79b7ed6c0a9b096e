package main

import (
	"testing"
	"time"
)

func TestRate(t *testing.T) {
	const ms = time.Millisecond
	for name, c := range map[string]struct {
		readings []reading
		want     float64
	}{
		"none": {nil, 0},
		"idle": {[]reading{{0, 7}, {5 * ms, 7}}, 0},
		"start and wait for late answers do not count": {
			[]reading{{0, 1000}, {500 * ms, 1000}, {510 * ms, 1200}, {520 * ms, 2200}, {530 * ms, 3200}, {540 * ms, 3201}, {900 * ms, 3201}}, 100_000},
		"a straggler does not count": {
			[]reading{{0, 0}, {10 * ms, 100}, {20 * ms, 1099}, {2000 * ms, 1100}}, 99_900},
		"too short to tell": {[]reading{{0, 0}, {5 * ms, 1000}}, 0},
	} {
		if got := rate(c.readings); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

const procNetDev = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:     100       1    0    0    0     0          0         0      100       2    0    0    0     0       0          0
prober0:23159283   66130    0    0    0     0          0         0 23159281   65536    0    0    0     0       0          0
`

func TestSentFrames(t *testing.T) {
	if n, err := sentFrames(procNetDev, "prober0"); n != 65536 || err != nil {
		t.Errorf("got %d, %v", n, err)
	}
	for _, link := range []string{"prober", "prober1", "face |bytes", ""} {
		if n, err := sentFrames(procNetDev, link); err == nil {
			t.Errorf("%q: %d", link, n)
		}
	}
}
