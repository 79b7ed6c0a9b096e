package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// bfdRun is what one reading of a file came to.
type bfdRun struct {
	Packets int     `json:"packets"`
	Seconds float64 `json:"seconds"` // from the start of the program to its end
	Rate    float64 `json:"packets_per_second"`
	CPU     float64 `json:"cpu_seconds"`
	Peak    int64   `json:"peak_bytes"`
}

// bfdResult is what all readings of a file by one program came to.
type bfdResult struct {
	Name       string    `json:"name"`
	Command    []string  `json:"command"`
	Sessions   int       `json:"sessions"`
	Packets    int       `json:"packets_in_file"`
	Runs       []*bfdRun `json:"runs"` // by round; null: it failed
	Median     *bfdRun   `json:"median,omitempty"`
	OverTshark float64   `json:"rate_over_tshark,omitempty"`
	OverPcapgo float64   `json:"rate_over_pcapgo,omitempty"`
}

// bfdReport is all that bench bfd has measured.
type bfdReport struct {
	Machine machine      `json:"machine"`
	Rounds  int          `json:"rounds"`
	Results []*bfdResult `json:"results"` // file by file, the readers in the same order
	Notes   []string     `json:"notes"`
}

func (r *bfdReport) note(text string) {
	if !slices.Contains(r.Notes, text) {
		r.Notes = append(r.Notes, text)
	}
}

// enter makes the places of the results.
func (r *bfdReport) enter(files []bfdFile, readers []bfdReader) {
	for _, f := range files {
		for _, by := range readers {
			r.Results = append(r.Results, &bfdResult{
				Name: by.name, Command: append([]string{by.program}, by.args("FILE", f.streams())...),
				Sessions: f.sessions, Packets: f.packets, Runs: make([]*bfdRun, r.Rounds),
			})
		}
	}
}

// finish computes what compares runs with each other, within each file.
func (r *bfdReport) finish() {
	rate := func(r *bfdRun) float64 { return r.Rate }
	of := func(like *bfdResult, name string) []*bfdRun {
		for _, res := range r.Results {
			if res.Name == name && res.Sessions == like.Sessions && res.Packets == like.Packets {
				return res.Runs
			}
		}
		return nil
	}
	for _, res := range r.Results {
		res.Median = medianBFD(res.Runs)
		res.OverTshark = pairedRatio(res.Runs, of(res, nameTshark), rate)
		res.OverPcapgo = pairedRatio(res.Runs, of(res, namePcapgo), rate)
	}
}

// medianBFD is the median of each number by itself, over the runs that did not fail; nil when there is none.
func medianBFD(runs []*bfdRun) *bfdRun {
	runs, of := medians(runs)
	if len(runs) == 0 {
		return nil
	}
	return &bfdRun{
		Packets: runs[0].Packets,
		Seconds: of(func(r *bfdRun) float64 { return r.Seconds }),
		Rate:    of(func(r *bfdRun) float64 { return r.Rate }),
		CPU:     of(func(r *bfdRun) float64 { return r.CPU }),
		Peak:    int64(of(func(r *bfdRun) float64 { return float64(r.Peak) })),
	}
}

func (r *bfdReport) writeJSON(w io.Writer) error { return indented(w, r) }

const bfdLegend = `
read            packets that it read: tshark the beginning of the file only
packets/s       of what it read, from the start of the program to its end
x tshark        packets/s over that of tshark with seven fields, the median of the ratios within each round
x pcapgo        the same over a loop that reads with gopacket's pcapgo and does nothing
CPU s           user and system time; all run with GOMAXPROCS=1, so that Go's programs have one core
peak MB         the most resident memory
its engine alone  no line protocol is written: the difference is what output costs
`

// write prints the report for people.
func (r *bfdReport) write(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\nMedians over the rounds, of which there were %d. Each session is control packets and echoes of both ends.\n", r.Machine, r.Rounds)
	for i := 0; i < len(r.Results); {
		first := r.Results[i]
		rows := [][]string{{"", "read", "time s", "packets/s", "x tshark", "x pcapgo", "CPU s", "peak MB"}}
		for ; i < len(r.Results) && r.Results[i].Sessions == first.Sessions && r.Results[i].Packets == first.Packets; i++ {
			rows = append(rows, r.Results[i].row())
		}
		fmt.Fprintf(&b, "\n%s\n\n%s", bfdFile{sessions: first.Sessions, packets: first.Packets}, align(rows))
	}
	b.WriteString(bfdLegend)
	for _, n := range r.Notes {
		fmt.Fprintf(&b, "\nnote: %s", n)
	}
	if len(r.Notes) > 0 {
		b.WriteByte('\n')
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (res *bfdResult) row() []string {
	m := res.Median
	if m == nil {
		return []string{res.Name, "-", "-", "-", "-", "-", "-", "-"}
	}
	return []string{res.Name, count(m.Packets), fmt.Sprintf("%.2f", m.Seconds), count(int(m.Rate)), ratio(res.OverTshark), ratio(res.OverPcapgo),
		fmt.Sprintf("%.2f", m.CPU), fmt.Sprintf("%.0f", float64(m.Peak)/1e6)}
}
