package main

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"echogram/plugins/internal/bfdwire"
	"echogram/plugins/internal/icmpecho"
)

// captureBytes is a pcap file of n rounds, 300 ms each, of a session between 10.0.1.1 and 10.0.1.2 that is Up: a
// packet of each end, an echo of the first end, and 12 ms later its return.
func captureBytes(begin time.Time, n int) []byte {
	b := binary.LittleEndian.AppendUint32(nil, 0xa1b23c4d)
	b = append(b, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 1, 0, 0, 0)
	ends := [2]netip.Addr{netip.MustParseAddr("10.0.1.1"), netip.MustParseAddr("10.0.1.2")}
	add := func(at time.Duration, from int, src, dst netip.Addr, ttl byte, id int, port uint16, payload []byte) {
		frame := []byte{2, 0, 0, 0, 0, byte(1 - from), 2, 0, 0, 0, 0, byte(from), 8, 0}
		frame = append(frame, 0x45, 0xc0, 0, byte(28+len(payload)), byte(id>>8), byte(id), 0, 0, ttl, 17, 0, 0)
		frame = append(append(frame, src.AsSlice()...), dst.AsSlice()...)
		binary.BigEndian.PutUint16(frame[14+10:], icmpecho.Checksum(frame[14:])) // a bridge looks at it
		frame = binary.BigEndian.AppendUint16(frame, 49152)
		frame = binary.BigEndian.AppendUint16(frame, port)
		frame = append(append(frame, 0, byte(8+len(payload)), 0, 0), payload...)
		t := begin.Add(at)
		for _, v := range []int{int(t.Unix()), t.Nanosecond(), len(frame), len(frame)} {
			b = binary.LittleEndian.AppendUint32(b, uint32(v))
		}
		b = append(b, frame...)
	}
	for i := range n {
		at := time.Duration(i) * 300 * time.Millisecond
		for from, src := range ends {
			c := bfdwire.Control{
				Version: 1, State: bfdwire.Up, DetectMult: 3, Length: 24, MyDiscriminator: uint32(1 + from), YourDiscriminator: uint32(2 - from),
				DesiredMinTX: 300000, RequiredMinRX: 300000, RequiredMinEchoRX: 300000,
			}
			add(at, from, src, ends[1-from], 255, i, bfdwire.PortControl, bfdwire.AppendControl(nil, &c))
		}
		echo := []byte{0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, byte(i)}
		add(at, 0, ends[0], ends[0], 255, i, bfdwire.PortEcho, echo)
		add(at+12*time.Millisecond, 1, ends[0], ends[0], 254, i, bfdwire.PortEcho, echo)
	}
	return b
}

// readBFD reads files as the command does, without giving up its privileges.
func readBFD(t *testing.T, f bfdFlags, files ...[]byte) (out string, failed bool) {
	t.Helper()
	var names []string
	for i, data := range files {
		names = append(names, filepath.Join(t.TempDir(), string(rune('a'+i))+".pcap"))
		if err := os.WriteFile(names[i], data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	results, err := f.newResults()
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	results.w = newWriter(&b, results.form)
	opened := openCaptures(names)
	defer closeCaptures(opened)
	for _, p := range f.points(opened) {
		failed = f.read(t.Context(), p, results) || failed
	}
	if err := results.w.flush(); err != nil {
		t.Fatal(err)
	}
	return b.String(), failed
}

func bfdFormat(name string) bfdFlags {
	f := bfdFlags{format: name}
	f.config.Period, f.config.PerEcho = 10*time.Second, name == "csv"
	if name == "table" {
		f.config.Period = wholeCapture
	}
	return f
}

func TestBFDFiles(t *testing.T) {
	begin := time.Unix(1_700_000_000, 0)
	first, second := captureBytes(begin, 10), captureBytes(begin.Add(3*time.Second), 10)
	cut := first[:len(first)-10]

	got, failed := readBFD(t, bfdFormat("csv"), first)
	if want := "10.0.1.1,02:00:00:00:00:00,02:00:00:00:00:01,1700000000.300000000,0.012000000,0.300000000"; failed ||
		strings.Count(got, "\n") != 10 || strings.Split(got, "\n")[1] != want {
		t.Errorf("csv: %v, %s", failed, got)
	}
	if got, failed := readBFD(t, bfdFormat("csv"), cut); !failed || strings.Count(got, "\n") != 9 {
		t.Errorf("of a cut file: %v, %s", failed, got)
	}
	got, failed = readBFD(t, bfdFormat("table"), first, []byte("no capture"), second)
	if !failed || strings.Count(got, "single hop, tap a\n") != 1 || strings.Count(got, "single hop, tap c\n") != 1 ||
		strings.Count(got, "control packets     10  ") != 2 {
		t.Errorf("two capture points: %v, %s", failed, got)
	}
	joined := bfdFormat("table")
	joined.join = true
	got, failed = readBFD(t, joined, second, first)
	if failed || strings.Count(got, "↔") != 1 || !strings.Contains(got, "control packets     20  ") || strings.Contains(got, "out of order") {
		t.Errorf("joined: %v, %s", failed, got)
	}
	if got, failed := readBFD(t, bfdFormat("json"), captureBytes(begin, 0)); !failed || got != "" {
		t.Errorf("without BFD: %v, %s", failed, got)
	}
}

// TestBFDSession: what is asked for is shown, in full, and nothing else.
func TestBFDSession(t *testing.T) {
	for address, want := range map[string]int{"10.0.1.2": 10, "10.0.1.3": 0} {
		f := bfdFormat("csv")
		f.only, _ = newBFDFilter([]string{address})
		if got, _ := readBFD(t, f, captureBytes(time.Unix(0, 0), 10)); strings.Count(got, "\n") != want {
			t.Errorf("%s: %s", address, got)
		}
	}
}

// TestBFDUnsorted: a file whose parts were put together in the wrong order gives the points of the sorted one.
func TestBFDUnsorted(t *testing.T) {
	const head = 24
	begin := time.Unix(1_790_000_000, 0)
	early, late := captureBytes(begin, 20), captureBytes(begin.Add(6*time.Second), 20)
	f := bfdFormat("influx")
	f.config.PerEcho = true
	want, _ := readBFD(t, f, slices.Concat(early, late[head:]))
	got, failed := readBFD(t, f, slices.Concat(late, early[head:]))
	if failed || got != want || strings.Count(want, "bfd_echo_rtt") != 40 {
		t.Errorf("failed: %t\n%s\nwant\n%s", failed, got, want)
	}
}
