//go:build integration && linux

package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"echogram/plugins/netlab"
	"echogram/plugins/schema"
)

// rewrapped are the frames of a pcap file, each as wrap makes it.
func rewrapped(pcap []byte, wrap func(frame []byte) []byte) []byte {
	const fileHead, recordHead = 24, 16
	out := slices.Clone(pcap[:fileHead])
	for b := pcap[fileHead:]; len(b) > 0; {
		end := recordHead + binary.LittleEndian.Uint32(b[8:])
		frame := wrap(slices.Clone(b[recordHead:end]))
		out = append(out, b[:8]...)
		out = binary.LittleEndian.AppendUint32(out, uint32(len(frame)))
		out = binary.LittleEndian.AppendUint32(out, uint32(len(frame)))
		out = append(out, frame...)
		b = b[end:]
	}
	return out
}

// macs is the length of both addresses of an Ethernet header, and its own with the ether type.
const macs, etherHead = 12, 14

// between puts bytes between a frame's addresses and what follows them from at on.
func between(at int, b ...byte) func([]byte) []byte {
	return func(frame []byte) []byte { return slices.Concat(frame[:macs], b, frame[at:]) }
}

// outerIPv4 puts a frame, from at on, behind an IPv4 header, from 198.19.9.1 to 198.19.9.2, and more.
func outerIPv4(proto byte, at int, more func(n int) []byte) func([]byte) []byte {
	return func(frame []byte) []byte {
		head := more(len(frame) - at)
		ip := []byte{8, 0, 0x45, 0, 0, byte(20 + len(head) + len(frame) - at), 0, 0, 0, 0, 64, proto, 0, 0, 198, 19, 9, 1, 198, 19, 9, 2}
		return slices.Concat(frame[:macs], ip, head, frame[at:])
	}
}

// TestBFDWrapped: VLAN tags, which the receiving kernel takes out of a frame and the sending one leaves in it, are told
// at both ends; what is in a tunnel is seen with --tunnels.
func TestBFDWrapped(t *testing.T) {
	ctx := bfdContext(t)
	pair, err := netlab.NewPair(netlab.PairConfig{})
	netlab.Lasting(t, pair, err)
	vxlan := func(n int) []byte {
		return []byte{0x12, 0x34, 0x12, 0xb5, 0, byte(16 + n), 0, 0, 8, 0, 0, 0, 0, 0, 42, 0}
	}
	gre := func(int) []byte { return []byte{0, 0, 8, 0} }
	cases := []struct {
		name string
		wrap func([]byte) []byte
		want schema.BFDSeries
	}{
		{"nothing", between(macs), schema.BFDSeries{}},
		{"a tag", between(macs, 0x81, 0, 0x60, 100), schema.BFDSeries{VLAN: "100"}},
		{"a service tag", between(macs, 0x88, 0xa8, 0, 101), schema.BFDSeries{VLAN: "101"}},
		{"two tags", between(macs, 0x88, 0xa8, 0, 200, 0x81, 0, 0x20, 7), schema.BFDSeries{VLAN: "200.7"}},
		{"two customer tags", between(macs, 0x81, 0, 0, 201, 0x81, 0, 0, 8), schema.BFDSeries{VLAN: "201.8"}},
		{"MPLS", between(etherHead, 0x88, 0x47, 0, 1, 0, 64, 0, 1, 0x11, 64), schema.BFDSeries{Tunnel: "mpls"}},
		{"MPLS in a VLAN", between(etherHead, 0x81, 0, 0, 102, 0x88, 0x47, 0, 1, 0x11, 64), schema.BFDSeries{Tunnel: "mpls", VLAN: "102"}},
		{"VXLAN", outerIPv4(17, 0, vxlan), schema.BFDSeries{Tunnel: "vxlan", VNI: "42"}},
		{"GRE", outerIPv4(47, etherHead, gre), schema.BFDSeries{Tunnel: "gre"}},
	}
	const rounds = 3
	received := listen(ctx, t, pair.Responder, netlab.ResponderLink, "--tunnels")
	plain := listen(ctx, t, pair.Responder, netlab.ResponderLink)
	sent := listen(ctx, t, pair.Prober, netlab.ProberLink, "--tunnels")
	for _, c := range cases {
		if err := sendFrames(pair.Prober, netlab.ProberLink, rewrapped(captureBytes(time.Now(), rounds), c.wrap)); err != nil {
			t.Fatal(c.name, err)
		}
	}
	for where, rows := range map[string]bfdRows{"received": received(), "received, no tunnels": plain(), "sent": sent()} {
		seen := 0
		for _, c := range cases {
			controls, echoes := packetsOf(rows, c.want)
			want := int64(rounds)
			if where == "received, no tunnels" && c.want.Tunnel != "" {
				want = 0
			}
			if controls != 2*want || echoes != want {
				t.Errorf("%s: %s: %d control packets and %d answered echoes, want %d and %d", where, c.name, controls, echoes, 2*want, want)
			}
			if want > 0 {
				seen += 2
			}
		}
		if ends := endsOf(rows); ends != seen {
			t.Errorf("%s: %d ends of sessions, want %d: %s", where, ends, seen, rows.text)
		}
	}
}

