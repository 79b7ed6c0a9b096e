package main

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

const legend = `
packets/s     requests on the link a second, from the 1st to the 99th hundredth of them
x C, x fping  packets/s over that of the bare C loop by AF_PACKET, and of fping, in the same round
all found     rounds without false loss: every address of the lab answers, so what is not found the prober has lost
CPU s         user and system time of the prober's process; on veth that has the responder's work in it
peak MB       the most resident memory, rings included
`

// write prints the report for people.
func (r *report) write(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n", r.Machine)
	fmt.Fprintf(&b, "One sweep as fast as each goes; all targets answer. Medians over the rounds, of which there were %d.\n\n", r.Rounds)
	b.WriteString(align(r.sweepRows()))
	b.WriteString(legend)
	if len(r.RTT) > 0 {
		fmt.Fprintf(&b, "\nRTT against tcpdump's stamps of the same frames, by target\n\n%s", align(r.rttRows()))
	}
	for _, n := range r.Notes {
		fmt.Fprintf(&b, "\nnote: %s", n)
	}
	if len(r.Notes) > 0 {
		b.WriteByte('\n')
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (r *report) sweepRows() [][]string {
	rows := [][]string{{"", "targets", "time s", "packets/s", "x C", "x fping", "found", "false loss", "all found", "CPU s", "peak MB"}}
	for _, res := range r.Results {
		row := []string{strings.TrimSpace(res.Name + " " + res.Version), count(res.Targets)}
		if m := res.Median; m == nil {
			row = append(row, "-", "-", "-", "-", "-", "-", "-", "-", "-")
		} else {
			row = append(row, fmt.Sprintf("%.2f", m.Seconds), count(int(m.Rate)), ratio(res.OverLimit), ratio(res.OverFping), count(m.Found),
				count(m.Lost), fmt.Sprintf("%d/%d", res.Complete, res.Ended), fmt.Sprintf("%.2f", m.CPU), fmt.Sprintf("%.0f", float64(m.Peak)/1e6))
		}
		rows = append(rows, row)
	}
	return rows
}

func (r *report) rttRows() [][]string {
	rows := [][]string{{"", "rate", "compared", "dropped", "within 1 µs", "median ns", "p99 |ns|", "max |ns|", "p50/p90/p99 µs", "tcpdump's"}}
	for _, t := range r.RTT {
		rows = append(rows, []string{t.Name, t.Rate, count(t.Compared), count(t.Dropped), fmt.Sprintf("%.3f %%", 100*t.Share()),
			fmt.Sprint(t.Median), fmt.Sprint(t.P99), fmt.Sprint(t.Max),
			micros(t.Prober.P50, t.Prober.P90, t.Prober.P99), micros(t.Tcpdump.P50, t.Tcpdump.P90, t.Tcpdump.P99)})
	}
	return rows
}

// align makes lines of rows of equal length: the first column to the left, the others to the right.
func align(rows [][]string) string {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	var b strings.Builder
	for _, row := range rows {
		fmt.Fprintf(&b, "%-*s", widths[0], row[0])
		for i, cell := range row[1:] {
			fmt.Fprintf(&b, "  %*s", widths[i+1], cell)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func ratio(v float64) string {
	if v == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f", v)
}

func micros(ns ...int64) string {
	var parts []string
	for _, n := range ns {
		parts = append(parts, fmt.Sprintf("%.1f", float64(n)/1e3))
	}
	return strings.Join(parts, "/")
}

// count writes a number with thousands separated.
func count(n int) string {
	if n < 0 {
		return "-" + count(-n)
	}
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%s,%03d", count(n/1000), n%1000)
}
