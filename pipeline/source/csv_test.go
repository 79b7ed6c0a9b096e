package source

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/influxdata/influxdb-client-go/v2/api/query"

	"echogram/pipeline/lines"
	"echogram/plugins/schema"
)

const head = "name,tags,time,sent,received,late,duplicates,corrupt,rtt_ns,rtt_min_ns,rtt_max_ns,ttl\n"

type taken struct {
	series *schema.RTTSeries
	row    schema.SweepRow
}

func take(t *testing.T, text string) ([]taken, error) {
	t.Helper()
	var all []taken
	err := readCSV(strings.NewReader(text), sweeps, plain(sweeps), func(s *schema.RTTSeries, r *schema.SweepRow) { all = append(all, taken{s, *r}) })
	return all, err
}

func TestReadCSV(t *testing.T) {
	all, err := take(t, head+
		`icmp_sweep,"block=10.0.0.0/24,host=h,instance=i,network=10.0.0.0/16,target=10.0.0.1",1000000000,1,1,,,,250,,,64`+"\n"+
		`icmp_sweep,"block=10.0.0.0/24,host=h,instance=i,network=10.0.0.0/16,target=10.0.0.1",2000000000,3,2,1,4,5,-7,6,8,`+"\n"+
		`icmp_sweep,"block=10.0.0.0/24,host=h,instance=i,network=10.0.0.0/16,target=10.0.0.1",3000000000,,,1,,,,,,`+"\n"+
		`icmp_sweep,"block=10.0.0.0/24,host=h,instance=i,name=,network=10.0.0.0/16,site=a\ ""b""\,c\=d\e,target=10.0.0.2",1,1,0,,,,,,,`+"\n"+
		"\n"+head+`icmp_sweep,target=x,1,9,0,,,,,,,`+"\n")
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
		Labels: []schema.Tag{{Key: "site", Value: `a "b",c=d\e`}}}}
	if !reflect.DeepEqual(*all[2].series, labelled) {
		t.Errorf("got %+v", *all[2].series)
	}
	if all[3].series.Target != "x" || all[3].row.Sent != 9 {
		t.Errorf("got %+v", all[3])
	}
}

func TestReadCSVErrors(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"server":   {"error\nout of memory\n", `source: line 2 of the answer: the server says "out of memory"`},
		"no head":  {"icmp_sweep,a=b,1\n", `source: line 1 of the answer: "icmp_sweep,a=b,1" is not a header`},
		"html":     {"<html>", `source: line 1 of the answer: "<html>" is not a header`},
		"number":   {head + "icmp_sweep,a=b,1,x\n", `source: line 2 of the answer: strconv.ParseInt: parsing "x": invalid syntax`},
		"float":    {head + "icmp_sweep,a=b,1,1.5\n", `source: line 2 of the answer: strconv.ParseInt: parsing "1.5": invalid syntax`},
		"no tags":  {head + "icmp_sweep\n", "source: line 2 of the answer: it has no tags"},
		"quote":    {head + `icmp_sweep,"a=b,1` + "\n", "source: line 2 of the answer: a quote does not end"},
		"behind":   {head + `icmp_sweep,"a=b"c,1` + "\n", "source: line 2 of the answer: text behind a quote"},
		"bad tags": {head + "icmp_sweep,ab,1,1\n", `source: line 2 of the answer: schema: line protocol, byte 5: tag "ab" has no value`},
	} {
		if _, err := take(t, c.text); err == nil || err.Error() != c.want {
			t.Errorf("%s:\n got %v\nwant %s", name, err, c.want)
		}
	}
	if all, err := take(t, ""); err != nil || len(all) != 0 {
		t.Errorf("an empty answer: %v, %v", all, err)
	}
}

