//go:build integration

package pingsock

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/icmp"

	"echogram/plugins/internal/frame"
	"echogram/plugins/internal/icmpecho"
	"echogram/plugins/netlab"
	"echogram/plugins/netlab/witness"
)

// TestRequestAndReply: both are shown with what was on the wire, whatever their length.
func TestRequestAndReply(t *testing.T) {
	asNobody(t, nil, func(t *testing.T) {
		s := open(t, Config{TTL: 9})
		for _, v := range bothVersions {
			for seq, payload := range []string{"", "short", "cookiecookie", strings.Repeat("long", 350)} {
				send(t, s, echo(v.peer, uint16(seq), payload))
				got := await(t, s, 2)
				if len(got) != 2 || got[1].at <= got[0].at {
					t.Fatalf("%+v", got)
				}
				for i, want := range []seen{
					{out: true, src: v.us, dst: v.peer, ttl: 9, kind: icmpecho.EchoRequest},
					{src: v.peer, dst: v.us, ttl: 64, kind: icmpecho.EchoReply},
				} {
					g := got[i]
					if g.out != want.out || g.src != want.src || g.dst != want.dst || g.ttl != want.ttl || g.kind != want.kind ||
						g.id != id || g.seq != uint16(seq) || g.payload != payload {
						t.Errorf("%+v, want %+v", g, want)
					}
				}
			}
		}
	})
}

// TestFragments: of what is longer than a slot or a frame the beginning is shown, and how long the whole is.
func TestFragments(t *testing.T) {
	asNobody(t, nil, func(t *testing.T) {
		s := open(t, Config{})
		const size = 5000
		for _, v := range bothVersions {
			send(t, s, echo(v.peer, 1, strings.Repeat("x", size)))
			shown := map[icmpecho.Kind]uint32{}
			for deadline := time.Now().Add(2 * time.Second); len(shown) < 2 && time.Now().Before(deadline); {
				batch := s.Read(100 * time.Millisecond)
				for _, p := range batch {
					ip, err := frame.Parse(p.Data, p.Link)
					if err != nil {
						t.Fatal(err)
					}
					m, err := icmpecho.Parse(ip.Payload, ip.Src, ip.Dst, ip.Cut)
					if err != nil || !ip.Cut || m.ID != id || len(m.Payload) < 1200 {
						t.Errorf("%+v, %+v, %v", ip, m, err)
					}
					shown[m.Kind] = p.OrigLen - uint32(len(p.Data)-len(ip.Payload))
				}
			}
			if n := shown[icmpecho.EchoReply]; n != size+icmpecho.HeaderLen {
				t.Errorf("%s: reply of %d bytes", v.peer, n)
			}
			if n := shown[icmpecho.EchoRequest]; n < 1200 || n > 1480 { // the first fragment's
				t.Errorf("%s: request of %d bytes", v.peer, n)
			}
		}
	})
}

