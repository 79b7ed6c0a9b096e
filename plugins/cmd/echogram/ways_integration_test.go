//go:build integration

package main

import (
	"net"
	"net/netip"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"echogram/plugins/netlab"
	"echogram/plugins/schema"
)

// few are 1,024 targets of each family, in a lab that answers for all.
var few = []string{"198.18.4.0/22", "2001:2:0:1::/118"}

// wantAll demands that each of n targets answered each of its requests, and that nothing else came.
func (s *stored) wantAll(t *testing.T, n, count int64) {
	t.Helper()
	s.wantSums(t, map[string]int64{"sent": n * count, "received": n * count})
	for target, row := range s.rows {
		if row.n("received") != count || row.n("rtt_ns") <= 0 {
			t.Errorf("%s: %v", target, row)
		}
	}
}

// TestWays sweeps over each kind of way to the targets: whatever the frames pass, each is seen once.
func TestWays(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		pair netlab.PairConfig
		args []string
	}{
		"replies come back another way":    {netlab.PairConfig{Return: true}, []string{"--return-interface", netlab.ReturnLink}},
		"over a bridge":                    {netlab.PairConfig{Upper: netlab.UpperBridge}, nil},
		"over a bridge, its port captured": {netlab.PairConfig{Upper: netlab.UpperBridge}, []string{"--return-interface", netlab.ProberLink}},
		"over a macvlan":                   {netlab.PairConfig{Upper: netlab.UpperMacvlan}, nil},
		"over a macvlan, its link captured": {netlab.PairConfig{Upper: netlab.UpperMacvlan},
			[]string{"--return-interface", netlab.ProberLink}},
		"without a link header": {netlab.PairConfig{Raw: true}, nil},
		"by raw sockets":        {netlab.PairConfig{}, []string{"--send", "raw"}},
		"by frames of our own":  {netlab.PairConfig{}, []string{"--send", "packet"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.pair.IPv6 = true
			lab := newLab(t, netlab.SweepConfig{AllAnswering: true, Pair: c.pair})
			args := append([]string{"--count", "2", "--count-interval", "100ms"}, c.args...)
			swept(t, lab.Prober, append(args, few...)...).wantAll(t, 2048, 2)
		})
	}
}

// TestOnLink sweeps a /16 on the prober's own link, with the kernel's usual settings.
func TestOnLink(t *testing.T) {
	t.Parallel()
	lan, err := netlab.LANLab(netlab.LANConfig{})
	lan = netlab.Lasting(t, lan, err)
	begin := time.Now()
	s := swept(t, lan.Prober, "--on-link", netlab.TargetNetwork.String())
	took := time.Since(begin)
	table, err := lan.Prober.Neighbours()
	if err != nil {
		t.Fatal(err)
	}
	own := lan.Addrs()[0].Addr()
	found, mute := 0, int64(0)
	for target := range addresses(netlab.TargetNetwork) {
		host, there := lan.Host(target)
		row := s.rows[target.String()]
		_, timed := row["arp_rtt_ns"]
		code := row.n("result_code")
		switch {
		case target == netlab.TargetNetwork.Addr() || target == netip.MustParseAddr("198.18.255.255"):
			if row != nil {
				t.Errorf("%v, which stands for the network or all its hosts, has a row: %v", target, row)
			}
		case target == own:
			if code != schema.ResultAnswered {
				t.Errorf("our own address: %v", row)
			}
		case !there:
			if code != schema.ResultNoHost || len(row) != 3 || row.n("sent") != 0 {
				t.Errorf("%v, where nobody is: %v", target, row)
			}
		case row["mac"] != net.HardwareAddr(host.MAC[:]).String() || !timed:
			t.Errorf("%+v: %v", host, row)
		case host.Mute && code == schema.ResultSilent:
			found, mute = found+1, mute+1
		case !host.Mute && code == schema.ResultAnswered && row.n("rtt_ns") > 0:
			found++
		default:
			t.Errorf("%+v: %v", host, row)
		}
	}
	s.wantSums(t, map[string]int64{"sent": 3001, "received": 3001 - mute})
	const tableLimit = 1024 // gc_thresh3, as Linux sets it
	if found != 3000 || took > time.Minute || table >= tableLimit {
		t.Errorf("%d hosts found in %v; %d in the kernel's table", found, took, table)
	}
	t.Logf("%d hosts found, %d of them block ICMP, in %v; %d in the kernel's table", found, mute, took, table)
}

