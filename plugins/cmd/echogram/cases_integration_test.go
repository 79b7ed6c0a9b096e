//go:build integration

package main

import (
	"fmt"
	"iter"
	"net/netip"
	"slices"
	"strconv"
	"testing"
	"time"

	"echogram/plugins/netlab"
	"echogram/plugins/schema"
)

// fated is a behaviour, and how many targets of each family have it.
type fated struct {
	name      string
	behaviour netlab.Behaviour
	targets   int
}

// caseTimeout is that of the sweeps of the cases; lateness of a late reply is well above.
const caseTimeout = time.Second

// fates lists what can become of a request. elsewhere is a silent target of the same sweep.
func fates(v6 bool, elsewhere netip.Addr) []fated {
	list := []fated{
		{"dropped and delayed", netlab.Lossy(3, 0.5, netlab.Delayed(3, 0, 300*time.Millisecond)), 24},
		{"reordered", netlab.Swapped(300 * time.Millisecond), 8},
	}
	of := func(name string, f netlab.Fate) { list = append(list, fated{name, netlab.Always(f), 2}) }
	of("dropped", netlab.Fate{Lose: true})
	of("late", netlab.Fate{Delay: 5 * time.Second})
	of("late, and again", netlab.Fate{Delay: 5 * time.Second, Copies: 1})
	of("duplicated", netlab.Fate{Copies: 2})
	of("flipped", netlab.Fate{Flip: []int{96, 97, 447}})
	of("flipped under way", netlab.Fate{Flip: []int{200}, BreakSum: true})
	of("flipped in the cookie under way", netlab.Fate{Flip: []int{3, 120}, BreakSum: true})
	of("flipped in the cookie, with a checksum that fits", netlab.Fate{Flip: []int{3}})
	of("flipped in the checksum", netlab.Fate{BreakSum: true})
	of("from another target", netlab.Fate{From: elsewhere})
	of("from another target twice", netlab.Fate{From: elsewhere, Copies: 1})
	for name, forge := range map[string]netlab.Forgery{
		"cookie": netlab.ForgedMAC, "id": netlab.ForgedID, "short": netlab.ForgedShort, "unsent": netlab.UnsentProbe,
	} {
		of("forged "+name, netlab.Fate{Forge: forge, Lose: true})
		of("forged "+name+", then answered", netlab.Fate{Forge: forge, Delay: 50 * time.Millisecond})
	}
	for _, f := range netlab.Failures(v6) {
		for _, f.Quote = range []int{0, 8, 13} {
			of(fmt.Sprintf("error %d/%d quoting %d", f.Type, f.Code, f.Quote), netlab.Fate{Error: f, Lose: true})
		}
	}
	f := netlab.Failures(v6)[0]
	of("error, then answered", netlab.Fate{Error: f, Delay: 50 * time.Millisecond})
	f.From = elsewhere
	of("error from another target", netlab.Fate{Error: f, Lose: true})
	return list
}

// caseLab gives each target of a /24 and of a /120 a fate; what is left answers at once, but for the last.
func caseLab(t *testing.T) (*netlab.Wild, map[netip.Addr]string) {
	t.Helper()
	names, plan := map[netip.Addr]string{}, map[netip.Addr]netlab.Behaviour{}
	networks := []netip.Prefix{netip.MustParsePrefix("198.18.7.0/24"), netip.MustParsePrefix("2001:2:0:1::/120")}
	for _, network := range networks {
		all := slices.Collect(addresses(network))
		last := all[len(all)-1]
		list := append([]fated{{"silent", netlab.Always(netlab.Fate{Lose: true}), 1}}, fates(network.Addr().Is6(), last)...)
		for _, f := range list {
			for range f.targets {
				target := all[len(all)-1]
				names[target], plan[target] = f.name, f.behaviour
				all = all[:len(all)-1]
			}
		}
	}
	return newWild(t, netlab.WildConfig{
		Networks: networks, Pair: netlab.PairConfig{IPv6: true},
		Behaviour: func(p netlab.Probe) netlab.Fate {
			if b := plan[p.Target]; b != nil {
				return b(p)
			}
			return netlab.Fate{}
		},
	}), names
}

