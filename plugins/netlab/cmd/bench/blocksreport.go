package main

import (
	"fmt"
	"io"
	"net/netip"
	"strings"

	"echogram/plugins/netlab/world"
)

// blocksRun is what one world's way through the pipeline came to.
type blocksRun struct {
	Seed     uint64       `json:"seed"`
	Network  netip.Prefix `json:"network"`
	Days     int          `json:"days"`
	Interval string       `json:"interval"`
	Rollups  bool         `json:"rollups"`
	Points   int          `json:"points"`
	Rows     int          `json:"rows_written"`
	Seconds  float64      `json:"seconds"` // from the start of the program to its end
	Rate     float64      `json:"points_per_second"`
	RealTime float64      `json:"times_real_time"`
	CPU      float64      `json:"cpu_seconds"`
	Peak     int64        `json:"peak_bytes"`
}

func (r *blocksRun) String() string {
	what := "blocks only"
	if r.Rollups {
		what = "blocks and rollups"
	}
	return what + " of " + r.world()
}

func (r *blocksRun) world() string {
	return fmt.Sprintf("%s every %s for %d days", r.Network, strings.TrimSuffix(r.Interval, "0s"), r.Days)
}

// blocksReport is all that bench blocks has measured.
type blocksReport struct {
	Machine machine          `json:"machine"`
	Runs    []*blocksRun     `json:"runs"`
	Figures []*world.Figures `json:"figures"` // of the first runs, one a seed
}

func (r *blocksReport) writeJSON(w io.Writer) error { return indented(w, r) }

const blocksLegend = `
points/s   of targets, from the start of the program to its end; it has one core, and lines come through a pipe
x real     the time that the sweeps would take over that of the program
CPU s      user and system time
peak MB    the most resident memory
`

// write prints the report for people: as text, or as Markdown.
func (r *blocksReport) write(w io.Writer, markdown bool) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n", r.Machine)
	if markdown {
		b.WriteString(markdownTable(r.rows()))
	} else {
		b.WriteString(align(r.rows()) + blocksLegend)
	}
	var names []string
	for i, f := range r.Figures {
		names = append(names, fmt.Sprintf("seed %d", r.Runs[i].Seed))
		if !markdown {
			fmt.Fprintf(&b, "\nSeed %d, %s:\n\n%s", r.Runs[i].Seed, r.Runs[i].world(), f.Text())
		}
	}
	if markdown {
		fmt.Fprintf(&b, "\n%s:\n\n%s", r.Runs[0].world(), world.Markdown(names, r.Figures))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (r *blocksReport) rows() [][]string {
	rows := [][]string{{"", "seed", "points", "rows", "time s", "points/s", "x real", "CPU s", "peak MB"}}
	for _, run := range r.Runs {
		rows = append(rows, []string{run.String(), fmt.Sprint(run.Seed), count(run.Points), count(run.Rows), fmt.Sprintf("%.1f", run.Seconds),
			count(int(run.Rate)), count(int(run.RealTime)), fmt.Sprintf("%.1f", run.CPU), fmt.Sprintf("%.0f", float64(run.Peak)/1e6)})
	}
	return rows
}

// markdownTable is align for a document.
func markdownTable(rows [][]string) string {
	var b strings.Builder
	for i, row := range rows {
		fmt.Fprintf(&b, "| %s |\n", strings.Join(row, " | "))
		if i == 0 {
			b.WriteString("| ---" + strings.Repeat(" | ---:", len(row)-1) + " |\n")
		}
	}
	return b.String()
}
