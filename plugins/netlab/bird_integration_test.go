//go:build integration && linux

package netlab_test

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"echogram/plugins/netlab"
)

// TestBIRDAuthentication: sessions of both IP versions, and a multihop one, come up with each way of authentication.
func TestBIRDAuthentication(t *testing.T) {
	for auth := netlab.BIRDNone; auth <= netlab.BIRDMeticulousSHA1; auth++ {
		t.Run(auth.String(), func(t *testing.T) {
			ctx := bfdContext(t)
			lab := bfdLab(t, netlab.BFDConfig{})
			var birds []*netlab.BIRD
			for _, ends := range [][2]netlab.Router{{lab.A, lab.B}, {lab.B, lab.A}} {
				b, err := netlab.StartBIRD(ctx, ends[0].Namespace, birdConfig(ends[0], ends[1], auth))
				birds = append(birds, netlab.Lasting(t, b, err))
			}
			for _, b := range birds {
				if err := b.WaitUp(ctx); err != nil {
					t.Fatal(err)
				}
			}
			checkTimes(t, birds[0])
		})
	}
}

func birdConfig(r, other netlab.Router, auth netlab.BIRDAuth) netlab.BIRDConfig {
	return netlab.BIRDConfig{
		RouterID:   r.Loopback,
		Neighbours: []netlab.BIRDNeighbour{r.Neighbour(other, false), r.Neighbour(other, true), r.MultihopNeighbour(other, false)},
		MinRX:      100 * time.Millisecond, MinTX: 100 * time.Millisecond, IdleTX: 200 * time.Millisecond, Multiplier: 4,
		Auth: auth, Password: "a lab's", KeyID: 7,
	}
}

// checkTimes: all three sessions have agreed on what both are configured to.
func checkTimes(t *testing.T, b *netlab.BIRD) {
	t.Helper()
	sessions, err := b.Sessions()
	if err != nil || len(sessions) != 3 {
		t.Fatal(sessions, err)
	}
	for _, s := range sessions {
		if s.Interval != 100*time.Millisecond || s.Timeout != 400*time.Millisecond {
			t.Errorf("%+v", s)
		}
	}
}

// TestBIRDRefuses: another key, and no session.
func TestBIRDRefuses(t *testing.T) {
	ctx := bfdContext(t)
	lab := bfdLab(t, netlab.BFDConfig{})
	ours, theirs := birdConfig(lab.A, lab.B, netlab.BIRDSHA1), birdConfig(lab.B, lab.A, netlab.BIRDSHA1)
	theirs.Password = "another"
	a, err := netlab.StartBIRD(ctx, lab.A.Namespace, ours)
	netlab.Lasting(t, a, err)
	b, err := netlab.StartBIRD(ctx, lab.B.Namespace, theirs)
	netlab.Lasting(t, b, err)
	wait(ctx, t, 2*time.Second)
	sessions, err := a.Sessions()
	if err != nil || len(sessions) != 3 {
		t.Fatal(sessions, err)
	}
	for _, s := range sessions {
		if s.State != "Down" {
			t.Errorf("%+v", s)
		}
	}
}

// TestBIRDWithFRR: the two speak with one another, and BIRD refuses echoes.
func TestBIRDWithFRR(t *testing.T) {
	ctx := bfdContext(t)
	lab := bfdLab(t, netlab.BFDConfig{})
	cfg := birdConfig(lab.A, lab.B, netlab.BIRDNone)
	cfg.Neighbours = cfg.Neighbours[:2]
	bird, err := netlab.StartBIRD(ctx, lab.A.Namespace, cfg)
	netlab.Lasting(t, bird, err)
	frr, err := lab.StartFRR(ctx, lab.B, netlab.FRRConfig{Peers: []netlab.FRRPeer{
		echoing(lab.B, lab.A, false), echoing(lab.B, lab.A, true)}})
	netlab.Lasting(t, frr, err)
	if err := frr.WaitUp(ctx); err != nil {
		t.Fatal(err)
	}
	if err := bird.WaitUp(ctx); err != nil {
		t.Fatal(err)
	}
	peers, err := frr.Peers()
	if err != nil || peers[0].RemoteEchoReceive != 0 || peers[0].RemoteDetectMult != 4 {
		t.Errorf("%+v, %v", peers, err)
	}
	counters, err := frr.Counters()
	if err != nil || counters[0].EchoOutput != 0 {
		t.Errorf("%+v, %v", counters, err)
	}
}

// TestBIRDSaysWhatIsWrong: what BIRD says of a configuration comes to light.
func TestBIRDSaysWhatIsWrong(t *testing.T) {
	ctx := bfdContext(t)
	lab := bfdLab(t, netlab.BFDConfig{})
	b, err := netlab.StartBIRD(ctx, lab.A.Namespace, netlab.BIRDConfig{RouterID: netip.IPv6Unspecified()})
	if err == nil {
		t.Error("BIRD took it", b.Close())
	}
	t.Log(fmt.Sprint(err))
}