// addresses goes over a network's addresses.
func addresses(p netip.Prefix) iter.Seq[netip.Addr] {
	return func(yield func(netip.Addr) bool) {
		for a := p.Addr(); p.Contains(a) && yield(a); a = a.Next() {
		}
	}
}

// account is what a target's probes must come to: the fields of its row and what it adds to the stats row.
type account struct {
	fields fields
	sums   map[string]int64
	rtts   []time.Duration // of the answers in time, at least
	lates  []time.Duration
}

func expect(behaviour netlab.Behaviour, target netip.Addr, count int) *account {
	a := &account{fields: fields{"sent": int64(count)}, sums: map[string]int64{"sent": int64(count)}}
	for n := range count {
		f := behaviour(netlab.Probe{Target: target, N: n})
		a.failed(f.Error, target)
		a.forged(f.Forge)
		if !f.Lose {
			a.replied(f)
		}
	}
	a.close(count)
	return a
}

func (a *account) failed(f netlab.Failure, target netip.Addr) {
	if f.Type == 0 {
		return
	}
	from := netlab.ResponderAddress
	if target.Is6() {
		from = netlab.ResponderAddress6
	}
	if f.From.IsValid() {
		from = f.From
	}
	a.sums["icmp_errors"]++
	a.fields["icmp_type"], a.fields["icmp_code"], a.fields["error_from"] = int64(f.Type), int64(f.Code), from.String()
	if f.Info >= 1280 { // no pointer
		a.fields["mtu"] = int64(f.Info)
	}
}

func (a *account) forged(f netlab.Forgery) {
	switch f {
	case netlab.ForgedMAC, netlab.UnsentProbe:
		a.sums["foreign"]++
	case netlab.ForgedShort:
		a.sums["unverified"]++
	case netlab.ForgedID:
		a.sums["other id"]++ // no capture of ours shows it
	}
}

// cookieBits are those at the payload's head by which a reply is known.
const cookieBits = 96

func (a *account) replied(f netlab.Fate) {
	copies := int64(f.Copies)
	switch {
	case f.From.IsValid():
		a.sums["other_source"] += 1 + copies
		return
	case len(f.Flip) > 0 && f.Flip[0] < cookieBits && !f.BreakSum:
		a.sums["foreign"] += 1 + copies
		return
	case f.Delay > caseTimeout:
		a.add("late", 1) // and no more: what comes again after the sweep's end is in no row
		a.sums["late again"] += copies
		a.lates = append(a.lates, f.Delay)
		return
	}
	a.rtts = append(a.rtts, f.Delay)
	a.add("duplicates", copies)
	if len(f.Flip) > 0 || f.BreakSum {
		a.add("corrupt", 1)
	}
	if len(f.Flip) > 0 {
		a.fields["flipped_bits"] = a.fields.n("flipped_bits") + int64(len(f.Flip))
		a.fields["first_flip"] = int64(f.Flip[0] / 8)
	}
}

// add counts in a field, which is there only if it is not zero, and in the sum of the same name.
func (a *account) add(key string, n int64) {
	if n > 0 {
		a.fields[key] = a.fields.n(key) + n
		a.sums[key] += n
	}
}

func (a *account) close(count int) {
	a.sums["received"] = int64(len(a.rtts))
	a.fields["received"] = int64(len(a.rtts))
	_, failed := a.fields["icmp_type"]
	switch {
	case len(a.rtts) > 0:
		a.fields["result_code"] = int64(schema.ResultAnswered)
		a.fields["ttl"], a.fields["rtt_ns"] = int64(63), mean(a.rtts)
	case failed:
		a.fields["result_code"] = int64(schema.ResultICMPError)
	default:
		a.fields["result_code"] = int64(schema.ResultSilent)
	}
	if len(a.rtts) > 0 && count > 1 {
		a.fields["rtt_min_ns"], a.fields["rtt_max_ns"] = slices.Min(a.rtts), slices.Max(a.rtts)
		a.fields["rtt_stddev_ns"] = time.Duration(0)
	}
	if len(a.lates) > 0 {
		a.fields["late_rtt_ns"] = mean(a.lates)
	}
}

