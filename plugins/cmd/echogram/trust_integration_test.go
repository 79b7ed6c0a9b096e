//go:build integration

package main

import (
	"bufio"
	"context"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"echogram/plugins/netlab"
	"echogram/plugins/schema"
)

// started is a command that runs, for a minute at most.
type started struct {
	*exec.Cmd
	stdout, stderr *syncBuffer
}

// syncBuffer is a buffer that is written by one goroutine and read by another.
type syncBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func start(t *testing.T, n *netlab.Namespace, args ...string) *started {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	s := &started{n.Command(ctx, program, args...), &syncBuffer{}, &syncBuffer{}}
	s.Stdout, s.Stderr = s.stdout, s.stderr
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	return s
}

// end waits for the command to end and reads the sweep that it wrote.
func (s *started) end(t *testing.T) (sweep *stored, err error) {
	t.Helper()
	err = s.Wait()
	if sweep = store(t, s.stdout.String()); len(sweep.stats) == 0 {
		t.Fatalf("no stats row: %v, %s", err, s.stderr)
	}
	return sweep, err
}

func (s *started) signal(t *testing.T, sig os.Signal) {
	t.Helper()
	if err := s.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
}

// eventually waits for a condition, for 10 seconds at most.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within 10 s: %s", what)
		}
	}
}

// TestRingTooSmall: replies come while nobody reads the ring, more than it holds.
func TestRingTooSmall(t *testing.T) {
	w := newWild(t, netlab.WildConfig{Behaviour: netlab.Always(netlab.Fate{Delay: time.Second})})
	s := start(t, w.Prober, "sweep", "--format", "influx", "--ring", "1", "--rate", "30000", "--timeout", "1500ms", "198.18.0.0/17")
	eventually(t, "20,000 requests", func() bool { return w.Sum().Tally[netlab.Asked] > 20_000 })
	s.signal(t, syscall.SIGSTOP)
	time.Sleep(1200 * time.Millisecond) // all that is held back is sent
	s.signal(t, syscall.SIGCONT)
	sweep, err := s.end(t)
	if err != nil || !strings.HasPrefix(sweep.stats["trust"].(string), "capture_drops") || sweep.stats.n("capture_drops") == 0 || sweep.stats.n("capture_freezes") == 0 {
		t.Errorf("%v: %v", err, sweep.stats)
	}
	t.Log(sweep.stats)
}

// TestQueueTooShort: a queue of the link has room for a few frames. What it refuses is sent again, and none is lost,
// whoever builds the frames; that there was too little room is said.
func TestQueueTooShort(t *testing.T) {
	t.Parallel()
	lab := newLab(t, netlab.SweepConfig{AllAnswering: true})
	err := lab.Prober.SetQdisc(netlab.ProberLink, netlab.Qdisc{BitsPerSecond: 4_000_000, Burst: 3000, Limit: 3000})
	if err != nil {
		t.Fatal(err)
	}
	for _, send := range []string{"raw", "packet"} {
		s := swept(t, lab.Prober, "--send", send, "--rate", "0", "198.18.0.0/20")
		if s.stats.n("sent") != 4096 || s.stats.n("received") != 4096 || s.stats.n("no_room") == 0 ||
			s.stats["trust"] != "qdisc_drops" || s.stats.n("send_errors") != 0 {
			t.Errorf("%s: %v", send, s.stats)
		}
		t.Log(send, s.stats)
	}
}

// TestInterfaceDown: the link goes down in the middle of a sweep.
func TestInterfaceDown(t *testing.T) {
	t.Parallel()
	for _, send := range []string{"raw", "packet"} {
		t.Run(send, func(t *testing.T) {
			w := newWild(t, netlab.WildConfig{})
			s := start(t, w.Prober, "sweep", "--send", send, "--format", "influx", "--rate", "1000", "198.18.0.0/20") // long enough for a busy machine to take the link down
			eventually(t, "500 requests", func() bool { return w.Sum().Tally[netlab.Asked] > 500 })
			if err := w.Prober.LinkDown(netlab.ProberLink); err != nil {
				t.Fatal(err)
			}
			sweep, err := s.end(t)
			trust, _ := sweep.stats["trust"].(string)
			if err == nil || !strings.Contains(trust, "interface_down") || sweep.stats.n("received") < 500 {
				t.Errorf("%v: %v", err, sweep.stats)
			}
			t.Log(sweep.stats, s.stderr)
		})
	}
}

// child is the command as Telegraf's child.
type child struct {
	*started
	in    io.Writer
	lines *bufio.Reader
}

// startChild starts the command on a stanza that sweeps every second.
func startChild(t *testing.T, n *netlab.Namespace, options ...string) *child {
	t.Helper()
	file := writeFile(t, "echogram.conf", append([]string{"[[inputs.icmp_sweep]]", `interval = "1s"`}, options...)...)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	c := &child{started: &started{n.Command(ctx, program, "telegraf", "--config", file), &syncBuffer{}, &syncBuffer{}}}
	c.Stderr = c.stderr
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.in, c.lines = in, bufio.NewReader(out)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		io.Copy(io.Discard, c.lines)
		if err := c.Wait(); err != nil {
			t.Errorf("%v: %s", err, c.stderr)
		}
	})
	return c
}

