package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// The two tables.
const (
	fromFile = iota
	fromInflux
)

// Who is measured. The others are set against nameQuantile and nameWindow.
const (
	nameImport   = "echogram-pipeline import"
	nameRollups  = "the same, without blocks"
	nameBasic    = "Telegraf basicstats"
	nameQuantile = "Telegraf basicstats, quantile"
	nameDay      = "echogram-pipeline, 1d without blocks"
	nameSame     = "echogram-pipeline, the 1d mean alone"
	nameAll      = "echogram-pipeline, all windows"
	nameCloses   = "one sweep more, the next day's first"
	nameSweep    = "one sweep more"
	nameWindow   = "Flux aggregateWindow(1d, mean)"
	nameMean     = "Flux mean()"
)

// pipelineRun is what one run of a program came to.
type pipelineRun struct {
	Read         int     `json:"points_read"`
	Written      int     `json:"points_written"`
	Seconds      float64 `json:"seconds"` // from the start of the program to its end
	Rate         float64 `json:"points_read_per_second"`
	CPU          float64 `json:"cpu_seconds"`
	Peak         int64   `json:"peak_bytes"`
	InfluxCPU    float64 `json:"influxdb_cpu_seconds,omitempty"`
	InfluxGrowth int64   `json:"influxdb_growth_bytes,omitempty"` // its peak above what it had before
}

// memory is all that the work needed.
func (r *pipelineRun) memory() float64 { return float64(r.Peak + r.InfluxGrowth) }

// pipelineResult is what all runs of a program came to.
type pipelineResult struct {
	Table  int            `json:"table"` // 0: from a file; 1: from InfluxDB
	Name   string         `json:"name"`
	Runs   []*pipelineRun `json:"runs"` // by round; null: it failed
	Median *pipelineRun   `json:"median,omitempty"`
	// Against Telegraf's basicstats and quantile, or Flux's aggregateWindow; medians of the ratios within each round.
	Faster  float64 `json:"times_as_fast,omitempty"`
	Lighter float64 `json:"its_memory_over_ours,omitempty"`
	// InfluxDB's growth for aggregateWindow over the peak of this program alone.
	OwnLighter float64 `json:"its_growth_over_our_peak,omitempty"`
}

// pipelineReport is all that bench pipeline has measured.
type pipelineReport struct {
	Machine machine           `json:"machine"`
	Rounds  int               `json:"rounds"`
	Blocks  int               `json:"blocks"`
	Results []*pipelineResult `json:"results"`
	Notes   []string          `json:"notes"`
}

func (r *pipelineReport) note(text string) {
	if !slices.Contains(r.Notes, text) {
		r.Notes = append(r.Notes, text)
	}
}

// enter makes the places of what each act measures.
func (r *pipelineReport) enter(table int, names ...string) (places []*pipelineResult) {
	for _, name := range names {
		places = append(places, &pipelineResult{Table: table, Name: name, Runs: make([]*pipelineRun, r.Rounds)})
	}
	r.Results = append(r.Results, places...)
	return places
}

// finish computes what compares runs with each other. What has other work to do is not compared.
func (r *pipelineReport) finish() {
	of := func(name string) []*pipelineRun {
		for _, res := range r.Results {
			if res.Name == name {
				return res.Runs
			}
		}
		return nil
	}
	peer := [...][]*pipelineRun{fromFile: of(nameQuantile), fromInflux: of(nameWindow)}
	for _, res := range r.Results {
		res.Median = medianPipeline(res.Runs)
		if res.Name == nameCloses || res.Name == nameSweep {
			continue
		}
		other := peer[res.Table]
		res.Faster = pairedRatio(res.Runs, other, func(r *pipelineRun) float64 { return r.Rate })
		res.Lighter = pairedRatio(other, res.Runs, (*pipelineRun).memory)
		if res.Table == fromInflux {
			res.OwnLighter = ownLighter(other, res.Runs)
		}
	}
}

// ownLighter is the median of InfluxDB's growth in runs of a over the peak of the program in the same round of b.
func ownLighter(a, b []*pipelineRun) float64 {
	var ratios []float64
	for i := range min(len(a), len(b)) {
		if a[i] != nil && b[i] != nil && b[i].Peak > 0 {
			ratios = append(ratios, float64(a[i].InfluxGrowth)/float64(b[i].Peak))
		}
	}
	return median(ratios)
}

