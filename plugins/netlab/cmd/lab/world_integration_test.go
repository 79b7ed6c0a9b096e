//go:build integration && linux

package main

import (
	"context"
	"net/netip"
	"strings"
	"testing"
	"time"

	"echogram/plugins/netlab"
)

// TestWorldAnswersAsItShould sweeps a part of a world in which time almost stands still. Each target is asked ten times,
// so that a loss of 5 % hides nobody.
func TestWorldAnswersAsItShould(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	o := options{spec: spec{kind: live, seed: 5, speed: 1e-3}, duration: time.Minute}
	o.Repo, o.Work = "../../../..", t.TempDir()
	if err := o.Build(ctx, "plugins/cmd/echogram"); err != nil {
		t.Fatal(err)
	}
	l, err := o.up()
	netlab.Lasting(t, l, err)

	const network = "198.18.0.0/20"
	sweep := l.Prober.Command(ctx, o.Path("echogram"), "sweep", "--rate", "20000", "--count", "10", "--count-interval", "100ms", "--format", "csv", network)
	sweep.Stderr = t.Output()
	out, err := sweep.Output()
	if err != nil {
		t.Fatal(err)
	}
	answered := 0
	for line := range strings.Lines(string(out)) {
		ip, what, _ := strings.Cut(strings.TrimSpace(line), ",")
		target, err := netip.ParseAddr(ip)
		if err != nil || l.limited(target) {
			continue
		}
		should := l.should(target)
		if got := what != "unreachable"; got != should {
			t.Errorf("%s is %s, should answer: %v", ip, what, should)
		}
		if should {
			answered++
		}
	}
	if answered < 200 || answered > 3500 {
		t.Errorf("%d of 4096 answer", answered)
	}
	t.Logf("%d of 4096 answer", answered)
}

// should tells whether somebody is on at target, whatever is lost on the way.
func (l *lab) should(target netip.Addr) bool {
	at := l.world.time()
	for i := range 30 {
		if _, ok := l.world.Reply(target, at.Add(time.Duration(i))); ok {
			return true
		}
	}
	return false
}

func (l *lab) limited(target netip.Addr) bool {
	for _, b := range l.world.Blocks {
		if b.Prefix.Contains(target) {
			return b.RateLimited
		}
	}
	return false
}
