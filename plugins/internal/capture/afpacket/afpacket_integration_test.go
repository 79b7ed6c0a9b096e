//go:build integration

package afpacket

import (
	"errors"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"echogram/plugins/internal/capture"
	"echogram/plugins/netlab"
)

// config is that of a ring on the pair's link that sees UDP over IPv4.
func config(t *testing.T) Config {
	t.Helper()
	udp, err := bpf.Assemble([]bpf.Instruction{
		bpf.LoadAbsolute{Off: 12, Size: 2},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: unix.ETH_P_IP, SkipTrue: 3},
		bpf.LoadAbsolute{Off: 23, Size: 1},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: unix.IPPROTO_UDP, SkipTrue: 1},
		bpf.RetConstant{Val: 0xffff},
		bpf.RetConstant{Val: 0},
	})
	if err != nil {
		t.Fatal(err)
	}
	block, blocks := RingFor(1000, 100, 100*time.Millisecond)
	return Config{IfIndex: link(t).Attrs().Index, Link: capture.LinkEthernet, Filter: udp, BlockSize: block, Blocks: blocks}
}

func link(t *testing.T) netlink.Link {
	t.Helper()
	l, err := netlink.LinkByName(netlab.PeerLinkA)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func open(t *testing.T, c Config) *Ring {
	t.Helper()
	r, err := Open(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

// seen reads until a frame comes or an error, and gives the frame's interface.
func seen(r *Ring) (int32, error) {
	for deadline := time.Now().Add(2 * time.Second); time.Now().Before(deadline); {
		packets, err := r.Read(100 * time.Millisecond)
		if err != nil || len(packets) > 0 {
			if err != nil {
				return 0, err
			}
			return packets[0].IfIndex, nil
		}
	}
	return 0, errors.New("no frame")
}

func send(t *testing.T) {
	t.Helper()
	c, err := net.Dial("udp", netip.AddrPortFrom(netlab.PeerB4.Addr(), 9).String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.Write([]byte("x"))
}

// dropCapabilities takes all capabilities off the calling thread, which is the test's namespace's own.
func dropCapabilities(t *testing.T) {
	t.Helper()
	var none [2]unix.CapUserData
	if err := unix.Capset(&unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}, &none[0]); err != nil {
		t.Fatal(err)
	}
	if fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW, 0); err == nil {
		unix.Close(fd)
		t.Fatal("the thread can still open packet sockets")
	}
}

// TestRebind: an interface is removed and made again, and the ring goes on with it, without any privilege.
func TestRebind(t *testing.T) {
	netlab.InPeers(t, func(pair *netlab.Peers) {
		c := config(t)
		c.Promiscuous = true
		r := open(t, c)
		send(t)
		if i, err := seen(r); err != nil || int(i) != c.IfIndex {
			t.Fatal(i, err)
		}
		if err := netlink.LinkDel(link(t)); err != nil {
			t.Fatal(err)
		}
		var err error
		for errors.Is(err, ErrDown) || err == nil {
			_, err = seen(r)
		}
		if !errors.Is(err, ErrGone) {
			t.Fatal(err)
		}
		err = netlab.Connect(
			netlab.End{Namespace: pair.A, Link: netlab.PeerLinkA, Address: netlab.PeerA4},
			netlab.End{Namespace: pair.B, Link: netlab.PeerLinkB, Address: netlab.PeerB4})
		if err != nil {
			t.Fatal(err)
		}
		back := link(t).Attrs().Index
		dropCapabilities(t)
		if err := r.Rebind(back); err != nil {
			t.Fatal(err)
		}
		if link(t).Attrs().Promisc == 0 {
			t.Error("the link is not in promiscuous mode")
		}
		for range 3 {
			send(t)
			if i, err := seen(r); err != nil || int(i) != back {
				t.Errorf("interface %d, %v; want %d, which was %d", i, err, back, c.IfIndex)
			}
		}
		if s, err := r.Stats(); err != nil || s.Packets != 4 || s.Drops != 0 {
			t.Errorf("%+v, %v", s, err)
		}
		if err := r.Rebind(9999); err == nil {
			t.Error("bound to an interface that is not there")
		}
	})
}

// TestDown: a link that goes down and comes up again needs nothing.
func TestDown(t *testing.T) {
	netlab.InPeers(t, func(_ *netlab.Peers) {
		r := open(t, config(t))
		if err := netlink.LinkSetDown(link(t)); err != nil {
			t.Fatal(err)
		}
		if _, err := seen(r); !errors.Is(err, ErrDown) {
			t.Error(err)
		}
		if err := netlink.LinkSetUp(link(t)); err != nil {
			t.Fatal(err)
		}
		send(t)
		if _, err := seen(r); err != nil {
			t.Error(err)
		}
	})
}

// TestPromiscuous: membership lasts as long as the ring.
func TestPromiscuous(t *testing.T) {
	netlab.InPeers(t, func(_ *netlab.Peers) {
		c := config(t)
		for _, on := range []bool{false, true} {
			c.Promiscuous = on
			r := open(t, c)
			if got := link(t).Attrs().Promisc; (got > 0) != on {
				t.Errorf("promiscuous %v: count %d", on, got)
			}
			r.Close()
			if got := link(t).Attrs().Promisc; got != 0 {
				t.Errorf("after it: count %d", got)
			}
		}
	})
}

// TestHardware: a link without hardware says so.
func TestHardware(t *testing.T) {
	netlab.InPeers(t, func(_ *netlab.Peers) {
		c := config(t)
		c.Hardware = true
		if _, err := Open(c); !errors.Is(err, ErrHardware) {
			t.Error(err)
		} else {
			t.Log(err)
		}
	})
}
