package netlab

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"time"

	"echogram/plugins/internal/frame"
	"echogram/plugins/internal/icmpecho"
)

// LANConfig says who is on a LAN. The zero value is a /16 with 3,000 hosts, a tenth of which blocks ICMP.
type LANConfig struct {
	Network  netip.Prefix  // IPv4; default TargetNetwork. The prober has its first host's address
	Hosts    int           // live ones in Network, spread evenly; default 3,000
	Hosts6   int           // live ones in LANNetwork6
	Mute     int           // each so many-th host blocks ICMP; default 10, negative: none does
	Forgets  bool          // a host asks for the prober's MAC before each of its echo replies, and sends it once told
	Delay    time.Duration // of every frame that a host sends
	Loss     float64       // share of the frames to hosts that are lost, the same ones each time
	Conflict int           // each so many-th host's address is told by a second host as well; 0: none
}

// LANNetwork6 is where a LAN's IPv6 hosts are, in the /64 of its prober.
var LANNetwork6 = netip.MustParsePrefix("2001:2:0:2::/112")

const lanBits6 = 64

// LANHost is a live host.
type LANHost struct {
	Addr  netip.Addr
	MAC   frame.MAC // no other host has it
	Mute  bool      // blocks ICMP
	Other frame.MAC // of a second host that claims Addr; zero: none
}

func (c *LANConfig) check() error {
	if !c.Network.IsValid() {
		c.Network = TargetNetwork
	}
	if c.Hosts == 0 {
		c.Hosts = 3000
	}
	if c.Mute == 0 {
		c.Mute = 10
	}
	for _, n := range []struct {
		prefix netip.Prefix
		hosts  int
	}{{c.Network, c.Hosts}, {LANNetwork6, c.Hosts6}} {
		if n.hosts < 0 || n.hosts > size(n.prefix)/2 {
			return fmt.Errorf("netlab: %d hosts in %v: a LAN takes half of its addresses", n.hosts, n.prefix)
		}
	}
	return nil
}

func size(p netip.Prefix) int { return 1 << (p.Addr().BitLen() - p.Bits()) }

// nth is the i-th address of a network.
func nth(p netip.Prefix, i int) netip.Addr {
	b := p.Masked().Addr().As16()
	binary.BigEndian.PutUint32(b[12:], binary.BigEndian.Uint32(b[12:])+uint32(i))
	a := netip.AddrFrom16(b)
	if p.Addr().Is4() {
		return a.Unmap()
	}
	return a
}

// hosts lists the live hosts of both networks. Steps near the golden section spread them evenly; an odd step meets
// no address twice.
func (c *LANConfig) hosts() []LANHost {
	var all []LANHost
	add := func(p netip.Prefix, n int) {
		total := size(p)
		step := int(float64(total)*0.618) | 1
		for i, at := 0, step; i < n; at = (at + step) % total {
			if at < 2 || at == total-1 { // the network, the prober, broadcast
				continue
			}
			all = append(all, c.host(p, at, i))
			i++
		}
	}
	add(c.Network, c.Hosts)
	add(LANNetwork6, c.Hosts6)
	return all
}

// host is host number i of a network, at its address number at.
func (c *LANConfig) host(p netip.Prefix, at, i int) LANHost {
	family := byte(4)
	if p.Addr().Is6() {
		family = 6
	}
	h := LANHost{Addr: nth(p, at), MAC: frame.MAC{2, family, 0, byte(at >> 16), byte(at >> 8), byte(at)}}
	h.Mute = c.Mute > 0 && i%c.Mute == c.Mute-1
	if c.Conflict > 0 && i%c.Conflict == 0 {
		h.Other = h.MAC
		h.Other[2] = 1
	}
	return h
}

// reply is the frame by which h answers an echo request; ok is false if data is none that it hears, whole and
// with a good checksum.
func (h *LANHost) reply(data []byte, ip frame.IP) (f []byte, ok bool) {
	m, err := icmpecho.Parse(ip.Payload, ip.Src, ip.Dst, ip.Cut)
	if err != nil || m.Kind != icmpecho.EchoRequest || m.ChecksumBad || ip.Cut || frame.MAC(data) != h.MAC {
		return nil, false
	}
	msg := append([]byte(nil), ip.Payload...)
	msg[0], msg[2], msg[3] = icmp6Reply, 0, 0
	if ip.Dst.Is4() {
		msg[0] = icmpEchoReply
		binary.BigEndian.PutUint16(msg[2:], icmpecho.Checksum(msg))
	}
	e := frame.Ethernet{Dst: frame.MAC(data[6:]), Src: h.MAC}
	return frame.AppendICMP(nil, e, ip.Dst, ip.Src, frame.IPOptions{TTL: 64}, 0, msg), true
}
