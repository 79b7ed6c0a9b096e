//go:build integration

package prober

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/net/bpf"
	"golang.org/x/net/ipv4"

	"echogram/plugins/internal/bfdwire"
	"echogram/plugins/internal/capture"
	"echogram/plugins/internal/capture/afpacket"
	"echogram/plugins/internal/capture/pcapfile"
	"echogram/plugins/internal/frame"
	"echogram/plugins/netlab"
	"echogram/plugins/schema"
)

// lines collects rows as line protocol.
type lines struct {
	mu  sync.Mutex
	all []string
}

func (l *lines) emit(row schema.Row) {
	l.mu.Lock()
	defer l.mu.Unlock()
	line, err := schema.AppendLine(nil, row)
	if err != nil {
		line = []byte(err.Error())
	}
	l.all = append(l.all, string(line))
}

func (l *lines) count(measurement string) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, line := range l.all {
		if strings.HasPrefix(line, measurement+",") {
			n++
		}
	}
	return n
}

// speaker is one end of a BFD session, as far as a capture can tell.
type speaker struct {
	conn      *net.UDPConn
	to        netip.AddrPort
	mine, its uint32 // discriminators
}

// newSpeaker opens an end in the namespace of the calling thread. What comes in is left unread.
func newSpeaker(t *testing.T, from, to netip.Addr, mine, its uint32) *speaker {
	t.Helper()
	s := &speaker{to: netip.AddrPortFrom(to, bfdwire.PortControl), mine: mine, its: its}
	for _, port := range []uint16{bfdwire.PortControl, 49152} {
		c, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(from, port)))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		s.conn = c
	}
	if err := ipv4.NewConn(s.conn).SetTTL(255); err != nil {
		t.Fatal(err)
	}
	return s
}

// say sends a control packet: 100 ms × 3 in both directions, once Up.
func (s *speaker) say(t *testing.T, state bfdwire.State) {
	t.Helper()
	b := []byte{1 << 5, byte(state) << 6, 3, 24}
	b = binary.BigEndian.AppendUint32(b, s.mine)
	if state == bfdwire.Down {
		b = binary.BigEndian.AppendUint32(b, 0)
	} else {
		b = binary.BigEndian.AppendUint32(b, s.its)
	}
	for _, µs := range []uint32{100_000, 100_000, 0} {
		b = binary.BigEndian.AppendUint32(b, µs)
	}
	if _, err := s.conn.WriteToUDPAddrPort(b, s.to); err != nil {
		t.Error(err)
	}
}

// talk has a session come up, fail and come up again, in some five seconds.
func talk(t *testing.T, a, b *speaker, each func()) {
	tick := time.NewTicker(90 * time.Millisecond)
	defer tick.Stop()
	for i := range 54 {
		state := bfdwire.Up
		switch i % 30 {
		case 0:
			state = bfdwire.Down
		case 1:
			state = bfdwire.Init
		}
		a.say(t, state)
		b.say(t, state)
		each()
		<-tick.C
	}
}

// record saves what a second ring on the link sees until the returned function is called.
func record(t *testing.T, path, link string) (stop func()) {
	t.Helper()
	ifi, err := net.InterfaceByName(link)
	if err != nil {
		t.Fatal(err)
	}
	filter, err := bpf.Assemble(frame.BFDFilter(capture.LinkEthernet, 0xffff, frame.BFDOptions{}))
	if err != nil {
		t.Fatal(err)
	}
	ring, err := afpacket.Open(afpacket.Config{IfIndex: ifi.Index, Filter: filter, BlockSize: watchBlock, Blocks: 64})
	if err != nil {
		t.Fatal(err)
	}
	out, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w, err := pcapfile.NewWriter(out, capture.LinkEthernet, 0)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for over := false; !over; {
			select {
			case <-done:
				over = true // after one more look
			default:
			}
			batch, err := ring.Read(pollTime)
			for i := range batch {
				err = errors.Join(err, w.Write(&batch[i]))
			}
			if err != nil {
				t.Error(err)
			}
		}
	})
	return func() {
		close(done)
		wg.Wait()
		if err := errors.Join(w.Flush(), out.Close(), ring.Close()); err != nil {
			t.Error(err)
		}
	}
}

