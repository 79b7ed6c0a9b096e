package bfdwatch

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"echogram/plugins/internal/bfdwire"
	"echogram/plugins/schema"
)

// TestPlaces: the same two addresses in two places are two sessions, with echoes of their own.
func TestPlaces(t *testing.T) {
	for name, c := range map[string]struct {
		one, other look
		tags       func(*schema.BFDSeries) string
		want       [2]string
	}{
		"VLANs": {
			look{vlan: 100}, look{vlan: 200},
			func(s *schema.BFDSeries) string { return s.VLAN }, [2]string{"100", "200"},
		},
		"VXLAN segments": {
			look{wrap: tunnel{"203.0.113.1", "203.0.113.2"}.vxlan(5)}, look{wrap: tunnel{"203.0.113.1", "203.0.113.2"}.vxlan(6)},
			func(s *schema.BFDSeries) string { return s.Tunnel + " " + s.VNI }, [2]string{"vxlan 5", "vxlan 6"},
		},
		"tunnels between other routers": {
			look{wrap: tunnel{"203.0.113.1", "203.0.113.2"}.vxlan(5)}, look{wrap: tunnel{"203.0.113.1", "203.0.113.3"}.vxlan(5)},
			func(s *schema.BFDSeries) string { return s.OuterLocal + s.OuterPeer },
			[2]string{"203.0.113.1203.0.113.2", "203.0.113.1203.0.113.3"},
		},
		"GRE": {
			look{}, look{wrap: tunnel{"203.0.113.1", "203.0.113.2"}.gre},
			func(s *schema.BFDSeries) string { return s.Tunnel }, [2]string{"", "gre"},
		},
		"IP in IP": {
			look{}, look{wrap: tunnel{"203.0.113.1", "203.0.113.2"}.ipip},
			func(s *schema.BFDSeries) string { return s.Tunnel }, [2]string{"", "ipip"},
		},
		"interfaces without names": {
			look{ifindex: 1}, look{ifindex: 2},
			func(s *schema.BFDSeries) string { return s.Parallel }, [2]string{"", "2"},
		},
	} {
		a, b := pair4()
		w := newWire()
		for _, l := range []look{c.one, c.other} {
			w.look = l
			for i := range 10 {
				w.control(time.Duration(i)*90*ms, a, b)
				w.control(time.Duration(i)*90*ms+ms, b, a)
				w.echo(time.Duration(i)*90*ms+10*ms, &frr, a, b, i, 0, false)
				w.echo(time.Duration(i)*90*ms+20*ms, &frr, a, b, i, 0, true)
			}
		}
		w.sort()
		r := w.run(t)
		if len(r.sessions) != 4 || len(r.echoes) != 2 {
			t.Fatalf("%s: %d directions, %d streams of echoes", name, len(r.sessions), len(r.echoes))
		}
		for i, want := range c.want {
			check(t, name, c.tags(&r.sessions[2*i].BFDSeries), want)
			check(t, name+": echoes", c.tags(&r.echoes[i].BFDSeries), want)
			check(t, name+": packets", r.sessions[2*i].Packets, 10)
			check(t, name+": missing", r.sessions[2*i].Missing, 0)
			check(t, name+": RTT", r.echoes[i].RTTMean, some(10*ms))
			check(t, name+": its peer", r.echoes[i].Peer, b.addr.String())
		}
	}
}

