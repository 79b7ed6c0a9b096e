package replay

import (
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"testing"
	"time"

	"echogram/plugins/internal/capture"
	"echogram/plugins/internal/frame"
	"echogram/plugins/internal/icmpecho"
	"echogram/plugins/schema"
)

const (
	start = int64(1700000000_250000000) // stamp 0 of the tests
	us    = int64(1000)
	ms    = int64(1e6)
	sec   = int64(1e9)
)

// host is an end of an exchange; the pinger has the same last byte in both families.
var (
	pinger4 = netip.MustParseAddr("192.0.2.1")
	pinger6 = netip.MustParseAddr("2001:db8::1")
	router4 = netip.MustParseAddr("203.0.113.9")
	router6 = netip.MustParseAddr("2001:db8:9::9")
)

func pinger(of netip.Addr) netip.Addr {
	if of.Is4() {
		return pinger4
	}
	return pinger6
}

func packet(at int64, src, dst netip.Addr, icmp []byte) *capture.Packet {
	data := frame.AppendICMP(nil, frame.Ethernet{}, src, dst, frame.IPOptions{TTL: 57}, 1, icmp)
	return &capture.Packet{Data: data, Stamp: start + at, OrigLen: uint32(len(data)), Kind: capture.StampFile}
}

func request(at int64, to string, seq uint16, payload string) *capture.Packet {
	dst := netip.MustParseAddr(to)
	return packet(at, pinger(dst), dst, icmpecho.AppendRequest(nil, dst.Is6(), 7, seq, []byte(payload)))
}

func reply(at int64, from string, seq uint16, payload string) *capture.Packet {
	src := netip.MustParseAddr(from)
	icmp := icmpecho.AppendRequest(nil, src.Is6(), 7, seq, []byte(payload))
	return packet(at, src, pinger(src), answerType(icmp, src.Is6()))
}

// answerType makes a reply of a request; ICMPv4's checksum grows by what the type shrinks.
func answerType(icmp []byte, v6 bool) []byte {
	if v6 {
		icmp[0] = icmpecho.Type6EchoReply
		return icmp
	}
	icmp[0], icmp[2], icmp[3] = icmpecho.TypeEchoReply, 0, 0
	sum := icmpecho.Checksum(icmp)
	icmp[2], icmp[3] = byte(sum>>8), byte(sum)
	return icmp
}

// failure is an ICMP error about a request to an address; quoted bytes of it come back, 0 all.
func failure(at int64, kind, code byte, about string, seq uint16, quoted int) *capture.Packet {
	dst := netip.MustParseAddr(about)
	from := router4
	if dst.Is6() {
		from = router6
	}
	quote := request(0, about, seq, "payload").Data[14:]
	if quoted > 0 {
		quote = quote[:quoted]
	}
	icmp := append([]byte{kind, code, 0, 0, 0, 0, 5, 220}, quote...)
	if dst.Is4() {
		sum := icmpecho.Checksum(icmp)
		icmp[2], icmp[3] = byte(sum>>8), byte(sum)
	}
	return packet(at, from, pinger(dst), icmp)
}

func by(ifIndex int32, p *capture.Packet) *capture.Packet {
	p.IfIndex = ifIndex
	return p
}

// result is what a capture comes to.
type result struct {
	rows   []schema.SweepRow
	blocks []schema.SweepBlockRow
	Summary
}

func replay(c Config, packets ...*capture.Packet) result {
	r := New(c)
	for _, p := range packets {
		r.Observe(p)
	}
	return finish(r)
}

func finish(r *Replay) (res result) {
	res.Summary = r.Finish(func(row schema.Row) {
		switch row := row.(type) {
		case *schema.SweepRow:
			res.rows = append(res.rows, *row)
		case *schema.SweepBlockRow:
			res.blocks = append(res.blocks, *row)
		}
	})
	return res
}

// verdict is a row in short: what differs from one request without an answer.
func verdict(row schema.SweepRow) string {
	s := fmt.Sprintf("sent %d", row.Sent)
	for _, f := range []struct {
		name  string
		value int64
	}{
		{"received", row.Received}, {"rtt", row.RTT.N}, {"min", row.RTTMin.N}, {"max", row.RTTMax.N}, {"late", row.Late},
		{"late rtt", row.LateRTT.N}, {"duplicates", row.Duplicates}, {"corrupt", row.Corrupt}, {"flipped", row.Flipped},
		{"at", row.FirstFlip.N}, {"type", row.ICMPType.N}, {"code", row.ICMPCode.N}, {"mtu", row.MTU.N},
	} {
		if f.value != 0 {
			s += fmt.Sprintf(", %s %d", f.name, f.value)
		}
	}
	if row.ErrorFrom != "" {
		s += " from " + row.ErrorFrom
	}
	return s
}

