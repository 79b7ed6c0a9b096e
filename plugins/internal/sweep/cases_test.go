package sweep

import (
	"encoding/binary"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"echogram/plugins/internal/icmpecho"
	"echogram/plugins/schema"
)

// family is one IP version's target, router and ICMP numbers.
type family struct {
	target, network, block, router                      string
	unreachable, prohibited, exceeded, tooBig, tooBigAs byte
	header                                              int // of IP
}

var families = map[string]family{
	"IPv4": {"192.0.2.7", "192.0.2.7/32", "192.0.2.0/24", "198.51.100.254", 3, 13, 11, 3, 4, 20},
	"IPv6": {"2001:db8::7", "2001:db8::7/128", "2001:db8::/64", "2001:db8:ffff::fe", 1, 1, 3, 2, 0, 40},
}

// about makes an ICMP error about a request, which quotes it up to n bytes behind its IP header.
func (f family) about(kind, code byte, n int, mtu uint16) func([]byte, netip.Addr) []byte {
	return func(request []byte, dst netip.Addr) []byte {
		m := []byte{kind, code, 0, 0, 0, 0, byte(mtu >> 8), byte(mtu)}
		if dst.Is6() {
			m = append(m, packet(self6, dst, request)[:f.header+n]...)
			icmpecho.PutChecksum6(m, addr(f.router), self6)
			return m
		}
		m = append(m, packet(self, dst, request)[:f.header+n]...)
		binary.BigEndian.PutUint16(m[2:], icmpecho.Checksum(m))
		return m
	}
}

// TestEveryCaseInItsOwnField sends one target each kind of answer, and demands that it is counted in its field and
// in no other.
func TestEveryCaseInItsOwnField(t *testing.T) {
	for name, f := range families {
		t.Run(name, func(t *testing.T) { f.everyCase(t) })
	}
}