// TestLiveAndReplay: the same packets, captured live and read from a file, give the same lines.
func TestLiveAndReplay(t *testing.T) {
	netlab.InPeers(t, func(pair *netlab.Peers) {
		for _, n := range []*netlab.Namespace{pair.A, pair.B} { // whose multicast reports would be frames in periods without BFD
			if err := n.Sysctl("ipv6/conf/all/disable_ipv6", "1"); err != nil {
				t.Fatal(err)
			}
		}
		path := filepath.Join(t.TempDir(), "bfd.pcap")
		var live, replayed lines
		c := WatchConfig{
			Instance: "lab", Interfaces: []string{netlab.PeerLinkA}, Period: time.Second, Emit: live.emit,
			Warn: func(text string) { t.Error(text) },
		}
		w, err := OpenWatch(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		stop := record(t, path, netlab.PeerLinkA)
		a := newSpeaker(t, netlab.PeerA4.Addr(), netlab.PeerB4.Addr(), 1, 2)
		var b *speaker
		if err := pair.B.Do(func() error { b = newSpeaker(t, netlab.PeerB4.Addr(), netlab.PeerA4.Addr(), 2, 1); return nil }); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Until(time.Now().Truncate(time.Second).Add(1100 * time.Millisecond))) // so that no period ends with the last packet
		talk(t, a, b, func() { w.Flush(time.Now()) })
		time.Sleep(2 * pollTime)
		w.Close()
		stop()

		c.Interfaces, c.Files, c.Tap, c.Local = nil, []string{path}, netlab.PeerLinkA, []string{netlab.PeerA4.Addr().String()}
		c.Emit = replayed.emit
		w, err = OpenWatch(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Settle(t.Context()); err != nil {
			t.Error(err)
		}
		w.Close()
		for _, m := range []string{schema.BFDSession, schema.BFDEvent, schema.BFDStats} {
			if live.count(m) == 0 {
				t.Errorf("no %s", m)
			}
		}
		none := []string{"none\n"}
		for i := range max(len(live.all), len(replayed.all)) {
			if !slices.Equal(live.all[:min(i+1, len(live.all))], replayed.all[:min(i+1, len(replayed.all))]) {
				t.Fatalf("%d lines live and %d replayed; number %d is\n%sreplayed\n%s", len(live.all), len(replayed.all), i,
					slices.Concat(live.all[i:], none)[0], slices.Concat(replayed.all[i:], none)[0])
			}
		}
	})
}

// TestLiveComesBack: an interface that was removed and made again is watched on, by its name.
func TestLiveComesBack(t *testing.T) {
	netlab.InPeers(t, func(pair *netlab.Peers) {
		var live lines
		var warned []string
		w, err := OpenWatch(t.Context(), WatchConfig{
			Interfaces: []string{netlab.PeerLinkA}, Promiscuous: true, Period: time.Second, Emit: live.emit,
			Warn: func(text string) { warned = append(warned, text) }, Info: func(text string) { warned = append(warned, text) },
		})
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		link, err := netlink.LinkByName(netlab.PeerLinkA)
		if err != nil {
			t.Fatal(err)
		}
		if err := netlink.LinkDel(link); err != nil {
			t.Fatal(err)
		}
		within10s(t, "the loss is told", func() bool { w.Flush(time.Now()); return len(warned) > 0 })
		err = netlab.Connect(
			netlab.End{Namespace: pair.A, Link: netlab.PeerLinkA, Address: netlab.PeerA4},
			netlab.End{Namespace: pair.B, Link: netlab.PeerLinkB, Address: netlab.PeerB4})
		if err != nil {
			t.Fatal(err)
		}
		within10s(t, "the return is told", func() bool { w.Flush(time.Now()); return len(warned) > 1 })
		a := newSpeaker(t, netlab.PeerA4.Addr(), netlab.PeerB4.Addr(), 1, 2)
		within10s(t, "a session is seen", func() bool {
			a.say(t, bfdwire.Up)
			w.Flush(time.Now())
			return live.count(schema.BFDSession) > 0
		})
	})
}

// within10s tries what may take some time.
func within10s(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !done(); time.Sleep(pollTime) {
		if time.Now().After(deadline) {
			t.Fatalf("not before 10 s: %s", what)
		}
	}
}