// TestLinkLocal asks a link-local address, which needs its zone.
func TestLinkLocal(t *testing.T) {
	t.Parallel()
	lab := newLab(t, netlab.SweepConfig{AllAnswering: true, Pair: netlab.PairConfig{IPv6: true}})
	target := linkLocal(t, lab.Responder, netlab.ResponderLink).WithZone(netlab.ProberLink)
	s := swept(t, lab.Prober, "--count", "3", "--count-interval", "50ms", target.String())
	s.wantAll(t, 1, 3)
	if s.rows[target.String()] == nil {
		t.Errorf("rows: %v", s.rows)
	}
}

func linkLocal(t *testing.T, n *netlab.Namespace, link string) (addr netip.Addr) {
	t.Helper()
	err := n.Do(func() error {
		i, err := net.InterfaceByName(link)
		if err != nil {
			return err
		}
		list, err := i.Addrs()
		for _, a := range list {
			if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().IsLinkLocalUnicast() {
				addr = p.Addr()
			}
		}
		return err
	})
	if err != nil || !addr.IsValid() {
		t.Fatalf("no link-local address on %s: %v", link, err)
	}
	return addr
}

// TestTwoAtOnce: two of our commands on one host sweep the same targets, and each sees its own replies only.
func TestTwoAtOnce(t *testing.T) {
	lab := newLab(t, netlab.SweepConfig{AllAnswering: true})
	const network, n = "198.18.0.0/18", 1 << 14
	other := make(chan outcome, 1)
	go func() { other <- in(t, lab.Prober, "sweep", "--format", "influx", "--rate", "10000", network) }()
	swept(t, lab.Prober, "--rate", "10000", network).wantAll(t, n, 1)
	store(t, (<-other).stdout).wantAll(t, n, 1)
}

// TestSavedCapture: what --pcap saves tcpdump can read, and we ourselves read the same RTTs out of it.
func TestSavedCapture(t *testing.T) {
	t.Parallel()
	lab := newLab(t, netlab.SweepConfig{AllAnswering: true, Pair: netlab.PairConfig{IPv6: true}})
	file := filepath.Join(t.TempDir(), "sweep.pcap")
	s := swept(t, lab.Prober, append([]string{"--pcap", file}, few...)...)
	s.wantAll(t, 2048, 1)
	lines := tcpdumpReads(t, file)
	requests := strings.Count(lines, "echo request")
	if replies := strings.Count(lines, "echo reply"); requests != 2048 || replies != 2048 {
		t.Errorf("tcpdump reads %d requests and %d replies", requests, replies)
	}
	read := store(t, in(t, lab.Prober, append([]string{"sweep", "--read", file, "--format", "influx"}, few...)...).stdout)
	if len(read.rows) != 2048 {
		t.Errorf("%d rows were read", len(read.rows))
	}
	for target, row := range s.rows {
		if read.rows[target].n("rtt_ns") != row.n("rtt_ns") {
			t.Errorf("%s: %v was read, %v measured", target, read.rows[target], row)
		}
	}
}

