package netlab

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"echogram/plugins/internal/capture"
	"echogram/plugins/internal/frame"
)

// lanLink is the far end of the prober's link, behind which the hosts are.
const lanLink = "lan0"

// LAN is a prober, whose link is ProberLink, and a segment full of hosts on that link. The hosts are one
// goroutine, which sees and sends frames by an AF_PACKET socket.
type LAN struct {
	*Lab
	Prober  *Namespace
	Segment *Namespace
	Config  LANConfig
	Hosts   []LANHost

	byAddr  map[netip.Addr]*LANHost
	socket  *os.File
	random  *rand.Rand
	waiting map[netip.Addr][]byte // replies of hosts that wait to be told the prober's MAC
	asks    atomic.Int64
	refused atomic.Int64
	stop    chan struct{}
	wg      sync.WaitGroup
}

// LANLab makes a LAN. The caller must Close it.
func LANLab(cfg LANConfig) (*LAN, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	lab, err := New()
	if err != nil {
		return nil, err
	}
	l := &LAN{
		Lab: lab, Config: cfg, Hosts: cfg.hosts(), byAddr: map[netip.Addr]*LANHost{},
		random: rand.New(rand.NewPCG(1, 2)), waiting: map[netip.Addr][]byte{}, stop: make(chan struct{}),
	}
	for i := range l.Hosts {
		l.byAddr[l.Hosts[i].Addr] = &l.Hosts[i]
	}
	if err := l.build(); err != nil {
		return nil, errors.Join(err, lab.Close())
	}
	return l, nil
}

// Host returns the live host with an address.
func (l *LAN) Host(a netip.Addr) (LANHost, bool) {
	h := l.byAddr[a]
	if h == nil {
		return LANHost{}, false
	}
	return *h, true
}

// Addrs are the prober's addresses, one a family.
func (l *LAN) Addrs() []netip.Prefix {
	return []netip.Prefix{
		netip.PrefixFrom(nth(l.Config.Network, 1), l.Config.Network.Bits()),
		netip.PrefixFrom(nth(LANNetwork6, 1), lanBits6),
	}
}

// Asks is how often the hosts have asked for the prober's MAC.
func (l *LAN) Asks() int64 { return l.asks.Load() }

func (l *LAN) build() error {
	var err error
	if l.Prober, err = l.Namespace("prober"); err != nil {
		return err
	}
	if l.Segment, err = l.Namespace("segment"); err != nil {
		return err
	}
	// Before the link, so that it inherits "default". The segment's kernel must not speak for itself.
	err = errors.Join(
		l.Prober.setAll([]sysctl{{"ipv6/conf/default/accept_dad", "0"}, {"ipv6/conf/default/router_solicitations", "0"}}),
		l.Segment.Sysctl("ipv6/conf/default/disable_ipv6", "1"))
	if err != nil {
		return err
	}
	addrs := l.Addrs()
	err = Connect(End{l.Prober, ProberLink, addrs[0]}, End{Namespace: l.Segment, Link: lanLink})
	if err != nil {
		return err
	}
	if err := l.Prober.AddAddress(ProberLink, addrs[1]); err != nil {
		return err
	}
	if err := l.Segment.Do(l.open); err != nil {
		return err
	}
	l.wg.Go(l.serve)
	l.onClose(l.end)
	return nil
}

// open opens the hosts' socket on the calling thread's namespace.
func (l *LAN) open() error {
	link, err := netlink.LinkByName(lanLink)
	if err != nil {
		return fmt.Errorf("netlab: link %s: %w", lanLink, err)
	}
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return fmt.Errorf("netlab: packet socket: %w", err)
	}
	err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 64<<20)
	if err == nil {
		err = unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: unix.ETH_P_ALL << 8, Ifindex: link.Attrs().Index}) // big-endian
	}
	if err != nil {
		unix.Close(fd)
		return fmt.Errorf("netlab: packet socket on %s: %w", lanLink, err)
	}
	l.socket = os.NewFile(uintptr(fd), "packet socket on "+lanLink)
	return nil
}

// serve ends when the socket is closed.
func (l *LAN) serve() {
	buf := make([]byte, 64<<10)
	for {
		n, err := l.socket.Read(buf)
		if err != nil {
			return
		}
		if l.Config.Loss > 0 && l.random.Float64() < l.Config.Loss {
			continue
		}
		l.hear(buf[:n])
	}
}

func (l *LAN) hear(data []byte) {
	if m, err := frame.ParseNeighbour(data); err == nil {
		l.meet(m)
		return
	}
	ip, err := frame.Parse(data, capture.LinkEthernet)
	h := l.byAddr[ip.Dst]
	if err != nil || h == nil || h.Mute {
		return
	}
	reply, ok := h.reply(data, ip)
	switch {
	case ok && l.Config.Forgets:
		l.waiting[h.Addr] = reply
		l.asks.Add(1)
		l.send(frame.AppendWhoHas(nil, h.MAC, h.Addr, ip.Src))
	case ok:
		l.send(reply)
	}
}

// meet answers a question for a host, and lets the host that is told something say what it was waiting to.
func (l *LAN) meet(m frame.Neighbour) {
	if m.Tells {
		if reply := l.waiting[m.To]; reply != nil {
			delete(l.waiting, m.To)
			l.send(reply)
		}
		return
	}
	h := l.byAddr[m.Addr]
	if h == nil {
		return
	}
	l.send(frame.AppendIsAt(nil, m, h.MAC))
	if h.Other != (frame.MAC{}) {
		l.send(frame.AppendIsAt(nil, m, h.Other))
	}
}

// send sends a frame, after the LAN's delay.
func (l *LAN) send(f []byte) {
	if l.Config.Delay == 0 {
		l.write(f)
		return
	}
	l.wg.Go(func() {
		t := time.NewTimer(l.Config.Delay)
		defer t.Stop()
		select {
		case <-t.C:
			l.write(f)
		case <-l.stop:
		}
	})
}

func (l *LAN) write(f []byte) {
	if _, err := l.socket.Write(f); err != nil && !errors.Is(err, os.ErrClosed) {
		l.refused.Add(1)
	}
}

// end ends the hosts. What they failed to hear or say is an error.
func (l *LAN) end() error {
	var lost int64
	if raw, err := l.socket.SyscallConn(); err == nil {
		raw.Control(func(fd uintptr) {
			if s, err := unix.GetsockoptTpacketStats(int(fd), unix.SOL_PACKET, unix.PACKET_STATISTICS); err == nil {
				lost = int64(s.Drops)
			}
		})
	}
	close(l.stop)
	err := l.socket.Close()
	l.wg.Wait()
	if lost += l.refused.Load(); lost > 0 {
		err = errors.Join(err, fmt.Errorf("netlab: the hosts of the LAN lost %d frames", lost))
	}
	return err
}

// Neighbours counts the entries of the namespace's neighbour tables that their limit (gc_thresh3) counts: not
// those for multicast, loopback and the like, nor what was fixed by hand.
func (n *Namespace) Neighbours() (count int, err error) {
	err = n.Do(func() error {
		list, err := netlink.NeighList(0, netlink.FAMILY_ALL)
		for _, e := range list {
			if e.State&(netlink.NUD_NOARP|netlink.NUD_PERMANENT) == 0 {
				count++
			}
		}
		return err
	})
	return count, err
}
