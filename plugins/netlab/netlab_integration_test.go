//go:build integration && linux

package netlab

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"
)

func sweepLab(t *testing.T, cfg SweepConfig) *Sweep {
	t.Helper()
	s, err := SweepLab(cfg)
	return Lasting(t, s, err)
}

// listen opens a raw ICMP socket in the prober's namespace.
func listen(t *testing.T, n *Namespace) *icmp.PacketConn {
	t.Helper()
	var conn *icmp.PacketConn
	err := n.Do(func() error {
		var err error
		conn, err = icmp.ListenPacket("ip4:icmp", "0.0.0.0")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

type answer struct {
	typ   icmp.Type
	code  int
	from  string
	after time.Duration
}

// probe sends one request and waits for what comes back; ok is false when nothing does.
func probe(t *testing.T, conn *icmp.PacketConn, target string, wait time.Duration) (a answer, ok bool) {
	t.Helper()
	m := icmp.Message{Type: ipv4.ICMPTypeEcho, Body: &icmp.Echo{ID: os.Getpid() & 0xffff, Seq: 1, Data: make([]byte, 24)}}
	out, err := m.Marshal(nil)
	if err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	if _, err := conn.WriteTo(out, &net.IPAddr{IP: net.ParseIP(target)}); err != nil {
		t.Fatal(err)
	}
	if err := conn.SetReadDeadline(begin.Add(wait)); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 1500)
	n, from, err := conn.ReadFrom(buf)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return answer{}, false
	}
	if err != nil {
		t.Fatal(err)
	}
	got, err := icmp.ParseMessage(protocolICMP, buf[:n])
	if err != nil {
		t.Fatal(err)
	}
	return answer{got.Type, got.Code, from.String(), time.Since(begin)}, true
}

func TestEachKindAnswersAsItShould(t *testing.T) {
	s := sweepLab(t, SweepConfig{})
	conn := listen(t, s.Prober)
	for _, c := range []struct {
		kind Kind
		typ  icmp.Type
		code int
		from string // "": the target
	}{
		{Answering, ipv4.ICMPTypeEchoReply, 0, ""},
		{Unreachable, ipv4.ICMPTypeDestinationUnreachable, codeHostUnreachable, ResponderAddress.String()},
		{Prohibited, ipv4.ICMPTypeDestinationUnreachable, codeProhibited, ResponderAddress.String()},
		{Late, ipv4.ICMPTypeEchoReply, 0, ""},
	} {
		blocks := s.Population.BlocksOf(c.kind)
		last := blocks[len(blocks)-1]
		for _, target := range []string{blocks[0].Addr().String(), lastOf(last).String()} {
			a, ok := probe(t, conn, target, 5*time.Second)
			want := c.from
			if want == "" {
				want = target
			}
			if !ok || a.typ != c.typ || a.code != c.code || a.from != want {
				t.Errorf("%v %s: %+v (%v), want %v/%d from %s", c.kind, target, a, ok, c.typ, c.code, want)
			}
			if late := a.after >= s.LateDelay; late != (c.kind == Late) {
				t.Errorf("%v %s: answered after %v", c.kind, target, a.after)
			}
		}
	}
	if a, ok := probe(t, conn, lastOf(s.Population.BlocksOf(Silent)[0]).String(), 300*time.Millisecond); ok {
		t.Errorf("a silent block answered: %+v", a)
	}
}

func lastOf(block netip.Prefix) netip.Addr {
	a := block.Addr().As4()
	a[3] = 255
	return netip.AddrFrom4(a)
}

// A kernel would send a handful of these errors a second.
func TestResponderAnswersAtFullRate(t *testing.T) {
	s := sweepLab(t, SweepConfig{})
	conn := listen(t, s.Prober)
	block := s.Population.BlocksOf(Unreachable)[0]
	const rounds = 20
	m := icmp.Message{Type: ipv4.ICMPTypeEcho, Body: &icmp.Echo{ID: 7, Data: make([]byte, 12)}}
	out, err := m.Marshal(nil)
	if err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	got := 0
	buf := make([]byte, 1500)
	for range rounds {
		target := block.Addr()
		for range 256 {
			if _, err := conn.WriteTo(out, &net.IPAddr{IP: target.AsSlice()}); err != nil {
				t.Fatal(err)
			}
			target = target.Next()
		}
		if err := conn.SetReadDeadline(time.Now().Add(2 * time.Second)); err != nil {
			t.Fatal(err)
		}
		for range 256 {
			if _, _, err := conn.ReadFrom(buf); err != nil {
				t.Fatalf("after %d errors: %v", got, err)
			}
			got++
		}
	}
	t.Logf("%d errors in %v", got, time.Since(begin))
}

func TestAllAnswering(t *testing.T) {
	s := sweepLab(t, SweepConfig{AllAnswering: true})
	if got := s.Population.Count(Answering); got != 65536 {
		t.Fatalf("%d answering targets", got)
	}
	conn := listen(t, s.Prober)
	for _, target := range []string{"198.18.0.0", "198.18.3.7", "198.18.5.5", "198.18.255.255"} {
		if a, ok := probe(t, conn, target, 2*time.Second); !ok || a.from != target {
			t.Errorf("%s: %+v, %v", target, a, ok)
		}
	}
}

func TestNoWayOut(t *testing.T) {
	s := sweepLab(t, SweepConfig{AllAnswering: true})
	for _, n := range []*Namespace{s.Prober, s.Responder} {
		err := n.Do(func() error {
			conn, err := net.Dial("udp4", "192.0.2.1:9") // only asks for a route
			if err == nil {
				conn.Close()
			}
			return err
		})
		if err == nil {
			t.Errorf("%s has a route to 192.0.2.1", n.Name)
		}
	}
}

func TestCommandRunsInNamespace(t *testing.T) {
	s := sweepLab(t, SweepConfig{AllAnswering: true})
	out, err := s.Prober.Command(t.Context(), "cat", "/proc/self/net/dev").CombinedOutput()
	if err != nil || !strings.Contains(string(out), ProberLink) {
		t.Fatalf("%v: %s", err, out)
	}
}

func TestDoSurvivesPanicAndGoexit(t *testing.T) {
	s := sweepLab(t, SweepConfig{AllAnswering: true})
	if err := s.Prober.Do(func() error { panic("on purpose") }); err == nil || !strings.Contains(err.Error(), "on purpose") {
		t.Errorf("panic: %v", err)
	}
	if err := s.Prober.Do(func() error { runtime.Goexit(); return nil }); err == nil {
		t.Error("Goexit gave no error")
	}
}

func TestCloseRemovesNamespaces(t *testing.T) {
	s, err := SweepLab(SweepConfig{})
	if err != nil {
		t.Fatal(err)
	}
	if names := ours(t, s.id); len(names) != 2 {
		t.Errorf("open lab has %v", names)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if names := ours(t, s.id); len(names) != 0 {
		t.Errorf("closed lab has %v", names)
	}
}

func ours(t *testing.T, prefix string) []string {
	t.Helper()
	names, err := namespaces(prefix)
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// A child of this test makes a lab and dies; ours must stay, its must go.
func TestNextNewRemovesWhatTheDeadLeft(t *testing.T) {
	if how := os.Getenv("NETLAB_TEST_DIE"); how != "" {
		dieWithLab(how)
	}
	alive := sweepLab(t, SweepConfig{AllAnswering: true})
	for _, how := range []string{"panic", "kill"} {
		id := runDying(t, how)
		if names := ours(t, id); len(names) != 2 {
			t.Fatalf("%s: the dead lab %s has %v", how, id, names)
		}
		next, err := New()
		if err != nil {
			t.Fatal(err)
		}
		if err := next.Close(); err != nil {
			t.Error(err)
		}
		if names := ours(t, id); len(names) != 0 {
			t.Errorf("%s: New left %v", how, names)
		}
	}
	if names := ours(t, alive.id); len(names) != 2 {
		t.Errorf("New removed namespaces of a live lab, left %v", names)
	}
}

func dieWithLab(how string) {
	s, err := SweepLab(SweepConfig{})
	if err != nil {
		fmt.Println(err)
		os.Exit(3)
	}
	fmt.Println("lab", s.id)
	if how == "panic" {
		panic("on purpose")
	}
	select {}
}

// runDying returns the id of the lab that a child left behind.
func runDying(t *testing.T, how string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestNextNewRemovesWhatTheDeadLeft$")
	cmd.Env = append(os.Environ(), "NETLAB_TEST_DIE="+how)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	id, ok := strings.CutPrefix(strings.TrimSpace(line), "lab ")
	if err != nil || !ok {
		t.Fatalf("the child said %q: %v", line, err)
	}
	if how == "kill" {
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
	}
	_ = cmd.Wait() // it was to fail
	return id
}