// tcpdumpReads has tcpdump read a capture and returns what it prints, headers and bytes included.
func tcpdumpReads(t *testing.T, file string, args ...string) string {
	t.Helper()
	out, err := exec.Command("tcpdump", append([]string{"-nn", "-t", "-v", "-x", "-r", file}, args...)...).Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// TestHeaders: what the options say stands in the headers and payloads that tcpdump sees, whoever builds them.
func TestHeaders(t *testing.T) {
	t.Parallel()
	lab := newLab(t, netlab.SweepConfig{AllAnswering: true, Pair: netlab.PairConfig{IPv6: true}})
	source := netip.MustParseAddr("198.19.0.9")
	err := lab.Prober.AddAddress(netlab.ProberLink, netip.PrefixFrom(source, 32))
	if err == nil {
		err = lab.Responder.RouteVia(netip.PrefixFrom(source, 32), netlab.ProberAddress)
	}
	if err != nil {
		t.Fatal(err)
	}
	want4 := regexp.MustCompile(`IP \(tos 0xb8, ttl 9, id \d+, offset 0, flags \[DF\], proto ICMP \(1\), length (40|68)\)\s+` +
		`198\.19\.0\.9 > 198\.18\.0\.\d+: ICMP echo request, id \d+, seq \d+, length (20|48)\n`)
	want6 := regexp.MustCompile(`IP6 \(class 0xb8,.* hlim 9, next-header ICMPv6 \(58\) payload length: (20|48)\) ` +
		`2001:2:0:ffff::1 > 2001:2:0:1::[0-9a-f]*: \[icmp6 sum ok\] ICMP6, echo request, id \d+, seq \d+\n`)
	pattern := regexp.MustCompile(`c0ff\s+eec0 ffee`) // repeated from the payload's start, the cookie in the place of its first 12 bytes
	for _, send := range []string{"raw", "packet"} {
		t.Run(send, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "sweep.pcap")
			stop := startTcpdump(t, lab, file)
			swept(t, lab.Prober, "--send", send, "--ttl", "9", "--dscp", "46", "--df", "--source", source.String(),
				"--sizes", "12,40", "--pattern", "c0ffee", "--count-interval", "50ms", "198.18.0.0/28", "2001:2:0:1::/124")
			stop()
			for filter, want := range map[string]*regexp.Regexp{
				"icmp[icmptype] == icmp-echo": want4, "icmp6 and ip6[40] == 128": want6,
			} {
				lines := tcpdumpReads(t, file, filter)
				sizes := map[string]int{}
				for _, m := range want.FindAllStringSubmatch(lines, -1) {
					sizes[m[1]]++
				}
				if len(sizes) != 2 || slices.ContainsFunc([]string{"20", "48", "40", "68"}, func(s string) bool { return sizes[s] != 0 && sizes[s] != 16 }) {
					t.Errorf("%s: by size %v:\n%.600s", filter, sizes, lines)
				}
				if n := len(pattern.FindAllString(lines, -1)); n < 16 {
					t.Errorf("%s: %d times the pattern:\n%.1000s", filter, n, lines)
				}
			}
		})
	}
}

// TestAboveTheMTU: such payloads are refused in words that help, or cut into fragments where that is asked for.
func TestAboveTheMTU(t *testing.T) {
	t.Parallel()
	lab := newLab(t, netlab.SweepConfig{AllAnswering: true, Pair: netlab.PairConfig{IPv6: true}})
	targets := []string{"198.18.0.0/26", "2001:2:0:1::/122"}
	o := in(t, lab.Prober, append([]string{"sweep", "--size", "3000"}, targets...)...)
	for _, want := range []string{"3000", "1500", netlab.ProberLink, "fragment"} {
		if o.code != exitUsage || !strings.Contains(o.stderr, want) || strings.Count(o.stderr, "\n") != 1 {
			t.Errorf("exit code %d: %q lacks %q", o.code, o.stderr, want)
		}
	}
	for _, send := range []string{"raw", "packet"} {
		s := swept(t, lab.Prober, append([]string{"--size", "3000", "--fragment", "--send", send}, targets...)...)
		s.wantAll(t, 128, 1)
	}
}
