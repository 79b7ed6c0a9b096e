//go:build integration

package main

import (
	"bytes"
	"context"
	"net/netip"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"echogram/plugins/netlab"
)

// pingLab is a network where each block has a fate of its own.
func pingLab(t *testing.T) *netlab.Wild {
	t.Helper()
	zone := func(network string, f netlab.Fate) netlab.Zone {
		return netlab.Zone{Network: netip.MustParsePrefix(network), Behaviour: netlab.Always(f)}
	}
	lab, err := netlab.WildLab(netlab.WildConfig{
		Pair: netlab.PairConfig{IPv6: true},
		Behaviour: netlab.Zoned(netlab.Always(netlab.Fate{}),
			zone("198.18.1.0/24", netlab.Fate{Flip: []int{8*20 + 7, 8*20 + 1, 8 * 30}, BreakSum: true}),
			zone("198.18.2.0/24", netlab.Fate{Copies: 1}),
			zone("198.18.3.0/24", netlab.Fate{Lose: true, Error: netlab.Failure{Type: 3, Code: 1}}),
			zone("198.18.4.0/24", netlab.Fate{From: netip.MustParseAddr("198.18.0.99")}),
			zone("198.18.5.0/24", netlab.Fate{Delay: 300 * time.Millisecond}),
			zone("198.18.6.0/24", netlab.Fate{Lose: true}),
			zone("2001:2:0:1::100/120", netlab.Fate{Lose: true, Error: netlab.Failure{Type: 1, Code: 3}}),
			zone("2001:2:0:1::200/120", netlab.Fate{Copies: 1}),
		),
	})
	return netlab.Lasting(t, lab, err)
}

// from runs a program in a namespace, for half a minute at most.
func from(t *testing.T, n *netlab.Namespace, name string, args ...string) outcome {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	return finish(t, n.Command(ctx, name, args...))
}

// TestPingNamesEachFate in the lines and in the statistics.
func TestPingNamesEachFate(t *testing.T) {
	lab := pingLab(t)
	for name, c := range map[string]struct {
		args string
		want []string
		code int
	}{
		"both families": {"-c 5 -i 0.05 198.18.0.1 2001:2:0:1::1", []string{
			"64 bytes from 198.18.0.1: icmp_seq=5 ttl=", "64 bytes from 2001:2:0:1::1: icmp_seq=5 ttl=",
			"--- 198.18.0.1 ping statistics ---\n5 packets transmitted, 5 received, 0% packet loss",
			"--- 2001:2:0:1::1 ping statistics ---\n5 packets transmitted, 5 received, 0% packet loss", "floor "}, exitDone},
		"corrupt": {"-c 2 -i 0.05 198.18.1.1", []string{
			"icmp_seq=2 ttl=", "(CORRUPT: bits flipped: 3, the first in payload byte 20)", "2 received, +2 corrupt, 0% packet loss"}, exitDone},
		"duplicate": {"-c 2 -i 0.05 198.18.2.1 2001:2:0:1::201", []string{
			"from 198.18.2.1: icmp_seq=1 ttl=", " (DUP!)", "from 2001:2:0:1::201: icmp_seq=1 ttl=", " duplicates, 0% packet loss"}, exitDone},
		"error": {"-c 2 -i 0.05 198.18.3.1 2001:2:0:1::101", []string{
			"From " + netlab.ResponderAddress.String() + " icmp_seq=1 of 198.18.3.1 host unreachable",
			"From " + netlab.ResponderAddress6.String() + " icmp_seq=2 of 2001:2:0:1::101 address unreachable",
			"2 packets transmitted, 0 received, +2 errors, 100% packet loss"}, exitFailed},
		"another source": {"-c 2 -i 0.05 -W 0.3 198.18.4.1", []string{
			"64 bytes from 198.18.0.99, which was not asked: icmp_seq=2 of 198.18.4.1 time=", "+2 from another address, 100% packet loss"}, exitFailed},
		"late":           {"-c 3 -i 0.1 -W 0.25 198.18.5.1", []string{"icmp_seq=1 ttl=", " (late)", " late, "}, exitFailed},
		"slow, not late": {"-c 2 -i 0.1 -W 0.5 198.18.5.1", []string{"2 packets transmitted, 2 received, 0% packet loss"}, exitDone},
		"silent": {"-c 2 -i 0.1 -W 0.3 -O 198.18.6.1", []string{
			"no answer yet for icmp_seq=1\nno answer yet for icmp_seq=2\n", "2 packets transmitted, 0 received, 100% packet loss"}, exitFailed},
		"one silent":  {"-c 1 -W 0.3 198.18.6.1 198.18.0.1", []string{"100% packet loss", "0% packet loss"}, exitFailed},
		"deadline":    {"-w 0.7 -i 0.2 198.18.0.1", []string{" 0% packet loss"}, exitDone},
		"no payload":  {"-c 2 -i 0.05 -s 0 198.18.0.1", []string{"8 bytes from 198.18.0.1: icmp_seq=1", "2 received, 0% packet loss"}, exitDone},
		"fragments":   {"-c 1 -s 4000 198.18.6.1 -W 0.2", []string{"4000 bytes of payload", "1 packets transmitted"}, exitFailed},
		"interface":   {"-c 1 -I nope 198.18.0.1", nil, exitFailed},
		"pattern":     {"-c 2 -i 0.05 -p ff 198.18.0.1", []string{"2 received, 0% packet loss"}, exitDone},
		"quiet":       {"-c 2 -i 0.05 -q 198.18.0.1", []string{"of payload\n\n--- 198.18.0.1"}, exitDone},
		"own address": {"-c 1 -I " + netlab.ProberAddress.String() + " 198.18.0.1", []string{"1 received"}, exitDone},
	} {
		t.Run(name, func(t *testing.T) {
			o := from(t, lab.Prober, program, append([]string{"ping"}, strings.Fields(c.args)...)...)
			if o.code != c.code {
				t.Errorf("exit code %d, want %d: %s", o.code, c.code, o.stderr)
			}
			for _, want := range c.want {
				if !strings.Contains(o.stdout, want) {
					t.Errorf("no %q in\n%s%s", want, o.stdout, o.stderr)
				}
			}
			if strings.Contains(o.stdout, "\x1b") {
				t.Error("there are control sequences in what is no terminal")
			}
		})
	}
}

