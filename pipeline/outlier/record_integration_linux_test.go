//go:build integration

package outlier

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"echogram/plugins/netlab"
	"echogram/plugins/schema"
)

const (
	targets  = 256 // one /24, so that a target is asked every 64 ms
	requests = 480
	rate     = 4000
)

// record has echogram sweep ask a /24 behind two bridges again and again, one probe after the other, and returns
// each target's RTTs in the order of their requests, ns.
func record(t *testing.T) [][]int64 {
	t.Helper()
	program := filepath.Join(t.TempDir(), "echogram")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, "echogram/plugins/cmd/echogram")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	lab, err := netlab.SweepLab(netlab.SweepConfig{AllAnswering: true, Pair: netlab.PairConfig{Bridges: 2}})
	lab = netlab.Lasting(t, lab, err)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	sweep := lab.Prober.Command(ctx, program, "sweep", "--count", fmt.Sprint(requests), "--count-interval", "1ms",
		"--rate", fmt.Sprint(rate), "--burst", "1", "--samples", "--format", "influx", "198.18.3.0/24")
	sweep.Stderr = os.Stderr
	lines, err := sweep.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := sweep.Start(); err != nil {
		t.Fatal(err)
	}
	series, readErr := readSamples(lines)
	if err := errors.Join(readErr, sweep.Wait()); err != nil {
		t.Fatal(err)
	}
	return series
}

// readSamples reads the RTTs of line protocol's single probes, a slice a target.
func readSamples(r io.Reader) (series [][]int64, err error) {
	samples := map[string][]schema.SampleRow{}
	for lines := bufio.NewScanner(r); lines.Scan(); {
		if !bytes.HasPrefix(lines.Bytes(), []byte(schema.ICMPSample+",")) {
			continue
		}
		var row schema.SampleRow
		if err := schema.ParseLine(lines.Bytes(), &row); err != nil {
			return nil, err
		}
		if row.RTT.Set {
			samples[row.Target] = append(samples[row.Target], row)
		}
	}
	for _, target := range slices.Sorted(maps.Keys(samples)) {
		rows := samples[target]
		slices.SortFunc(rows, func(a, b schema.SampleRow) int { return cmp.Compare(a.Time, b.Time) })
		var rtts []int64
		for _, row := range rows {
			rtts = append(rtts, row.RTT.N)
		}
		series = append(series, rtts)
	}
	return series, nil
}

func TestRecord(t *testing.T) {
	f, _ := os.Create("/tmp/w/outlier/rec.txt")
	defer f.Close()
	w := bufio.NewWriter(f)
	defer w.Flush()
	for _, s := range record(t) {
		fmt.Fprintln(w, strings.Trim(fmt.Sprint(s), "[]"))
	}
}