func TestReplay(t *testing.T) {
	const a, b = "198.51.100.7", "2001:db8:7::7"
	for _, c := range []struct {
		name    string
		packets []*capture.Packet
		want    string
		sum     Summary // but for Stats
	}{
		{"answered", []*capture.Packet{request(0, a, 1, "payload"), reply(3142, a, 1, "payload")},
			"sent 1, received 1, rtt 3142", Summary{}},
		{"answered, IPv6", []*capture.Packet{request(0, b, 1, "payload"), reply(3142, b, 1, "payload")},
			"sent 1, received 1, rtt 3142", Summary{}},
		{"without payload", []*capture.Packet{request(0, a, 1, ""), reply(5, a, 1, "")}, "sent 1, received 1, rtt 5", Summary{}},
		{"silent", []*capture.Packet{request(0, a, 1, "x"), request(2*sec, a, 2, "x"), reply(2*sec+5, a, 2, "x")},
			"sent 2, received 1, rtt 5, min 5, max 5", Summary{}},
		{"silent as the capture ended", []*capture.Packet{request(0, a, 1, "x")}, "sent 1", Summary{Open: 1}},
		{"at the timeout", []*capture.Packet{request(0, a, 1, "x"), reply(sec, a, 1, "x")}, "sent 1, received 1, rtt 1000000000", Summary{}},
		{"late", []*capture.Packet{request(0, a, 1, "x"), reply(sec+1, a, 1, "x")}, "sent 1, late 1, late rtt 1000000001", Summary{}},
		{"after the late window", []*capture.Packet{request(0, a, 1, "x"), reply(61*sec, a, 1, "x")}, "sent 1", Summary{Unmatched: 1}},
		{"duplicate", []*capture.Packet{request(0, a, 1, "x"), reply(5, a, 1, "x"), reply(9, a, 1, "x"), reply(2*ms, a, 1, "x")},
			"sent 1, received 1, rtt 5, duplicates 2", Summary{}},
		{"mirrored", []*capture.Packet{request(0, a, 1, "x"), request(us, a, 1, "x"), reply(5*us, a, 1, "x"), reply(6*us, a, 1, "x")},
			"sent 1, received 1, rtt 5000", Summary{Repeated: 2}},
		{"mirrored and duplicate", []*capture.Packet{request(0, a, 1, "x"), request(us, a, 1, "x"), reply(5*us, a, 1, "x"), reply(6*us, a, 1, "x"), reply(7*us, a, 1, "x")},
			"sent 1, received 1, rtt 5000, duplicates 1", Summary{Repeated: 2}},
		{"on two interfaces", []*capture.Packet{by(1, request(0, a, 1, "x")), by(2, reply(5, a, 1, "x")), by(1, reply(6, a, 1, "x"))},
			"sent 1, received 1, rtt 5", Summary{Repeated: 1}},
		{"key used again", []*capture.Packet{request(0, a, 1, "x"), request(2*ms, a, 1, "x"), reply(2*ms+5, a, 1, "x")},
			"sent 2, received 1, rtt 5, min 5, max 5", Summary{Open: 1}},
		{"key used again after its reply", []*capture.Packet{request(0, a, 1, "x"), reply(5, a, 1, "x"), request(2*ms, a, 1, "x"), reply(2*ms+7, a, 1, "x")},
			"sent 2, received 2, rtt 6, min 5, max 7", Summary{}},
		{"reply before its request in the file", []*capture.Packet{reply(5, a, 1, "x"), request(0, a, 1, "x")}, "sent 1, received 1, rtt 5", Summary{}},
		{"error before its request in the file", []*capture.Packet{failure(5, 3, 1, a, 1, 0), request(0, a, 1, "payload")},
			"sent 1, type 3, code 1 from 203.0.113.9", Summary{}},
		{"a reply of before", []*capture.Packet{reply(0, a, 1, "x"), request(5, a, 1, "x")}, "sent 1", Summary{Unmatched: 1, Open: 1}},
		{"replies only, then an exchange", []*capture.Packet{reply(0, a, 1, "x"), reply(1, a, 1, "x"), request(5, a, 2, "x"), reply(9, a, 2, "x")},
			"sent 1, received 1, rtt 4", Summary{Unmatched: 2}},
		{"clock set back", []*capture.Packet{request(0, a, 1, "x"), reply(-50, a, 1, "x")}, "sent 1, received 1", Summary{}},
		{"another identifier", []*capture.Packet{request(0, a, 1, "x"), reply(5, a, 2, "x")}, "sent 1", Summary{Unmatched: 1, Open: 1}},
		{"bits flipped", []*capture.Packet{request(0, a, 1, "payload"), reply(5, a, 1, "paxloaf")},
			"sent 1, received 1, rtt 5, corrupt 1, flipped 2, at 2", Summary{}},
		{"shorter", []*capture.Packet{request(0, a, 1, "payload"), reply(5, a, 1, "payl")},
			"sent 1, received 1, rtt 5, corrupt 1, flipped 24, at 4", Summary{}},
		{"unreachable", []*capture.Packet{request(0, a, 1, "payload"), failure(5, 3, 13, a, 1, 0)},
			"sent 1, type 3, code 13 from 203.0.113.9", Summary{}},
		{"quote cut short", []*capture.Packet{request(0, a, 1, "payload"), failure(5, 11, 0, a, 1, 28)},
			"sent 1, type 11 from 203.0.113.9", Summary{}},
		{"error captured twice", []*capture.Packet{request(0, a, 1, "payload"), failure(5, 3, 1, a, 1, 0), failure(6, 3, 1, a, 1, 0)},
			"sent 1, type 3, code 1 from 203.0.113.9", Summary{Repeated: 1}},
		{"too big, IPv6", []*capture.Packet{request(0, b, 1, "payload"), failure(5, 2, 0, b, 1, 0)},
			"sent 1, type 2, mtu 1500 from 2001:db8:9::9", Summary{}},
		{"error without a request", []*capture.Packet{failure(5, 3, 1, a, 9, 0), request(6, a, 1, "x"), reply(7, a, 1, "x")},
			"sent 1, received 1, rtt 1", Summary{Unmatched: 1}},
	} {
		got := replay(Config{}, c.packets...)
		if len(got.rows) != 1 || verdict(got.rows[0]) != c.want {
			t.Errorf("%s: %d rows, %q, want %q", c.name, len(got.rows), verdict(got.rows[0]), c.want)
		}
		sum := got.Summary
		sum.Stats, sum.Packets = schema.SweepStatsRow{}, 0
		if !reflect.DeepEqual(sum, c.sum) {
			t.Errorf("%s: %+v, want %+v", c.name, sum, c.sum)
		}
	}
}

