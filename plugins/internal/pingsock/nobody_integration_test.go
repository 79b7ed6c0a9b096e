//go:build integration

package pingsock

import (
	"context"
	"net/netip"
	"os"
	"syscall"
	"testing"
	"time"

	"echogram/plugins/internal/capture"
	"echogram/plugins/internal/frame"
	"echogram/plugins/internal/icmpecho"
	"echogram/plugins/netlab"
)

const id = 0x4521

// asNobody runs f as a user without privileges in namespace A of a pair, which allows ping sockets to all: in a
// child process that runs the same test. The parent, which has the privileges, runs around, which may be nil: it
// is to call run, which gives what the child has said.
func asNobody(t *testing.T, around func(t *testing.T, pair *netlab.Peers, run func() string), f func(t *testing.T)) {
	t.Helper()
	const mark = "PINGSOCK_TEST_NOBODY"
	if os.Getenv(mark) != "" {
		becomeNobody(t)
		f(t)
		return
	}
	pair, err := netlab.NewPeers()
	netlab.Lasting(t, pair, err)
	if err := pair.A.Sysctl("ipv4/ping_group_range", "0 2147483647"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	run := func() string {
		cmd := pair.A.Command(ctx, os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
		cmd.Env = append(os.Environ(), mark+"=1")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("as nobody: %v\n%s", err, out)
		}
		return string(out)
	}
	if around == nil {
		t.Log(run())
		return
	}
	around(t, pair, run)
}

// becomeNobody gives root up, and with it all capabilities.
func becomeNobody(t *testing.T) {
	t.Helper()
	const nobody = 65534
	for _, err := range []error{syscall.Setgroups(nil), syscall.Setgid(nobody), syscall.Setuid(nobody)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_RAW, syscall.IPPROTO_ICMP); err == nil {
		syscall.Close(fd)
		t.Fatal("nobody may open raw sockets")
	}
}

func open(t *testing.T, c Config) *Socket {
	t.Helper()
	c.ID, c.V4, c.V6 = id, true, true
	s, err := Open(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// seen is one packet that the socket has shown.
type seen struct {
	out       bool
	at        int64
	src, dst  netip.Addr
	ttl       uint8
	kind      icmpecho.Kind
	typ, code uint8
	mtu       uint32
	id, seq   uint16 // of an error: of what it quotes
	payload   string // likewise
}

// await reads packets until there are n, or none comes any more.
func await(t *testing.T, s *Socket, n int) (all []seen) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Second); len(all) < n && time.Now().Before(deadline); {
		batch := s.Read(100 * time.Millisecond)
		for _, p := range batch {
			all = append(all, see(t, p))
		}
	}
	return all
}

func see(t *testing.T, p capture.Packet) seen {
	t.Helper()
	ip, err := frame.Parse(p.Data, p.Link)
	if err != nil || ip.Cut || int(p.OrigLen) != len(p.Data) || p.Kind != capture.StampSoftware || p.IfIndex == 0 {
		t.Fatalf("%+v: %+v, %v", p, ip, err)
	}
	m, err := icmpecho.Parse(ip.Payload, ip.Src, ip.Dst, false)
	if err != nil || m.ChecksumBad && m.Kind != icmpecho.EchoRequest { // an adapter may be to fill a request's
		t.Fatalf("%x: %+v, %v", p.Data, m, err)
	}
	if age := time.Now().UnixNano() - p.Stamp; age < 0 || age > int64(10*time.Second) {
		t.Fatalf("stamped %d ns ago", age)
	}
	got := seen{p.Direction == capture.Out, p.Stamp, ip.Src, ip.Dst, ip.TTL, m.Kind, m.Type, m.Code, m.MTU, m.ID, m.Seq, string(m.Payload)}
	if m.Kind == icmpecho.Error {
		q, err := icmpecho.ParseQuote(m.Payload)
		if err != nil {
			t.Fatalf("%x: %v", m.Payload, err)
		}
		got.id, got.seq, got.payload, got.dst = q.ID, q.Seq, string(q.Payload), q.Dst
	}
	return got
}

func send(t *testing.T, s *Socket, msgs ...icmpecho.Datagram) {
	t.Helper()
	if n, err := s.Send(msgs); n != len(msgs) || err != nil {
		t.Fatalf("%d of %d sent, then to %s: %v", n, len(msgs), msgs[n].Dst, err)
	}
}

// echo is a request whose identifier the kernel is to replace.
func echo(dst netip.Addr, seq uint16, payload string) icmpecho.Datagram {
	return icmpecho.Datagram{Dst: dst, Data: icmpecho.AppendRequest(nil, dst.Is6(), 1, seq, []byte(payload))}
}

var bothVersions = []struct{ us, peer netip.Addr }{
	{netlab.PeerA4.Addr(), netlab.PeerB4.Addr()},
	{netlab.PeerA6.Addr(), netlab.PeerB6.Addr()},
}