// TestBundle: the links of a bundle have the same addresses; discriminators tell them apart, also after one was
// restarted, and after the first was taken away.
func TestBundle(t *testing.T) {
	w := newWire()
	w.look.dport = bfdwire.PortMicro
	var as, bs []*router
	for link := range uint32(3) {
		a, b := at("192.0.2.1", 1, 10+link), at("192.0.2.2", 2, 20+link)
		as, bs = append(as, a), append(bs, b)
		w.both(time.Duration(link)*10*ms, a, b, 20, 100*ms)
	}
	as[2].discr = 99
	w.both(5*time.Second, as[2], bs[2], 5, 100*ms)
	for link := 1; link < 3; link++ {
		for second := range 60 {
			w.control(time.Duration(10+second)*time.Second, as[link], bs[link])
			w.control(time.Duration(10+second)*time.Second+ms, bs[link], as[link])
		}
	}
	w.sort()
	r, watch := listen(t, Config{Period: 10 * time.Second, Forget: 15 * time.Second})
	for i := range w.packets {
		watch.Observe(&w.packets[i])
	}
	check(t, "sessions that are left", watch.Summary().Sessions, 2)
	watch.Finish()
	packets := map[string]int64{}
	for _, s := range r.sessions {
		packets[s.Local+" "+s.Parallel] += s.Packets
	}
	for key, want := range map[string]int64{
		"192.0.2.1 ": 20, "192.0.2.1 2": 80, "192.0.2.1 3": 85, "192.0.2.2 ": 20, "192.0.2.2 2": 80, "192.0.2.2 3": 85,
	} {
		check(t, key, packets[key], want)
	}
	check(t, "names", len(packets), 6)
	check(t, "restarts", r.only(t, schema.BFDEventDiscriminator).Discriminator, schema.Some(99))
	check(t, "ups", len(r.event(schema.BFDEventUp)), 3)
}

// TestSeamless: S-BFD's initiator asks, the reflector answers from its port, with one discriminator for all.
func TestSeamless(t *testing.T) {
	w := newWire()
	reflector := at("192.0.2.2", 2, 22)
	reflector.c.RequiredMinEchoRX = 0
	for i := range 20 {
		for n := range uint32(2) {
			a := at("192.0.2.1", 1, 11+n)
			stamp := time.Duration(i)*90*ms + time.Duration(n)*10*ms
			w.look = look{dport: bfdwire.PortSBFD, sport: 50000}
			w.control(stamp, a, reflector, func(c *bfdwire.Control) { c.Demand = true })
			w.look = look{sport: bfdwire.PortSBFD, dport: 50000}
			w.control(stamp+4*ms, reflector, a)
		}
	}
	r := w.run(t)
	check(t, "directions", len(r.sessions), 4)
	for _, s := range r.sessions {
		check(t, "hop", s.Hop, "sbfd")
		if s.Demand {
			check(t, "control RTT", s.ControlRTT, some(4*ms))
			check(t, "control RTTs", s.ControlRTTs, 20)
		}
		check(t, "packets", s.Packets, 20)
		check(t, "missing", s.Missing, 0)
		check(t, "discriminators", s.DiscriminatorChange, 0)
	}
}

// TestMultipoint: heads send to a group, and nobody answers; two heads on one address are two sessions.
func TestMultipoint(t *testing.T) {
	w := newWire()
	group := at("224.0.0.184", 9, 0)
	for discr := range uint32(2) {
		head := at("192.0.2.1", 1, 11+discr)
		w.periodic(0, head, group, 20, 100*ms, 75, 100, nil)
		for i := range w.packets[len(w.packets)-20:] {
			p := &w.packets[len(w.packets)-20+i]
			p.Data[43] |= 1 // M
			if i == 7 && discr == 1 {
				p.Stamp -= int64(time.Hour) // never came
			}
		}
	}
	w.sort()
	w.packets = w.packets[1:]
	r := w.run(t)
	check(t, "directions", len(r.sessions), 2)
	for i, s := range r.sessions {
		name := fmt.Sprint("head ", i)
		check(t, name+": hop", s.Hop, "multipoint")
		check(t, name+": interval", s.Interval, some(100*ms))
		check(t, name+": detection time", s.DetectionTime, some(300*ms))
		check(t, name+": missing", s.Missing, int64(i))
	}
	check(t, "ups", len(r.event(schema.BFDEventUp)), 2)
}

