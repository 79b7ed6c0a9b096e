package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"echogram/plugins/schema"
)

func sampleRows() []schema.Row {
	series := func(target string) schema.Series {
		return schema.Series{Instance: "sweep", Network: "192.0.2.0/24", Block: "192.0.2.0/24", Target: target}
	}
	return []schema.Row{
		&schema.SweepRow{Series: series("192.0.2.1"), Sent: 1, Received: 1, RTT: schema.Some(3142), TTL: schema.Some(64)},
		&schema.SweepRow{Series: series("192.0.2.2"), Sent: 1, ResultCode: schema.ResultSilent},
		&schema.SweepStatsRow{Instance: "sweep", Trust: schema.TrustOK},
	}
}

func TestCSV(t *testing.T) {
	var b bytes.Buffer
	w := newWriter(&b, appendCSV)
	for _, r := range sampleRows() {
		w.emit(r)
	}
	if err := w.flush(); err != nil {
		t.Fatal(err)
	}
	if want := "192.0.2.1,0.000003142\n192.0.2.2,unreachable\n"; b.String() != want {
		t.Errorf("got %q, want %q", b.String(), want)
	}
	if w.answered != 1 || w.least != 3142 || w.most != 3142 || w.sum != 3142 {
		t.Errorf("sums: %+v", w)
	}
}

func TestInflux(t *testing.T) {
	var b bytes.Buffer
	w := newWriter(&b, appendInflux)
	for _, r := range sampleRows() {
		w.emit(r)
	}
	w.flush()
	if n := strings.Count(b.String(), "\n"); n != 3 || !strings.HasPrefix(b.String(), "icmp_sweep,block=192.0.2.0/24,") {
		t.Errorf("got %q", b.String())
	}
}

type broken struct{ error }

func (b broken) Write([]byte) (int, error) { return 0, b.error }

func TestWriterKeepsTheFirstError(t *testing.T) {
	w := newWriter(broken{errors.New("disk full")}, appendCSV)
	for range 10_000 {
		w.emit(sampleRows()[0])
	}
	if err := w.flush(); err == nil || !strings.Contains(err.Error(), "disk full") {
		t.Errorf("got %v", err)
	}
}

func TestProgressLine(t *testing.T) {
	got := progressLine(16_384, 12_000, 65_536, 2*time.Second)
	if want := "██████░░░░░░░░░░░░░░░░░░  25%  16,384 of 65,536 sent, 12,000 answered, 8,192/s, 6s left"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	progressLine(0, 0, 0, 0) // divides by none of them
}

func TestNumbers(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", -65536: "-65,536", 1234567: "1,234,567"} {
		if got := thousands(n); got != want {
			t.Errorf("thousands(%d) = %s, want %s", n, got, want)
		}
	}
	for ns, want := range map[int64]string{3142: "3.1 µs", 29_500_000: "29.50 ms", 1_500_000_000: "1.50 s"} {
		if got := micros(ns); got != want {
			t.Errorf("micros(%d) = %s, want %s", ns, got, want)
		}
	}
}

func TestExitCodes(t *testing.T) {
	for _, c := range []struct {
		args string
		want int
	}{
		{"--help", exitDone}, {"version", exitDone}, {"sweep --help", exitDone}, {"completion bash", exitDone},
		{"swep", exitUsage}, {"sweep", exitUsage}, {"sweep --rate x 192.0.2.1", exitUsage}, {"telegraf", exitUsage},
		{"version more", exitUsage}, {"sweep --ttl 256 192.0.2.1", exitUsage}, {"sweep --source ::1 192.0.2.1", exitUsage},
		{"sweep --exclude x 192.0.2.1", exitUsage}, {"sweep --exclude 192.0.2.1 192.0.2.1", exitUsage},
	} {
		if got := run(t.Context(), strings.Fields(c.args)); got != c.want {
			t.Errorf("echogram %s: exit code %d, want %d", c.args, got, c.want)
		}
	}
}
