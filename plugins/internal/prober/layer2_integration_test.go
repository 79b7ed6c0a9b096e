//go:build integration

package prober

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/net/bpf"

	"echogram/plugins/internal/capture"
	"echogram/plugins/internal/capture/afpacket"
	"echogram/plugins/internal/frame"
	"echogram/plugins/internal/icmpecho"
	"echogram/plugins/internal/icmpsock"
	"echogram/plugins/internal/route"
	"echogram/plugins/internal/targets"
	"echogram/plugins/netlab"
)

// layer2Lab is a sender by frames in A of a pair, whose B owns a network of each family.
type layer2Lab struct {
	pair *netlab.Peers
	hops *nextHops
	l    *layer2
	raw  *counting
	set  *targets.Set
	ring *afpacket.Ring
	link netlink.Link
}

// counting is a fallback that counts.
type counting struct {
	sendSocket
	n int
}

func (c *counting) Send(msgs []icmpecho.Datagram) (int, error) {
	n, err := c.sendSocket.Send(msgs)
	c.n += n
	return n, err
}

const labID = 77

func inLayer2Lab(t *testing.T, c icmpsock.Config, f func(t *testing.T, lab *layer2Lab)) {
	t.Helper()
	netlab.InPeers(t, func(pair *netlab.Peers) {
		four, six := netip.MustParsePrefix("198.18.0.0/24"), netip.MustParsePrefix("2001:2:0:8::/120")
		err := errors.Join(
			pair.A.RouteVia(four, netlab.PeerB4.Addr()), pair.A.RouteVia(six, netlab.PeerB6.Addr()),
			pair.B.RouteLocal(four), pair.B.RouteLocal(six))
		if err != nil {
			t.Fatal(err)
		}
		// An entry of a neighbour table is doubted in well under the usual half minute, by parts of a second.
		for _, family := range []string{"ipv4", "ipv6"} {
			for key, value := range map[string]string{"base_reachable_time_ms": "500", "delay_first_probe_time": "1", "retrans_time_ms": "100"} {
				if err := pair.A.Sysctl(family+"/neigh/"+netlab.PeerLinkA+"/"+key, value); err != nil {
					t.Fatal(err)
				}
			}
		}
		lab := &layer2Lab{pair: pair, set: parse(t, four.String(), six.String())}
		lab.open(t, c)
		f(t, lab)
	})
}

