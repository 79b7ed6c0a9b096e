package bfdwatch_test

import (
	"bytes"
	"cmp"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"echogram/plugins/internal/bfdwatch"
	"echogram/plugins/internal/capture"
	"echogram/plugins/internal/capture/pcapfile"
	"echogram/plugins/schema"
)

// replay is what a Watch made of a capture.
type replay struct {
	sessions []*schema.BFDSessionRow
	echoes   []*schema.BFDEchoRow
	rtts     []*schema.BFDEchoRTTRow // by time
	events   []*schema.BFDEventRow
	stats    []*schema.BFDStatsRow
	lines    []byte // all rows as line protocol, in the order of emission

	first, last int64 // stamps of the first and last BFD packet
	spoken      map[direction]*spoken
}

// direction is who speaks to whom, where.
type direction struct {
	tap, vlan, src, dst string // tap only where a case has several
	port                uint16
}

// spoken is what a sender's control packets said over time: what rows only hold the last of.
type spoken struct {
	discriminators, peerDiscriminators []uint32
	auth, ttl                          []uint8
}

// run feeds the frames of c that keep wants to a Watch. The configuration is set by set, if given.
func (c *goldenCase) run(t *testing.T, period time.Duration, set func(*bfdwatch.Config), keep func(*capture.Packet) bool) *replay {
	t.Helper()
	r := &replay{spoken: map[direction]*spoken{}, first: math.MaxInt64}
	file, err := os.Open(c.capture)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	in, err := pcapfile.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	config := bfdwatch.Config{
		Period: period, PerEcho: true, Local: c.Local, Tap: in.InterfaceName,
		Emit:  func(row schema.Row) { r.take(t, row) },
		Trace: func(s *bfdwatch.Sight) { r.hear(s, c.tap(in.InterfaceName(s.Packet.IfIndex))) },
	}
	if set != nil {
		set(&config)
	}
	watch := bfdwatch.New(config)
	for {
		p, err := in.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if keep == nil || keep(p) {
			watch.Observe(p)
		}
	}
	watch.Finish()
	slices.SortStableFunc(r.rtts, func(a, b *schema.BFDEchoRTTRow) int { return cmp.Compare(a.Time, b.Time) })
	return r
}

// take keeps a copy of a row.
func (r *replay) take(t *testing.T, row schema.Row) {
	var err error
	if r.lines, err = schema.AppendLine(r.lines, row); err != nil {
		t.Errorf("a row that cannot be written: %v", err)
	}
	switch row := row.(type) {
	case *schema.BFDSessionRow:
		r.sessions = append(r.sessions, clone(row))
	case *schema.BFDEchoRow:
		r.echoes = append(r.echoes, clone(row))
	case *schema.BFDEchoRTTRow:
		r.rtts = append(r.rtts, clone(row))
	case *schema.BFDEventRow:
		r.events = append(r.events, clone(row))
	case *schema.BFDStatsRow:
		r.stats = append(r.stats, clone(row))
	default:
		t.Errorf("a row of type %T", row)
	}
}

func clone[T any](row *T) *T { c := *row; return &c }

// hear notes what one packet says.
func (r *replay) hear(s *bfdwatch.Sight, tap string) {
	r.first, r.last = min(r.first, s.Packet.Stamp), max(r.last, s.Packet.Stamp)
	if s.IsEcho || s.Truncated {
		return
	}
	d := s.Datagram
	key := direction{tap, vlans(d.VLANs[:]), d.Src.String(), d.Dst.String(), d.DstPort}
	said := r.spoken[key]
	if said == nil {
		said = &spoken{}
		r.spoken[key] = said
	}
	note(&said.discriminators, s.Control.MyDiscriminator)
	note(&said.peerDiscriminators, s.Control.YourDiscriminator)
	note(&said.auth, s.Control.Auth.Type)
	note(&said.ttl, d.TTL)
}

// note adds v to a sorted set.
func note[T cmp.Ordered](set *[]T, v T) {
	if i, found := slices.BinarySearch(*set, v); !found {
		*set = slices.Insert(*set, i, v)
	}
}

// vlans writes identifiers as the tag vlan has them.
func vlans(ids []uint16) string {
	var b bytes.Buffer
	for i, id := range ids {
		if id == 0 {
			break
		}
		if i > 0 {
			b.WriteByte('.')
		}
		b.WriteString(strconv.Itoa(int(id)))
	}
	return b.String()
}
