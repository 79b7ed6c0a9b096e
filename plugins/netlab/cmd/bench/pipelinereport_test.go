package main

import (
	"strings"
	"testing"
)

func TestPipelineTable(t *testing.T) {
	r := &pipelineReport{Machine: machine{2, "Some CPU", "8.0", "6.1.0", "performance", "0.10"}, Rounds: 2, Blocks: 2}
	imported, quantiles := r.enter(fromFile, nameImport)[0], r.enter(fromFile, nameQuantile)[0]
	ours := r.enter(fromInflux, nameAll, nameSweep)
	theirs := r.enter(fromInflux, nameWindow, nameMean)[0]
	imported.Runs[0] = &pipelineRun{147456, 4000, .1, 1474560, .1, 20e6, 0, 0}
	quantiles.Runs[0] = &pipelineRun{12288, 1024, .1, 122880, .1, 60e6, 0, 0}
	ours[0].Runs = []*pipelineRun{{147456, 5000, 1, 147456, .5, 40e6, .4, 10e6}, {147456, 5000, 3, 49152, .7, 60e6, .6, 30e6}}
	ours[1].Runs[1] = &pipelineRun{512, 1030, .1, 5120, .01, 20e6, .02, 0}
	theirs.Runs = []*pipelineRun{nil, {147456, 500, 9, 16384, .1, 18e6, 12, 432e6}}
	r.note("so it was")
	r.finish()
	var b strings.Builder
	if err := r.write(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"\n147,456 points: 512 targets every 5 minutes for a day. Medians over the rounds, of which there were 2.\n",
		"                                  read  written  time s   points/s  a day s  x Telegraf  CPU s  peak MB  memory x\n" +
			"echogram-pipeline import       147,456    4,000    0.10  1,474,560     0.10       12.00   0.10       20      3.00\n" +
			"Telegraf basicstats, quantile   12,288    1,024    0.10    122,880     1.20        1.00   0.10       60      1.00\n",
		"                                   read  written  time s  points/s  x Flux  CPU s  influxd CPU s  peak MB  influxd +MB  both MB  memory x  own x\n" +
			"echogram-pipeline, all windows  147,456    5,000    2.00    98,304    3.00   0.60           0.50       50           20       70      5.00   7.20\n" +
			"one sweep more                      512    1,030    0.10     5,120       -   0.01           0.02       20            0       20         -      -\n" +
			"Flux aggregateWindow(1d, mean)  147,456      500    9.00    16,384    1.00   0.10          12.00       18          432      450      1.00  24.00\n" +
			"Flux mean()                           -        -       -         -       -      -              -        -            -        -         -      -\n",
		"\nnote: so it was\n",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
}