// TestErrors: what routers and hosts say is shown with who said it and about which request, also when it is the
// only thing that happens, and no later request pays for it.
func TestErrors(t *testing.T) {
	around := func(t *testing.T, pair *netlab.Peers, run func() string) {
		err := errors.Join(
			pair.A.RouteVia(netip.MustParsePrefix("198.18.0.0/16"), netlab.PeerB4.Addr()),
			pair.A.RouteVia(netip.MustParsePrefix("2001:2::/32"), netlab.PeerB6.Addr()),
			pair.B.RouteVia(netip.MustParsePrefix("198.18.8.0/24"), netlab.PeerA4.Addr()), // and back, for ever
			pair.B.RouteVia(netip.MustParsePrefix("2001:2:0:9::/64"), netlab.PeerA6.Addr()),
			pair.B.Sysctl("ipv4/ip_forward", "1"), pair.B.Sysctl("ipv6/conf/all/forwarding", "1"))
		if err != nil {
			t.Fatal(err)
		}
		t.Log(run())
	}
	asNobody(t, around, func(t *testing.T) {
		for _, c := range []struct {
			name   string
			target string
			typ    uint8
			burst  int // kernels limit some errors to five at once
		}{
			{"no route", "198.18.0.9", icmpecho.TypeUnreachable, 1},
			{"time exceeded", "198.18.8.9", icmpecho.TypeTimeExceeded, 20},
			{"no route, IPv6", "2001:2:0:8::9", icmpecho.Type6Unreachable, 20},
			{"time exceeded, IPv6", "2001:2:0:9::9", icmpecho.Type6TimeExceeded, 20},
		} {
			s, target, from := open(t, Config{TTL: 1}), netip.MustParseAddr(c.target), netlab.PeerB4.Addr()
			if target.Is6() {
				from = netlab.PeerB6.Addr()
			}
			for seq := range uint16(3) {
				send(t, s, echo(target, seq, "cookiecookie"))
				got := await(t, s, 2)
				if len(got) != 2 || !got[0].out || got[0].dst != target {
					t.Fatalf("%s: %+v", c.name, got)
				}
				g := got[1]
				if g.kind != icmpecho.Error || g.typ != c.typ || g.code != 0 || g.src != from || g.dst != target ||
					g.id != id || g.seq != seq || g.payload != "cookiecookie" || g.ttl != 64 || g.at <= got[0].at {
					t.Errorf("%s: %+v", c.name, g)
				}
			}
			burst := make([]icmpecho.Datagram, c.burst) // errors come while it leaves
			for i := range burst {
				burst[i] = echo(target, uint16(i), "cookiecookie")
			}
			send(t, s, burst...)
			send(t, s, echo(from, 99, ""))
			if got := await(t, s, 2*c.burst+2); len(got) != 2*c.burst+2 {
				t.Errorf("%s: %d packets of a burst of %d", c.name, len(got), c.burst)
			}
			s.Close()
		}
	})
}

