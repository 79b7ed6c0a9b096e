package main

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"echogram/plugins/internal/bfdwire"
	"echogram/plugins/internal/frame"
	"echogram/plugins/internal/prober"
	"echogram/plugins/schema"
)

// packetView is a packet as formats see it.
type packetView struct {
	*prober.BFDPacket
	tap   string
	since int64 // ns since the first one of the capture
}

// packetFormat writes a line for each packet.
type packetFormat struct {
	head  string
	line  func(dst []byte, p *packetView) []byte
	tap   func(ifindex int32) string
	view  packetView
	first schema.Opt
	wide  int // of the table's addresses
}

func newPacketFormat(name string, columns []string) (*packetFormat, error) {
	f := &packetFormat{wide: len("192.0.2.1 > 192.0.2.2")}
	if len(columns) == 0 {
		columns = []string{"all"}
	} else if name != "csv" {
		return nil, errors.New("--columns goes with --format csv")
	}
	picked, err := pickColumns(packetColumns, columns)
	switch {
	case err != nil:
		return nil, err
	case name == "csv":
		f.head = strings.Join(fieldNames(picked), ",") + "\n"
		f.line = func(dst []byte, p *packetView) []byte { return appendCSVLine(dst, picked, p) }
	case name == "json":
		f.line = func(dst []byte, p *packetView) []byte { return appendJSONObject(dst, packetColumns, p) }
	case name == "table":
		f.head = fmt.Sprintf("%6s %12s  %-*s  %s\n", "NO", "SECONDS", f.wide, "FROM > TO", "BFD")
		f.line = f.people
	default:
		return nil, fmt.Errorf("--format %q: must be table, csv or json with --packets", name)
	}
	return f, nil
}

// begin starts a capture, with times and capture points of its own.
func (f *packetFormat) begin(tap func(ifindex int32) string) { f.tap, f.first = tap, schema.Opt{} }

func (f *packetFormat) append(dst []byte, p *prober.BFDPacket) []byte {
	if !f.first.Set {
		f.first = schema.Some(p.Packet.Stamp)
	}
	f.view = packetView{p, f.tap(p.Packet.IfIndex), p.Packet.Stamp - f.first.N}
	return f.line(dst, &f.view)
}

// people writes a line of the table: what every packet has in columns, then what its kind has.
func (f *packetFormat) people(dst []byte, p *packetView) []byte {
	dst = fmt.Appendf(dst, "%6d %12.6f  ", p.Number, float64(p.since)/1e9)
	dst = appendLeft(dst, p.Datagram.Src.String()+" > "+p.Datagram.Dst.String(), &f.wide)
	var notes []string
	if p.IsEcho {
		notes = p.echoNotes()
	} else {
		notes = p.controlNotes()
	}
	dst = append(dst, strings.Join(append(notes, p.wayNotes()...), ", ")...)
	if p.Truncated {
		dst = append(dst, ", CUT by the capture"...)
	}
	if p.Rule != bfdwire.Accepted {
		dst = append(append(dst, ", REFUSED by "...), p.refusal()...)
	}
	return append(dst, '\n')
}

func (p *packetView) controlNotes() []string {
	c := &p.Control
	notes := []string{p.kind()}
	if p.hasState() {
		notes[0] += " " + c.State.String()
	}
	add := func(set bool, format string, args ...any) {
		if set {
			notes = append(notes, fmt.Sprintf(format, args...))
		}
	}
	add(p.flags() != "", "%s", p.flags())
	add(c.Diag != 0, "diag %d %v", uint8(c.Diag), c.Diag)
	add(p.has(12), "%d → %d", c.MyDiscriminator, c.YourDiscriminator)
	add(p.has(3), "× %d", c.DetectMult)
	add(p.has(24), "TX %s, RX %s, echo RX %s", microTimer(c.DesiredMinTX), microTimer(c.RequiredMinRX), microTimer(c.RequiredMinEchoRX))
	add(c.Auth.Type != 0, "%s key %d", cmp.Or(c.Auth.Name(), fmt.Sprintf("authentication type %d", c.Auth.Type)), c.Auth.KeyID)
	add(c.Auth.HasSequence, "seq %d", c.Auth.Sequence)
	add(c.Padding > 0, "%d bytes of padding", c.Padding)
	add(p.Datagram.TTL != 255, "TTL %d", p.Datagram.TTL)
	return notes
}

