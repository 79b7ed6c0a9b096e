//go:build integration

package prober

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"echogram/plugins/internal/frame"
	"echogram/plugins/internal/icmpecho"
	"echogram/plugins/internal/neighbour"
	"echogram/plugins/internal/packetsock"
	"echogram/plugins/internal/route"
	"echogram/plugins/internal/targets"
	"echogram/plugins/netlab"
)

// kernelLimit is gc_thresh3, as Linux sets it.
const kernelLimit = 1024

// onLAN runs f in the prober's namespace of a LAN.
func onLAN(t *testing.T, cfg netlab.LANConfig, f func(t *testing.T, d *discovery)) {
	t.Helper()
	lan, err := netlab.LANLab(cfg)
	netlab.Lasting(t, lan, err)
	err = lan.Prober.Do(func() error {
		d := &discovery{lan: lan}
		if err := d.open(); err != nil {
			return err
		}
		defer d.onLink.close()
		f(t, d)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// discovery is one on the prober's link.
type discovery struct {
	*onLink
	lan  *netlab.LAN
	link route.Interface
	own  neighbour.Own
}

func (d *discovery) open() (err error) {
	client, err := route.NewClient()
	if err != nil {
		return err
	}
	defer client.Close()
	if d.link, err = client.ByName(netlab.ProberLink); err != nil {
		return err
	}
	if d.own, err = ownOn(client, d.link); err != nil {
		return err
	}
	d.onLink, err = openOnLink(d.link)
	return err
}

// of discovers all that networks hold but for our own addresses.
func (d *discovery) of(t *testing.T, opt discoverOptions, networks ...string) (*neighbours, *targets.Set) {
	t.Helper()
	in, err := targets.ParseRanges(networks)
	if err != nil {
		t.Fatal(err)
	}
	out, err := targets.ParseRanges([]string{"198.18.0.1", "198.18.255.255", "2001:2:0:2::1"})
	if err != nil {
		t.Fatal(err)
	}
	set, err := targets.NewSet(in, out)
	if err != nil {
		t.Fatal(err)
	}
	found, err := d.discover(context.Background(), d.own, set, []piece{{0, set.Len()}}, opt)
	if err != nil {
		t.Fatal(err)
	}
	return found, set
}

// echo sends an echo request at layer 2.
func (d *discovery) echo(t *testing.T, socket *packetsock.Socket, mac frame.MAC, to netip.Addr) {
	t.Helper()
	from := d.own.Addrs[slices.IndexFunc(d.own.Addrs, func(p netip.Prefix) bool { return p.Contains(to) })].Addr()
	request := icmpecho.AppendRequest(nil, to.Is6(), 1, 1, make([]byte, 12))
	e := frame.Ethernet{Dst: mac, Src: d.own.MAC}
	f := frame.AppendICMP(nil, e, from, to, frame.IPOptions{TTL: 64}, 0, request)
	if _, err := socket.Send([][]byte{f}); err != nil {
		t.Fatal(err)
	}
}

// judge holds what was found against who is there.
func judge(t *testing.T, lan *netlab.LAN, found *neighbours, set *targets.Set) (present, timed int) {
	t.Helper()
	for i := range set.Len() {
		n, asked := found.of(i)
		h, there := lan.Host(set.At(i))
		if !asked || n.Present != there || n.MAC != h.MAC && n.MAC != h.Other || there && h.Other != (frame.MAC{}) != (n.Other != (frame.MAC{})) {
			t.Errorf("%s: %+v, asked %v; is %+v", set.At(i), n, asked, h)
		}
		if n.Present {
			present++
		}
		if n.RTT > 0 {
			timed++
		}
	}
	return present, timed
}

// TestDiscoverBothFamilies: a lossy LAN of both families, with conflicts of addresses.
func TestDiscoverBothFamilies(t *testing.T) {
	cfg := netlab.LANConfig{Hosts: 200, Hosts6: 12_800, Network: netip.MustParsePrefix("198.18.0.0/22"), Loss: 0.1, Delay: 3 * time.Millisecond, Conflict: 20}
	onLAN(t, cfg, func(t *testing.T, d *discovery) {
		found, set := d.of(t, discoverOptions{Rate: 20_000, Tries: 8, Wait: 100 * time.Millisecond}, "198.18.0.0/22", "2001:2:0:2::/118")
		defer found.end()
		present, timed := judge(t, d.lan, found, set)
		s := found.engine.Stats()
		if present < 390 || timed < present*3/4 || s.Conflicts < 10 {
			t.Errorf("%d found, %d with an RTT, %+v", present, timed, s)
		}
		for i := range set.Len() {
			if n, _ := found.of(i); n.RTT > 0 && n.RTT < 3_000_000 {
				t.Errorf("%s: RTT %d ns over a LAN that takes 3 ms", set.At(i), n.RTT)
			}
		}
		t.Logf("%d found, %d with an RTT, %+v", present, timed, s)
	})
}

// TestAnswersWhereTheKernelDoesNot: 2,700 hosts ask for our MAC before they answer an echo. The kernel's table takes
// 1,024 of them; all of them are told.
func TestAnswersWhereTheKernelDoesNot(t *testing.T) {
	onLAN(t, netlab.LANConfig{Forgets: true}, func(t *testing.T, d *discovery) {
		found, set := d.of(t, discoverOptions{Rate: 50_000, Tries: 1}, "198.18.0.0/16")
		defer found.end()
		socket, err := packetsock.Open(packetsock.Config{IfIndex: d.link.Index})
		if err != nil {
			t.Fatal(err)
		}
		defer socket.Close()
		for i := range set.Len() {
			if n, _ := found.of(i); n.Present {
				d.echo(t, socket, n.MAC, set.At(i))
			}
		}
		told := func() int64 { return found.engine.Stats().Served }
		for deadline := time.Now().Add(5 * time.Second); told() < 2700 && time.Now().Before(deadline); {
			time.Sleep(10 * time.Millisecond)
		}
		table, err := d.lan.Prober.Neighbours()
		if err != nil {
			t.Fatal(err)
		}
		if d.lan.Asks() != 2700 || told() != 2700 || table > kernelLimit {
			t.Errorf("%d hosts asked, %d were told; %d in the kernel's table", d.lan.Asks(), told(), table)
		}
		t.Logf("%d hosts asked, %d were told; %d in the kernel's table", d.lan.Asks(), told(), table)
	})
}

// TestLinuxDoesNotAskBack: a Linux host that has answered an echo asks for our MAC by IPv6, which gives it an entry
// in our kernel's table, and not by IPv4, where the discovery has told it.
func TestLinuxDoesNotAskBack(t *testing.T) {
	lab, err := netlab.New()
	netlab.Lasting(t, lab, err)
	ours, err := lab.Namespace("prober")
	if err != nil {
		t.Fatal(err)
	}
	host, err := lab.Namespace("host")
	if err != nil {
		t.Fatal(err)
	}
	err = netlab.Connect(
		netlab.End{Namespace: ours, Link: netlab.ProberLink, Address: netip.MustParsePrefix("198.18.0.1/24")},
		netlab.End{Namespace: host, Link: "host0", Address: netip.MustParsePrefix("198.18.0.2/24")})
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range []string{"ipv4", "ipv6"} { // asks so many seconds after it has answered
		if err := host.Sysctl(family+"/neigh/host0/delay_first_probe_time", "1"); err != nil {
			t.Fatal(err)
		}
	}
	address(t, ours, netlab.ProberLink, "2001:2:0:2::1/64")
	address(t, host, "host0", "2001:2:0:2::2/64")
	err = ours.Do(func() error {
		d := &discovery{}
		if err := d.open(); err != nil {
			return err
		}
		defer d.onLink.close()
		socket, err := packetsock.Open(packetsock.Config{IfIndex: d.link.Index})
		if err != nil {
			return err
		}
		defer socket.Close()
		found, set := d.of(t, discoverOptions{}, "198.18.0.2", "2001:2:0:2::2")
		defer found.end()
		for i := range set.Len() {
			n, _ := found.of(i)
			if !n.Present {
				t.Errorf("%s is not found", set.At(i))
			}
			d.echo(t, socket, n.MAC, set.At(i))
		}
		for deadline := time.Now().Add(5 * time.Second); entries(t, netlink.FAMILY_V6) == 0 && time.Now().Before(deadline); {
			time.Sleep(50 * time.Millisecond)
		}
		time.Sleep(500 * time.Millisecond)
		if v4, v6 := entries(t, netlink.FAMILY_V4), entries(t, netlink.FAMILY_V6); v4 != 0 || v6 != 1 {
			t.Errorf("the host has %d entries by IPv4 and %d by IPv6, want 0 and 1", v4, v6)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func address(t *testing.T, n *netlab.Namespace, link, cidr string) {
	t.Helper()
	err := n.Do(func() error {
		l, err := netlink.LinkByName(link)
		if err != nil {
			return err
		}
		a, err := netlink.ParseAddr(cidr)
		if err != nil {
			return err
		}
		a.Flags = unix.IFA_F_NODAD // or it cannot be used at once
		return netlink.AddrAdd(l, a)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// entries counts the hosts of one family that the kernel has in its neighbour table.
func entries(t *testing.T, family int) int {
	t.Helper()
	list, err := netlink.NeighList(0, family)
	if err != nil {
		t.Fatal(err)
	}
	return len(slices.DeleteFunc(list, func(e netlink.Neigh) bool { return e.State&netlink.NUD_NOARP != 0 }))
}

func TestDiscoverEnds(t *testing.T) {
	onLAN(t, netlab.LANConfig{Hosts: 10}, func(t *testing.T, d *discovery) {
		in, err := targets.ParseRanges([]string{"198.18.0.0/16"})
		if err != nil {
			t.Fatal(err)
		}
		set, err := targets.NewSet(in, nil)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
		defer cancel()
		begin := time.Now()
		if _, err := d.discover(ctx, d.own, set, []piece{{0, set.Len()}}, discoverOptions{}); !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) > time.Second {
			t.Errorf("cancelled: %v after %v", err, time.Since(begin))
		}
		link, err := netlink.LinkByName(netlab.ProberLink)
		if err != nil {
			t.Fatal(err)
		}
		if err := netlink.LinkDel(link); err != nil {
			t.Fatal(err)
		}
		if _, err := d.discover(context.Background(), d.own, set, []piece{{0, set.Len()}}, discoverOptions{}); err == nil {
			t.Error("a discovery without its interface succeeds")
		} else {
			t.Log(err)
		}
	})
}
