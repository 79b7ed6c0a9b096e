package source

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/influxdata/influxdb-client-go/v2/api/query"
	"github.com/tinylib/msgp/msgp"

	"echogram/pipeline/lines"
	"echogram/plugins/schema"
)

// stretch is a piece of a series in an answer.
type stretch struct {
	tags    string // as in line protocol
	columns string // separated by blanks
	rows    [][]any
}

// packed is an answer with a chunk for each stretch.
func packed(t testing.TB, all ...stretch) io.Reader {
	t.Helper()
	var b bytes.Buffer
	w := msgp.NewWriter(&b)
	for _, s := range all {
		tags := map[string]any{}
		for _, tag := range strings.FieldsFunc(s.tags, func(r rune) bool { return r == ',' }) {
			key, text, _ := strings.Cut(tag, "=")
			tags[key] = text
		}
		begin := w.WriteMapHeader(1)
		for _, v := range []any{"results", msgp.Raw{0x91, 0x82}, "statement_id", 0, "series", msgp.Raw{0x91, 0x84},
			"name", "m", "tags", tags, "columns", strings.Fields(s.columns), "values", s.rows} {
			begin = errors.Join(begin, w.WriteIntf(v))
		}
		if begin != nil {
			t.Fatal(begin)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	return &b
}

const (
	sweepColumns = "time sent received late duplicates corrupt rtt_ns rtt_min_ns rtt_max_ns ttl"
	firstTags    = "block=10.0.0.0/24,host=h,instance=i,network=10.0.0.0/16,target=10.0.0.1"
)

type taken struct {
	series *schema.RTTSeries
	row    schema.SweepRow
}

func take(answer io.Reader) ([]taken, error) {
	var all []taken
	err := readAnswer(answer, sweeps, plain(sweeps), func(s *schema.RTTSeries, r *schema.SweepRow) { all = append(all, taken{s, *r}) })
	return all, err
}

func TestReadAnswer(t *testing.T) {
	all, err := take(packed(t,
		stretch{firstTags, sweepColumns, [][]any{{1000000000, 1, 1, nil, nil, nil, 250, nil, nil, 64}}},
		stretch{firstTags, sweepColumns, [][]any{{2000000000, 3, 2, 1, 4, 5, -7, 6, 8, nil}, {3000000000, nil, nil, 1, nil, nil, nil, nil, nil, nil}}},
		stretch{"block=10.0.0.0/24,host=h,instance=i,name=,network=10.0.0.0/16,site=a b\\,target=10.0.0.2", sweepColumns,
			[][]any{{1, 1, 0, nil, nil, nil, nil, nil, nil, nil}}},
		stretch{"target=x", "sent other time", [][]any{{9, "?", 1}}}))
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 4 {
		t.Fatalf("%d rows, want 4: one has no sent", len(all))
	}
	if all[0].series != all[1].series {
		t.Error("a series changed between its rows")
	}
	want := schema.SweepRow{Time: 2e9, Sent: 3, Received: 2, Late: 1, Duplicates: 4, Corrupt: 5,
		RTT: schema.Some(-7), RTTMin: schema.Some(6), RTTMax: schema.Some(8)}
	if !reflect.DeepEqual(all[1].row, want) {
		t.Errorf("got %+v", all[1].row)
	}
	if r := all[0].row; r.RTT != schema.Some(250) || r.TTL != schema.Some(64) || r.RTTMin.Set || r.Late != 0 {
		t.Errorf("got %+v", r)
	}
	labelled := schema.RTTSeries{HasCounts: true, Series: schema.Series{Host: "h", Instance: "i", Network: "10.0.0.0/16", Block: "10.0.0.0/24", Target: "10.0.0.2",
		Labels: []schema.Tag{{Key: "site", Value: `a b\`}}}}
	if !reflect.DeepEqual(*all[2].series, labelled) {
		t.Errorf("got %+v", *all[2].series)
	}
	if all[3].series.Target != "x" || all[3].row.Sent != 9 || all[3].row.Time != 1 {
		t.Errorf("got %+v", all[3])
	}
}

func TestReadAnswerErrors(t *testing.T) {
	raw := func(vs ...any) io.Reader {
		var b bytes.Buffer
		w := msgp.NewWriter(&b)
		for _, v := range vs {
			if err := w.WriteIntf(v); err != nil {
				t.Fatal(err)
			}
		}
		w.Flush()
		return &b
	}
	one := func(v ...any) io.Reader { return packed(t, stretch{"a=b", "time sent", [][]any{v}}) }
	for name, c := range map[string]struct {
		answer io.Reader
		want   string
	}{
		"server":     {raw(map[string]any{"error": "out of memory"}), `source: the answer: the server says "out of memory"`},
		"statement":  {raw(map[string]any{"results": []any{map[string]any{"error": "timeout"}}}), `source: the answer: the server says "timeout"`},
		"no map":     {raw("text"), `source: the answer: msgp: attempted to decode type "str" with method for "map"`},
		"html":       {strings.NewReader("<html>"), `source: the answer: msgp: attempted to decode type "int" with method for "map"`},
		"text":       {one(1, "x"), `source: the answer: sent: "x" is no integer`},
		"float":      {one(1, 1.5), `source: the answer: sent: 1.5 is no integer`},
		"time":       {one("1", 1), `source: the answer: "1" is no integer`},
		"few values": {one(1), "source: the answer: a row of 1 values below 2 columns"},
		"no columns": {packed(t, stretch{"a=b", "", [][]any{{}}}), "source: the answer: values without columns"},
		"list":       {one(1, []any{}), "source: the answer: a value of the type array"},
	} {
		if _, err := take(c.answer); err == nil || err.Error() != c.want {
			t.Errorf("%s:\n got %v\nwant %s", name, err, c.want)
		}
	}
	if all, err := take(raw()); err != nil || len(all) != 0 {
		t.Errorf("an empty answer: %v, %v", all, err)
	}
	whole, _ := io.ReadAll(one(1, 1))
	for n := 1; n < len(whole); n++ {
		if all, err := take(bytes.NewReader(whole[:n])); !errors.Is(err, io.ErrUnexpectedEOF) || len(all) > 1 {
			t.Errorf("%d of %d bytes: %v", n, len(whole), err)
		}
	}
}

// TestReadMeasurement: RTTs in any unit, as floats or integers, with and without counts.
func TestReadMeasurement(t *testing.T) {
	ping := tableOf(&lines.Measurement{Name: "ping", Field: "average_response_ms", Unit: "ms", Target: "url", Sent: "packets_transmitted", Received: "packets_received"})
	var all []taken
	answer := packed(t, stretch{"host=h,site=,url=10.0.0.1", "time packets_transmitted packets_received average_response_ms", [][]any{
		{1, 5, 4, 0.2037485}, // the sixth decimal decides
		{2, 5, 0, nil},
		{3, nil, nil, 7}, // nothing was counted
		{4, 1, 1, 7},
		{5, 1., 1., -7.},
	}})
	err := readAnswer(answer, ping, plain(ping), func(s *schema.RTTSeries, r *schema.SweepRow) { all = append(all, taken{s, *r}) })
	if err != nil || len(all) != 4 {
		t.Fatalf("%d rows, %v", len(all), err)
	}
	for i, want := range []schema.SweepRow{
		{Time: 1, Sent: 5, Received: 4, RTT: schema.Some(203749)}, {Time: 2, Sent: 5},
		{Time: 4, Sent: 1, Received: 1, RTT: schema.Some(7e6)}, {Time: 5, Sent: 1, Received: 1, RTT: schema.Some(-7e6)},
	} {
		if !reflect.DeepEqual(all[i].row, want) {
			t.Errorf("row %d: got %+v", i, all[i].row)
		}
	}
	series := &schema.RTTSeries{Of: "ping", HasCounts: true, Series: schema.Series{Host: "h", Target: "10.0.0.1",
		Labels: []schema.Tag{{Key: "host", Value: "h"}, {Key: "url", Value: "10.0.0.1"}}}}
	if !reflect.DeepEqual(all[0].series, series) {
		t.Errorf("got %+v", all[0].series)
	}
}

// TestRTT: what is no RTT is negative, and does not end the reading; what is no number does.
func TestRTT(t *testing.T) {
	for _, c := range []struct {
		value any
		unit  int64
		want  schema.Opt
	}{
		{0.0005, 1e6, schema.Some(500)}, {1.5e-3, 1e6, schema.Some(1500)}, {int64(7), 1e3, schema.Some(7000)},
		{int64(-1), 1, schema.Some(-1)}, {-0.5, 1e6, schema.Some(-5e5)}, {int64(math.MaxInt64), 1e3, schema.Some(NoRTT)},
		{uint64(1e19), 1e6, schema.Some(NoRTT)}, {1e300, 1, schema.Some(NoRTT)}, {math.Inf(-1), 1, schema.Some(NoRTT)},
		{math.NaN(), 1, schema.Some(NoRTT)},
	} {
		v := valueOf(c.value)
		if got, err := rtt(&v, c.unit); got != c.want || err != nil {
			t.Errorf("%v: %v, %v", c.value, got, err)
		}
	}
	for _, value := range []any{"", "7", true} {
		v := valueOf(value)
		if got, err := rtt(&v, 1); err == nil {
			t.Errorf("%q is %v", value, got)
		}
	}
}

// TestRecordSeries: http_response has a tag that is called as the column in which Flux names its answer.
func TestRecordSeries(t *testing.T) {
	table := tableOf(&lines.Measurement{Name: "http_response", Field: "response_time", Unit: "s", Target: "server"})
	record := query.NewFluxRecord(0, map[string]any{"result": "_result", "table": int64(0), "_measurement": "http_response",
		"_our_result": "timeout", "_our_table": "x", "server": "a", "response_time": 0.1})
	want := []schema.Tag{{Key: "result", Value: "timeout"}, {Key: "server", Value: "a"}, {Key: "table", Value: "x"}}
	if s, err := recordSeries(table, record, nil); err != nil || !reflect.DeepEqual(s.Labels, want) {
		t.Errorf("%v, %v", s, err)
	}
}

func TestReadFloors(t *testing.T) {
	answer := packed(t, stretch{"block=b,host=h,target=x,window=1h", "time rtt_floor_ns rtt_stderr_ns rtt_n ttl_min ttl_max rtt_error", [][]any{
		{3600000000000, 2410, 12, 360, 64, 64, "autocorrelated,modes"}, {7200000000000, 2410, nil, 1, nil, nil, "ok"}, {7200000000000, nil, nil, 0, nil, nil, "ok"},
	}})
	var got []schema.SweepRollupRow
	err := readAnswer(answer, floors, plain(floors), func(s *schema.RTTSeries, r *schema.SweepRollupRow) {
		if s.Target != "x" || s.Labels != nil {
			t.Errorf("series %+v", s)
		}
		got = append(got, *r)
	})
	var want [2]schema.SweepRollupRow
	want[0].Time, want[0].N, want[0].Error = 3600e9, 360, "autocorrelated,modes"
	want[0].Floor, want[0].StdErr, want[0].TTLMin, want[0].TTLMax = schema.Some(2410), schema.Some(12), schema.Some(64), schema.Some(64)
	want[1].Time, want[1].N, want[1].Error, want[1].Floor = 7200e9, 1, "ok", schema.Some(2410)
	if err != nil || !reflect.DeepEqual(got, want[:]) {
		t.Errorf("%v\n got %+v\nwant %+v", err, got, want)
	}
}

// TestReadManifests: reasons for doubt come as they are, and what is cut short says so.
func TestReadManifests(t *testing.T) {
	answer := packed(t, stretch{"host=h,instance=i", "time points targets sent received duration_ns rate trust partial", [][]any{
		{1000000000, 4, 4, 4, 3, 2000, 1.5, "ok", nil},
		{2000000000, 2, 4, 2, 1, 1000, 2, "ring_drops,nic_drops", true},
		{3000000000, nil, nil, nil, nil, nil, nil, nil, nil}, // the late count of a sweep without a manifest
	}})
	var got []schema.SweepStatsRow
	err := readAnswer(answer, manifests, plain(manifests), func(s *schema.RTTSeries, r *schema.SweepStatsRow) {
		if s.Host != "h" || s.Instance != "i" {
			t.Errorf("series %+v", s)
		}
		got = append(got, *r)
	})
	want := []schema.SweepStatsRow{
		{Time: 1e9, Points: 4, Targets: 4, Sent: 4, Received: 3, Duration: 2000, Rate: 1.5, Trust: schema.TrustOK},
		{Time: 2e9, Points: 2, Targets: 4, Sent: 2, Received: 1, Duration: 1000, Rate: 2, Trust: "ring_drops,nic_drops", Partial: true},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v\n got %+v\nwant %+v", err, got, want)
	}
}

func TestQuoting(t *testing.T) {
	if got := qlString(`a'b\`); got != `'a\'b\\'` {
		t.Error(got)
	}
	if got := fluxString("a\"b\\${x}"); got != `"a\"b\\\${x}"` {
		t.Error(got)
	}
}

func BenchmarkReadAnswer(b *testing.B) {
	var all []stretch
	for target := range 256 {
		s := stretch{tags: fmt.Sprintf("target=10.0.0.%d", target), columns: "time sent received rtt_ns ttl"}
		for sweep := range 60 {
			s.rows = append(s.rows, []any{1700000000000000000 + sweep*1e10, 1, 1, 123456789, 64})
		}
		all = append(all, s)
	}
	answer, _ := io.ReadAll(packed(b, all...))
	b.SetBytes(int64(len(answer)))
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		err := readAnswer(bytes.NewReader(answer), sweeps, plain(sweeps), func(*schema.RTTSeries, *schema.SweepRow) { n++ })
		if err != nil || n != 256*60 {
			b.Fatal(n, err)
		}
	}
}

// FuzzReadAnswer: whatever a server answers, reading it ends, and what is taken has a series.
func FuzzReadAnswer(f *testing.F) {
	seed, _ := io.ReadAll(packed(f, stretch{firstTags, sweepColumns, [][]any{{1, 1, 1, nil, nil, nil, 250, nil, nil, 64}, {2, 1.5, "x", true, -1, 0, 1 << 40, nil, nil, 64}}}))
	f.Add(seed)
	f.Add([]byte("<html>"))
	f.Fuzz(func(t *testing.T, answer []byte) {
		readAnswer(bytes.NewReader(answer), sweeps, plain(sweeps), func(s *schema.RTTSeries, r *schema.SweepRow) {
			if s == nil || r == nil {
				t.Error("a row without a series")
			}
		})
	})
}