func (lab *layer2Lab) open(t *testing.T, c icmpsock.Config) {
	t.Helper()
	c.V6 = true
	var err error
	check := func() {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	lab.link, err = netlink.LinkByName(netlab.PeerLinkA)
	check()
	filter, err := bpf.Assemble(frame.EchoFilter(labID, capture.LinkEthernet, 0xffff))
	check()
	lab.ring, err = afpacket.Open(afpacket.Config{IfIndex: lab.link.Attrs().Index, Filter: filter})
	check()
	raw, err := icmpsock.Open(c)
	check()
	lab.raw = &counting{sendSocket: sendSocket{raw}}
	lab.hops, err = openNextHops(c)
	check()
	err = lab.hops.refresh(context.Background(), lab.set)
	check()
	lab.l, err = lab.hops.sender(lab.raw)
	check()
	t.Cleanup(func() {
		lab.l.Close()
		lab.hops.close()
		raw.Close()
		lab.ring.Close()
	})
}

// sweep sends a request to each target and returns how many were seen to leave and how many answered.
func (lab *layer2Lab) sweep(t *testing.T) (out, in int) {
	t.Helper()
	var msgs []icmpecho.Datagram
	for i := range lab.set.Len() {
		dst := lab.set.At(i)
		msgs = append(msgs, icmpecho.Datagram{Dst: dst, Target: i, Data: icmpecho.AppendRequest(nil, dst.Is6(), labID, uint16(i), make([]byte, 20))})
	}
	if n, err := lab.l.Send(msgs); n != len(msgs) || err != nil {
		t.Fatalf("%d sent: %v", n, err)
	}
	for deadline := time.Now().Add(time.Second); in < len(msgs) && time.Now().Before(deadline); {
		packets, err := lab.ring.Read(20 * time.Millisecond)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range packets {
			ip, err := frame.Parse(p.Data, p.Link)
			if err != nil {
				continue
			}
			m, err := icmpecho.Parse(ip.Payload, ip.Src, ip.Dst, ip.Cut)
			switch {
			case err != nil || m.ChecksumBad:
				t.Errorf("bad message: %v %+v", err, m)
			case m.Kind == icmpecho.EchoRequest && p.Direction == capture.Out:
				out++
			case m.Kind == icmpecho.EchoReply && p.Direction == capture.In:
				in++
			}
		}
	}
	return out, in
}

// TestLayer2: all is sent as frames, in both families, and answered by a kernel.
func TestLayer2(t *testing.T) {
	inLayer2Lab(t, icmpsock.Config{TTL: 5, DSCP: 46}, func(t *testing.T, lab *layer2Lab) {
		if out, in := lab.sweep(t); out != 512 || in != 512 || lab.raw.n != 0 {
			t.Errorf("%d out, %d in, %d by the kernel", out, in, lab.raw.n)
		}
	})
}

// TestLayer2GatewayMoves: the gateway gets another MAC without a word. The kernel's check of a stale entry finds out;
// the requests meanwhile are lost, and then the next sweep, or the watch in the middle of one, is right again.
func TestLayer2GatewayMoves(t *testing.T) {
	inLayer2Lab(t, icmpsock.Config{}, func(t *testing.T, lab *layer2Lab) {
		before := lab.hops.table.Load()
		moved := net.HardwareAddr{2, 0, 0, 0, 0, 9}
		err := lab.pair.B.Do(func() error {
			link, err := netlink.LinkByName(netlab.PeerLinkB)
			if err != nil {
				return err
			}
			return netlink.LinkSetHardwareAddr(link, moved)
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, in := lab.sweep(t); in != 0 {
			t.Errorf("%d answers from where nobody is", in)
		}
		began := time.Now()
		for until := began.Add(20 * time.Second); !lab.sendsTo(frame.MAC(moved)); {
			if time.Now().After(until) {
				t.Fatalf("still %+v", lab.hops.table.Load().hops)
			}
			lab.hops.locked(func() { lab.hops.confirm(context.Background()) })
			sleep(context.Background(), 50*time.Millisecond)
		}
		t.Logf("found after %v", time.Since(began))
		lab.raw.n = 0
		if out, in := lab.sweep(t); out != 512 || in != 512 || lab.raw.n != 0 {
			t.Errorf("%d out, %d in, %d by the kernel", out, in, lab.raw.n)
		}
		if before == lab.hops.table.Load() {
			t.Error("the table is the old one")
		}
	})
}

// sendsTo tells whether all hops have that gateway.
func (lab *layer2Lab) sendsTo(mac frame.MAC) bool {
	for _, h := range lab.hops.table.Load().hops {
		if !h.known || h.to != mac {
			return false
		}
	}
	return true
}

// TestLayer2RouteMoves: while frames are sent the route changes to another link; the upkeep follows it, to a socket that was spare.
func TestLayer2RouteMoves(t *testing.T) {
	inLayer2Lab(t, icmpsock.Config{}, func(t *testing.T, lab *layer2Lab) {
		err := netlab.Connect(
			netlab.End{Namespace: lab.pair.A, Link: "other-a", Address: netip.MustParsePrefix("198.19.8.1/24")},
			netlab.End{Namespace: lab.pair.B, Link: "other-b", Address: netip.MustParsePrefix("198.19.8.2/24")})
		if err != nil {
			t.Fatal(err)
		}
		other, err := netlink.LinkByName("other-a")
		if err != nil {
			t.Fatal(err)
		}
		if err := lab.pair.A.RouteVia(netip.MustParsePrefix("198.18.0.128/25"), netip.MustParseAddr("198.19.8.2")); err != nil {
			t.Fatal(err)
		}
		for until := time.Now().Add(5 * time.Second); ; sleep(context.Background(), 20*time.Millisecond) {
			i, _ := lab.hops.table.Load().search(200)
			if hops := lab.hops.table.Load().hops; i < len(hops) && hops[i].ifindex == other.Attrs().Index && hops[i].known {
				break
			}
			if time.Now().After(until) {
				t.Fatalf("still %+v", lab.hops.table.Load().hops)
			}
		}
		if out, _ := lab.sweep(t); out != 384 || lab.raw.n != 0 { // the ring sees the first link only
			t.Errorf("%d out of the first link, %d by the kernel", out, lab.raw.n)
		}
	})
}

// TestLayer2OnLink: hosts on the link are sent to where their MACs are known, the others are the kernel's.
func TestLayer2OnLink(t *testing.T) {
	inLayer2Lab(t, icmpsock.Config{}, func(t *testing.T, lab *layer2Lab) {
		n, err := route.NewClient()
		if err != nil {
			t.Fatal(err)
		}
		defer n.Close()
		gateway, err := n.Lookup(route.Hop{IfIndex: lab.link.Attrs().Index, Addr: netlab.PeerB4.Addr()})
		if err != nil || !gateway.Known() {
			t.Fatal(gateway, err)
		}
		lab.set = parse(t, netlab.PeerA4.Addr().String(), netlab.PeerB4.Addr().String(), "198.19.7.9")
		if err := lab.hops.refresh(context.Background(), lab.set); err != nil {
			t.Fatal(err)
		}
		lab.hops.setMACs(func(target int) (frame.MAC, bool) { return gateway.MAC, target == 1 })
		if out, in := lab.sweep(t); out != 1 || in != 1 || lab.raw.n != 2 {
			t.Errorf("%d out, %d in, %d by the kernel", out, in, lab.raw.n)
		}
	})
}

// TestLayer2Threads: several threads send by one table while it is made anew.
func TestLayer2Threads(t *testing.T) {
	inLayer2Lab(t, icmpsock.Config{}, func(t *testing.T, lab *layer2Lab) {
		const threads, rounds, batch = 3, 300, 128
		var senders []*layer2
		for range threads {
			raw, err := icmpsock.Open(icmpsock.Config{V6: true})
			if err != nil {
				t.Fatal(err)
			}
			defer raw.Close()
			l, err := lab.hops.sender(sendSocket{raw})
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			senders = append(senders, l)
		}
		var msgs []icmpecho.Datagram
		for i := range batch {
			msgs = append(msgs, icmpecho.Datagram{Dst: lab.set.At(i), Target: i, Data: icmpecho.AppendRequest(nil, false, labID, uint16(i), make([]byte, 12))})
		}
		var wg sync.WaitGroup
		began := time.Now()
		for _, l := range senders {
			wg.Go(func() {
				for range rounds {
					for sent := 0; sent < batch; {
						n, err := l.Send(msgs[sent:])
						if sent += n; err != nil {
							t.Error(err)
							return
						}
					}
				}
			})
		}
		for range 20 {
			if err := lab.hops.refresh(context.Background(), lab.set); err != nil {
				t.Error(err)
			}
		}
		wg.Wait()
		t.Logf("%.0f kpps by %d threads", threads*rounds*batch/time.Since(began).Seconds()/1000, threads)
	})
}
