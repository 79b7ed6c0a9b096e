//go:build integration && linux

package path

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"echogram/plugins/netlab"
	"echogram/plugins/netlab/process"
	"echogram/plugins/schema"
)

var (
	recordFor = flag.Duration("record", 6*time.Second, "how long to record the lab's noise, at most 1h")
	recordTo  = flag.String("record.to", "", "`file` of the record (default: a temporary one)")
)

// TestRecordNoise records RTTs through two bridges, one probe each 20 ms, while a CPU hog, one loop a CPU, is on in
// three of nine parts of the time. testdata/README.md says how the record of an hour was made.
func TestRecordNoise(t *testing.T) {
	whole := min(*recordFor, time.Hour)
	ctx, cancel := context.WithTimeout(t.Context(), whole+5*time.Minute)
	echogram := filepath.Join(t.TempDir(), "echogram")
	build := exec.CommandContext(ctx, "go", "build", "-o", echogram, "echogram/plugins/cmd/echogram")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	pair, err := netlab.NewPair(netlab.PairConfig{Bridges: 2})
	netlab.Lasting(t, pair, err)
	r, begin := &record{}, time.Now()
	var hogs sync.WaitGroup
	var hogErr error
	hogs.Go(func() { r.hogs, hogErr = hogged(ctx, begin, whole) })
	t.Cleanup(hogs.Wait)
	t.Cleanup(cancel)
	for time.Since(begin) < whole {
		if err := r.sweep(pair.Prober.Command(ctx, echogram, "sweep", "--samples", "--format", "influx", "--timeout", "200ms",
			"--count-interval", "20ms", "--count", count(whole), netlab.ResponderAddress.String())); err != nil {
			t.Fatal(err)
		}
	}
	if hogs.Wait(); hogErr != nil {
		t.Fatal(hogErr)
	}
	first := r.at[0] / 1e6
	for i := range r.at {
		r.at[i] = r.at[i]/1e6 - first
	}
	for i := range r.hogs {
		r.hogs[i] = [2]int64{r.hogs[i][0] - first, r.hogs[i][1] - first}
	}
	if *recordTo == "" {
		*recordTo = filepath.Join(t.TempDir(), "noise.varint.gz")
	}
	if err := r.save(*recordTo); err != nil {
		t.Fatal(err)
	}
	back, err := loadRecord(*recordTo)
	if err != nil || len(back.rtt) != len(r.rtt) || back.at[len(back.at)-1] != r.at[len(r.at)-1] {
		t.Fatalf("read back: %v", err)
	}
	t.Logf("%d RTTs, hogs %v", len(r.rtt), r.hogs)
}

// count of the probes of one sweep: a minute's, or what lasts the whole record.
func count(whole time.Duration) string {
	if whole < time.Minute {
		return "50"
	}
	return "3000"
}

// sweep adds the samples that a command writes.
func (r *record) sweep(cmd *exec.Cmd) error {
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	var said bytes.Buffer
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		return err
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		var s schema.SampleRow
		if err := schema.ParseLine(lines.Bytes(), &s); err == nil && s.RTT.Set {
			r.at, r.rtt = append(r.at, s.Time), append(r.rtt, s.RTT.N)
		}
	}
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("%w: %s", err, said.Bytes())
	}
	return nil
}

// hogged keeps all CPUs busy three times for a twelfth of the time, and says when: ms since the epoch.
func hogged(ctx context.Context, begin time.Time, whole time.Duration) (times [][2]int64, err error) {
	for i := range 3 {
		if err := until(ctx, begin.Add(whole*time.Duration(2+3*i)/12)); err != nil {
			return nil, err
		}
		from := time.Now()
		if err := burn(ctx, from.Add(whole/12)); err != nil {
			return nil, err
		}
		times = append(times, [2]int64{from.UnixMilli(), time.Now().UnixMilli()})
	}
	return times, nil
}

func until(ctx context.Context, at time.Time) error {
	select {
	case <-time.After(time.Until(at)):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// burn runs one busy loop a CPU.
func burn(ctx context.Context, end time.Time) (err error) {
	for range runtime.NumCPU() {
		loop, startErr := process.Start(exec.Command("sh", "-c", "while :; do :; done"))
		if startErr != nil {
			return startErr
		}
		defer func() { err = errors.Join(err, loop.Stop(time.Second)) }()
	}
	return until(ctx, end)
}
