package frame

import (
	"bytes"
	"net"
	"net/netip"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"

	"echogram/plugins/internal/capture"
	"echogram/plugins/internal/icmpecho"
)

var link = Ethernet{Dst: MAC{2, 0, 0, 0, 0, 1}, Src: MAC{2, 0, 0, 0, 0, 2}}

// serialized is what gopacket makes of an echo request of testID and sequence number 9, checksums and padding
// included.
func serialized(t *testing.T, src, dst netip.Addr, o IPOptions, id uint16, payload []byte) []byte {
	t.Helper()
	eth := &layers.Ethernet{SrcMAC: net.HardwareAddr(link.Src[:]), DstMAC: net.HardwareAddr(link.Dst[:]), EthernetType: layers.EthernetTypeIPv6}
	var stack []gopacket.SerializableLayer
	if src.Is4() {
		eth.EthernetType = layers.EthernetTypeIPv4
		ip := &layers.IPv4{
			Version: 4, TOS: o.TrafficClass, Id: id, TTL: o.TTL, Protocol: layers.IPProtocolICMPv4,
			SrcIP: src.AsSlice(), DstIP: dst.AsSlice(),
		}
		if o.DontFragment {
			ip.Flags = layers.IPv4DontFragment
		}
		icmp := &layers.ICMPv4{TypeCode: layers.CreateICMPv4TypeCode(layers.ICMPv4TypeEchoRequest, 0), Id: testID, Seq: 9}
		stack = []gopacket.SerializableLayer{eth, ip, icmp, gopacket.Payload(payload)}
	} else {
		ip := &layers.IPv6{
			Version: 6, TrafficClass: o.TrafficClass, HopLimit: o.TTL, NextHeader: layers.IPProtocolICMPv6,
			SrcIP: src.AsSlice(), DstIP: dst.AsSlice(),
		}
		icmp := &layers.ICMPv6{TypeCode: layers.CreateICMPv6TypeCode(layers.ICMPv6TypeEchoRequest, 0)}
		icmp.SetNetworkLayerForChecksum(ip)
		stack = []gopacket.SerializableLayer{eth, ip, icmp, &layers.ICMPv6Echo{Identifier: testID, SeqNumber: 9}, gopacket.Payload(payload)}
	}
	buf := gopacket.NewSerializeBuffer()
	if err := gopacket.SerializeLayers(buf, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, stack...); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func TestAppendICMPAgainstGopacket(t *testing.T) {
	pattern := icmpecho.RandomPattern(1, 1472)
	for _, o := range []IPOptions{{TTL: 64}, {TTL: 1, TrafficClass: 46 << 2, DontFragment: true}, {TTL: 255, TrafficClass: 0xff}} {
		for _, size := range []int{0, 1, 12, 17, 18, 19, 56, 1471, 1472} {
			for _, pair := range [][2]netip.Addr{{src4, dst4}, {src6, dst6}} {
				src, dst := pair[0], pair[1]
				msg := icmpecho.AppendRequest(nil, src.Is6(), testID, 9, pattern[:size])
				got := AppendICMP([]byte("before"), link, src, dst, o, 0xfedc, msg)
				want := append([]byte("before"), serialized(t, src, dst, o, 0xfedc, pattern[:size])...)
				if !bytes.Equal(got, want) {
					t.Errorf("%s, %d bytes, %+v:\ngot  %x\nwant %x", src, size, o, got, want)
				}
			}
		}
	}
}

func TestAppendICMPIsParsed(t *testing.T) {
	for _, pair := range [][2]netip.Addr{{src4, dst4}, {src6, dst6}} {
		msg := icmpecho.AppendRequest(nil, pair[0].Is6(), testID, 9, []byte("abc"))
		b := AppendICMP(nil, link, pair[0], pair[1].WithZone(""), IPOptions{TTL: 7}, 1, msg)
		ip, err := Parse(b, capture.LinkEthernet)
		if err != nil || ip.Src != pair[0] || ip.Dst != pair[1] || ip.TTL != 7 || ip.Cut || len(ip.Payload) != len(msg) {
			t.Errorf("%x gives %+v, %v", b, ip, err)
		}
		m, err := icmpecho.Parse(ip.Payload, ip.Src, ip.Dst, false)
		if err != nil || m.Kind != icmpecho.EchoRequest || m.ChecksumBad || string(m.Payload) != "abc" {
			t.Errorf("%x holds %+v, %v", b, m, err)
		}
		if runFilter(t, EchoFilter(testID, capture.LinkEthernet, 0xffff), b) == 0 {
			t.Errorf("%x does not pass the filter", b)
		}
	}
}

func BenchmarkAppendICMP(b *testing.B) {
	for name, pair := range map[string][2]netip.Addr{"IPv4": {src4, dst4}, "IPv6": {src6, dst6}} {
		b.Run(name, func(b *testing.B) {
			msg := icmpecho.AppendRequest(nil, pair[0].Is6(), testID, 9, make([]byte, icmpecho.CookieLen))
			var buf []byte
			for b.Loop() {
				buf = AppendICMP(buf[:0], link, pair[0], pair[1], IPOptions{TTL: 64}, 1, msg)
			}
		})
	}
}
