package bfdwatch

import (
	"fmt"
	"net/netip"
	"strings"

	"echogram/plugins/internal/frame"
	"echogram/plugins/schema"
)

// place is where a packet was seen: what makes sessions between the same addresses different ones.
type place struct {
	ifindex          int32
	tunnel           frame.Tunnel
	vni              uint32
	vlans            [frame.MaxVLANs]uint16
	outerLo, outerHi netip.Addr
}

func (s *sighting) place() place {
	p := place{ifindex: s.ifindex, tunnel: s.tunnel, vni: s.vni, vlans: s.vlans}
	p.outerLo, p.outerHi = inOrder(s.outerSrc, s.outerDst)
	return p
}

func (p *place) hash(seed uint64) uint64 {
	h := mix(seed, uint64(uint32(p.ifindex))|uint64(p.vni)<<32)
	h = mix(h, uint64(p.vlans[0])|uint64(p.vlans[1])<<16|uint64(p.vlans[2])<<32|uint64(p.vlans[3])<<48)
	h = mix(h, uint64(p.tunnel))
	if p.outerLo.IsValid() {
		h = mixAddr(mixAddr(h, p.outerLo), p.outerHi)
	}
	return h
}

func inOrder(a, b netip.Addr) (lo, hi netip.Addr) {
	if b.Less(a) {
		return b, a
	}
	return a, b
}

// series makes the tags of packets like s that are about local, which sent it if sent.
func (w *Watch) series(s *sighting, local, peer netip.Addr, sent bool) schema.BFDSeries {
	b := schema.BFDSeries{
		Host: w.config.Host, Instance: w.config.Instance, Labels: w.config.Labels, Tap: w.config.Tap(s.ifindex),
		VLAN: vlanName(s.vlans), Tunnel: s.tunnel.String(), Local: text(local), Peer: text(peer),
		Hop: s.hop.String(), Family: family(local),
	}
	if s.hasVNI {
		b.VNI = fmt.Sprint(s.vni)
	}
	if s.outerSrc.IsValid() {
		b.OuterLocal, b.OuterPeer = text(s.outerSrc), text(s.outerDst)
		if !sent {
			b.OuterLocal, b.OuterPeer = b.OuterPeer, b.OuterLocal
		}
	}
	return b
}

func text(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}

func family(a netip.Addr) string {
	if a.Is4() {
		return "ipv4"
	}
	return "ipv6"
}

func vlanName(ids [frame.MaxVLANs]uint16) string {
	if ids[0] == 0 {
		return ""
	}
	var names []string
	for _, id := range ids {
		if id != 0 {
			names = append(names, fmt.Sprint(id))
		}
	}
	return strings.Join(names, ".")
}

func (m mac) name() string {
	if !m.known {
		return ""
	}
	return fmt.Sprintf("%02x:%02x:%02x:%02x:%02x:%02x", m.MAC[0], m.MAC[1], m.MAC[2], m.MAC[3], m.MAC[4], m.MAC[5])
}