// packetsOf counts what was seen in a wrapping: packets, and echoes whose return was.
func packetsOf(rows bfdRows, in schema.BFDSeries) (controls, echoes int64) {
	same := func(s *schema.BFDSeries) bool { return s.VLAN == in.VLAN && s.Tunnel == in.Tunnel && s.VNI == in.VNI }
	for _, s := range rows.sessions {
		if same(&s.BFDSeries) {
			controls += s.Packets
		}
	}
	for _, e := range rows.echoes {
		if same(&e.BFDSeries) {
			echoes += e.Returned
		}
	}
	return controls, echoes
}

func endsOf(rows bfdRows) int {
	ends := map[[4]string]bool{}
	for _, s := range rows.sessions {
		ends[[4]string{s.VLAN, s.Tunnel, s.VNI, s.Local}] = true
	}
	return len(ends)
}

// TestBFDPromiscuous: what a bridge forwards from port to port its own device sees with --promiscuous only, as neither
// end's.
func TestBFDPromiscuous(t *testing.T) {
	ctx := bfdContext(t)
	lab, err := netlab.New()
	netlab.Lasting(t, lab, err)
	sender, bridge := bridged(t, lab)
	const rounds = 20
	send := func() {
		t.Helper()
		if err := sendFrames(sender, "host", captureBytes(time.Now(), rounds)); err != nil {
			t.Fatal(err)
		}
	}
	stop := listen(ctx, t, bridge, "br0", "--promiscuous")
	send()
	rows := stop()
	if controls, echoes := packetsOf(rows, schema.BFDSeries{}); controls != 2*rounds || echoes != rounds {
		t.Errorf("promiscuous: %d control packets, %d answered echoes: %s", controls, echoes, rows.text)
	}
	for _, e := range rows.echoes {
		if e.TapRole != "transit" {
			t.Errorf("%+v", e)
		}
	}
	plain := bridge.Command(ctx, program, "bfd", "-I", "br0", "--duration", "2s", "--format", "influx")
	var out bytes.Buffer
	plain.Stdout, plain.Stderr = &out, &out
	if err := plain.Start(); err != nil {
		t.Fatal(err)
	}
	awaitRing(ctx, t, plain.Process.Pid)
	send()
	if err := plain.Wait(); plain.ProcessState.ExitCode() != exitFailed || !strings.Contains(out.String(), "no BFD seen") {
		t.Errorf("not promiscuous: %v: %s", err, &out)
	}
}

// bridged joins a namespace by its link host to a bridge, br0, in another.
func bridged(t *testing.T, lab *netlab.Lab) (host, bridge *netlab.Namespace) {
	t.Helper()
	host, err := lab.Namespace("host")
	if err == nil {
		bridge, err = lab.Namespace("bridge")
	}
	if err == nil {
		err = netlab.Connect(netlab.End{Namespace: host, Link: "host"}, netlab.End{Namespace: bridge, Link: "port"})
	}
	if err == nil {
		err = errors.Join(bridge.Bridge("br0"), bridge.Enslave("port", "br0"))
	}
	if err != nil {
		t.Fatal(err)
	}
	return host, bridge
}
