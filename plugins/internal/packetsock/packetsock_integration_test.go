//go:build integration

package packetsock

import (
	"encoding/binary"
	"errors"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"echogram/plugins/internal/capture"
	"echogram/plugins/internal/capture/afpacket"
	"echogram/plugins/internal/icmpecho"
	"echogram/plugins/internal/icmpsock"
	"echogram/plugins/netlab"
)

// inPair runs f in namespace A of a pair, with the two ends of its link.
func inPair(t testing.TB, f func(a, b netlink.Link)) {
	t.Helper()
	netlab.InPeers(t, func(pair *netlab.Peers) {
		a, err := netlink.LinkByName(netlab.PeerLinkA)
		if err != nil {
			t.Fatal(err)
		}
		var b netlink.Link
		err = pair.B.Do(func() (err error) { b, err = netlink.LinkByName(netlab.PeerLinkB); return err })
		if err != nil {
			t.Fatal(err)
		}
		f(a, b)
	})
}

func open(t testing.TB, ifindex int) *Socket {
	t.Helper()
	s, err := Open(Config{IfIndex: ifindex})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// request is an echo request of the pair's A to its B.
func request() icmpecho.Datagram {
	b := make([]byte, 20)
	b[0] = 8
	binary.BigEndian.PutUint16(b[2:], icmpecho.Checksum(b))
	return icmpecho.Datagram{Dst: netlab.PeerB4.Addr(), Data: b}
}

// frame puts a request into a frame by hand.
func frame(a, b netlink.Link) []byte {
	ip := []byte{0x45, 0, 0, 40, 0, 0, 0x40, 0, 64, unix.IPPROTO_ICMP, 0, 0}
	ip = append(ip, netlab.PeerA4.Addr().AsSlice()...)
	ip = append(ip, netlab.PeerB4.Addr().AsSlice()...)
	binary.BigEndian.PutUint16(ip[10:], icmpecho.Checksum(ip))
	f := append(append([]byte(nil), b.Attrs().HardwareAddr...), a.Attrs().HardwareAddr...)
	f = append(append(append(f, 8, 0), ip...), request().Data...)
	return append(f, make([]byte, 60-len(f))...)
}

func batch(a, b netlink.Link, n int) [][]byte {
	frames := make([][]byte, n)
	for i := range frames {
		frames[i] = frame(a, b)
	}
	return frames
}

// TestSend: frames are answered, a capture sees and stamps them, and the error of one that is too long is about that one.
func TestSend(t *testing.T) {
	inPair(t, func(a, b netlink.Link) {
		s := open(t, a.Attrs().Index)
		all, err := bpf.Assemble([]bpf.Instruction{bpf.RetConstant{Val: 0xffff}})
		if err != nil {
			t.Fatal(err)
		}
		r, err := afpacket.Open(afpacket.Config{IfIndex: a.Attrs().Index, Link: capture.LinkEthernet, Filter: all})
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		frames := batch(a, b, 3)
		frames[2] = make([]byte, 1600)
		if n, err := s.Send(frames); n != 2 || !errors.Is(err, unix.EMSGSIZE) {
			t.Errorf("%d, %v", n, err)
		}
		var out, in int
		for deadline := time.Now().Add(2 * time.Second); (out < 2 || in < 2) && time.Now().Before(deadline); {
			packets, err := r.Read(100 * time.Millisecond)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range packets {
				if p.Data[12] != 8 || p.Data[13] != 0 || p.Stamp == 0 {
					continue
				}
				if p.Direction == capture.Out {
					out++
				} else {
					in++
				}
			}
		}
		if out != 2 || in != 2 {
			t.Errorf("%d frames out, %d in", out, in)
		}
		if n := testing.AllocsPerRun(50, func() { s.Send(frames[:2]) }); n != 0 {
			t.Errorf("%v allocations a batch", n)
		}
	})
}

func TestFullQueue(t *testing.T) {
	inPair(t, func(a, b netlink.Link) {
		err := netlink.QdiscAdd(&netlink.Tbf{
			QdiscAttrs: netlink.QdiscAttrs{LinkIndex: a.Attrs().Index, Handle: netlink.MakeHandle(1, 0), Parent: netlink.HANDLE_ROOT},
			Rate:       10_000, Buffer: netlink.Xmittime(10_000, 3000), Limit: 5000, // room for some 130 frames
		})
		if err != nil {
			t.Fatal(err)
		}
		s := open(t, a.Attrs().Index)
		if n, err := s.Send(batch(a, b, 400)); n == 0 || n > 200 || !errors.Is(err, ErrNoRoom) {
			t.Errorf("%d, %v", n, err)
		}
	})
}

// TestInterface: without its interface a socket fails until it is bound to another.
func TestInterface(t *testing.T) {
	inPair(t, func(a, b netlink.Link) {
		s := open(t, a.Attrs().Index)
		frames := batch(a, b, 1)
		if err := netlink.LinkSetDown(a); err != nil {
			t.Fatal(err)
		}
		if n, err := s.Send(frames); n != 0 || !errors.Is(err, unix.ENETDOWN) {
			t.Errorf("down: %d, %v", n, err)
		}
		if err := netlink.LinkSetUp(a); err != nil {
			t.Fatal(err)
		}
		if n, err := s.Send(frames); n != 1 || err != nil {
			t.Errorf("up again: %d, %v", n, err)
		}
		if err := netlink.LinkDel(a); err != nil {
			t.Fatal(err)
		}
		if n, err := s.Send(frames); n != 0 || !errors.Is(err, unix.ENXIO) {
			t.Errorf("gone: %d, %v", n, err)
		}
		lo, err := netlink.LinkByName("lo")
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Bind(lo.Attrs().Index); err != nil {
			t.Fatal(err)
		}
		if n, err := s.Send(frames); n != 1 || err != nil {
			t.Errorf("bound to another: %d, %v", n, err)
		}
	})
}

// BenchmarkSend compares frames with messages that the kernel routes, in batches of 128, answered by a kernel.
func BenchmarkSend(b *testing.B) {
	const size = 128
	run := func(name string, open func(ours, theirs netlink.Link) func() (int, error)) {
		b.Run(name, func(b *testing.B) {
			inPair(b, func(ours, theirs netlink.Link) {
				send := open(ours, theirs)
				sent := 0
				for b.Loop() {
					n, err := send()
					if err != nil && !errors.Is(err, ErrNoRoom) {
						b.Fatal(err)
					}
					sent += n
				}
				b.ReportMetric(float64(sent)/b.Elapsed().Seconds()/1000, "kpps")
			})
		})
	}
	run("raw", func(_, _ netlink.Link) func() (int, error) {
		s, err := icmpsock.Open(icmpsock.Config{})
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { s.Close() })
		msgs := make([]icmpecho.Datagram, size)
		for i := range msgs {
			msgs[i] = request()
		}
		return func() (int, error) { return s.Send(msgs) }
	})
	run("packet", func(ours, theirs netlink.Link) func() (int, error) {
		s := open(b, ours.Attrs().Index)
		frames := batch(ours, theirs, size)
		return func() (int, error) { return s.Send(frames) }
	})
}
