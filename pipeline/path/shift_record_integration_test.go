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
	"strconv"
	"sync"
	"testing"
	"time"

	"echogram/plugins/netlab"
	"echogram/plugins/netlab/process"
	"echogram/plugins/schema"
)

var (
	recordFor = flag.Duration("record", 12*time.Second, "how long to record the lab's noise, at most 1h")
	recordTo  = flag.String("record.to", "", "`file` of the record (default: a temporary one)")
)

// A train is probes so close to each other that caches stay warm and no CPU falls asleep between two: alone, each 20 ms,
// the same probes see RTTs that wander between 20 and 50 µs.
const (
	trainLength  = 250
	trainSpacing = "100us"
	trainPeriod  = 5 * time.Second
)

// TestRecordNoise records RTTs through two bridges, a train of probes each five seconds, while a CPU hog, one loop a
// CPU, is on in three of twelve parts of the time. testdata/README.md says how the record of an hour was made.
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
	for at := begin; at.Before(begin.Add(whole)); at = at.Add(trainPeriod) {
		if err := until(ctx, at); err != nil {
			t.Fatal(err)
		}
		if err := r.train(pair.Prober.Command(ctx, echogram, "sweep", "--samples", "--format", "influx", "--timeout", "200ms", "--rate", "0",
			"--count-interval", trainSpacing, "--count", strconv.Itoa(trainLength), netlab.ResponderAddress.String())); err != nil {
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

// train adds the samples that a command writes. Meanwhile the CPUs are held out of idle states.
func (r *record) train(cmd *exec.Cmd) error {
	awake, err := os.OpenFile("/dev/cpu_dma_latency", os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer awake.Close() // which ends the hold
	if _, err := awake.Write(make([]byte, 4)); err != nil {
		return err
	}
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
