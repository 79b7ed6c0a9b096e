//go:build integration

package outlier

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"flag"
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

var save = flag.String("save", "", "write the recorded RTTs to this `FILE`, a line a target")

// A /24 is asked requests times, so that a target is asked every 64 ms.
const (
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

// write writes series as testdata/rtts.txt has them: a line each.
func write(name string, series [][]int64) error {
	var text strings.Builder
	for _, rtts := range series {
		fmt.Fprintln(&text, strings.Trim(fmt.Sprint(rtts), "[]"))
	}
	return os.WriteFile(name, []byte(text.String()), 0o644)
}

// TestIntervalsHoldInTheLab measures the stated intervals on series bootstrapped from more than 100,000 RTTs.
func TestIntervalsHoldInTheLab(t *testing.T) {
	series := record(t)
	if *save != "" {
		if err := write(*save, series); err != nil {
			t.Fatal(err)
		}
	}
	n := 0
	for _, rtts := range series {
		n += len(rtts)
	}
	if n < 100_000 {
		t.Fatalf("only %d RTTs", n)
	}
	table(t, series, 1000, 100, 1000, 10_000)
}
