package main

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"echogram/plugins/internal/prober"
	"echogram/plugins/schema"
)

// pinging is a view under test: what it shows goes into out.
type pinging struct {
	*pingView
	out  bytes.Buffer
	sent int64 // attempts
	done bool
}

// newPinging makes a view of three requests to each target, of 56 bytes, with a timeout of a second.
func newPinging(t *testing.T, f pingFlags, size func() (int, int), targets ...string) *pinging {
	t.Helper()
	set, err := prober.ParseTargets(targets, nil)
	if err != nil {
		t.Fatal(err)
	}
	plan := &prober.Plan{Targets: set, Count: 3, Sizes: []int{56}, Timeout: time.Second}
	plan.Describe = func(i int) (string, []schema.Tag) {
		return map[string]string{"192.0.2.2": "www.example.net", "2001:db8::2": "www.example.net"}[set.At(i).String()], nil
	}
	p := &pinging{}
	s := &screen{out: &p.out, size: size}
	p.pingView = newPingView(s, plan, &f, func() int64 { return p.sent }, func() { p.done = true })
	return p
}

// reply is one of 64 bytes.
func reply(target, probe int, rtt time.Duration, change func(*prober.Event)) prober.Event {
	e := prober.Event{
		Kind: prober.Replied, Target: target, Probe: probe, Bytes: 64, RTT: schema.Some(int64(rtt)), TTL: 60,
		From: netip.MustParseAddr("192.0.2.1"), First: -1,
	}
	if change != nil {
		change(&e)
	}
	return e
}

func icmpErrorFrom(from string, target, probe int, kind, code uint8, mtu uint32) prober.Event {
	return prober.Event{Kind: prober.Errored, Target: target, Probe: probe, From: netip.MustParseAddr(from), Type: kind, Code: code, MTU: mtu, First: -1}
}

// rows closes targets: of each so many requests are older than the timeout.
func (p *pinging) rows(sent ...int64) {
	for i, n := range sent {
		p.row(&schema.SweepRow{Series: schema.Series{Target: p.plan.Targets.At(i).String()}, Sent: n})
	}
}

// TestPingView holds whole runs against what they are to print.
func TestPingView(t *testing.T) {
	const us = time.Microsecond
	flip := func(flipped, first int) func(*prober.Event) {
		return func(e *prober.Event) { e.Corrupt, e.Flipped, e.First = true, flipped, first }
	}
	duplicated := func(e *prober.Event) { e.Kind = prober.Duplicated }
	strayed := func(e *prober.Event) { e.Kind, e.From = prober.Strayed, netip.MustParseAddr("192.0.2.99") }
	for name, c := range map[string]struct {
		flags   pingFlags
		targets string
		events  []prober.Event
		sent    int64   // attempts
		due     []int64 // by target
		cut     bool    // by Ctrl-C
	}{
		"all answered": {targets: "192.0.2.1", sent: 3, events: []prober.Event{
			reply(0, 0, 212*us, nil), reply(0, 1, 208*us, nil), reply(0, 2, 29_500_123, nil)}},
		"duplicate, late, strayed": {targets: "192.0.2.1", sent: 3, due: []int64{3}, events: []prober.Event{
			reply(0, 0, 212*us, nil), reply(0, 0, 312*us, duplicated),
			reply(0, 2, 500*us, strayed), reply(0, 1, 1_200_000*us, nil)}},
		"corrupt": {targets: "192.0.2.1", sent: 3, due: []int64{3}, events: []prober.Event{
			reply(0, 0, 212*us, flip(3, 17)), reply(0, 1, 212*us, flip(1, -1)), reply(0, 2, 212*us, flip(0, -1))}},
		"errors": {targets: "192.0.2.1 2001:db8::1", sent: 6, events: []prober.Event{
			icmpErrorFrom("192.0.2.254", 0, 0, 3, 1, 0), icmpErrorFrom("2001:db8::fe", 1, 0, 1, 0, 0),
			icmpErrorFrom("192.0.2.254", 0, 1, 3, 4, 1400), icmpErrorFrom("2001:db8::fe", 1, 1, 2, 0, 1280),
			icmpErrorFrom("192.0.2.254", 0, 1, 3, 4, 1400), // a second one, of the same probe
			icmpErrorFrom("192.0.2.254", 0, 2, 11, 0, 0), icmpErrorFrom("2001:db8::fe", 1, 2, 3, 0, 0)}},
		"names": {targets: "192.0.2.2 2001:db8::2", sent: 5, due: []int64{3, 2}, events: []prober.Event{
			reply(0, 0, 212*us, nil), reply(1, 0, 312*us, nil), reply(0, 1, 212*us, nil), reply(1, 1, 312*us, nil)}},
		"no stamp": {targets: "192.0.2.1", sent: 3, due: []int64{3}, events: []prober.Event{
			reply(0, 0, 0, func(e *prober.Event) { e.RTT = schema.Opt{} }), reply(0, 1, -5, nil), reply(0, 2, 212*us, nil)}},
		"refused": {targets: "192.0.2.1", sent: 3, due: []int64{1}, events: []prober.Event{
			{Kind: prober.Refused, Probe: 0, Err: errors.New("network is down")}, reply(0, 1, 212*us, nil),
			{Kind: prober.Refused, Probe: 2, Err: errors.New("network is down")}}},
		"quiet":          {flags: pingFlags{quiet: true, overdue: true}, targets: "192.0.2.1", sent: 3, due: []int64{3}, events: []prober.Event{reply(0, 0, 212*us, nil), icmpErrorFrom("192.0.2.254", 0, 1, 3, 1, 0)}},
		"time":           {flags: pingFlags{stamps: true, overdue: true}, targets: "192.0.2.1", sent: 3, due: []int64{3}, events: []prober.Event{reply(0, 0, 212*us, nil)}},
		"overdue":        {flags: pingFlags{overdue: true}, targets: "192.0.2.1 192.0.2.2", sent: 6, due: []int64{3, 3}, events: []prober.Event{reply(0, 1, 212*us, nil), reply(1, 2, 212*us, nil)}},
		"silent":         {targets: "192.0.2.1", sent: 3, due: []int64{3}},
		"cut":            {targets: "192.0.2.1", sent: 3, due: []int64{2}, events: []prober.Event{reply(0, 0, 212*us, nil)}, cut: true},
		"cut at once":    {targets: "192.0.2.1", sent: 1, cut: true},
		"cut beforehand": {targets: "192.0.2.1", cut: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPinging(t, c.flags, nil, strings.Fields(c.targets)...)
				p.sent = c.sent
				p.begin()
				for _, e := range c.events {
					p.show(e)
				}
				time.Sleep(2004 * time.Millisecond)
				p.rows(c.due...)
				p.end(!c.cut)
				golden(t, "ping_"+strings.NewReplacer(" ", "_", ",", "").Replace(name), p.out.Bytes())
			})
		})
	}
}

