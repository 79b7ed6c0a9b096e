//go:build integration && linux

package netlab_test

import (
	"context"
	"testing"
	"time"

	"echogram/plugins/netlab"
)

// bfdTime bounds each of these tests.
const bfdTime = 15 * time.Second

func bfdContext(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), bfdTime)
	t.Cleanup(cancel)
	return ctx
}

func bfdLab(t *testing.T, cfg netlab.BFDConfig) *netlab.BFDLab {
	t.Helper()
	lab, err := netlab.NewBFDLab(cfg)
	return netlab.Lasting(t, lab, err)
}

// frrPair starts FRR on both routers, with the sessions that peers gives each, and waits until all are up.
func frrPair(ctx context.Context, t *testing.T, lab *netlab.BFDLab, peers func(r, other netlab.Router) []netlab.FRRPeer) (a, b *netlab.FRR) {
	t.Helper()
	start := func(r, other netlab.Router) *netlab.FRR {
		f, err := lab.StartFRR(ctx, r, netlab.FRRConfig{Peers: peers(r, other)})
		return netlab.Lasting(t, f, err)
	}
	a, b = start(lab.A, lab.B), start(lab.B, lab.A)
	for _, f := range []*netlab.FRR{a, b} {
		if err := f.WaitUp(ctx); err != nil {
			t.Fatal(err)
		}
	}
	return a, b
}

// echoing is a session with echoes every 50 ms, which bears it when a busy machine stands still for a while.
func echoing(r, other netlab.Router, v6 bool) netlab.FRRPeer {
	p := r.Peer(other, v6)
	p.Echo, p.EchoTransmit, p.EchoReceive, p.DetectMult = true, 50*time.Millisecond, 50*time.Millisecond, 20
	return p
}

// wait waits for d.
func wait(ctx context.Context, t *testing.T, d time.Duration) {
	t.Helper()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		t.Fatal(ctx.Err())
	}
}
