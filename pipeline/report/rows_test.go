package report

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"echogram/plugins/schema"
)

// begin is the time of the first row, ns: 2026-01-10 12:00:00 UTC.
const begin = 1768046400e9

var ends = schema.BFDSeries{Host: "lab", Instance: "bfd", Tap: "eth1", Local: "10.0.0.1", Peer: "10.0.0.2", Hop: "single", Family: "ipv4"}

func echoSeries(s schema.BFDSeries) schema.BFDEchoSeries {
	return schema.BFDEchoSeries{BFDSeries: s, Layout: "frr-ts", TapRole: "initiator"}
}

// encoded writes rows as line protocol.
func encoded(t *testing.T, rows ...schema.Row) []byte {
	t.Helper()
	var text []byte
	for _, r := range rows {
		var err error
		if text, err = schema.AppendLine(text, r); err != nil {
			t.Fatal(err)
		}
	}
	return text
}

// read makes a report of text.
func read(t *testing.T, c Config, text []byte) *Report {
	t.Helper()
	r := New(c)
	for line := range bytes.Lines(text) {
		if _, err := r.Line(line); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

// echoes makes n rows at the jitter of a conformant sender with T of 50 ms: one in ten unanswered, one RTT of 9 ms
// among those around 1 ms.
func echoes(s schema.BFDSeries, n int) []schema.Row {
	rng := rand.New(rand.NewPCG(1, uint64(n)))
	at := int64(begin)
	var rows []schema.Row
	for i := range n {
		interval := 37_500_000 + rng.Int64N(12_500_001)
		at += interval
		r := &schema.BFDEchoRTTRow{BFDEchoSeries: echoSeries(s), Time: at}
		if i > 0 {
			r.Interval, r.IntervalRatio = schema.Some(interval), schema.OptFloat{F: float64(interval) / 50e6, Set: true}
		}
		if i%10 != 3 {
			r.RTT, r.Pairing = schema.Some(1_000_000+rng.Int64N(100_000)), "identity"
		}
		if i == n/2 {
			r.RTT = schema.Some(9_000_000)
		}
		rows = append(rows, r)
	}
	return rows
}

// periods makes n rows of a session with T of 300 ms; the last one has a late packet.
func periods(s schema.BFDSeries, n int) []schema.Row {
	var rows []schema.Row
	for i := range n {
		r := &schema.BFDSessionRow{BFDSeries: s, Time: begin + int64(i)*10e9, State: "Up", DetectMult: 3, Interval: schema.Some(300e6),
			DetectionTime: schema.Some(900e6), Packets: 38, MaxGap: schema.Some(300e6), DetectMargin: schema.OptFloat{F: 2. / 3, Set: true}}
		r.Intervals = schema.Intervals{Count: 38, Min: schema.Some(226e6), Mean: schema.Some(262e6), Max: schema.Some(299e6)}
		if i == n-1 {
			r.Late, r.Max, r.DetectMargin.F = 1, schema.Some(700e6), 2./9
		}
		rows = append(rows, r)
	}
	return rows
}
