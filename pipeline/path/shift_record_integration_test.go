//go:build integration && linux

package path

import (
	"context"
	"errors"
	"flag"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"echogram/plugins/netlab"
	"echogram/plugins/netlab/process"
)

var (
	recordFor = flag.Duration("record", 12*time.Second, "how long to record the lab's noise, at most 1h")
	recordTo  = flag.String("record.to", "", "`file` of the record (default: a temporary one)")
)

// TestRecordNoise records RTTs through two bridges, a train of probes each five seconds, while a CPU hog, one loop a
// CPU, is on in three of twelve parts of the time. testdata/README.md says how the record of an hour was made.
func TestRecordNoise(t *testing.T) {
	whole := min(*recordFor, time.Hour)
	ctx, cancel := context.WithTimeout(t.Context(), whole+5*time.Minute)
	p, err := netlab.NewPair(netlab.PairConfig{Bridges: 2})
	netlab.Lasting(t, p, err)
	r, begin := &record{}, time.Now()
	var hogs sync.WaitGroup
	var hogErr error
	hogs.Go(func() { r.hogs, hogErr = hogged(ctx, begin, whole) })
	t.Cleanup(hogs.Wait)
	t.Cleanup(cancel)
	for at := begin; at.Before(begin.Add(whole)); at = at.Add(spacing) {
		if err := until(ctx, at); err != nil {
			t.Fatal(err)
		}
		r.train(t, p)
	}
	if hogs.Wait(); hogErr != nil {
		t.Fatal(hogErr)
	}
	r.countFrom(r.at[0])
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

// train adds a train of probes, during which no CPU falls asleep.
func (r *record) train(t *testing.T, p *netlab.Pair) {
	awake, err := netlab.StayAwake()
	if err != nil {
		t.Fatal(err)
	}
	defer awake.Close()
	for _, s := range sweep(t, p, 100*time.Microsecond, trainProbes)() {
		r.at, r.rtt = append(r.at, s.At/1e6), append(r.rtt, s.RTT)
	}
}

// countFrom makes times, ms since the epoch, such since start.
func (r *record) countFrom(start int64) {
	for i := range r.at {
		r.at[i] -= start
	}
	for i := range r.hogs {
		r.hogs[i][0] -= start
		r.hogs[i][1] -= start
	}
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
