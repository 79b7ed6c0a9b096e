package main

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"echogram/plugins/netlab"
)

// tally is what the database holds about targets: of one block in one sweep, or summed over several.
type tally struct {
	points     int64 // rows
	sent       int64
	received   int64
	late       int64
	responding int64 // rows with result code 0
	silent     int64 // rows with result code 1
	hostErrors int64 // rows with ICMP 3/1 from the responder
	prohibited int64 // rows with ICMP 3/13 from the responder
}

func (t tally) lost() int64 { return t.sent - t.received - t.late }

func (t *tally) add(u tally) {
	t.points += u.points
	t.sent += u.sent
	t.received += u.received
	t.late += u.late
	t.responding += u.responding
	t.silent += u.silent
	t.hostErrors += u.hostErrors
	t.prohibited += u.prohibited
}

// cell is one block in one sweep.
type cell struct {
	block netip.Prefix
	sweep int64 // its time, Unix nanoseconds
}

// promised is what a block of a kind must have given in one sweep.
func promised(k netlab.Kind) tally {
	t := tally{points: 256, sent: 256}
	switch k {
	case netlab.Answering:
		t.received, t.responding = 256, 256
	case netlab.Silent:
		t.silent = 256
	case netlab.Unreachable:
		t.hostErrors = 256
	case netlab.Prohibited:
		t.prohibited = 256
	case netlab.Late:
		t.late, t.silent = 256, 256
	}
	return t
}

// span is a half-open range of time, Unix nanoseconds.
type span struct{ from, to int64 }

// outage is a block that the lab silences for some sweeps.
type outage struct {
	block netip.Prefix
	span  // of the times of those sweeps
}

// kind is how a block behaves in a sweep.
func (o outage) kind(pop netlab.Population, c cell) netlab.Kind {
	if c.block == o.block && c.sweep >= o.from && c.sweep < o.to {
		return netlab.Silent
	}
	k, _ := pop.Kind(c.block.Addr())
	return k
}

// clock shows a sweep's time.
func clock(ns int64) string { return time.Unix(0, ns).Format("15:04:05") }

// byKind sums the cells of the sweeps by the kind of their block.
func byKind(pop netlab.Population, sweeps []int64, cells map[cell]tally) map[netlab.Kind]tally {
	sums := map[netlab.Kind]tally{}
	for c, t := range cells {
		k, ok := pop.Kind(c.block.Addr())
		if ok && slices.Contains(sweeps, c.sweep) {
			sum := sums[k]
			sum.add(t)
			sums[k] = sum
		}
	}
	return sums
}

// differences compares each block of each sweep with the lab, and finds rows that belong to neither.
func differences(pop netlab.Population, out outage, sweeps []int64, cells map[cell]tally) []string {
	var all []string
	known := 0
	for _, sweep := range sweeps {
		for _, block := range pop.Blocks() {
			c := cell{block, sweep}
			got, ok := cells[c]
			if ok {
				known++
			}
			kind := out.kind(pop, c)
			if want := promised(kind); got != want {
				all = append(all, fmt.Sprintf("sweep %s, block %v (%v): %v, want %v", clock(sweep), block, kind, got, want))
			}
		}
	}
	if known != len(cells) {
		all = append(all, fmt.Sprintf("%d blocks have rows at times or for networks that no sweep has", len(cells)-known))
	}
	return all
}

func (t tally) String() string {
	return fmt.Sprintf("rows %d sent %d received %d late %d responding %d silent %d 3/1 %d 3/13 %d",
		t.points, t.sent, t.received, t.late, t.responding, t.silent, t.hostErrors, t.prohibited)
}

// shorten keeps a list of differences readable.
func shorten(list []string, most int) []string {
	if len(list) <= most {
		return list
	}
	return append(slices.Clone(list[:most]), fmt.Sprintf("and %d more", len(list)-most))
}

// kindTable is the outcome by kind of block, a line each.
func kindTable(pop netlab.Population, sums map[netlab.Kind]tally, sweeps int) []string {
	lines := []string{fmt.Sprintf("  %-12s %7s %9s %11s %10s %9s %7s  %s", "blocks", "number", "targets", "responding", "sent", "lost", "late", "ICMP errors")}
	for _, k := range netlab.Kinds() {
		t := sums[k]
		n := int64(max(1, sweeps))
		lines = append(lines, fmt.Sprintf("  %-12s %7d %9s %11s %10s %9s %7s  %s", k, len(pop.BlocksOf(k)),
			count(t.points/n), count(t.responding/n), count(t.sent), percent(t.lost(), t.sent), count(t.late), icmpErrors(t)))
	}
	return lines
}

func icmpErrors(t tally) string {
	switch {
	case t.hostErrors > 0 && t.prohibited > 0:
		return fmt.Sprintf("%s host unreachable, %s prohibited", count(t.hostErrors), count(t.prohibited))
	case t.hostErrors > 0:
		return count(t.hostErrors) + " host unreachable"
	case t.prohibited > 0:
		return count(t.prohibited) + " prohibited"
	}
	return "-"
}

func percent(part, whole int64) string {
	if whole == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f %%", 100*float64(part)/float64(whole))
}
