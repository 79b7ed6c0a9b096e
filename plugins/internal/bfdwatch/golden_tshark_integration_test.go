//go:build integration

package bfdwatch_test

import (
	"bytes"
	"fmt"
	"net/netip"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"echogram/plugins/internal/bfdwatch"
	"echogram/plugins/internal/bfdwire"
)

// fieldPair is a field as tshark calls it and as a Sight has it.
type fieldPair struct {
	tshark  string
	control bool // of control packets only
	value   func(s *bfdwatch.Sight) string
}

// fieldPairs are the fields that are compared, the number of the frame first. tshark shows no field of what an echo
// carries.
var fieldPairs = []fieldPair{
	{"frame.number", false, func(s *bfdwatch.Sight) string { return number(s.Number) }},
	{"frame.time_epoch", false, func(s *bfdwatch.Sight) string {
		return fmt.Sprintf("%d.%09d", s.Packet.Stamp/1e9, s.Packet.Stamp%1e9)
	}},
	{"ip.src", false, func(s *bfdwatch.Sight) string { return ipv4(s.Datagram.Src) }},
	{"ip.dst", false, func(s *bfdwatch.Sight) string { return ipv4(s.Datagram.Dst) }},
	{"ipv6.src", false, func(s *bfdwatch.Sight) string { return ipv6(s.Datagram.Src) }},
	{"ipv6.dst", false, func(s *bfdwatch.Sight) string { return ipv6(s.Datagram.Dst) }},
	{"ip.ttl", false, func(s *bfdwatch.Sight) string { return only(s.Datagram.Src.Is4(), number(s.Datagram.TTL)) }},
	{"ipv6.hlim", false, func(s *bfdwatch.Sight) string { return only(s.Datagram.Src.Is6(), number(s.Datagram.TTL)) }},
	{"vlan.id", false, func(s *bfdwatch.Sight) string { return vlans(s.Datagram.VLANs[:]) }},
	{"udp.srcport", false, func(s *bfdwatch.Sight) string { return number(s.Datagram.SrcPort) }},
	{"udp.dstport", false, func(s *bfdwatch.Sight) string { return number(s.Datagram.DstPort) }},
	{"bfd.version", true, func(s *bfdwatch.Sight) string { return number(s.Control.Version) }},
	{"bfd.diag", true, func(s *bfdwatch.Sight) string { return fmt.Sprintf("0x%02x", uint8(s.Control.Diag)) }},
	{"bfd.sta", true, func(s *bfdwatch.Sight) string { return fmt.Sprintf("0x%02x", uint8(s.Control.State)) }},
	{"bfd.flags.p", true, func(s *bfdwatch.Sight) string { return bit(s.Control.Poll) }},
	{"bfd.flags.f", true, func(s *bfdwatch.Sight) string { return bit(s.Control.Final) }},
	{"bfd.flags.c", true, func(s *bfdwatch.Sight) string { return bit(s.Control.Independent) }},
	{"bfd.flags.a", true, func(s *bfdwatch.Sight) string { return bit(s.Control.AuthPresent) }},
	{"bfd.flags.d", true, func(s *bfdwatch.Sight) string { return bit(s.Control.Demand) }},
	{"bfd.flags.m", true, func(s *bfdwatch.Sight) string { return bit(s.Control.Multipoint) }},
	{"bfd.detect_time_multiplier", true, func(s *bfdwatch.Sight) string { return number(s.Control.DetectMult) }},
	{"bfd.message_length", true, func(s *bfdwatch.Sight) string { return number(s.Control.Length) }},
	{"bfd.my_discriminator", true, func(s *bfdwatch.Sight) string { return hex(s.Control.MyDiscriminator) }},
	{"bfd.your_discriminator", true, func(s *bfdwatch.Sight) string { return hex(s.Control.YourDiscriminator) }},
	{"bfd.desired_min_tx_interval", true, func(s *bfdwatch.Sight) string { return number(s.Control.DesiredMinTX) }},
	{"bfd.required_min_rx_interval", true, func(s *bfdwatch.Sight) string { return number(s.Control.RequiredMinRX) }},
	{"bfd.required_min_echo_interval", true, func(s *bfdwatch.Sight) string { return number(s.Control.RequiredMinEchoRX) }},
	{"bfd.auth.type", true, func(s *bfdwatch.Sight) string { return only(s.Control.AuthPresent, number(s.Control.Auth.Type)) }},
	{"bfd.auth.key", true, func(s *bfdwatch.Sight) string { return only(s.Control.AuthPresent, number(s.Control.Auth.KeyID)) }},
	{"bfd.auth.seq_num", true, func(s *bfdwatch.Sight) string { return only(s.Control.Auth.HasSequence, hex(s.Control.Auth.Sequence)) }},
}

func number[T uint8 | uint16 | uint32 | int64](n T) string { return strconv.FormatInt(int64(n), 10) }

func hex(n uint32) string { return fmt.Sprintf("0x%08x", n) }

func bit(b bool) string {
	if b {
		return "1"
	}
	return "0"
}

func only(there bool, text string) string {
	if there {
		return text
	}
	return ""
}

func ipv4(a netip.Addr) string { return only(a.Is4(), a.String()) }
func ipv6(a netip.Addr) string { return only(a.Is6(), a.String()) }

// tshark decodes the BFD packets of a capture: the values of fieldPairs, a slice a packet.
func tshark(t *testing.T, capture string) [][]string {
	t.Helper()
	args := []string{"-n", "-r", capture, "-Y", "(bfd || bfd_echo) && !icmp && !icmpv6", "-T", "fields", "-E", "occurrence=a", "-E", "aggregator=."}
	for _, f := range fieldPairs {
		args = append(args, "-e", f.tshark)
	}
	command := exec.CommandContext(t.Context(), "tshark", args...)
	command.WaitDelay = time.Second
	var errors bytes.Buffer
	command.Stderr = &errors
	out, err := command.Output()
	if err != nil {
		t.Fatalf("tshark: %v: %s", err, errors.String())
	}
	var packets [][]string
	for line := range strings.Lines(string(out)) {
		packets = append(packets, strings.Split(strings.TrimSuffix(line, "\n"), "\t"))
	}
	return packets
}

// Each packet of each capture is decoded as tshark decodes it. tshark shows nothing of control packets of which a
// capture has less than the 24 bytes that all have; we count those as truncated.
func TestTSharkAgrees(t *testing.T) {
	for _, c := range goldenCases(t) {
		t.Run(c.name, func(t *testing.T) {
			var got [][]string
			var cut int64
			c.run(t, goldenPeriod, func(config *bfdwatch.Config) {
				config.Trace = func(s *bfdwatch.Sight) {
					if s.Truncated && !s.IsEcho {
						cut++
						return
					}
					got = append(got, values(s))
				}
			}, nil)
			want := tshark(t, c.capture)
			var d differences
			equal(&d, "packets", len(got), len(want))
			equal(&d, "control packets that are cut", cut, total(c.Cut))
			for i := range min(len(got), len(want)) {
				comparePacket(&d, got[i], want[i])
			}
			d.report(t)
		})
	}
}

// values are a Sight's values of fieldPairs. A control packet in an echo is an echo to tshark.
func values(s *bfdwatch.Sight) []string {
	var texts []string
	for _, f := range fieldPairs {
		texts = append(texts, only(!f.control || s.Datagram.DstPort != bfdwire.PortEcho, f.value(s)))
	}
	return texts
}

func comparePacket(d *differences, got, want []string) {
	for i, f := range fieldPairs {
		equal(d, fmt.Sprintf("frame %s, %s", want[0], f.tshark), got[i], want[i])
	}
}
