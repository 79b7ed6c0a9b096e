package witness

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"
)

var (
	prober = netip.MustParseAddr("198.19.0.1")
	first  = netip.MustParseAddr("198.18.0.1")
	second = netip.MustParseAddr("198.18.0.2")
)

// pcap writes frames into a nanosecond capture, in order of at.
type pcap struct {
	t   *testing.T
	buf bytes.Buffer
	w   *pcapgo.Writer
}

func newPcap(t *testing.T) *pcap {
	p := &pcap{t: t}
	p.w = pcapgo.NewWriterNanos(&p.buf)
	if err := p.w.WriteFileHeader(snap, layers.LinkTypeEthernet); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *pcap) add(at int64, ip gopacket.NetworkLayer, upper ...gopacket.SerializableLayer) {
	p.t.Helper()
	eth := &layers.Ethernet{SrcMAC: make([]byte, 6), DstMAC: make([]byte, 6), EthernetType: layers.EthernetTypeIPv4}
	if ip.LayerType() == layers.LayerTypeIPv6 {
		eth.EthernetType = layers.EthernetTypeIPv6
	}
	b := gopacket.NewSerializeBuffer()
	all := append([]gopacket.SerializableLayer{eth, ip.(gopacket.SerializableLayer)}, append(upper, gopacket.Payload(make([]byte, 100)))...)
	if err := gopacket.SerializeLayers(b, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, all...); err != nil {
		p.t.Fatal(err)
	}
	data := b.Bytes()[:min(snap, len(b.Bytes()))] // as tcpdump cuts it
	info := gopacket.CaptureInfo{Timestamp: time.Unix(0, at), CaptureLength: len(data), Length: len(b.Bytes())}
	if err := p.w.WritePacket(info, data); err != nil {
		p.t.Fatal(err)
	}
}

func ip4(src, dst netip.Addr, proto layers.IPProtocol) *layers.IPv4 {
	return &layers.IPv4{Version: 4, TTL: 64, Protocol: proto, SrcIP: src.AsSlice(), DstIP: dst.AsSlice()}
}

func (p *pcap) echo(at int64, src, dst netip.Addr, kind uint8) {
	p.t.Helper()
	p.add(at, ip4(src, dst, layers.IPProtocolICMPv4), &layers.ICMPv4{TypeCode: layers.CreateICMPv4TypeCode(kind, 0)})
}

func (p *pcap) echo6(at int64, src, dst netip.Addr, kind uint8, seq uint16) {
	p.t.Helper()
	ip := &layers.IPv6{Version: 6, HopLimit: 64, NextHeader: layers.IPProtocolICMPv6, SrcIP: src.AsSlice(), DstIP: dst.AsSlice()}
	icmp := &layers.ICMPv6{TypeCode: layers.CreateICMPv6TypeCode(kind, 0)}
	if err := icmp.SetNetworkLayerForChecksum(ip); err != nil {
		p.t.Fatal(err)
	}
	p.add(at, ip, icmp, &layers.ICMPv6Echo{SeqNumber: seq})
}

func TestReadRTTs(t *testing.T) {
	p := newPcap(t)
	p.echo(1_000_000_000, prober, first, layers.ICMPv4TypeEchoRequest)
	p.echo(1_000_000_100, prober, second, layers.ICMPv4TypeEchoRequest)
	p.add(1_000_000_200, ip4(prober, first, layers.IPProtocolUDP), gopacket.Payload(make([]byte, 8)))
	p.echo(1_000_002_345, first, prober, layers.ICMPv4TypeEchoReply)
	p.echo(1_000_009_999, first, prober, layers.ICMPv4TypeEchoReply) // a duplicate
	p.echo(1_000_010_000, second, prober, layers.ICMPv4TypeDestinationUnreachable)
	got, err := ReadRTTs(&p.buf)
	if err != nil || len(got) != 1 || got[first] != 2345 {
		t.Errorf("got %v, %v", got, err)
	}
}

// TestReadProbeRTTs tells two requests to one target apart, by IPv6.
func TestReadProbeRTTs(t *testing.T) {
	p := newPcap(t)
	us, target := netip.MustParseAddr("2001:2:0:7::1"), netip.MustParseAddr("2001:2:0:7::2")
	p.echo6(1_000_000_000, us, target, layers.ICMPv6TypeEchoRequest, 1)
	p.echo6(1_000_000_100, us, target, layers.ICMPv6TypeEchoRequest, 2)
	p.echo6(1_000_000_200, target, us, layers.ICMPv6TypeNeighborSolicitation, 1)
	p.echo6(1_000_002_345, target, us, layers.ICMPv6TypeEchoReply, 2)
	p.echo6(1_000_009_999, target, us, layers.ICMPv6TypeEchoReply, 1)
	got, err := ReadProbeRTTs(&p.buf)
	if err != nil || len(got) != 2 || got[Probe{target, 1}] != 9999 || got[Probe{target, 2}] != 2245 {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestReadRTTsRefuses(t *testing.T) {
	if _, err := ReadRTTs(strings.NewReader("no capture at all, but long enough")); err == nil {
		t.Error("took text for a capture")
	}
	p := newPcap(t)
	p.echo(0, prober, first, layers.ICMPv4TypeEchoRequest)
	p.buf.Truncate(p.buf.Len() - 1)
	if _, err := ReadRTTs(&p.buf); err == nil {
		t.Error("took a capture that breaks off for a whole one")
	}
}

func TestCompare(t *testing.T) {
	ours, truth := map[netip.Addr]int64{}, map[netip.Addr]int64{}
	a := netip.MustParseAddr("198.18.0.0")
	for i := range 100 { // differences 0 … 99 times -20 ns
		truth[a], ours[a] = 3000, 3000-20*int64(i)
		a = a.Next()
	}
	ours[a] = 1
	got := Compare(ours, truth)
	want := Agreement{Compared: 100, Unseen: 1, Within: 51, Median: -1000, P90: 1780, P99: 1960, Max: 1980,
		Prober: Distribution{2000, 2800, 2980}, Tcpdump: Distribution{3000, 3000, 3000}}
	if got != want || got.Share() != .51 {
		t.Errorf("got  %+v, share %v\nwant %+v", got, got.Share(), want)
	}
	if (Compare(nil, truth) != Agreement{}) {
		t.Error("nothing to compare, and yet something came out")
	}
}
