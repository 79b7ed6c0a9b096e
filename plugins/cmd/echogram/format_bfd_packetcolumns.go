package main

import (
	"net"
	"time"

	"echogram/plugins/internal/bfdwire"
	"echogram/plugins/schema"
)

// packetColumns are all columns of packets, in the order of "all".
var packetColumns = packetColumnList()

func packetColumnList() []bfdColumn[*packetView] {
	type view = *packetView
	some := func(n uint64) schema.Opt { return schema.Some(int64(n)) }
	// control is a column of control packets of which the capture has so many bytes.
	control := func(name string, bytes int, of func(*bfdwire.Control) uint64) bfdColumn[view] {
		return countColumn(name, func(p view) schema.Opt { return schema.Opt{N: int64(of(&p.Control)), Set: p.has(bytes)} })
	}
	address := func(name string, valid func(view) bool, of func(view) string) bfdColumn[view] {
		return wordColumn(name, func(p view) string {
			if !valid(p) {
				return ""
			}
			return of(p)
		})
	}
	tunnelled := func(p view) bool { return p.Datagram.OuterSrc.IsValid() }
	return []bfdColumn[view]{
		countColumn("number", func(p view) schema.Opt { return schema.Some(p.Number) }),
		wordColumn("time", func(p view) string { return time.Unix(0, p.Packet.Stamp).UTC().Format(time.RFC3339Nano) }),
		nanoColumn("seconds", func(p view) schema.Opt { return schema.Some(p.since) }),
		wordColumn("tap", func(p view) string { return p.tap }),
		wordColumn("vlan", view.vlans),
		wordColumn("tunnel", view.tunnel),
		countColumn("vni", view.vni),
		address("outer_src", tunnelled, func(p view) string { return p.Datagram.OuterSrc.String() }),
		address("outer_dst", tunnelled, func(p view) string { return p.Datagram.OuterDst.String() }),
		address("src_mac", func(p view) bool { return p.Datagram.HasSrcMAC }, func(p view) string { return net.HardwareAddr(p.Datagram.SrcMAC[:]).String() }),
		address("dst_mac", func(p view) bool { return p.Datagram.HasDstMAC }, func(p view) string { return net.HardwareAddr(p.Datagram.DstMAC[:]).String() }),
		wordColumn("src", func(p view) string { return p.Datagram.Src.String() }),
		wordColumn("dst", func(p view) string { return p.Datagram.Dst.String() }),
		countColumn("src_port", func(p view) schema.Opt { return some(uint64(p.Datagram.SrcPort)) }),
		countColumn("dst_port", func(p view) schema.Opt { return some(uint64(p.Datagram.DstPort)) }),
		countColumn("ttl", func(p view) schema.Opt { return some(uint64(p.Datagram.TTL)) }),
		countColumn("ip_id", func(p view) schema.Opt { return schema.Opt{N: int64(p.Datagram.ID), Set: p.Datagram.HasID} }),
		countColumn("length", func(p view) schema.Opt { return schema.Some(int64(p.Datagram.Len)) }),
		wordColumn("kind", view.kind),
		address("state", view.hasState, func(p view) string { return p.Control.State.String() }),
		control("diagnostic_code", 1, func(c *bfdwire.Control) uint64 { return uint64(c.Diag) }),
		address("diagnostic", view.hasState, func(p view) string { return p.Control.Diag.String() }),
		address("flags", view.hasState, view.flags),
		control("detect_mult", 3, func(c *bfdwire.Control) uint64 { return uint64(c.DetectMult) }),
		control("my_discriminator", 8, func(c *bfdwire.Control) uint64 { return uint64(c.MyDiscriminator) }),
		control("your_discriminator", 12, func(c *bfdwire.Control) uint64 { return uint64(c.YourDiscriminator) }),
		control("desired_min_tx_ns", 16, func(c *bfdwire.Control) uint64 { return uint64(c.DesiredMinTX) * 1000 }),
		control("required_min_rx_ns", 20, func(c *bfdwire.Control) uint64 { return uint64(c.RequiredMinRX) * 1000 }),
		control("required_min_echo_rx_ns", 24, func(c *bfdwire.Control) uint64 { return uint64(c.RequiredMinEchoRX) * 1000 }),
		address("auth", func(p view) bool { return p.Control.Auth.Type != 0 }, func(p view) string { return p.Control.Auth.Name() }),
		countColumn("auth_key_id", func(p view) schema.Opt {
			return schema.Opt{N: int64(p.Control.Auth.KeyID), Set: p.Control.Auth.Type != 0}
		}),
		countColumn("auth_sequence", func(p view) schema.Opt {
			return schema.Opt{N: int64(p.Control.Auth.Sequence), Set: p.Control.Auth.HasSequence}
		}),
		control("padding", 24, func(c *bfdwire.Control) uint64 { return uint64(c.Padding) }),
		address("layout", func(p view) bool { return p.IsEcho }, func(p view) string { return p.Echo.Layout.String() }),
		countColumn("discriminator", func(p view) schema.Opt {
			return schema.Opt{N: int64(p.Echo.Discriminator), Set: p.Echo.HasDiscriminator}
		}),
		countColumn("sequence", func(p view) schema.Opt { return schema.Opt{N: int64(p.Echo.Sequence), Set: p.Echo.HasSequence} }),
		nanoColumn("sender_clock", func(p view) schema.Opt { return schema.Opt{N: p.Echo.Time, Set: p.Echo.HasTime} }),
		{"truncated", false, func(dst []byte, p view) []byte {
			if !p.Truncated {
				return dst
			}
			return append(dst, "true"...)
		}},
		wordColumn("refused", view.refusal),
	}
}

// has tells whether so many bytes of a control packet are in the capture.
func (p *packetView) has(bytes int) bool { return !p.IsEcho && len(p.Datagram.Payload) >= bytes }

func (p *packetView) hasState() bool { return p.has(2) }
