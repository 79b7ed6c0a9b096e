package main

import (
	"bytes"
	"io"
	"os"
	"slices"
	"time"

	"echogram/pipeline/lines"
	"echogram/plugins/schema"
)

// How much of line protocol is looked at to find out how far sweeps are apart: as many of them, in as many lines.
const (
	peekedSweeps = 4
	peekedLines  = 1 << 19
)

// interval is how far the sweeps of the files are apart: the least by the names of con-ping's files, else by the first
// points of the first file; 0: unknown. What it reads of STDIN is kept for later.
func (in *inputs) interval() time.Duration {
	networks := map[string][]int64{}
	for _, name := range in.names {
		if t, ok := conPingTime(name); ok {
			network := conPingNetwork(name)
			networks[network] = append(networks[network], t*int64(time.Second))
		}
	}
	least := time.Duration(0)
	for _, times := range networks {
		if d := leastStep(times); d > 0 && (least == 0 || d < least) {
			least = d
		}
	}
	if len(networks) == 0 {
		least = in.peek(in.names[0])
	}
	return least.Round(time.Second)
}

// peek looks at the begin of a file of line protocol. What is wrong with it is said when it is read.
func (in *inputs) peek(name string) time.Duration {
	if name == "-" {
		var seen bytes.Buffer
		rest := in.stdin
		in.stdin = io.MultiReader(&seen, rest)
		return firstStep(lines.NewReader(io.TeeReader(rest, &seen), nil))
	}
	file, err := os.Open(name)
	if err != nil {
		return 0
	}
	defer file.Close()
	return firstStep(lines.NewReader(file, nil))
}

// firstStep is the least time between the first points of the first series of r.
func firstStep(r *lines.Reader) time.Duration {
	var series *schema.RTTSeries
	var times []int64
	for len(times) < peekedSweeps && r.Lines() < peekedLines {
		kind, err := r.Next()
		if err != nil {
			break
		}
		if series == nil && kind == lines.Point {
			series = r.Series
		}
		if kind == lines.Point && r.Series == series && !slices.Contains(times, r.Row.Time) {
			times = append(times, r.Row.Time)
		}
	}
	return leastStep(times)
}

// leastStep is the least time between two different times, in any order; 0: there are not two.
func leastStep(times []int64) time.Duration {
	slices.Sort(times)
	times = slices.Compact(times)
	least := int64(0)
	for i := 1; i < len(times); i++ {
		if d := times[i] - times[i-1]; least == 0 || d < least {
			least = d
		}
	}
	return time.Duration(least)
}