func mean(d []time.Duration) (sum time.Duration) {
	for _, d := range d {
		sum += d
	}
	return sum / time.Duration(len(d))
}

// TestEveryCase: each thing that can become of a request, or be sent in the place of its reply, is counted in its own
// field and in no other, in both families.
func TestEveryCase(t *testing.T) {
	t.Parallel()
	for _, count := range []int{1, 3} {
		t.Run(fmt.Sprintf("count %d", count), func(t *testing.T) {
			t.Parallel()
			w, names := caseLab(t)
			s := swept(t, w.Prober, "--count", strconv.Itoa(count), "--count-interval", "150ms", "--size", "56",
				"--timeout", caseTimeout.String(), "--late-window", "6s", "198.18.7.0/24", "2001:2:0:1::/120")
			sums := map[string]int64{}
			for target, r := range w.Records() {
				want := expect(w.Behaviour, target, count)
				if d := s.rows[target.String()].differ(want.fields); d != "" {
					t.Errorf("%v (%s): %s", target, names[target], d)
				}
				if r.Tally[netlab.Asked] != uint32(count) {
					t.Errorf("%v was asked %d times", target, r.Tally[netlab.Asked])
				}
				for key, n := range want.sums {
					sums[key] += n
				}
			}
			s.wantSums(t, sums)
			b := w.Sum().Tally
			if int64(b[netlab.Failed]) != s.stats.n("icmp_errors") || int64(b[netlab.Replied]+b[netlab.Repeated]+b[netlab.Forged]) != heard(s)+sums["other id"]+sums["late again"] {
				t.Errorf("the lab's books: %v; stats: %v", b, s.stats)
			}
			if stats, err := w.Stats(); err != nil || stats.Drops != 0 || stats.Refused != 0 {
				t.Errorf("void: %+v, %v", stats, err)
			}
			t.Logf("%d cases; books: %v; %v", len(names), b, s.stats)
		})
	}
}

// heard is how many replies and forgeries the stats row tells of.
func heard(s *stored) (n int64) {
	for _, key := range []string{"received", "late", "duplicates", "other_source", "foreign", "unverified"} {
		n += s.stats.n(key)
	}
	return n
}

// TestLossIsExact: at 20,000 requests a second to a /16, with replies that take their time, each target's loss is what
// the lab did to its requests.
func TestLossIsExact(t *testing.T) {
	const count = 2
	network := netlab.TargetNetwork
	w := newWild(t, netlab.WildConfig{
		Networks: []netip.Prefix{network}, Behaviour: netlab.Lossy(11, 0.03, netlab.Delayed(11, 0, 300*time.Millisecond)),
	})
	s := swept(t, w.Prober, "--rate", "20000", "--count", strconv.Itoa(count), "--timeout", "1s", network.String())
	var replied int64
	differ := 0
	for target, r := range w.Records() {
		row := s.rows[target.String()]
		planned := 0
		for n := range count {
			if !w.Behaviour(netlab.Probe{Target: target, N: n}).Lose {
				planned++
			}
		}
		if row.n("sent") != count || row.n("received") != int64(r.Tally[netlab.Replied]) || row.n("received") != int64(planned) {
			if differ++; differ < 5 {
				t.Errorf("%v: %v; books: %v; %d replies planned", target, row, r.Tally, planned)
			}
		}
		replied += int64(planned)
	}
	if stats, err := w.Stats(); err != nil || stats.Drops != 0 || stats.Refused != 0 {
		t.Fatalf("void: %+v, %v", stats, err)
	}
	if differ > 0 {
		t.Errorf("%d targets differ from the books", differ)
	}
	s.wantSums(t, map[string]int64{"sent": count << 16, "received": replied})
	t.Logf("%d requests, %d lost by the lab; %v", count<<16, count<<16-replied, s.stats)
}