// medianPipeline is the median of each number by itself, over the runs that did not fail; nil when there is none.
func medianPipeline(runs []*pipelineRun) *pipelineRun {
	runs, of := medians(runs)
	if len(runs) == 0 {
		return nil
	}
	return &pipelineRun{
		Read:         int(of(func(r *pipelineRun) float64 { return float64(r.Read) })),
		Written:      int(of(func(r *pipelineRun) float64 { return float64(r.Written) })),
		Seconds:      of(func(r *pipelineRun) float64 { return r.Seconds }),
		Rate:         of(func(r *pipelineRun) float64 { return r.Rate }),
		CPU:          of(func(r *pipelineRun) float64 { return r.CPU }),
		Peak:         int64(of(func(r *pipelineRun) float64 { return float64(r.Peak) })),
		InfluxCPU:    of(func(r *pipelineRun) float64 { return r.InfluxCPU }),
		InfluxGrowth: int64(of(func(r *pipelineRun) float64 { return float64(r.InfluxGrowth) })),
	}
}

func (r *pipelineReport) writeJSON(w io.Writer) error { return indented(w, r) }

const pipelineLegend = `
read, written  points of targets; all points
points/s       those read, from the start of a program to its end
a day s        what all points of the day would take at this rate: Telegraf reads the beginning only
x Telegraf     points/s over those of basicstats and quantile
x Flux         points/s over those of aggregateWindow; both read and write
CPU s, peak MB of the program: the pipeline, Telegraf, the client that writes back what Flux says
influxd +MB    its peak of anonymous memory above what it had at rest before: files that it maps are page cache
both MB        peak MB and influxd +MB
memory x       both MB of aggregateWindow (peak MB of basicstats and quantile) over the row's
own x          influxd +MB of aggregateWindow over the row's peak MB: what computes, without what feeds it
Ratios are medians of those within each round.
`

// write prints the report for people.
func (r *pipelineReport) write(w io.Writer) error {
	var b strings.Builder
	targets := r.Blocks * blockTargets
	fmt.Fprintf(&b, "%s\n\n%s points: %s targets every 5 minutes for a day. Medians over the rounds, of which there were %d.\n",
		r.Machine, count(targets*daySweeps), count(targets), r.Rounds)
	fmt.Fprintf(&b, "\nFrom files, with GOMAXPROCS=1\n\n%s", align(r.fileRows(targets*daySweeps)))
	fmt.Fprintf(&b, "\nFrom InfluxDB, and back into it\n\n%s", align(r.influxRows()))
	b.WriteString(pipelineLegend)
	for _, n := range r.Notes {
		fmt.Fprintf(&b, "\nnote: %s", n)
	}
	if len(r.Notes) > 0 {
		b.WriteByte('\n')
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (r *pipelineReport) fileRows(day int) [][]string {
	return r.rows(fromFile, []string{"", "read", "written", "time s", "points/s", "a day s", "x Telegraf", "CPU s", "peak MB", "memory x"},
		func(res *pipelineResult, m *pipelineRun) []string {
			return []string{res.Name, count(m.Read), count(m.Written), seconds(m.Seconds), count(int(m.Rate)), seconds(float64(day) / m.Rate),
				ratio(res.Faster), seconds(m.CPU), megabytes(m.Peak), ratio(res.Lighter)}
		})
}

func (r *pipelineReport) influxRows() [][]string {
	return r.rows(fromInflux, []string{"", "read", "written", "time s", "points/s", "x Flux", "CPU s", "influxd CPU s", "peak MB", "influxd +MB",
		"both MB", "memory x", "own x"},
		func(res *pipelineResult, m *pipelineRun) []string {
			return []string{res.Name, count(m.Read), count(m.Written), seconds(m.Seconds), count(int(m.Rate)), ratio(res.Faster),
				seconds(m.CPU), seconds(m.InfluxCPU), megabytes(m.Peak), megabytes(m.InfluxGrowth), megabytes(m.Peak + m.InfluxGrowth),
				ratio(res.Lighter), ratio(res.OwnLighter)}
		})
}

// rows makes a table. Who always failed has no numbers.
func (r *pipelineReport) rows(table int, header []string, row func(*pipelineResult, *pipelineRun) []string) [][]string {
	rows := [][]string{header}
	for _, res := range r.Results {
		switch {
		case res.Table != table:
		case res.Median == nil:
			rows = append(rows, append([]string{res.Name}, slices.Repeat([]string{"-"}, len(header)-1)...))
		default:
			rows = append(rows, row(res, res.Median))
		}
	}
	return rows
}

func seconds(s float64) string { return fmt.Sprintf("%.2f", s) }

func megabytes(bytes int64) string { return fmt.Sprintf("%.0f", float64(bytes)/1e6) }
