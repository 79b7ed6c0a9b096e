package witness

import (
	"net/netip"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

// kind is what a frame is to the witness.
type kind int

const (
	other kind = iota
	request
	reply
)

var (
	kinds4 = map[uint8]kind{layers.ICMPv4TypeEchoRequest: request, layers.ICMPv4TypeEchoReply: reply}
	kinds6 = map[uint8]kind{layers.ICMPv6TypeEchoRequest: request, layers.ICMPv6TypeEchoReply: reply}
)

// decoder takes frames apart, in the same memory again and again.
type decoder struct {
	parser *gopacket.DecodingLayerParser
	layers []gopacket.LayerType

	eth     layers.Ethernet
	ip4     layers.IPv4
	icmp4   layers.ICMPv4
	ip6     layers.IPv6
	icmp6   layers.ICMPv6
	echo6   layers.ICMPv6Echo
	payload gopacket.Payload
}

func newDecoder() *decoder {
	d := &decoder{}
	d.parser = gopacket.NewDecodingLayerParser(layers.LayerTypeEthernet, &d.eth, &d.ip4, &d.icmp4, &d.ip6, &d.icmp6, &d.echo6, &d.payload)
	return d
}

// echo tells whether a frame holds an echo request or reply, and of which probe.
func (d *decoder) echo(data []byte) (kind, Probe) {
	if d.parser.DecodeLayers(data, &d.layers) != nil || len(d.layers) < 3 {
		return other, Probe{} // another protocol
	}
	k, src, dst, seq := kinds4[d.icmp4.TypeCode.Type()], d.ip4.SrcIP, d.ip4.DstIP, d.icmp4.Seq
	if d.layers[2] == layers.LayerTypeICMPv6 {
		k, src, dst, seq = kinds6[d.icmp6.TypeCode.Type()], d.ip6.SrcIP, d.ip6.DstIP, d.echo6.SeqNumber
	}
	if k == reply {
		return k, Probe{address(src), seq}
	}
	return k, Probe{address(dst), seq}
}

func address(ip []byte) netip.Addr {
	a, _ := netip.AddrFromSlice(ip) // four or sixteen bytes, the decoder's
	return a
}
