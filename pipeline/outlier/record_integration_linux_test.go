//go:build integration

package outlier

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"echogram/plugins/netlab"
	"echogram/plugins/schema"
)

const (
	recorded = 120_000
	spacing  = 250 * time.Microsecond
)

// record has echogram sweep ping one target behind two bridges, evenly spaced, and returns the RTTs in the order of
// their requests, ns.
func record(t *testing.T) []int64 {
	t.Helper()
	program := filepath.Join(t.TempDir(), "echogram")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, "echogram/plugins/cmd/echogram")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	pair, err := netlab.NewPair(netlab.PairConfig{Bridges: 2})
	pair = netlab.Lasting(t, pair, err)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	sweep := pair.Prober.Command(ctx, program, "sweep", "--count", fmt.Sprint(recorded), "--count-interval", spacing.String(),
		"--rate", "0", "--burst", "1", "--samples", "--format", "influx", netlab.ResponderAddress.String())
	sweep.Stderr = os.Stderr
	lines, err := sweep.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := sweep.Start(); err != nil {
		t.Fatal(err)
	}
	rtts, readErr := readSamples(lines)
	if err := errors.Join(readErr, sweep.Wait()); err != nil {
		t.Fatal(err)
	}
	return rtts
}

// readSamples reads the RTTs of line protocol's single probes.
func readSamples(r io.Reader) (rtts []int64, err error) {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		if !bytes.HasPrefix(lines.Bytes(), []byte(schema.ICMPSample+",")) {
			continue
		}
		var row schema.SampleRow
		if err := schema.ParseLine(lines.Bytes(), &row); err != nil {
			return nil, err
		}
		if row.RTT.Set {
			rtts = append(rtts, row.RTT.N)
		}
	}
	return rtts, lines.Err()
}

func TestRecord(t *testing.T) {
	r := record(t)
	f, _ := os.Create("/tmp/w/outlier/rec.txt")
	defer f.Close()
	w := bufio.NewWriter(f)
	defer w.Flush()
	for _, v := range r {
		fmt.Fprintln(w, v)
	}
	t.Log(len(r))
}
