package main

import (
	"errors"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

type broken struct{ error }

func (b broken) Write([]byte) (int, error) { return 0, b.error }

func TestWriterKeepsTheFirstError(t *testing.T) {
	w := newWriter(broken{errors.New("disk full")}, format{row: appendCSV})
	for range 10_000 {
		w.emit(sampleRows(t)[0])
	}
	if err := w.flush(); err == nil || !strings.Contains(err.Error(), "disk full") {
		t.Errorf("got %v", err)
	}
}

func TestNumbers(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", -65536: "-65,536", 1234567: "1,234,567"} {
		if got := thousands(n); got != want {
			t.Errorf("thousands(%d) = %s, want %s", n, got, want)
		}
	}
	for ns, want := range map[int64]string{
		0: "0.000 µs", 3142: "3.142 µs", 9_999: "9.999 µs", 345_678: "345.7 µs", 999_949: "999.9 µs", 999_950: "1.000 ms",
		29_500_000: "29.50 ms", 99_994_999: "99.99 ms", 99_995_000: "100.0 ms", 1_500_000_000: "1.500 s", 62_000_000_000: "62.00 s",
	} {
		if got := micros(ns); got != want {
			t.Errorf("micros(%d) = %s, want %s", ns, got, want)
		}
	}
}

// TestTableOfNames: a table has a column for names where targets may have some.
func TestTableOfNames(t *testing.T) {
	for target, want := range map[string]bool{"192.0.2.1": false, "www.example.net": true} {
		var f sweepFlags
		flags := pflag.NewFlagSet("sweep", pflag.ContinueOnError)
		for _, s := range f.sections() {
			flags.AddFlagSet(s.flags)
		}
		f.format = "table"
		out, err := f.fill(flags, []string{target})
		if got := strings.Contains(out.head, " NAME "); err != nil || got != want {
			t.Errorf("%s: header %q, error %v", target, out.head, err)
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
		{"version more", exitUsage}, {"sweep --ttl 256 192.0.2.1", exitUsage}, {"sweep --source eth0 192.0.2.1", exitUsage}, {"sweep --source ::1 --source ::2 192.0.2.1", exitUsage},
		{"ping", exitUsage}, {"ping --help", exitDone}, {"ping -i 0 192.0.2.1", exitUsage}, {"ping -t 256 192.0.2.1", exitUsage}, {"ping -4 2001:db8::1", exitUsage},
		{"ping -Q 3 192.0.2.1", exitUsage}, {"ping 192.0.2.0/24", exitUsage},
		{"sweep --exclude x 192.0.2.1", exitUsage}, {"sweep --exclude 192.0.2.1 192.0.2.1", exitUsage},
		{"sweep --format xml 192.0.2.1", exitUsage}, {"sweep --columns rtt --format json 192.0.2.1", exitUsage}, {"sweep --columns rrt 192.0.2.1", exitUsage},
		{"sweep --read /nonexistent", exitFailed}, {"sweep --read testdata/pings.pcap --rate 5", exitUsage}, {"sweep --read testdata/pings.pcap --timeout 0", exitUsage},
		{"sweep --read testdata/pings.pcap --exclude 192.0.2.1", exitUsage},
	} {
		if got := run(t.Context(), strings.Fields(c.args)); got != c.want {
			t.Errorf("echogram %s: exit code %d, want %d", c.args, got, c.want)
		}
	}
}
