package netlab

import (
	"net/netip"
	"testing"

	"echogram/plugins/internal/frame"
)

func TestLANHosts(t *testing.T) {
	cfg := LANConfig{Hosts6: 500, Conflict: 100}
	if err := cfg.check(); err != nil {
		t.Fatal(err)
	}
	addrs, macs, blocks := map[netip.Addr]bool{}, map[frame.MAC]bool{}, map[netip.Prefix]int{}
	mute, conflicts := 0, 0
	for _, h := range cfg.hosts() {
		if !cfg.Network.Contains(h.Addr) && !LANNetwork6.Contains(h.Addr) {
			t.Errorf("%v is in no network", h.Addr)
		}
		addrs[h.Addr], macs[h.MAC] = true, true
		if h.Mute {
			mute++
		}
		if h.Other != (frame.MAC{}) {
			conflicts++
			macs[h.Other] = true
		}
		if h.Addr.Is4() {
			block, _ := h.Addr.Prefix(24)
			blocks[block]++
		}
	}
	if len(addrs) != 3500 || mute != 350 || conflicts != 35 || len(macs) != 3535 {
		t.Errorf("%d addresses, %d mute, %d in conflict, %d MACs", len(addrs), mute, conflicts, len(macs))
	}
	for block, n := range blocks {
		if n < 10 || n > 14 {
			t.Errorf("%d hosts in %v", n, block)
		}
	}
	if len(blocks) != 256 || addrs[netip.MustParseAddr("198.18.0.1")] {
		t.Errorf("hosts in %d blocks, one of them the prober: %v", len(blocks), addrs[netip.MustParseAddr("198.18.0.1")])
	}
}

func TestLANConfigRefuses(t *testing.T) {
	for _, cfg := range []LANConfig{{Hosts: 40_000}, {Hosts: -1}, {Hosts6: 40_000}} {
		if err := cfg.check(); err == nil {
			t.Errorf("%+v is taken", cfg)
		}
	}
}