// TestDuplicates: a second reply, and one from another address than was asked, are shown as they come.
func TestDuplicates(t *testing.T) {
	around := func(t *testing.T, pair *netlab.Peers, run func() string) {
		for _, v := range []struct{ network, address string }{{"ip4:icmp", "0.0.0.0"}, {"ip6:ipv6-icmp", "::"}} {
			var conn *icmp.PacketConn
			err := pair.B.Do(func() (err error) {
				conn, err = icmp.ListenPacket(v.network, v.address)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			done := make(chan struct{})
			go func() { defer close(done); answerToo(conn) }()
			defer func() { conn.Close(); <-done }()
		}
		t.Log(run())
	}
	asNobody(t, around, func(t *testing.T) {
		s := open(t, Config{})
		for _, v := range bothVersions {
			send(t, s, echo(v.peer, 7, "cookiecookie"))
			replies := 0
			for _, g := range await(t, s, 3) {
				if !g.out && g.kind == icmpecho.EchoReply && g.src == v.peer && g.seq == 7 && g.payload == "cookiecookie" {
					replies++
				}
			}
			if replies != 2 {
				t.Errorf("%d replies from %s", replies, v.peer)
			}
		}
	})
}

// answerToo sends a second reply to each request, until conn is closed.
func answerToo(conn *icmp.PacketConn) {
	b := make([]byte, 1500)
	for {
		n, from, err := conn.ReadFrom(b)
		if err != nil {
			return
		}
		switch b[0] {
		case icmpecho.TypeEchoRequest:
			b[0], b[2], b[3] = icmpecho.TypeEchoReply, 0, 0
			binary.BigEndian.PutUint16(b[2:], icmpecho.Checksum(b[:n]))
		case icmpecho.Type6EchoRequest:
			b[0] = icmpecho.Type6EchoReply // the kernel fills the checksum
		default:
			continue
		}
		conn.WriteTo(b[:n], &net.IPAddr{IP: from.(*net.IPAddr).IP}) // a reply that is missing fails the test
	}
}

// TestIdentifierIsOurs: nobody else gets it while the socket is open, in neither version.
func TestIdentifierIsOurs(t *testing.T) {
	asNobody(t, nil, func(t *testing.T) {
		s := open(t, Config{})
		for _, c := range []Config{{ID: id, V4: true}, {ID: id, V6: true}, {ID: id, V4: true, V6: true}} {
			if other, err := Open(c); !errors.Is(err, ErrTaken) || !errors.Is(err, syscall.EADDRINUSE) {
				t.Errorf("%+v: %v, %v", c, other, err)
			}
		}
		s.Close()
		other, err := Open(Config{ID: id, V6: true})
		if err != nil {
			t.Fatal(err)
		}
		other.Close()
	})
}

// TestNotAllowed: the refusal says what helps.
func TestNotAllowed(t *testing.T) {
	around := func(t *testing.T, pair *netlab.Peers, run func() string) {
		if err := pair.A.Sysctl("ipv4/ping_group_range", "1 0"); err != nil { // as kernels come
			t.Fatal(err)
		}
		t.Log(run())
	}
	asNobody(t, around, func(t *testing.T) {
		_, err := Open(Config{ID: id, V4: true})
		if !errors.Is(err, ErrNotAllowed) || !strings.Contains(err.Error(), groupRemedy) || !strings.Contains(err.Error(), "setcap cap_net_raw+ep ") {
			t.Errorf("got %v", err)
		}
		t.Log(err)
	})
}

// TestReadAllocatesNothing: neither does sending.
func TestReadAllocatesNothing(t *testing.T) {
	asNobody(t, nil, func(t *testing.T) {
		s := open(t, Config{})
		msgs := []icmpecho.Datagram{echo(netlab.PeerB4.Addr(), 1, "cookiecookie"), echo(netlab.PeerB6.Addr(), 1, "cookiecookie")}
		shown := 0
		n := testing.AllocsPerRun(100, func() {
			s.Send(msgs)
			shown += len(s.Read(100 * time.Millisecond))
		})
		if n != 0 || shown < 300 {
			t.Errorf("%v allocations, %d packets shown", n, shown)
		}
	})
}

// TestRTTAgainstTcpdump compares RTTs with those of a capture of the same frames.
func TestRTTAgainstTcpdump(t *testing.T) {
	const probes = 1000
	around := func(t *testing.T, pair *netlab.Peers, run func() string) {
		file := filepath.Join(t.TempDir(), "pings.pcap")
		dump, err := witness.Start(t.Context(), pair.A, netlab.PeerLinkA, file)
		if err != nil {
			t.Fatal(err)
		}
		said := printedRTTs(run())
		if drops, err := dump.Stop(); drops > 0 || err != nil {
			t.Fatalf("void: tcpdump dropped %d packets: %v", drops, err)
		}
		f, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		truth, err := witness.ReadProbeRTTs(f)
		if err != nil {
			t.Fatal(err)
		}
		got := witness.Compare(said, truth)
		t.Logf("RTT less tcpdump's, ns: %+v", got)
		if got.Compared != 2*probes || got.Unseen > 0 || got.Median < -2000 || got.Median > 2000 || got.P90 > 5000 {
			t.Error("too far")
		}
	}
	asNobody(t, around, func(t *testing.T) {
		s := open(t, Config{})
		sent := map[witness.Probe]int64{}
		for seq := range uint16(probes) {
			send(t, s, echo(bothVersions[0].peer, seq, "cookiecookie"), echo(bothVersions[1].peer, seq, "cookiecookie"))
			for _, g := range await(t, s, 4) {
				if g.out {
					sent[witness.Probe{Target: g.dst, Seq: g.seq}] = g.at
				}
				if p := (witness.Probe{Target: g.src, Seq: g.seq}); g.kind == icmpecho.EchoReply {
					fmt.Printf("rtt %s %d %d\n", p.Target, p.Seq, g.at-sent[p])
				}
			}
		}
	})
}

// printedRTTs reads what the child has printed.
func printedRTTs(out string) map[witness.Probe]int64 {
	rtts := map[witness.Probe]int64{}
	for line := range strings.Lines(out) {
		var target string
		var seq uint16
		var rtt int64
		if n, _ := fmt.Sscanf(line, "rtt %s %d %d", &target, &seq, &rtt); n == 3 {
			rtts[witness.Probe{Target: netip.MustParseAddr(target), Seq: seq}] = rtt
		}
	}
	return rtts
}