// TestLSP: packets to 127/8 came through an LSP; the egress answers from an address of its own, to port 3784 or 4784.
func TestLSP(t *testing.T) {
	for _, port := range []uint16{bfdwire.PortControl, bfdwire.PortMultihop} {
		w := newWire()
		ingress := at("192.0.2.1", 1, 11)
		egress := at("203.0.113.9", 2, 22)
		for i := range 20 {
			stamp := time.Duration(i) * 90 * ms
			for n := range uint32(2) { // two LSPs to one egress
				ingress.discr, egress.discr = 11+n, 22+n
				w.look = look{dst: netip.AddrFrom4([4]byte{127, 0, 0, byte(1 + n)}), ttl: 1}
				w.control(stamp+time.Duration(n)*ms, ingress, egress)
				w.look = look{dport: port}
				w.control(stamp+time.Duration(n)*ms+500*us, egress, ingress)
			}
		}
		r := w.run(t)
		check(t, "directions", len(r.sessions), 4)
		for _, s := range r.sessions {
			check(t, "hop", s.Hop, "lsp")
			check(t, "packets", s.Packets, 20)
			check(t, "interval", s.Interval, some(100*ms))
		}
		check(t, "answers from", r.sessions[0].Local, "203.0.113.9")
		check(t, "ups", len(r.event(schema.BFDEventUp)), 2)
	}
}

// TestTapNames: an interface that has a name gives it to its points.
func TestTapNames(t *testing.T) {
	a, b := pair4()
	w := newWire()
	w.look.ifindex = 3
	w.control(0, a, b)
	r := run(t, Config{Tap: func(i int32) string { return fmt.Sprint("eth", i) }, Host: "h", Labels: []schema.Tag{{Key: "site", Value: "x"}}}, w.packets)
	row := r.of(t, a)
	check(t, "tap", row.Tap, "eth3")
	check(t, "host", row.Host, "h")
	check(t, "family", row.Family, "ipv4")
}

// TestOverlay: both ends of a VXLAN tunnel send to a loopback address inside of it (RFC 8971, 5).
func TestOverlay(t *testing.T) {
	for name, dst := range map[string]string{"IPv4": "127.0.0.1", "IPv6": "::ffff:127.0.0.1"} {
		a, b := pair4()
		if name == "IPv6" {
			a, b = pair6()
		}
		w := newWire()
		w.look = look{dst: netip.MustParseAddr(dst), wrap: tunnel{"203.0.113.1", "203.0.113.2"}.vxlan(1)}
		w.both(0, a, b, 20, 100*ms)
		r := w.run(t)
		if len(r.sessions) != 2 {
			t.Fatalf("%s: %d ends", name, len(r.sessions))
		}
		for i, s := range r.sessions {
			check(t, name+": local", s.Local, fmt.Sprintf("203.0.113.%d", 1+i))
			check(t, name+": peer", s.Peer, fmt.Sprintf("203.0.113.%d", 2-i))
			check(t, name+": kind", s.Tunnel+" "+s.VNI+" "+s.Hop, "vxlan 1 single")
			check(t, name+": agreed interval", s.Interval, some(100*ms))
			check(t, name+": packets", s.Packets, 20)
		}
	}
}

// TestParallel: two sessions between the same addresses, in whatever order their packets come first, are two.
func TestParallel(t *testing.T) {
	for _, port := range []uint16{bfdwire.PortControl, bfdwire.PortMultihop} {
		for begin := range 4 {
			w := newWire()
			w.look.dport = port
			for n := range uint32(2) {
				a, b := at("192.0.2.1", 1, 11+n), at("192.0.2.2", 2, 22+n)
				w.both(time.Duration(n)*7*ms, a, b, 40, 100*ms)
			}
			r := run(t, Config{}, w.packets[begin:])
			check(t, "ends", len(r.sessions), 4)
			check(t, "events", r.kinds(), "up up")
			for i, s := range r.sessions {
				check(t, "parallel", s.Parallel, []string{"", "", "2", "2"}[i])
				check(t, "other discriminators", s.DiscriminatorChange, 0)
				check(t, "missing, early and late", s.Missing+s.Early+s.Late, 0)
				check(t, "agreed interval", s.Interval, some(100*ms))
			}
		}
	}
}
