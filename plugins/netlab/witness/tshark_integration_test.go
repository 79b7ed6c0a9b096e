//go:build integration && linux

package witness

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"echogram/plugins/netlab"
)

// TestTsharkReadsBIRD: an authenticated session, captured while it comes up and by tshark decoded, whole and cut off.
func TestTsharkReadsBIRD(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
	defer cancel()
	lab, err := netlab.NewBFDLab(netlab.BFDConfig{})
	netlab.Lasting(t, lab, err)
	file := filepath.Join(t.TempDir(), "bird.pcap")
	dump, err := StartFilter(ctx, lab.A.Namespace, lab.A.Link, file, 0, "udp or icmp")
	if err != nil {
		t.Fatal(err)
	}
	var birds []*netlab.BIRD
	for _, ends := range [][2]netlab.Router{{lab.A, lab.B}, {lab.B, lab.A}} {
		b, err := netlab.StartBIRD(ctx, ends[0].Namespace, netlab.BIRDConfig{
			RouterID: ends[0].Loopback, Neighbours: []netlab.BIRDNeighbour{ends[0].Neighbour(ends[1], false)},
			MinRX: 50 * time.Millisecond, MinTX: 50 * time.Millisecond, IdleTX: 100 * time.Millisecond, Multiplier: 4,
			Auth: netlab.BIRDMeticulousSHA1, Password: "secret", KeyID: 7,
		})
		birds = append(birds, netlab.Lasting(t, b, err))
	}
	for _, b := range birds {
		if err := b.WaitUp(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if drops, err := dump.Stop(); err != nil || drops > 0 {
		t.Fatal(drops, err)
	}
	checkPackets(ctx, t, file, lab)
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, whole[:len(whole)-10], 0o600); err != nil {
		t.Fatal(err)
	}
	if packets, err := ReadBFD(ctx, file); err == nil || len(packets) == 0 {
		t.Errorf("cut: %d packets, %v", len(packets), err)
	}
}

// checkPackets: one sender's packets are as configured, their sequence numbers follow one another, and they end up.
func checkPackets(ctx context.Context, t *testing.T, file string, lab *netlab.BFDLab) {
	t.Helper()
	packets, err := ReadBFD(ctx, file)
	if err != nil {
		t.Fatal(err)
	}
	var last BFDPacket
	n := 0
	for _, p := range packets {
		if p.Src != lab.B.Address.Addr() {
			continue
		}
		if p.Dst != lab.A.Address.Addr() || p.DstPort != 3784 || p.TTL != 255 || p.Version != 1 || p.Length != 52 ||
			p.DetectMult != 4 || p.RequiredRX != 50_000 || p.AuthType != 5 || p.AuthLen != 28 || p.Key != 7 || p.Flags&4 == 0 {
			t.Errorf("%+v", p)
		}
		if n++; n > 1 && (p.AuthSequence != last.AuthSequence+1 || p.Time <= last.Time || p.My != last.My) {
			t.Errorf("%+v follows %+v", p, last)
		}
		last = p
	}
	if n < 5 || last.State != 3 || last.Your == 0 {
		t.Errorf("%d packets, the last %+v", n, last)
	}
}