// TestPingEndsAtOnce when there is nothing to wait for, and on Ctrl-C, when nothing is called lost that is on its way.
func TestPingEndsAtOnce(t *testing.T) {
	lab := pingLab(t)
	if o := from(t, lab.Prober, program, "ping", "-c", "1", "-W", "10", "198.18.0.1"); o.code != exitDone || o.took > 2*time.Second {
		t.Errorf("-c 1: exit code %d after %v", o.code, o.took)
	}
	for target, want := range map[string]struct {
		text string
		code int
	}{
		"198.18.0.1": {" 0% packet loss", exitDone},
		"198.18.5.1": {" still awaited, 0% packet loss", exitDone}, // 300 ms away
		"198.18.6.1": {" 100% packet loss", exitFailed},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		cmd := lab.Prober.Command(ctx, program, "ping", "-i", "0.05", target)
		var stdout bytes.Buffer
		cmd.Stdout = &stdout
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(1500 * time.Millisecond)
		cmd.Process.Signal(syscall.SIGQUIT)
		time.Sleep(100 * time.Millisecond)
		begin := time.Now()
		cmd.Process.Signal(syscall.SIGINT)
		cmd.Wait()
		if took := time.Since(begin); took > 3*time.Second || cmd.ProcessState.ExitCode() != want.code {
			t.Errorf("%s: exit code %d, %v after the signal", target, cmd.ProcessState.ExitCode(), took)
		}
		for _, text := range []string{"--- " + target + " ping statistics ---\n", want.text, "\n" + target + ": "} {
			if !strings.Contains(stdout.String(), text) {
				t.Errorf("no %q in\n%s", text, stdout.String())
			}
		}
	}
}

var leastRTT = regexp.MustCompile(`rtt min/avg/max/mdev = ([0-9.]+)/`)

func least(t *testing.T, o outcome) float64 {
	t.Helper()
	m := leastRTT.FindStringSubmatch(o.stdout)
	if m == nil {
		t.Fatalf("no RTTs in\n%s%s", o.stdout, o.stderr)
	}
	ms, err := strconv.ParseFloat(m[1], 64)
	if err != nil {
		t.Fatal(err)
	}
	return ms
}

// TestPingBesidePing: what scripts find in the other's statistics they find in ours, and no RTT of ours is far above.
func TestPingBesidePing(t *testing.T) {
	if _, err := exec.LookPath("ping"); err != nil {
		t.Fatalf("%v: install it with: apt-get install iputils-ping", err)
	}
	lab := newLab(t, netlab.SweepConfig{Pair: netlab.PairConfig{IPv6: true}, AllAnswering: true})
	counts := regexp.MustCompile(`\n200 packets transmitted, 200 received, 0% packet loss, time [0-9]+ms\nrtt min`)
	for _, target := range []string{"198.18.0.1", netlab.TargetNetwork6.Addr().Next().String()} {
		args := []string{"-c", "200", "-i", "0.005", "-q", "-n", target}
		theirs, ours := from(t, lab.Prober, "ping", args...), from(t, lab.Prober, program, append([]string{"ping"}, args...)...)
		for _, o := range []outcome{theirs, ours} {
			if !counts.MatchString(o.stdout) {
				t.Errorf("statistics read\n%s", o.stdout)
			}
		}
		t.Logf("%s: least RTT %.6f ms, that of ping %.6f ms", target, least(t, ours), least(t, theirs))
		if least(t, ours) > least(t, theirs)+.02 { // theirs is of other requests, and has no capture on its way
			t.Errorf("%s: least RTT %.6f ms, that of ping is %.6f ms", target, least(t, ours), least(t, theirs))
		}
	}
}

// TestPingUnprivileged: without any capability it goes by ping sockets, where the system lets it.
func TestPingUnprivileged(t *testing.T) {
	lab := pingLab(t)
	nobody := []string{"--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all", program, "ping", "-c", "3", "-i", "0.05", "-W", "0.5"}
	if o := from(t, lab.Prober, "setpriv", append(nobody, "198.18.0.1")...); o.code != exitFailed || !strings.Contains(o.stderr, "setcap") {
		t.Errorf("exit code %d: %s", o.code, o.stderr)
	}
	if err := lab.Prober.Sysctl("ipv4/ping_group_range", "0 2147483647"); err != nil {
		t.Fatal(err)
	}
	o := from(t, lab.Prober, "setpriv", append(nobody, "198.18.0.1", "2001:2:0:1::1")...)
	if o.code != exitDone || strings.Count(o.stdout, "3 packets transmitted, 3 received, 0% packet loss") != 2 || strings.Count(o.stdout, " time=") != 6 {
		t.Errorf("exit code %d: %s%s", o.code, o.stdout, o.stderr)
	}
	o = from(t, lab.Prober, "setpriv", append(nobody, "198.18.3.1", "198.18.6.1")...)
	if o.code != exitFailed || !strings.Contains(o.stdout, "icmp_seq=1 of 198.18.3.1 host unreachable") || strings.Count(o.stdout, "100% packet loss") != 2 {
		t.Errorf("exit code %d: %s%s", o.code, o.stdout, o.stderr)
	}
}
