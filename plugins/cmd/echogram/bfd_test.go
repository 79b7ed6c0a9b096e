package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"echogram/plugins/internal/bfdwire"
	"echogram/plugins/internal/capture"
	"echogram/plugins/internal/frame"
	"echogram/plugins/internal/prober"
)

// bfdPackets are a control packet, one that is refused, and an echo in VXLAN that the capture cut.
func bfdPackets() []*prober.BFDPacket {
	datagram := func(dst uint16, ttl uint8) *frame.Datagram {
		return &frame.Datagram{
			Src: netip.MustParseAddr("10.0.1.1"), Dst: netip.MustParseAddr("10.0.1.2"), SrcPort: 49152, DstPort: dst, TTL: ttl, Len: 24, Payload: make([]byte, 24),
			SrcMAC: frame.MAC{2, 0, 0, 0, 0, 1}, HasSrcMAC: true, ID: 4711, HasID: true,
		}
	}
	at := func(ns int64) *capture.Packet { return &capture.Packet{Stamp: bfdStart + ns} }
	control := bfdwire.Control{
		Version: 1, State: bfdwire.Up, Poll: true, DetectMult: 3, Length: 52, MyDiscriminator: 3686154791, YourDiscriminator: 2649500503,
		DesiredMinTX: 300000, RequiredMinRX: 300000, RequiredMinEchoRX: 50000,
		AuthPresent: true, Auth: bfdwire.Auth{Type: 5, KeyID: 2, Sequence: 17, HasSequence: true},
	}
	refused := control
	refused.YourDiscriminator, refused.Diag, refused.RequiredMinEchoRX = 0, bfdwire.DiagDetectionTime, 0
	refused.AuthPresent, refused.Auth, refused.Poll = false, bfdwire.Auth{}, false
	tunnelled := datagram(bfdwire.PortEcho, 254)
	tunnelled.VLANs, tunnelled.Tunnel, tunnelled.VNI, tunnelled.HasVNI = [frame.MaxVLANs]uint16{200, 7}, frame.VXLAN, 42, true
	tunnelled.OuterSrc, tunnelled.OuterDst = netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	return []*prober.BFDPacket{
		{Packet: at(0), Number: 1, Datagram: datagram(bfdwire.PortControl, 255), Control: control},
		{Packet: at(300_000_001), Number: 3, Datagram: datagram(bfdwire.PortMultihop, 64), Control: refused, Rule: bfdwire.RuleYourDiscriminator},
		{Packet: at(3_700_000_000_000), Number: 1234567, Datagram: tunnelled, IsEcho: true, Truncated: true,
			Echo: bfdwire.Echo{Layout: bfdwire.FRRTime, Discriminator: 1, HasDiscriminator: true, Time: 12_000_000_345, HasTime: true}},
	}
}

func TestBFDPackets(t *testing.T) {
	for _, c := range []struct {
		name, format string
		columns      []string
	}{
		{"bfd_packets_table", "table", nil}, {"bfd_packets_csv", "csv", nil}, {"bfd_packets_json", "json", nil},
		{"bfd_packets_columns", "csv", []string{"number", "seconds", "kind", "refused"}},
	} {
		f, err := newPacketFormat(c.format, c.columns)
		if err != nil {
			t.Fatal(err)
		}
		f.begin(func(int32) string { return "core" })
		b := []byte(f.head)
		for _, p := range bfdPackets() {
			b = f.append(b, p)
		}
		golden(t, c.name, b)
		if c.format != "json" {
			continue
		}
		for line := range bytes.Lines(b) {
			if !json.Valid(line) {
				t.Errorf("no JSON: %s", line)
			}
		}
	}
}

func TestBFDFilter(t *testing.T) {
	only, err := newBFDFilter([]string{"10.0.1.1", "2001:db8::/32"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"10.0.1.1", "10.0.1.2", true}, {"10.0.1.2", "10.0.1.1", true}, {"10.0.1.2", "10.0.1.3", false},
		{"fe80::1", "2001:db8::1", true}, {"10.0.1.2", "", false},
	} {
		if got := only.hasText(c.a, c.b); got != c.want {
			t.Errorf("%s, %s: %v", c.a, c.b, got)
		}
	}
	if !bfdFilter(nil).hasText("", "") {
		t.Error("no filter lets nothing pass")
	}
}

func TestBFDUsage(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"", "no capture: give a FILE"},
		{"a.pcap -I lo", "either files are read or interfaces listened on"},
		{"a.pcap --period 10ms", "--period 10ms: must be whole seconds, 1s or more"},
		{"a.pcap --near-miss 1", "--near-miss 1: must be above 1"},
		{"a.pcap --local router1", "--local router1: must be an address"},
		{"a.pcap --session router1", "--session router1: must be an address or a network"},
		{"a.pcap --duration 1s", "--promiscuous, --tunnels and --duration go with --interface"},
		{"-I lo --join", "--join goes with files"},
		{"a.pcap --per-echo", "--per-echo goes with --format json or influx"},
		{"a.pcap --packets --format influx", "--packets goes with --format table, csv or json"},
		{"a.pcap --format xml", "must be table, csv, json or influx"},
		{"a.pcap --format table --columns all", "--columns goes with --format csv"},
		{"a.pcap --columns rtt", `--columns "rtt": must be all, or of router_IP`},
		{"--join - a.pcap", "--join cannot look ahead in STDIN"},
		{"a.pcap --packets --columns ts", `--columns "ts": must be all, or of number`},
	} {
		root := newRoot()
		root.SetArgs(append([]string{"bfd"}, strings.Fields(c.args)...))
		err := root.ExecuteContext(t.Context())
		if usage := new(usageError); !errors.As(err, usage) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("bfd %s: %v, want %q", c.args, err, c.want)
		}
	}
}

func TestCapturePoints(t *testing.T) {
	f := bfdFlags{}
	points := f.points([]captureFile{{name: "/tmp/core.pcapng.gz"}, {name: "edge.pcap"}})
	if len(points) != 2 || points[0].tap != "core" || points[1].tap != "edge" {
		t.Errorf("%+v", points)
	}
	if points := f.points([]captureFile{{name: "core.pcap"}}); points[0].tap != "" {
		t.Errorf("%+v", points)
	}
	for name, want := range map[string]string{"STDIN": "STDIN", "ring.pcap3": "ring.pcap3", "a.b.cap": "a.b"} {
		if got := captureName(name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

// TestByFirstPacket: files of one capture are read in the order in which they were written.
func TestByFirstPacket(t *testing.T) {
	data, err := os.ReadFile("testdata/pings.pcap")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name string, b []byte) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, b, 0o644); err != nil {
			t.Fatal(err)
		}
		return name
	}
	const head = 24
	earlier := bytes.Clone(data)
	copy(earlier[head:], []byte{0, 0, 0, 1}) // its first packet is of long ago, in either byte order
	empty, late, early := write("empty", data[:head]), write("late", data), write("early", earlier)
	none := filepath.Join(dir, "none")
	files := openCaptures([]string{none, empty, late, early})
	defer closeCaptures(files)
	var got []string
	for _, f := range byFirstPacket(files) {
		got = append(got, f.name)
		if (f.err != nil) != (f.name == none) {
			t.Errorf("%s: %v", f.name, f.err)
		}
	}
	if want := []string{early, late, none, empty}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
