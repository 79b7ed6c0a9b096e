//go:build integration && linux

package netlab

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
)

// TestLANAgainstTheKernel: the prober's kernel finds the hosts that are there, and has replies of those that are not mute.
func TestLANAgainstTheKernel(t *testing.T) {
	for _, cfg := range []LANConfig{{Hosts: 40, Hosts6: 40}, {Hosts: 40, Hosts6: 40, Forgets: true, Delay: 5 * time.Millisecond}} {
		lan, err := LANLab(cfg)
		Lasting(t, lan, err)
		var conns [2]*icmp.PacketConn
		err = lan.Prober.Do(func() (err error) {
			if conns[0], err = icmp.ListenPacket("ip4:icmp", "0.0.0.0"); err == nil {
				conns[1], err = icmp.ListenPacket("ip6:ipv6-icmp", "::")
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		answered := map[netip.Addr]bool{}
		for i, conn := range conns {
			pingHosts(t, conn, lan, i == 1, answered)
			conn.Close()
		}
		for _, h := range lan.Hosts {
			if answered[h.Addr] == h.Mute {
				t.Errorf("%+v: answered %v", h, answered[h.Addr])
			}
		}
		if n, err := lan.Prober.Neighbours(); err != nil || n < 80 || n > 90 {
			t.Errorf("%d neighbours, %v", n, err)
		}
		if cfg.Forgets && lan.Asks() != 72 {
			t.Errorf("%d hosts have asked, want the 72 that answer", lan.Asks())
		}
	}
}

// pingHosts asks all hosts of one family, and an address that nobody has, and notes who answers within half a second.
func pingHosts(t *testing.T, conn *icmp.PacketConn, lan *LAN, v6 bool, answered map[netip.Addr]bool) {
	t.Helper()
	m := icmp.Message{Type: ipv4.ICMPTypeEcho, Body: &icmp.Echo{ID: os.Getpid() & 0xffff, Seq: 1, Data: make([]byte, 24)}}
	if v6 {
		m.Type = ipv6.ICMPTypeEchoRequest
	}
	out, err := m.Marshal(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range lan.Hosts {
		if h.Addr.Is6() != v6 {
			continue
		}
		if _, err := conn.WriteTo(out, &net.IPAddr{IP: h.Addr.AsSlice()}); err != nil {
			t.Fatal(err)
		}
	}
	if err := conn.SetReadDeadline(time.Now().Add(500 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 1500)
	for {
		n, from, err := conn.ReadFrom(buf)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if kind := buf[0]; n > 0 && (kind == 0 || kind == 129) {
			a, _ := netip.AddrFromSlice(from.(*net.IPAddr).IP)
			answered[a.Unmap()] = true
		}
	}
}