// TestReadMeasurement: RTTs in any unit, as floats or integers, with and without counts.
func TestReadMeasurement(t *testing.T) {
	ping := tableOf(&lines.Measurement{Name: "ping", Field: "average_response_ms", Unit: "ms", Target: "url", Sent: "packets_transmitted", Received: "packets_received"})
	var all []taken
	text := "name,tags,time,packets_transmitted,packets_received,average_response_ms\n" +
		`ping,"host=h,site=,url=10.0.0.1",1,5,4,0.2037485` + "\n" + // the sixth decimal decides
		`ping,"host=h,site=,url=10.0.0.1",2,5,0,` + "\n" +
		`ping,"host=h,site=,url=10.0.0.1",3,,,7` + "\n" + // nothing was counted
		`ping,"host=h,site=,url=10.0.0.1",4,1,1,7` + "\n" +
		`ping,"host=h,site=,url=10.0.0.1",5,1,1,-7` + "\n"
	err := readCSV(strings.NewReader(text), ping, plain(ping), func(s *schema.RTTSeries, r *schema.SweepRow) { all = append(all, taken{s, *r}) })
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
		text string
		unit int64
		want schema.Opt
	}{
		{"0.0005", 1e6, schema.Some(500)}, {"1.5e-3", 1e6, schema.Some(1500)}, {"7", 1e3, schema.Some(7000)},
		{"-1", 1, schema.Some(-1)}, {"-0.5", 1e6, schema.Some(-5e5)}, {"9223372036854775807", 1e3, schema.Some(NoRTT)},
		{"10000000000000000000", 1e6, schema.Some(NoRTT)}, {"1e400", 1, schema.Some(NoRTT)}, {"-1e400", 1, schema.Some(NoRTT)},
	} {
		if got, err := rtt([]byte(c.text), c.unit); got != c.want || err != nil {
			t.Errorf("%s: %v, %v", c.text, got, err)
		}
	}
	for _, text := range []string{"", "-", "fast", "1.x"} {
		if got, err := rtt([]byte(text), 1); err == nil {
			t.Errorf("%q is %v", text, got)
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
	text := "name,tags,time,rtt_floor_ns,rtt_stderr_ns,rtt_n,ttl_min,ttl_max,rtt_error\n" +
		`icmp_sweep_rollup,"block=b,host=h,target=x,window=1h",3600000000000,2410,12,360,64,64,"autocorrelated,modes"` + "\n" +
		`icmp_sweep_rollup,"block=b,host=h,target=x,window=1h",7200000000000,2410,,1,,,ok` + "\n" +
		`icmp_sweep_rollup,"block=b,host=h,target=x,window=1h",7200000000000,,,0,,,ok` + "\n"
	var got []schema.SweepRollupRow
	err := readCSV(strings.NewReader(text), floors, plain(floors), func(s *schema.RTTSeries, r *schema.SweepRollupRow) {
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

// TestReadManifests: reasons for doubt stand in quotes when there are several, and what is cut short says so.
func TestReadManifests(t *testing.T) {
	text := "name,tags,time,points,targets,sent,received,duration_ns,rate,trust,partial\n" +
		`icmp_sweep_stats,"host=h,instance=i",1000000000,4,4,4,3,2000,1.5,ok,` + "\n" +
		`icmp_sweep_stats,"host=h,instance=i",2000000000,2,4,2,1,1000,2,"ring_drops,nic_drops",true` + "\n" +
		`icmp_sweep_stats,"host=h,instance=i",3000000000,,,,,,,,` + "\n" // the late count of a sweep without a manifest
	var got []schema.SweepStatsRow
	err := readCSV(strings.NewReader(text), manifests, plain(manifests), func(s *schema.RTTSeries, r *schema.SweepStatsRow) {
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

func BenchmarkReadCSV(b *testing.B) {
	var text strings.Builder
	text.WriteString(head)
	for target := range 256 {
		for sweep := range 60 {
			fmt.Fprintf(&text, "icmp_sweep,\"block=10.0.0.0/24,host=h,instance=i,network=10.0.0.0/16,target=10.0.0.%d\",17000000%02d000000000,1,1,,,,123456789,,,64\n", target, sweep)
		}
	}
	b.SetBytes(int64(text.Len()))
	for b.Loop() {
		n := 0
		if err := readCSV(strings.NewReader(text.String()), sweeps, plain(sweeps), func(*schema.RTTSeries, *schema.SweepRow) { n++ }); err != nil || n != 256*60 {
			b.Fatal(n, err)
		}
	}
}

// FuzzReadCSV: whatever a server answers, reading it ends, and what is taken has a series.
func FuzzReadCSV(f *testing.F) {
	f.Add(head + `icmp_sweep,"block=a,target=10.0.0.1",1000000000,1,1,,,,250,,,64` + "\n")
	f.Add("error\nx\n")
	f.Add(head + `icmp_sweep,"a=""b\,c=",1,1` + "\n\n" + head)
	f.Add(head + "icmp_sweep,,1,1\n")
	f.Fuzz(func(t *testing.T, text string) {
		readCSV(strings.NewReader(text), sweeps, plain(sweeps), func(s *schema.RTTSeries, r *schema.SweepRow) {
			if s == nil || r == nil {
				t.Error("a row without a series")
			}
		})
	})
}