// TestPingEnds when each probe is settled, however often it is heard of.
func TestPingEnds(t *testing.T) {
	p := newPinging(t, pingFlags{}, nil, "192.0.2.1")
	for i, e := range []prober.Event{
		icmpErrorFrom("192.0.2.254", 0, 0, 3, 1, 0), icmpErrorFrom("192.0.2.254", 0, 0, 3, 1, 0), reply(0, 0, 5, nil),
		reply(0, 1, 5, nil), reply(0, 1, 6, func(e *prober.Event) { e.Kind = prober.Duplicated }),
		reply(0, 2, 6, func(e *prober.Event) { e.Kind = prober.Strayed }), {Kind: prober.Refused, Probe: 2, Err: errors.New("down")},
	} {
		p.show(e)
		if p.done != (i == 6) {
			t.Errorf("after event %d: done is %v", i, p.done)
		}
	}
}

func TestBrief(t *testing.T) {
	p := newPinging(t, pingFlags{}, nil, "192.0.2.1 ", "192.0.2.2")
	p.sent = 5
	p.show(reply(0, 0, 2*time.Millisecond, nil))
	p.show(reply(0, 1, 4*time.Millisecond, nil))
	p.out.Reset()
	p.brief()
	want := "192.0.2.1: 2/3 packets, min/avg/max = 2.000000/3.000000/4.000000 ms\nwww.example.net (192.0.2.2): 0/2 packets\n"
	if got := p.out.String(); got != want {
		t.Errorf("got %q", got)
	}
}

func TestFateOfManyRequests(t *testing.T) {
	for _, c := range []struct {
		name     string
		attempts int64
		target   pinged
		settled  []int
		want     fate
		loss     string
	}{
		{"one of three is lost", 3, pinged{received: 2, due: 3}, []int{0, 2}, fate{3, 1, 0}, "33.333% packet loss"},
		{"the last is awaited", 3, pinged{received: 2, due: 2}, []int{0, 1}, fate{3, 0, 1}, "0% packet loss"},
		{"an error is no reply", 3, pinged{received: 2, errs: 1, due: 0}, []int{0, 1, 2}, fate{3, 1, 0}, "33.333% packet loss"},
		{"late ones are not lost", 3, pinged{received: 1, late: 2, due: 3}, []int{0, 1, 2}, fate{3, 0, 0}, "0% packet loss"},
		{"refused ones were not sent", 3, pinged{received: 1, refused: 1, due: 2}, []int{0, 2}, fate{2, 1, 0}, "50% packet loss"},
		{"few of many", 100_000, pinged{received: 99_999, due: 100_000}, nil, fate{100_000, 1, 0}, "0.001% packet loss"},
	} {
		for _, k := range c.settled {
			c.target.settle(k)
		}
		if f := c.target.fate(c.attempts); f != c.want || f.loss() != c.loss {
			t.Errorf("%s: %+v, %s", c.name, f, f.loss())
		}
	}
}

