//go:build integration

package main

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/gopacket/pcapgo"

	"echogram/plugins/internal/capture"
	"echogram/plugins/internal/frame"
	"echogram/plugins/internal/icmpecho"
	"echogram/plugins/netlab"
	"echogram/plugins/schema"
)

// request is an echo request as a capture shows it.
type request struct {
	at int64 // ns
	to netip.Addr
}

// requested sweeps and returns, in their order, the requests that it captured itself, and its rows.
func requested(t *testing.T, n *netlab.Namespace, args ...string) ([]request, *stored) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "sweep.pcap")
	s := swept(t, n, append([]string{"--pcap", file}, args...)...)
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := pcapgo.NewReader(bufio.NewReaderSize(f, 1<<20))
	if err != nil {
		t.Fatal(err)
	}
	var all []request
	for {
		data, info, err := r.ReadPacketData()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		ip, err := frame.Parse(data, capture.LinkEthernet)
		if err != nil {
			t.Fatal(err)
		}
		m, err := icmpecho.Parse(ip.Payload, ip.Src, ip.Dst, ip.Cut)
		if err == nil && m.Kind == icmpecho.EchoRequest {
			all = append(all, request{info.Timestamp.UnixNano(), ip.Dst})
		}
	}
	slices.SortStableFunc(all, func(a, b request) int { return int(a.at - b.at) })
	return all, s
}

func targetsIn(all []request) []netip.Addr {
	var list []netip.Addr
	for _, r := range all {
		list = append(list, r.to)
	}
	return list
}

// TestTargetFiles: targets with tags from CSV, exclusions as zmap and masscan have them, labels by network.
func TestTargetFiles(t *testing.T) {
	t.Parallel()
	lab := newLab(t, netlab.SweepConfig{AllAnswering: true, Pair: netlab.PairConfig{IPv6: true}})
	list := writeFile(t, "targets.csv", "target,role,rack", "# the core", "198.18.1.1,core,r1", `198.18.1.2-198.18.1.4,"edge, old",r2`,
		"198.18.2.0/28", "2001:2:0:1::10,core,r3")
	exclude := writeFile(t, "exclude.conf", "# as zmap and masscan have it", "198.18.2.8/29 # a half", "198.18.1.3", "", "198.18.2.0-198.18.2.1,2001:2:0:1::/124")
	labels := writeFile(t, "labels.csv", "network,owner,site", "198.18.0.0/16,net,lab", "198.18.2.0/24,sys,", "2001:2::/32,net6,lab")
	s := swept(t, lab.Prober, "--targets-file", list, "--exclude-file", exclude, "--labels", labels, "--exclude", "198.18.2.7", "198.18.1.200")
	want := map[string]string{
		"198.18.1.1": "role=core rack=r1 owner=net site=lab", "198.18.1.2": "role=edge, old rack=r2 owner=net site=lab",
		"198.18.1.4": "role=edge, old rack=r2 owner=net site=lab", "198.18.1.200": "owner=net site=lab",
		"2001:2:0:1::10": "role=core rack=r3 owner=net6 site=lab",
	}
	for i := 2; i < 7; i++ {
		want[fmt.Sprintf("198.18.2.%d", i)] = "owner=sys"
	}
	s.wantAll(t, int64(len(want)), 1)
	got := map[string]string{}
	for target, tags := range s.tags {
		var list []string
		for _, key := range []string{"role", "rack", "owner", "site"} {
			if v := tags[key]; v != "" {
				list = append(list, key+"="+v)
			}
		}
		got[target] = strings.Join(list, " ")
	}
	if !maps.Equal(got, want) {
		t.Errorf("got %v\nwant %v", got, want)
	}
}

// TestShards: the parts of a sweep have each target in one of them.
func TestShards(t *testing.T) {
	t.Parallel()
	lab := newLab(t, netlab.SweepConfig{AllAnswering: true, Pair: netlab.PairConfig{IPv6: true}})
	times := map[string]int{}
	for i := 1; i <= 3; i++ {
		shard := fmt.Sprintf("%d/3", i)
		s := swept(t, lab.Prober, "--shard", shard, "198.18.8.0/21", "2001:2:0:1::/120")
		if n := len(s.rows); n < 512 || n > 1024 || s.stats["shard"] != shard {
			t.Errorf("%s: %d rows, %v", shard, n, s.stats)
		}
		for target := range s.rows {
			times[target]++
		}
	}
	for target, n := range times {
		if n != 1 {
			t.Errorf("%s is in %d parts", target, n)
		}
	}
	if len(times) != 2048+256 {
		t.Errorf("%d targets", len(times))
	}
}

// TestOrder: a seed repeats a permuted order, another one does not, and a sequential order is none.
func TestOrder(t *testing.T) {
	t.Parallel()
	lab := newLab(t, netlab.SweepConfig{AllAnswering: true})
	order := func(args ...string) []netip.Addr {
		all, s := requested(t, lab.Prober, append(args, "--timeout", "300ms", "198.18.0.0/21")...)
		s.wantAll(t, 2048, 1)
		return targetsIn(all)
	}
	first, again, other := order("--seed", "7"), order("--seed", "7"), order("--seed", "8")
	sorted := order("--order", "sequential")
	ascending := slices.IsSortedFunc(sorted, netip.Addr.Compare)
	if !slices.Equal(first, again) || slices.Equal(first, other) || slices.Equal(first, sorted) || !ascending {
		t.Errorf("seed 7: %v …\nagain:  %v …\nseed 8: %v …\nsequential: %v …", first[:8], again[:8], other[:8], sorted[:8])
	}
	slices.SortFunc(other, netip.Addr.Compare)
	if !slices.Equal(other, sorted) {
		t.Error("the permuted order has not each target once")
	}
}

// TestRetries: who has not answered is asked again, nobody else is, and what was lost is counted all the same.
func TestRetries(t *testing.T) {
	t.Parallel()
	w := newWild(t, netlab.WildConfig{Behaviour: netlab.Lossy(5, 0.5, netlab.Always(netlab.Fate{}))})
	const retries = 3
	s := swept(t, w.Prober, "--retries", strconv.Itoa(retries), "--timeout", "300ms", "198.18.0.0/22")
	sums := map[string]int64{}
	for target := range addresses(netip.MustParsePrefix("198.18.0.0/22")) {
		want := fields{"sent": int64(0), "received": int64(0), "result_code": int64(schema.ResultSilent)}
		for n := 0; n <= retries && want.n("received") == 0; n++ {
			want["sent"] = want.n("sent") + 1
			if !w.Behaviour(netlab.Probe{Target: target, N: n}).Lose {
				want["received"], want["result_code"], want["ttl"] = int64(1), int64(schema.ResultAnswered), int64(63)
				for _, key := range []string{"rtt_ns", "rtt_min_ns", "rtt_max_ns", "rtt_stddev_ns"} {
					want[key] = time.Duration(0)
				}
			}
		}
		if d := s.rows[target.String()].differ(want); d != "" {
			t.Errorf("%v: %s", target, d)
		}
		sums["sent"] += want.n("sent")
		sums["received"] += want.n("received")
	}
	s.wantSums(t, sums)
	if asked := w.Sum().Tally[netlab.Asked]; int64(asked) != sums["sent"] {
		t.Errorf("the lab was asked %d times", asked)
	}
}