func (f family) everyCase(t *testing.T) {
	router := addr(f.router)
	answered := func(r *schema.SweepRow) { r.Received, r.RTT, r.TTL = 1, schema.Some(1e6), schema.Some(60) }
	corrupt := func(flipped int64, first schema.Opt) func(r *schema.SweepRow) {
		return func(r *schema.SweepRow) {
			answered(r)
			r.Corrupt, r.Flipped, r.FirstFlip = 1, flipped, first
		}
	}
	silent := func(r *schema.SweepRow) { r.ResultCode = schema.ResultSilent }
	errored := func(kind, code byte) func(r *schema.SweepRow) {
		return func(r *schema.SweepRow) {
			r.ResultCode, r.ErrorFrom = schema.ResultICMPError, f.router
			r.ICMPType, r.ICMPCode = schema.Some(int64(kind)), schema.Some(int64(code))
		}
	}
	received := func(s *schema.SweepStatsRow) { s.Received = 1 }
	receivedCorrupt := func(s *schema.SweepStatsRow) { s.Received, s.Corrupt = 1, 1 }
	foreign := func(s *schema.SweepStatsRow) { s.Foreign = 1 }
	oneError := func(s *schema.SweepStatsRow) { s.ICMPErrors = 1 }
	ms := time.Millisecond
	for name, c := range map[string]struct {
		answers []answer
		row     func(*schema.SweepRow)
		stats   func(*schema.SweepStatsRow)
	}{
		"silent":         {nil, silent, nil},
		"answered":       {[]answer{{after: ms}}, answered, received},
		"at the timeout": {[]answer{{after: time.Second}}, func(r *schema.SweepRow) { answered(r); r.RTT = schema.Some(1e9) }, received},
		"duplicates": {
			[]answer{{after: ms}, {after: 2 * ms}, {after: 3 * ms}},
			func(r *schema.SweepRow) { answered(r); r.Duplicates = 2 },
			func(s *schema.SweepStatsRow) { s.Received, s.Duplicates = 1, 2 },
		},
		"another payload":           {[]answer{{after: ms, payload: func(p []byte) []byte { p[19] ^= 0x81; return p }}}, corrupt(2, schema.Some(19)), receivedCorrupt},
		"a payload cut short":       {[]answer{{after: ms, payload: func(p []byte) []byte { return p[:18] }}}, corrupt(16, schema.Some(18)), receivedCorrupt},
		"bad checksum":              {[]answer{{after: ms, corrupt: true}}, corrupt(0, schema.Opt{}), receivedCorrupt},
		"bits of the cookie":        {[]answer{{after: ms, damage: func(m []byte) { m[8+3] ^= 3 }}}, corrupt(2, schema.Some(3)), receivedCorrupt},
		"bits of cookie and rest":   {[]answer{{after: ms, damage: func(m []byte) { m[8+9] ^= 1; m[8+19] ^= 2 }}}, corrupt(2, schema.Some(9)), receivedCorrupt},
		"a bit of the sequence":     {[]answer{{after: ms, damage: func(m []byte) { m[7] ^= 4 }}}, corrupt(1, schema.Opt{}), receivedCorrupt},
		"another source":            {[]answer{{after: ms, from: router}}, silent, func(s *schema.SweepStatsRow) { s.OtherSource = 1 }},
		"forged cookie":             {[]answer{{after: ms, payload: func(p []byte) []byte { p[0] ^= 1; return p }}}, silent, foreign},
		"too short for the cookie":  {[]answer{{after: ms, payload: func(p []byte) []byte { return p[:8] }}}, silent, func(s *schema.SweepStatsRow) { s.Unverified = 1 }},
		"short, from a stranger":    {[]answer{{after: ms, from: router, payload: func(p []byte) []byte { return p[:8] }}}, silent, foreign},
		"prohibited":                {[]answer{{after: ms, from: router, make: f.about(f.unreachable, f.prohibited, 28, 0)}}, errored(f.unreachable, f.prohibited), oneError},
		"time exceeded, cut quote":  {[]answer{{after: ms, from: router, make: f.about(f.exceeded, 0, 8, 0)}}, errored(f.exceeded, 0), oneError},
		"quote cut in the cookie":   {[]answer{{after: ms, from: router, make: f.about(f.exceeded, 0, 15, 0)}}, errored(f.exceeded, 0), oneError},
		"too big for the next link": {[]answer{{after: ms, from: router, make: f.about(f.tooBig, f.tooBigAs, 28, 1400)}}, func(r *schema.SweepRow) { errored(f.tooBig, f.tooBigAs)(r); r.MTU = schema.Some(1400) }, oneError},
		"an error and an answer": {
			[]answer{{after: ms / 2, from: router, make: f.about(f.unreachable, f.prohibited, 28, 0)}, {after: ms}},
			func(r *schema.SweepRow) {
				errored(f.unreachable, f.prohibited)(r)
				answered(r)
				r.ResultCode = schema.ResultAnswered
			},
			func(s *schema.SweepStatsRow) { s.Received, s.ICMPErrors = 1, 1 },
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, l *lab) {
				l.network.script = func(netip.Addr, int) []answer { return c.answers }
				got := l.sweep(t.Context(), plan(t, f.target, func(p *Plan) { p.Sizes = []int{20} }), nil).Stats
				row := schema.SweepRow{
					Series: schema.Series{Instance: "test", Network: f.network, Block: f.block, Target: f.target}, Time: testStart, Sent: 1,
				}
				want := schema.SweepStatsRow{Points: 1, Targets: 1, Sent: 1, Trust: schema.TrustOK, StampKind: "software", Order: "permuted", Seed: schema.Some(0)}
				c.row(&row)
				if c.stats != nil {
					c.stats(&want)
				}
				if !reflect.DeepEqual(l.rows[f.target], row) {
					t.Errorf("row\n%+v, want\n%+v", l.rows[f.target], row)
				}
				want.Instance, want.Time, want.Duration, want.Rate = "test", testStart, got.Duration, got.Rate
				if !reflect.DeepEqual(got, want) {
					t.Errorf("stats\n%+v, want\n%+v", got, want)
				}
			})
		})
	}
}