func TestWithError(t *testing.T) {
	for _, c := range []struct {
		ns, err float64
		want    string
	}{
		{34_057, 9_141, "34.1 ± 9.1 µs"}, {7_257, 12, "7.257 ± 0.012 µs"}, {7_257, .2, "7.257 ± 0.001 µs"}, {7_257, 0, "7.257 ± 0.001 µs"},
		{29_500_361, 1_234, "29.5004 ± 0.0012 ms"}, {350_000, 120_000, "350 ± 120 µs"}, {1_500_000_000, 20_000_000, "1.500 ± 0.020 s"},
		{62_000_000_000, 20_000_000, "62.000 ± 0.020 s"},
	} {
		if got := withError(c.ns, c.err); got != c.want {
			t.Errorf("%g ± %g: %s, want %s", c.ns, c.err, got, c.want)
		}
	}
}

func TestSeconds(t *testing.T) {
	for s, want := range map[string]time.Duration{"1": time.Second, ".2": 200 * time.Millisecond, "200ms": 200 * time.Millisecond, "0": 0, "1e-3": time.Millisecond, "1m": time.Minute} {
		if d, err := seconds("interval", s); err != nil || d != want {
			t.Errorf("%s: %v, %v", s, d, err)
		}
	}
	for _, s := range []string{"", "-1", "-1s", "x", "NaN", "Inf", "1e10", "5 s"} {
		if d, err := seconds("interval", s); err == nil || !strings.Contains(err.Error(), "--interval") {
			t.Errorf("%q: %v, %v", s, d, err)
		}
	}
}

func TestPingConfig(t *testing.T) {
	f := pingFlags{interval: "1", wait: "1", from: []string{"eth0", "192.0.2.9"}, size: 56, tos: 0xb8, ttl: 9}
	c, err := f.config([]string{"192.0.2.1", "localhost"})
	if err != nil || c.Interface != "eth0" || c.Source4 != netip.MustParseAddr("192.0.2.9") || c.DSCP != 46 || c.TTL != 9 || !c.Fragment || c.Plan.Count != forever {
		t.Errorf("%+v, %v", c, err)
	}
	if got := f.family(&c); got != "ipv4" {
		t.Errorf("from an IPv4 address to %s", got)
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"-i", "x", "192.0.2.1"}, `--interval "x": write seconds`}, {[]string{"-W", "0", "192.0.2.1"}, "--timeout 0: must be above 0"},
		{[]string{"-W", "61", "192.0.2.1"}, `--timeout 61: must be "1ms" to "60s"`}, {[]string{"-c", "-1", "192.0.2.1"}, "--count -1: must be"},
		{[]string{"-s", "65508", "192.0.2.1"}, "--size: 65508 is not"}, {[]string{"-p", "abc", "192.0.2.1"}, `--pattern: "abc" is neither`},
		{[]string{"-t", "300", "192.0.2.1"}, "--ttl: 300 is not"}, {[]string{"-Q", "5", "192.0.2.1"}, "--tos 5: must be"},
		{[]string{"-6", "192.0.2.1"}, "192.0.2.1: is not of the family"}, {[]string{"-I", "2001:db8::9", "192.0.2.1"}, "192.0.2.1: is not of the family"},
		{[]string{"-w", "-1", "192.0.2.1"}, `--deadline "-1"`}, {[]string{"10.0.0.0/8"}, "16,777,216 targets are more than the 128"},
		{[]string{"192.0.2.300"}, `"192.0.2.300"`},
	} {
		cmd := newPing()
		cmd.SilenceErrors, cmd.SilenceUsage = true, true
		cmd.SetArgs(c.args)
		err := cmd.ExecuteContext(t.Context())
		var p *prober.Problem
		text := fmt.Sprint(err)
		if errors.As(err, &p) {
			text = flagProblem(cmd.Flags(), p)
		}
		if err == nil || !strings.Contains(text, c.want) {
			t.Errorf("%v: %s, want %s", c.args, text, c.want)
		}
	}
}
