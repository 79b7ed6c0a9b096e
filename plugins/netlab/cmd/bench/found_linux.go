package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"regexp"
	"strconv"
	"strings"

	"echogram/plugins/netlab"
	"echogram/plugins/schema"
)

// findings is what a contender says it found.
type findings struct {
	found int    // different addresses of the target network
	note  string // what it says about its own trouble
}

// finder reads a contender's results.
type finder func(io.Reader) (findings, error)

var errNoSummary = errors.New("its output has no summary")

// addresses counts the different addresses that pick finds in the lines.
func addresses(pick func(line string) string) finder {
	return func(r io.Reader) (findings, error) {
		var seen hosts
		scan := bufio.NewScanner(r)
		for scan.Scan() {
			seen.add(pick(scan.Text()))
		}
		return findings{found: seen.n}, scan.Err()
	}
}

// hosts is a set of addresses of the target network, a /16.
type hosts struct {
	bits [1 << 10]uint64
	n    int
}

// add takes an address in; anything else it leaves out.
func (h *hosts) add(text string) {
	a, err := netip.ParseAddr(text)
	if err != nil || !netlab.TargetNetwork.Contains(a) {
		return
	}
	b := a.As4()
	word, bit := int(b[2])<<2|int(b[3])>>6, uint64(1)<<(b[3]&63)
	if h.bits[word]&bit == 0 {
		h.bits[word] |= bit
		h.n++
	}
}

// word returns field i of a line that begins with prefix, else "".
func word(line, prefix string, i int) string {
	fields := strings.Fields(line)
	if !strings.HasPrefix(line, prefix) || len(fields) <= i {
		return ""
	}
	return fields[i]
}

var (
	zmapFound    = addresses(func(line string) string { return line })
	masscanFound = addresses(func(line string) string { return word(line, "open icmp ", 3) })
	nmapFound    = addresses(func(line string) string {
		if !strings.HasSuffix(line, "Status: Up") {
			return ""
		}
		return word(line, "Host: ", 1)
	})
)

var fpingAlive = regexp.MustCompile(`(?m)^ *(\d+) alive$`)

// fpingFound reads the statistics of fping -s.
func fpingFound(r io.Reader) (findings, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return findings{}, err
	}
	m := fpingAlive.FindSubmatch(text)
	if m == nil {
		return findings{}, errNoSummary
	}
	n, err := strconv.Atoi(string(m[1]))
	return findings{found: n}, err
}

// limitFound reads the line of limit.c.
func limitFound(r io.Reader) (f findings, err error) {
	var sent, requests, drops int
	var seconds float64
	_, err = fmt.Fscanf(r, "sent=%d seconds=%f requests=%d replies=%d drops=%d\n", &sent, &seconds, &requests, &f.found, &drops)
	if err != nil {
		return findings{}, fmt.Errorf("%w: %w", errNoSummary, err)
	}
	if drops > 0 {
		f.note = fmt.Sprintf("its ring dropped %d frames", drops)
	}
	return f, nil
}

// eachPoint calls f for each line of line protocol. The point is overwritten by the next.
func eachPoint(r io.Reader, f func(*schema.Point) error) error {
	scan := bufio.NewScanner(r)
	scan.Buffer(nil, 1<<20)
	var p schema.Point
	for scan.Scan() {
		if len(bytes.TrimSpace(scan.Bytes())) == 0 {
			continue
		}
		if err := p.Parse(scan.Bytes()); err != nil {
			return err
		}
		if err := f(&p); err != nil {
			return err
		}
	}
	return scan.Err()
}

// telegrafFound reads the points of inputs.ping.
func telegrafFound(r io.Reader) (findings, error) {
	var seen hosts
	err := eachPoint(r, func(p *schema.Point) error {
		if received, ok := p.Field("packets_received"); ok && received.Value() != int64(0) {
			seen.add(p.Tag("url"))
		}
		return nil
	})
	return findings{found: seen.n}, err
}

// eachRTT calls f with the target and RTT of each row of a sweep that was answered, and returns the sweep's stats.
func eachRTT(r io.Reader, f func(target string, rtt int64)) (stats schema.SweepStatsRow, err error) {
	whole := false
	err = eachPoint(r, func(p *schema.Point) error {
		if _, first := p.Field("sent"); !first { // what only adds late replies
			return nil
		}
		switch p.Measurement {
		case schema.ICMPSweep:
			var row schema.SweepRow
			if err := schema.Read(p, &row); err != nil {
				return err
			}
			if row.ResultCode == schema.ResultAnswered {
				f(row.Target, row.RTT.N)
			}
		case schema.ICMPSweepStats:
			whole = true
			return schema.Read(p, &stats)
		}
		return nil
	})
	if err == nil && !whole {
		err = errNoSummary
	}
	return stats, err
}

// echogramFound reads the rows of echogram sweep.
func echogramFound(r io.Reader) (findings, error) {
	var seen hosts
	stats, err := eachRTT(r, func(target string, _ int64) { seen.add(target) })
	f := findings{found: seen.n}
	if err == nil && stats.Trust != schema.TrustOK {
		f.note = fmt.Sprintf("its trust is %s, its ring dropped %d frames", stats.Trust, stats.CaptureDrops)
	}
	return f, err
}

// sweepRTTs reads the RTT of each answering target, ns, from the rows of echogram sweep.
func sweepRTTs(r io.Reader) (map[netip.Addr]int64, error) {
	rtts := map[netip.Addr]int64{}
	_, err := eachRTT(r, func(target string, rtt int64) {
		if a, err := netip.ParseAddr(target); err == nil {
			rtts[a] = rtt
		}
	})
	return rtts, err
}
