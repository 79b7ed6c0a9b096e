//go:build integration

package icmpsock

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"strconv"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"echogram/plugins/internal/capture"
	"echogram/plugins/internal/capture/afpacket"
	"echogram/plugins/internal/icmpecho"
	"echogram/plugins/netlab"
)

func open(t *testing.T, c Config) *Socket {
	t.Helper()
	s, err := Open(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// request is an echo request of n payload bytes whose sequence number is seq.
func request(dst netip.Addr, seq uint16, n int) icmpecho.Datagram {
	b := make([]byte, 8+n)
	binary.BigEndian.PutUint16(b[4:], 7)
	binary.BigEndian.PutUint16(b[6:], seq)
	if b[0] = 128; dst.Is4() {
		b[0] = 8
		binary.BigEndian.PutUint16(b[2:], icmpecho.Checksum(b))
	}
	return icmpecho.Datagram{Dst: dst, Data: b}
}

// tap opens a ring on the pair's link that sees all frames.
func tap(t *testing.T) *afpacket.Ring {
	t.Helper()
	all, err := bpf.Assemble([]bpf.Instruction{bpf.RetConstant{Val: 0xffff}})
	if err != nil {
		t.Fatal(err)
	}
	r, err := afpacket.Open(afpacket.Config{IfIndex: pairLink(t), Link: capture.LinkEthernet, Filter: all})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

func pairLink(t *testing.T) int {
	t.Helper()
	link, err := netlink.LinkByName(netlab.PeerLinkA)
	if err != nil {
		t.Fatal(err)
	}
	return link.Attrs().Index
}

// echo is what a captured echo request or reply shows.
type echo struct {
	v6, reply, df bool
	ttl, tos      uint8
	seq           uint16
}

// echoes reads n echo requests and replies of identifier 7, or fewer if no more come.
func echoes(t *testing.T, r *afpacket.Ring, n int) []echo {
	t.Helper()
	var got []echo
	for deadline := time.Now().Add(2 * time.Second); len(got) < n && time.Now().Before(deadline); {
		batch, err := r.Read(100 * time.Millisecond)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range batch {
			if e, ok := parse(p.Data); ok {
				got = append(got, e)
			}
		}
	}
	return got
}

func parse(b []byte) (e echo, ok bool) {
	ip := b[14:]
	var icmp []byte
	switch binary.BigEndian.Uint16(b[12:]) {
	case unix.ETH_P_IP:
		e.tos, e.ttl, e.df = ip[1], ip[8], ip[6]&0x40 != 0
		icmp, ok = ip[20:], ip[9] == unix.IPPROTO_ICMP
	case unix.ETH_P_IPV6:
		e.v6, e.tos, e.ttl = true, uint8(binary.BigEndian.Uint16(ip)>>4), ip[7]
		icmp, ok = ip[40:], ip[6] == unix.IPPROTO_ICMPV6
	}
	if !ok || len(icmp) < 8 {
		return e, false
	}
	e.reply = icmp[0] == 0 || icmp[0] == 129
	e.seq = binary.BigEndian.Uint16(icmp[6:])
	return e, binary.BigEndian.Uint16(icmp[4:]) == 7 && (e.reply || icmp[0] == 8 || icmp[0] == 128)
}

// TestMixedBatch: one batch of both versions leaves in order and as configured, and all of it is answered: the
// kernel's checksums are right.
func TestMixedBatch(t *testing.T) {
	netlab.InPeers(t, func(_ *netlab.Peers) {
		s := open(t, Config{V6: true, TTL: 9, DSCP: 46, DontFragment: true, Mark: 3, Interface: netlab.PeerLinkA,
			Source4: netlab.PeerA4.Addr(), Source6: netlab.PeerA6.Addr()})
		r := tap(t)
		resolve(t, s, r)
		var msgs []icmpecho.Datagram
		for i := range uint16(12) {
			dst := netlab.PeerB4.Addr()
			if i%4 >= 2 {
				dst = netlab.PeerB6.Addr()
			}
			msgs = append(msgs, request(dst, i, 17))
		}
		if n, err := s.Send(msgs); n != len(msgs) || err != nil {
			t.Fatal(n, err)
		}
		got := echoes(t, r, 24)
		for i := range uint16(12) {
			v6 := i%4 >= 2
			want := echo{v6: v6, df: !v6, ttl: 9, tos: 46 << 2, seq: i}
			if len(got) != 24 || got[2*i] != want { // on a veth link each answer comes before the next request
				t.Fatalf("message %d: %+v of %d, want %+v", i, got[2*i:], len(got), want)
			}
			if a := got[2*i+1]; !a.reply || a.seq != i || a.v6 != v6 {
				t.Errorf("answer %d: %+v", i, a)
			}
		}
	})
}

// resolve has the kernel learn who its neighbours are, so that it holds no message back.
func resolve(t *testing.T, s *Socket, r *afpacket.Ring) {
	t.Helper()
	for _, dst := range []netip.Addr{netlab.PeerB4.Addr(), netlab.PeerB6.Addr()} {
		if n, err := s.Send([]icmpecho.Datagram{request(dst, 0, 17)}); n != 1 || err != nil {
			t.Fatal(n, err)
		}
	}
	if got := echoes(t, r, 4); len(got) != 4 {
		t.Fatalf("no answers: %+v", got)
	}
}

// TestTooBig: with DontFragment the message above the MTU is refused, and only that one; without, it is cut up and answered.
func TestTooBig(t *testing.T) {
	netlab.InPeers(t, func(_ *netlab.Peers) {
		for _, dst := range []netip.Addr{netlab.PeerB4.Addr(), netlab.PeerB6.Addr()} {
			msgs := []icmpecho.Datagram{request(dst, 0, 100), request(dst, 1, 1600), request(dst, 2, 100)}
			s := open(t, Config{V6: true, DontFragment: true})
			if n, err := s.Send(msgs); n != 1 || !errors.Is(err, unix.EMSGSIZE) {
				t.Errorf("%s: %d, %v", dst, n, err)
			}
			if n, err := s.Send(msgs[2:]); n != 1 || err != nil {
				t.Errorf("%s behind it: %d, %v", dst, n, err)
			}
			if n, err := open(t, Config{V6: true}).Send(msgs); n != 3 || err != nil {
				t.Errorf("%s in fragments: %d, %v", dst, n, err)
			}
		}
	})
}

// TestOldErrors: what the network says of an earlier message is not held against the next.
func TestOldErrors(t *testing.T) {
	netlab.InPeers(t, func(pair *netlab.Peers) {
		for _, c := range []struct{ forward, route, gateway string }{
			{"ipv4/ip_forward", "198.18.0.0/16", netlab.PeerB4.Addr().String()},
			{"ipv6/conf/all/forwarding", "2001:2:0:8::/64", netlab.PeerB6.Addr().String()},
		} {
			if err := pair.B.Sysctl(c.forward, "1"); err != nil {
				t.Fatal(err)
			}
			network, gateway := netip.MustParsePrefix(c.route), netip.MustParseAddr(c.gateway)
			if err := pair.A.RouteVia(network, gateway); err != nil { // who has no route, and says so
				t.Fatal(err)
			}
			s, r := open(t, Config{V6: true}), tap(t)
			resolve(t, s, r)
			nowhere, there := request(network.Addr().Next(), 1, 20), request(gateway, 2, 20)
			for range 5 {
				for i, m := range []icmpecho.Datagram{nowhere, there, nowhere, there} {
					if n, err := s.Send([]icmpecho.Datagram{m}); n != 1 || err != nil {
						t.Fatalf("message %d to %s: %d, %v", i, m.Dst, n, err)
					}
				}
				if got := echoes(t, r, 6); len(got) != 6 {
					t.Fatalf("%+v", got)
				}
			}
		}
	})
}

// TestFullQueue: a queue without room shows as ErrNoRoom, in both versions.
func TestFullQueue(t *testing.T) {
	netlab.InPeers(t, func(_ *netlab.Peers) {
		s := open(t, Config{V6: true})
		resolve(t, s, tap(t))
		queue := &netlink.Tbf{
			QdiscAttrs: netlink.QdiscAttrs{LinkIndex: pairLink(t), Handle: netlink.MakeHandle(1, 0), Parent: netlink.HANDLE_ROOT},
			Rate:       10_000, Buffer: netlink.Xmittime(10_000, 3000), Limit: 5000, // room for some seven frames, which leave in a second
		}
		for _, dst := range []netip.Addr{netlab.PeerB4.Addr(), netlab.PeerB6.Addr()} {
			if err := netlink.QdiscAdd(queue); err != nil {
				t.Fatal(err)
			}
			var msgs []icmpecho.Datagram
			for i := range uint16(50) {
				msgs = append(msgs, request(dst, i, 1000))
			}
			if n, err := s.Send(msgs); n < 5 || n > 9 || !errors.Is(err, ErrNoRoom) {
				t.Errorf("%s: %d, %v", dst, n, err)
			}
			if err := netlink.QdiscDel(queue); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// TestZones: a link-local address is reached by the name and by the number of its zone.
func TestZones(t *testing.T) {
	netlab.InPeers(t, func(_ *netlab.Peers) {
		s, r := open(t, Config{V6: true}), tap(t)
		all := netip.MustParseAddr("ff02::1")
		msgs := []icmpecho.Datagram{
			request(all.WithZone(netlab.PeerLinkA), 1, 20), request(all.WithZone(strconv.Itoa(pairLink(t))), 2, 20),
			request(all.WithZone("nowhere"), 3, 20),
		}
		if n, err := s.Send(msgs); n != 2 || !errors.Is(err, unix.ENODEV) {
			t.Errorf("%d, %v", n, err)
		}
		if got := echoes(t, r, 4); len(got) != 4 {
			t.Errorf("%+v", got)
		}
	})
}

func TestTTL(t *testing.T) {
	netlab.InPeers(t, func(_ *netlab.Peers) {
		for _, c := range []struct {
			c          Config
			ttl, limit int
		}{{Config{}, 64, 0}, {Config{V6: true}, 64, 64}, {Config{V6: true, TTL: 9}, 9, 9}} {
			if ttl, limit, err := open(t, c.c).TTL(); err != nil || ttl != c.ttl || limit != c.limit {
				t.Errorf("%+v: %d, %d, %v", c.c, ttl, limit, err)
			}
		}
	})
}

func TestBroadcast(t *testing.T) {
	netlab.InPeers(t, func(_ *netlab.Peers) {
		broadcast := netip.MustParseAddr("198.19.7.255")
		if n, err := open(t, Config{}).Send([]icmpecho.Datagram{request(broadcast, 1, 8)}); n != 1 || err != nil {
			t.Errorf("sent %d, %v", n, err)
		}
	})
}

func TestOpenRefuses(t *testing.T) {
	netlab.InPeers(t, func(_ *netlab.Peers) {
		for _, c := range []struct {
			c    Config
			want error
		}{
			{Config{V6: true, Source6: netip.MustParseAddr("2001:db8::1")}, unix.EADDRNOTAVAIL},
			{Config{Source4: netip.MustParseAddr("192.0.2.1")}, unix.EADDRNOTAVAIL},
			{Config{Interface: "nowhere"}, unix.ENODEV},
		} {
			if _, err := Open(c.c); !errors.Is(err, c.want) {
				t.Errorf("%+v: %v", c.c, err)
			}
		}
		if n, err := open(t, Config{}).Send([]icmpecho.Datagram{request(netlab.PeerB6.Addr(), 1, 20)}); n != 0 || err == nil {
			t.Errorf("IPv6 by a socket without: %d, %v", n, err)
		}
	})
}

// TestSendAllocatesNothing holds for batches of a size that was seen before.
func TestSendAllocatesNothing(t *testing.T) {
	netlab.InPeers(t, func(_ *netlab.Peers) {
		s := open(t, Config{V6: true})
		var msgs []icmpecho.Datagram
		for i := range uint16(64) {
			msgs = append(msgs, request(netlab.PeerB4.Addr(), i, 12), request(netlab.PeerB6.Addr(), i, 12))
		}
		if n := testing.AllocsPerRun(50, func() { s.Send(msgs) }); n != 0 {
			t.Errorf("%v allocations a batch", n)
		}
	})
}