// FuzzObserve: whatever a file holds, the counts agree with each other.
func FuzzObserve(f *testing.F) {
	f.Add(request(0, "198.51.100.1", 1, "x").Data, reply(5, "198.51.100.1", 1, "x").Data, int64(5))
	f.Add(request(0, "2001:db8:7::7", 1, "payload").Data, failure(5, 1, 0, "2001:db8:7::7", 1, 0).Data, -sec)
	f.Fuzz(func(t *testing.T, one, two []byte, gap int64) {
		r := New(Config{Outstanding: 2})
		for i, data := range [][]byte{one, two, one, two, two, one} {
			r.Observe(&capture.Packet{Data: data, OrigLen: uint32(len(data)), Stamp: start + gap*int64(i)})
		}
		got := finish(r)
		for _, row := range got.rows {
			if row.Received+row.Late > row.Sent || row.RTT.N < 0 {
				t.Errorf("%+v", row)
			}
		}
	})
}

func BenchmarkObserve(b *testing.B) {
	var packets []*capture.Packet
	for i := range 65536 {
		to := fmt.Sprintf("198.18.%d.%d", i>>8, i&0xff)
		packets = append(packets, request(int64(i)*10*us, to, uint16(i), "twelve bytes"), reply(int64(i)*10*us+3000, to, uint16(i), "twelve bytes"))
	}
	slices.SortStableFunc(packets, func(a, b *capture.Packet) int { return int(a.Stamp - b.Stamp) })
	b.ReportAllocs()
	for range b.N {
		r := New(Config{Timeout: time.Second})
		for _, p := range packets {
			r.Observe(p)
		}
		if got := r.Finish(func(schema.Row) {}); got.Stats.Received != 65536 {
			b.Fatal(got)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(packets)), "ns/packet")
}
