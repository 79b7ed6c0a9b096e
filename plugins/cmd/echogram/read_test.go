package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// readCapture evaluates a capture as the command does, without its privileges.
func readCapture(t *testing.T, file, formatName string, targets ...string) (string, error) {
	t.Helper()
	f := sweepFlags{read: file, format: formatName}
	f.plan.Timeout = time.Second
	config, format, err := f.readConfig(targets)
	if err != nil {
		t.Fatal(err)
	}
	config.Host = "prober"
	in, err := openCapture(file)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	var b bytes.Buffer
	err = f.replay(t.Context(), in, config, newWriter(&b, format))
	return b.String(), err
}

// TestReadOtherPingers reads what tcpdump took of ping and fping, on all interfaces of a host at once: three and two
// requests, six targets in IPv4 and one in IPv6, of which one is silent and three are reported unreachable.
func TestReadOtherPingers(t *testing.T) {
	for _, format := range []string{"table", "influx"} {
		got, err := readCapture(t, "testdata/pings.pcap", format)
		if err != nil {
			t.Fatal(err)
		}
		golden(t, "pings_"+format, []byte(got))
	}
	got, err := readCapture(t, "testdata/pings.pcap", "csv", "198.51.100.0/24", "2001:db8::2")
	if want := "198.51.100.1,0.000015628\n"; err != nil || !strings.HasPrefix(got, want) || strings.Count(got, "\n") != 5 {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestReadCutShort(t *testing.T) {
	data, err := os.ReadFile("testdata/pings.pcap")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "cut.pcap")
	if err := os.WriteFile(file, data[:len(data)-300], 0o644); err != nil {
		t.Fatal(err)
	}
	got, err := readCapture(t, file, "json")
	if err == nil || !strings.Contains(err.Error(), "the file ends inside a packet, after ") || !strings.Contains(err.Error(), "partial") {
		t.Errorf("got %v", err)
	}
	if !strings.Contains(got, `"target":"198.51.100.1"`) || !strings.Contains(got, `"partial":true`) || !strings.Contains(got, `"trust":"cut_short"`) {
		t.Errorf("got %s", got)
	}
}

func TestReadRefuses(t *testing.T) {
	for file, want := range map[string]string{
		"read_test.go":        "read_test.go: pcapfile: neither a pcap nor a pcapng file: it begins with 70 61 63 6b",
		"testdata/empty.pcap": "testdata/empty.pcap: no echo request in 0 packets",
	} {
		if got, err := readCapture(t, file, "csv"); err == nil || err.Error() != want || got != "" {
			t.Errorf("%s: %q, %v; want %s", file, got, err, want)
		}
	}
}

func TestReadingLine(t *testing.T) {
	if got, want := readingLine(25e6, 100e6, 500*time.Millisecond), " 25%  25.0 MB read, 50 MB/s"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got, want := readingLine(25e6, 0, 0), "25.0 MB read, 25000 MB/s"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestReadingDraws: no more often than every 100 ms, and not at all when it is not to be shown.
func TestReadingDraws(t *testing.T) {
	var drawn bytes.Buffer
	r := &reading{in: strings.NewReader(strings.Repeat("x", 1000)), out: &drawn, total: 1000, begin: time.Now()}
	if _, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, r, make([]byte, 10)); err != nil || strings.Count(drawn.String(), "\r") != 1 {
		t.Errorf("%q, %v", drawn.String(), err)
	}
	if newReading(os.Stdin, false).out != nil {
		t.Error("draws unasked")
	}
}
