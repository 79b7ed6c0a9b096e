package lines

import (
	"bytes"
	"io"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"echogram/plugins/schema"
)

// FuzzLine holds the fast path against schema: each line is read by both, and twice, since the second time its series
// is known.
func FuzzLine(f *testing.F) {
	for _, s := range []string{
		"icmp_sweep,block=192.0.2.0/24,host=h,instance=i,network=n,site=x,target=192.0.2.1 sent=1i,received=1i,rtt_ns=5i,ttl=64i,result_code=0i 1700000000000000000",
		`icmp_sweep,host=h\ 1,target=a sent=1i,mac="a\"b",rtt_p50_ns=4i -7`,
		"icmp_sweep,target=a late=1i,late_rtt_ns=2000000000i 7\r", "icmp_sweep_stats,host=h points=3i,partial=t 7",
		"ping,host=h,url=a result_code=0i,packets_transmitted=4i,packets_received=3,average_response_ms=0.2037485 7",
		"bfd_echo_rtt,peer=p rtt_ns=9i,rtt_ns=8i  +7 ", "cpu x=+1.5e-3,y=0x1p-2,z=1i,t=T 9223372036854775808",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		if bytes.IndexByte(line, '\n') >= 0 || len(line) > bufferSize {
			return // not one line
		}
		r := NewReader(bytes.NewReader(slices.Concat(line, []byte{'\n'}, line, []byte{'\n'})), known)
		want := oracle(string(line))
		var series *schema.RTTSeries
		for round := range 2 {
			k, err := r.Next()
			if err == io.EOF {
				k = 0
			}
			if k != want.kind {
				_, why, _ := r.Malformed()
				t.Fatalf("round %d: kind %d, want %d (%s)", round, k, want.kind, why)
			}
			switch k {
			case Manifest:
				if !reflect.DeepEqual(r.Stats, want.stats) {
					t.Fatalf("round %d:\ngot  %+v\nwant %+v", round, r.Stats, want.stats)
				}
			case Point, Late:
				if round > 0 && r.Series != series {
					t.Fatal("another series")
				}
				series = r.Series
				if !reflect.DeepEqual(r.Row, want.row) || !reflect.DeepEqual(r.Series.Series, want.row.Series) {
					t.Fatalf("round %d:\ngot  %+v\nwant %+v", round, r.Row, want.row)
				}
			}
		}
	})
}

type reading struct {
	kind  Kind // 0: malformed
	row   schema.SweepRow
	stats schema.SweepStatsRow
}

// oracle reads a line by schema alone, as plainly as can be.
func oracle(line string) reading {
	var p schema.Point
	if line = strings.TrimRight(line, "\r"); line == "" || line[0] == '#' {
		return reading{}
	}
	err := p.Parse([]byte(line))
	if !slices.Contains([]string{"icmp_sweep", "icmp_sweep_stats", "ping", "http_response", "bfd_echo_rtt"}, p.Measurement) {
		return foreign(line, err)
	}
	if err != nil || !p.HasTime {
		return reading{}
	}
	slices.SortStableFunc(p.Tags, func(a, b schema.Tag) int { return strings.Compare(a.Key, b.Key) })
	switch p.Measurement {
	case "icmp_sweep":
		return sweepReading(&p)
	case "icmp_sweep_stats":
		var got reading
		if schema.Read(&p, &got.stats) != nil {
			return reading{}
		}
		got.kind = Other
		if _, ok := p.Field("points"); ok {
			got.kind = Manifest
		}
		return got
	}
	return rttReading(&p)
}

// foreign is a line whose measurement nobody asked for, or that breaks off in its name or tags.
func foreign(line string, err error) reading {
	end := headEnd([]byte(line))
	if end < 0 || strings.IndexByte(line[end:], '=') < 2 {
		return reading{}
	}
	name, _, _ := strings.Cut(line[:end], ",")
	if err != nil && (slices.Contains([]string{"icmp_sweep", "icmp_sweep_stats", "ping", "http_response", "bfd_echo_rtt"}, name) ||
		strings.Contains(name, `\`) && new(schema.Point).Parse([]byte(line[:end]+" f=1i")) != nil) {
		return reading{}
	}
	return reading{kind: Other}
}

func sweepReading(p *schema.Point) reading {
	read := []string{"sent", "received", "rtt_ns", "rtt_min_ns", "rtt_max_ns", "rtt_stddev_ns", "ttl", "result_code", "late", "late_rtt_ns",
		"duplicates", "corrupt", "flipped_bits", "icmp_type", "icmp_code"}
	p.Fields = slices.DeleteFunc(p.Fields, func(f schema.Field) bool { return !slices.Contains(read, f.Key) })
	var got reading
	if schema.Read(p, &got.row) != nil {
		return reading{}
	}
	_, sent := p.Field("sent")
	_, late := p.Field("late")
	series := schema.RTTSeries{Series: got.row.Series}
	switch {
	case series.Check() != nil, sent && got.row.Check() != nil, !sent && got.row.Late < 0:
	case sent:
		got.kind = Point
	case late:
		got.kind = Late
	default:
		got.kind = Other
	}
	return got
}

func rttReading(p *schema.Point) reading {
	m := known[slices.IndexFunc(known, func(m Measurement) bool { return m.Name == p.Measurement })]
	got := reading{kind: Point}
	got.row.Series = schema.Series{Host: p.Tag("host"), Target: p.Tag(m.Target), Labels: p.Tags}
	got.row.Time = p.Time
	bad := got.row.Target == ""
	if f, ok := p.Field(m.Field); ok {
		unit := map[string]float64{"ns": 1, "ms": 1e6, "s": 1e9}[m.Unit]
		switch v := f.Value().(type) {
		case int64:
			got.row.RTT = schema.Some(v * int64(unit))
			bad = bad || v < 0 || v > schema.MaxRTT/int64(unit)
		case float64:
			ns := math.Round(v * unit)
			got.row.RTT = schema.Some(int64(ns))
			bad = bad || ns < 0 || ns > float64(schema.MaxRTT)
		default:
			bad = true
		}
	}
	for key, n := range map[string]*int64{m.Sent: &got.row.Sent, m.Received: &got.row.Received} {
		if f, ok := p.Field(key); ok && key != "" {
			switch v := f.Value().(type) {
			case int64:
				*n = v
				bad = bad || v < 0
			case float64:
				*n = int64(v)
				bad = bad || v < 0 || v >= math.MaxInt64 || v != math.Trunc(v)
			default:
				bad = true
			}
		}
	}
	counted := m.Field
	if m.Sent != "" {
		counted = m.Sent
	}
	switch _, ok := p.Field(counted); {
	case bad, ok && got.row.Check() != nil:
		return reading{}
	case !ok:
		got.kind = Other
	}
	return got
}

// FuzzConPing: whatever the file holds, the manifest promises a row a line.
func FuzzConPing(f *testing.F) {
	f.Add("192.0.2.0-24-1590469441.txt", []byte("192.0.2.0,unreachable\n192.0.2.1,0.203748\nx\n"))
	f.Fuzz(func(t *testing.T, name string, text []byte) {
		r, err := OpenConPing(name, bytes.NewReader(text), "h")
		if err != nil {
			return
		}
		for {
			_, err := r.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				return // what begins like gzip
			}
		}
		if n, _, _ := r.Malformed(); r.Stats.Points != r.Count(Point)+n || r.Count(Manifest) != 1 {
			t.Errorf("%d promised, %d rows, %d malformed", r.Stats.Points, r.Count(Point), n)
		}
	})
}