// gather asks for a sweep, as Telegraf does, until one comes, and reads it.
func (c *child) gather(t *testing.T) *stored {
	t.Helper()
	stop := make(chan struct{})
	var wg sync.WaitGroup
	defer wg.Wait()
	defer close(stop)
	wg.Go(func() {
		for tick := time.NewTicker(500 * time.Millisecond); ; {
			io.WriteString(c.in, "\n")
			select {
			case <-stop:
				tick.Stop()
				return
			case <-tick.C:
			}
		}
	})
	var lines strings.Builder
	for {
		line, err := c.lines.ReadString('\n')
		if err != nil {
			t.Fatalf("%v: %s", err, c.stderr)
		}
		lines.WriteString(line)
		if strings.HasPrefix(line, schema.ICMPSweepStats) {
			return store(t, lines.String())
		}
	}
}

// TestInterfaceReturns: a running child of Telegraf, which has given its privileges up, says that its interface is
// gone, and sweeps again when there is one of the same name.
func TestInterfaceReturns(t *testing.T) {
	t.Parallel()
	lab := newLab(t, netlab.SweepConfig{AllAnswering: true})
	c := startChild(t, lab.Prober, `networks = ["198.18.0.0/24"]`, `timeout = "200ms"`)
	c.gather(t).wantAll(t, 256, 1)
	if !allDropped(t, c.Process.Pid) {
		t.Error("void: it has privileges")
	}
	if err := exec.Command("ip", "-n", lab.Prober.Name, "link", "del", netlab.ProberLink).Run(); err != nil {
		t.Fatal(err)
	}
	io.WriteString(c.in, "\n")
	eventually(t, "a word about the interface", func() bool {
		io.WriteString(c.in, "\n")
		return strings.Contains(c.stderr.String(), "E! ")
	})
	err := netlab.Connect(
		netlab.End{Namespace: lab.Prober, Link: netlab.ProberLink, Address: netip.PrefixFrom(netlab.ProberAddress, 30)},
		netlab.End{Namespace: lab.Responder, Link: netlab.ResponderLink, Address: netip.PrefixFrom(netlab.ResponderAddress, 30)})
	if err == nil {
		err = lab.RouteTargets(netlab.TargetNetwork)
	}
	if err != nil {
		t.Fatal(err)
	}
	var s *stored
	eventually(t, "a sweep to trust", func() bool {
		s = c.gather(t)
		return s.stats["trust"] == schema.TrustOK
	})
	s.wantAll(t, 256, 1)
	t.Logf("%s", c.stderr)
}

// TestPrivilegesAreDropped: from its first request on, no thread of the command has any capability left.
func TestPrivilegesAreDropped(t *testing.T) {
	t.Parallel()
	w := newWild(t, netlab.WildConfig{})
	if allDropped(t, os.Getpid()) {
		t.Fatal("void: the test has no privileges itself")
	}
	s := start(t, w.Prober, "sweep", "--rate", "400", "--format", "influx", "198.18.0.0/24")
	eventually(t, "a request", func() bool { return w.Sum().Tally[netlab.Asked] > 0 })
	for range 50 {
		if !allDropped(t, s.Process.Pid) {
			t.Fatal("a thread has capabilities or may gain them")
		}
		time.Sleep(5 * time.Millisecond)
	}
	sweep, err := s.end(t)
	if err != nil {
		t.Error(err)
	}
	sweep.wantAll(t, 256, 1)
}

// TestUnprivileged: somebody without any privilege sweeps by ping sockets where the system lets them, and is told what
// to do where it does not.
func TestUnprivileged(t *testing.T) {
	t.Parallel()
	lab := newLab(t, netlab.SweepConfig{})
	nobody := func(args ...string) outcome {
		return finish(t, lab.Prober.Command(t.Context(), "setpriv", append([]string{"--reuid=65534", "--regid=65534", "--clear-groups", program}, args...)...))
	}
	if err := lab.Prober.Sysctl("ipv4/ping_group_range", "1 0"); err != nil {
		t.Fatal(err)
	}
	o := nobody("sweep", "198.18.0.1")
	for _, remedy := range []string{"setcap cap_net_raw+ep " + program, "net.ipv4.ping_group_range"} {
		if o.code != exitFailed || !strings.Contains(o.stderr, remedy) || strings.Count(o.stderr, "\n") != 1 {
			t.Errorf("exit code %d: %q lacks %q", o.code, o.stderr, remedy)
		}
	}
	t.Log(o.stderr)
	if err := lab.Prober.Sysctl("ipv4/ping_group_range", "0 2147483647"); err != nil {
		t.Fatal(err)
	}
	o = nobody("sweep", "--rate", "10000", "--format", "influx", "198.18.0.0/20") // 9 blocks that answer, 4 silent, 2 of errors, 1 late
	if o.code != exitDone || !strings.Contains(o.stderr, "ping") {
		t.Errorf("exit code %d: %s", o.code, o.stderr)
	}
	s := store(t, o.stdout)
	s.wantSums(t, map[string]int64{"sent": 4096, "received": 9 * 256, "icmp_errors": 2 * 256})
	t.Log(o.stderr)
}
