package witness

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"os/exec"
	"slices"
	"strconv"
	"strings"
)

// BFDFilter is what tshark is asked for: it takes what ICMP errors quote for packets, too.
const BFDFilter = "(bfd || bfd_echo) && !icmp && !icmpv6"

// Tshark has tshark decode a capture file, and returns the fields, named as by tshark -G fields, of each BFD packet. Of a
// field that a frame has several times, in a tunnel and in what it carries, it is the last. When tshark finds the
// file damaged, what it read before is returned with the error.
func Tshark(ctx context.Context, file string, fields ...string) ([][]string, error) {
	args := []string{"-n", "-r", file, "-Y", BFDFilter, "-T", "fields", "-E", "occurrence=l", "-E", "separator=/t"}
	for _, f := range fields {
		args = append(args, "-e", f)
	}
	var out, said bytes.Buffer
	cmd := exec.CommandContext(ctx, "tshark", args...)
	cmd.Stdout, cmd.Stderr = &out, &said
	err := cmd.Run()
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return nil, errors.New("witness: tshark is not here: apt-get install tshark")
	case err != nil:
		err = fmt.Errorf("witness: tshark: %w: %s", err, bytes.TrimSpace(said.Bytes()))
	}
	return rows(out.String(), len(fields)), err
}

// rows splits what tshark wrote. A line that it broke off has fewer fields and is left out.
func rows(text string, fields int) (list [][]string) {
	for line := range strings.Lines(text) {
		if row := strings.Split(strings.TrimSuffix(line, "\n"), "\t"); len(row) == fields {
			list = append(list, row)
		}
	}
	return list
}

// BFDPacket is a BFD packet as tshark decodes it. What a packet does not have, or the capture cut, is zero.
type BFDPacket struct {
	Frame            int   // from 1
	Time             int64 // ns since 1970
	Echo             bool
	Src, Dst         netip.Addr // innermost
	SrcPort, DstPort uint16
	TTL              uint8

	Version, Diag, State   uint8
	Flags                  uint8 // P 0x20, F 0x10, C 0x08, A 0x04, D 0x02, M 0x01
	DetectMult, Length     uint8
	My, Your               uint32
	DesiredTX, RequiredRX  uint32 // µs
	RequiredEchoRX         uint32 // µs
	AuthType, AuthLen, Key uint8
	AuthSequence           uint32

	Payload []byte // of an echo
}

// bfdFields are what ReadBFD asks for, and where it goes.
var bfdFields = []struct {
	name string
	set  func(p *BFDPacket, v string) error
}{
	{"frame.number", func(p *BFDPacket, v string) (err error) { p.Frame, err = strconv.Atoi(v); return err }},
	{"frame.time_epoch", func(p *BFDPacket, v string) (err error) { p.Time, err = epoch(v); return err }},
	{"udp.srcport", number(func(p *BFDPacket) *uint16 { return &p.SrcPort })},
	{"udp.dstport", number(func(p *BFDPacket) *uint16 { return &p.DstPort })},
	{"bfd.version", number(func(p *BFDPacket) *uint8 { return &p.Version })},
	{"bfd.diag", number(func(p *BFDPacket) *uint8 { return &p.Diag })},
	{"bfd.sta", number(func(p *BFDPacket) *uint8 { return &p.State })},
	{"bfd.flags", number(func(p *BFDPacket) *uint8 { return &p.Flags })},
	{"bfd.detect_time_multiplier", number(func(p *BFDPacket) *uint8 { return &p.DetectMult })},
	{"bfd.message_length", number(func(p *BFDPacket) *uint8 { return &p.Length })},
	{"bfd.my_discriminator", number(func(p *BFDPacket) *uint32 { return &p.My })},
	{"bfd.your_discriminator", number(func(p *BFDPacket) *uint32 { return &p.Your })},
	{"bfd.desired_min_tx_interval", number(func(p *BFDPacket) *uint32 { return &p.DesiredTX })},
	{"bfd.required_min_rx_interval", number(func(p *BFDPacket) *uint32 { return &p.RequiredRX })},
	{"bfd.required_min_echo_interval", number(func(p *BFDPacket) *uint32 { return &p.RequiredEchoRX })},
	{"bfd.auth.type", number(func(p *BFDPacket) *uint8 { return &p.AuthType })},
	{"bfd.auth.len", number(func(p *BFDPacket) *uint8 { return &p.AuthLen })},
	{"bfd.auth.key", number(func(p *BFDPacket) *uint8 { return &p.Key })},
	{"bfd.auth.seq_num", number(func(p *BFDPacket) *uint32 { return &p.AuthSequence })},
	{"bfd_echo.packet", func(p *BFDPacket, v string) (err error) { p.Payload, err = hex.DecodeString(v); return err }},
}

// layerFields say which IP the BFD is in, when a frame has both.
var layerFields = []string{"frame.protocols", "ip.src", "ip.dst", "ip.ttl", "ipv6.src", "ipv6.dst", "ipv6.hlim"}

// number sets an integer, decimal or hexadecimal behind 0x.
func number[N uint8 | uint16 | uint32](field func(*BFDPacket) *N) func(*BFDPacket, string) error {
	return func(p *BFDPacket, v string) error {
		n, err := strconv.ParseUint(v, 0, 32)
		if uint64(N(n)) != n {
			err = strconv.ErrRange
		}
		*field(p) = N(n)
		return err
	}
}

// ReadBFD lists the BFD packets of a capture file, as tshark decodes them. When tshark finds the file damaged, what it
// read before is returned with the error.
func ReadBFD(ctx context.Context, file string) ([]BFDPacket, error) {
	fields := slices.Clone(layerFields)
	for _, f := range bfdFields {
		fields = append(fields, f.name)
	}
	rows, err := Tshark(ctx, file, fields...)
	var list []BFDPacket
	for _, row := range rows {
		p, wrong := bfdPacket(row)
		if wrong != nil {
			return list, errors.Join(wrong, err)
		}
		list = append(list, p)
	}
	return list, err
}

// bfdPacket reads layerFields and bfdFields.
func bfdPacket(row []string) (BFDPacket, error) {
	var p BFDPacket
	for i, f := range bfdFields {
		v := row[len(layerFields)+i]
		if v == "" {
			continue
		}
		if err := f.set(&p, v); err != nil {
			return p, fmt.Errorf("witness: tshark wrote %s %q: %w", f.name, v, err)
		}
	}
	p.Flags &= 0x3f // the first two bits are the state
	protocols := strings.Split(row[0], ":")
	p.Echo = slices.Contains(protocols, "bfd_echo")
	return p, p.readIP(protocols, row[1:])
}

// readIP takes the fields of the innermost IP header.
func (p *BFDPacket) readIP(protocols, row []string) error {
	for _, name := range slices.Backward(protocols) {
		switch name {
		case "ipv6":
			row = row[3:]
			fallthrough
		case "ip":
			ttl, err := strconv.ParseUint(row[2], 10, 8)
			if err == nil {
				p.TTL = uint8(ttl)
				p.Src, err = netip.ParseAddr(row[0])
			}
			if err == nil {
				p.Dst, err = netip.ParseAddr(row[1])
			}
			if err != nil {
				return fmt.Errorf("witness: tshark wrote an IP header %q: %w", row, err)
			}
			return nil
		}
	}
	return nil
}

// epoch reads seconds with nine decimals.
func epoch(v string) (ns int64, err error) {
	seconds, fraction, _ := strings.Cut(v, ".")
	if len(fraction) != 9 {
		return 0, strconv.ErrSyntax
	}
	return strconv.ParseInt(seconds+fraction, 10, 64)
}