func (p *packetView) echoNotes() []string {
	e := &p.Echo
	notes := []string{fmt.Sprintf("echo TTL %d", p.Datagram.TTL), fmt.Sprintf("%v, %d bytes", e.Layout, p.Datagram.Len)}
	if e.HasDiscriminator {
		notes = append(notes, fmt.Sprintf("discriminator %d", e.Discriminator))
	}
	if e.HasSequence {
		notes = append(notes, fmt.Sprintf("seq %d", e.Sequence))
	}
	if e.HasTime {
		notes = append(notes, "sent at "+string(appendNanos(nil, e.Time))+" of its clock")
	}
	if p.Datagram.HasID {
		notes = append(notes, fmt.Sprintf("IP-ID %d", p.Datagram.ID))
	}
	return notes
}

// wayNotes says where and in what a packet was seen.
func (p *packetView) wayNotes() []string {
	d := p.Datagram
	var notes []string
	if p.tap != "" {
		notes = append(notes, "tap "+p.tap)
	}
	if v := p.vlans(); v != "" {
		notes = append(notes, "VLAN "+v)
	}
	if d.Tunnel != frame.NoTunnel {
		notes = append(notes, strings.TrimSpace(p.tunnel()+" "+optText(p.vni())+" "+p.outer(d.OuterSrc.String(), d.OuterDst.String())))
	}
	return notes
}

func (p *packetView) outer(src, dst string) string {
	if !p.Datagram.OuterSrc.IsValid() {
		return ""
	}
	return src + " > " + dst
}

// kind is the packet's kind by its port.
func (p *packetView) kind() string {
	if p.IsEcho {
		return "echo"
	}
	for port, kind := range map[uint16]string{
		bfdwire.PortMultihop: "multihop", bfdwire.PortMicro: "micro", bfdwire.PortSBFD: "sbfd",
	} {
		if p.Datagram.DstPort == port || p.Datagram.SrcPort == port {
			return kind
		}
	}
	return "control"
}

// flags are the letters of RFC 5880, 4.1.
func (p *packetView) flags() string {
	c := &p.Control
	var s []byte
	for _, f := range []struct {
		set    bool
		letter byte
	}{{c.Poll, 'P'}, {c.Final, 'F'}, {c.Independent, 'C'}, {c.AuthPresent, 'A'}, {c.Demand, 'D'}, {c.Multipoint, 'M'}} {
		if f.set {
			s = append(s, f.letter)
		}
	}
	return string(s)
}

func (p *packetView) vlans() string {
	var s []byte
	for _, v := range p.Datagram.VLANs {
		if v == 0 {
			break
		}
		if len(s) > 0 {
			s = append(s, '.')
		}
		s = strconv.AppendUint(s, uint64(v), 10)
	}
	return string(s)
}

// tunnel names a tunnel as rows do.
func (p *packetView) tunnel() string {
	names := [...]string{"", "gre", "vxlan", "geneve", "mpls", "vccv"}
	return names[p.Datagram.Tunnel]
}

func (p *packetView) vni() schema.Opt {
	return schema.Opt{N: int64(p.Datagram.VNI), Set: p.Datagram.HasVNI}
}

// refusal says by which rule a packet is refused, with the value that breaks it.
func (p *packetView) refusal() string {
	c := &p.Control
	var what string
	switch p.Rule {
	case bfdwire.Accepted:
		return ""
	case bfdwire.RuleVersion:
		what = fmt.Sprintf("version is %d, not 1", c.Version)
	case bfdwire.RuleLength:
		what = fmt.Sprintf("Length %d is too short", c.Length)
	case bfdwire.RulePayloadLength:
		what = fmt.Sprintf("Length %d is more than the datagram's %d bytes", c.Length, p.Datagram.Len)
	case bfdwire.RuleDetectMult:
		what = "Detect Mult is 0"
	case bfdwire.RuleMultipoint:
		what = "Multipoint is set, and Your Discriminator"
	case bfdwire.RuleMyDiscriminator:
		what = "My Discriminator is 0"
	case bfdwire.RuleYourDiscriminator:
		what = "Your Discriminator is 0 in state " + c.State.String()
	default:
		what = fmt.Sprintf("authentication section of type %d does not fit", c.Auth.Type)
	}
	return p.Rule.Section() + ": " + what
}
