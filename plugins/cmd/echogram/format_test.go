package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"echogram/plugins/schema"
)

var update = flag.Bool("update", false, "write the golden files instead of comparing with them")

// golden compares what was written with a file of testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s:\n%s\nwant:\n%s", name, got, want)
	}
}

// sampleRows has one target of each kind.
func sampleRows(t *testing.T) []schema.Row {
	t.Helper()
	var rows []schema.Row
	for _, line := range sampleLines {
		var p schema.Point
		if err := p.Parse([]byte(line)); err != nil {
			t.Fatal(err)
		}
		rows = append(rows, rowOf(t, &p))
	}
	return rows
}

func rowOf(t *testing.T, p *schema.Point) schema.Row {
	t.Helper()
	var row schema.Row = &schema.SweepRow{}
	switch _, whole := p.Field("sent"); {
	case p.Measurement == schema.ICMPSweepBlock:
		row = &schema.SweepBlockRow{}
	case p.Measurement == schema.ICMPSweepStats:
		row = &schema.SweepStatsRow{}
	case !whole:
		row = &schema.LateRow{}
	}
	if err := schema.Read(p, row); err != nil {
		t.Fatal(err)
	}
	return row
}

// sampleLines are the sample rows as line protocol, each as the schema writes it.
var sampleLines = []string{
	`icmp_sweep,block=192.0.2.0/24,host=prober,instance=sweep,network=192.0.2.0/24,target=192.0.2.1 sent=1i,received=1i,rtt_ns=3142i,ttl=64i,result_code=0i 1700000000000000000`,
	`icmp_sweep,block=192.0.2.0/24,host=prober,instance=sweep,network=192.0.2.0/24,target=192.0.2.2 sent=1i,received=0i,result_code=1i 1700000000000000000`,
	`icmp_sweep,block=192.0.2.0/24,host=prober,instance=sweep,name=printer\,\ 2nd\ floor,network=192.0.2.0/24,target=192.0.2.3 sent=3i,received=2i,rtt_ns=29500000i,rtt_min_ns=29000000i,rtt_max_ns=30000000i,rtt_stddev_ns=500000i,ttl=255i,result_code=0i,late=1i,late_rtt_ns=1500000000i,duplicates=2i,corrupt=1i,flipped_bits=3i,first_flip=17i 1700000000000000000`,
	`icmp_sweep,block=192.0.2.0/24,host=prober,instance=sweep,network=192.0.2.0/24,target=192.0.2.4 sent=1i,received=0i,result_code=2i,icmp_type=3i,icmp_code=1i,error_from="192.0.2.254" 1700000000000000000`,
	`icmp_sweep,block=192.0.2.0/24,host=prober,instance=sweep,network=192.0.2.0/24,target=192.0.2.5 sent=1i,received=0i,result_code=2i,icmp_type=3i,icmp_code=77i,error_from="192.0.2.254" 1700000000000000000`,
	`icmp_sweep,block=192.0.2.0/24,host=prober,instance=sweep,network=192.0.2.0/24,target=192.0.2.6 sent=0i,received=0i,result_code=3i 1700000000000000000`,
	`icmp_sweep,block=192.0.2.0/24,host=prober,instance=sweep,network=192.0.2.0/24,target=192.0.2.7 sent=0i,received=0i,result_code=4i 1700000000000000000`,
	`icmp_sweep,block=192.0.2.0/24,host=prober,instance=sweep,network=192.0.2.0/24,target=192.0.2.8 sent=1i,received=1i,rtt_ns=210345i,ttl=64i,result_code=0i,mac="02:00:00:00:00:07",arp_rtt_ns=188000i,hostname="desk \"7\".example" 1700000000000000000`,
	`icmp_sweep_block,block=192.0.2.0/24,host=prober,instance=sweep,network=192.0.2.0/24 targets=8i,responding=3i,percent_responding=37.5,sent=9i,received=4i,rtt_min_ns=3142i,rtt_mean_ns=9904495i,rtt_max_ns=29500000i,rtt_p50_ns=210345i,rtt_p90_ns=29500000i,rtt_p99_ns=29500000i 1700000000000000000`,
	`icmp_sweep,block=2001:db8::/64,host=prober,instance=sweep,network=2001:db8::/64,target=2001:db8::1:2:3:4444 sent=1i,received=0i,result_code=2i,icmp_type=2i,icmp_code=0i,error_from="2001:db8:9::9",mtu=1280i 1700000000000000000`,
	`icmp_sweep,block=2001:db8::/64,host=prober,instance=sweep,network=2001:db8::/64,target=2001:db8::9 sent=1i,received=0i,result_code=2i,icmp_type=1i,icmp_code=3i,error_from="2001:db8:9::9" 1700000000000000000`,
	`icmp_sweep_stats,host=prober,instance=sweep points=10i,targets=10i,sent=11i,received=4i,late=1i,duplicates=2i,corrupt=1i,icmp_errors=4i,other_source=1i,foreign=0i,unverified=0i,capture_drops=0i,capture_freezes=0i,send_errors=0i,unseen=0i,neighbour_failures=0i,clock_step_ns=0i,trust="ok",duration_ns=1001234567i,rate=9999.5,stamp_kind="software" 1700000000000000000`,
	`icmp_sweep,block=192.0.2.0/24,host=prober,instance=sweep,network=192.0.2.0/24,target=192.0.2.2 late=1i,late_rtt_ns=2500000000i 1700000000000000000`,
}

func written(t *testing.T, name string, o formatOptions) []byte {
	t.Helper()
	f, err := newFormat(name, o)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	w := newWriter(&b, f)
	for _, r := range sampleRows(t) {
		w.emit(r)
	}
	if err := w.flush(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestFormats(t *testing.T) {
	golden(t, "csv", written(t, "csv", formatOptions{}))
	golden(t, "csv_all", written(t, "csv", formatOptions{columns: []string{"all"}}))
	golden(t, "csv_columns", written(t, "csv", formatOptions{columns: []string{"rtt", "target", "lost", "name"}}))
	golden(t, "json", written(t, "json", formatOptions{}))
	golden(t, "table", written(t, "table", formatOptions{}))
	golden(t, "table_names", written(t, "table", formatOptions{names: true}))
}

// TestInflux: what the schema wrote comes out again.
func TestInflux(t *testing.T) {
	want := strings.Join(sampleLines, "\n") + "\n"
	if got := written(t, "influx", formatOptions{}); string(got) != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestJSON: each line is an object that says what the point says.
func TestJSON(t *testing.T) {
	rows := sampleRows(t)
	for i, line := range bytes.Split(bytes.TrimSpace(written(t, "json", formatOptions{})), []byte("\n")) {
		var got struct {
			Measurement string
			Time        time.Time
			Tags        map[string]string
			Fields      map[string]any
		}
		if err := json.Unmarshal(line, &got); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		var p schema.Point
		schema.Fill(&p, rows[i])
		if got.Measurement != p.Measurement || got.Time.UnixNano() != p.Time || len(got.Tags) != len(p.Tags) || len(got.Fields) != len(p.Fields) {
			t.Errorf("%s", line)
		}
		for k, v := range p.FieldMap() {
			if n, ok := v.(int64); ok {
				v = float64(n)
			}
			if got.Fields[k] != v {
				t.Errorf("%s: field %s is %v, want %v", line, k, got.Fields[k], v)
			}
		}
	}
	if got := string(appendJSONString(nil, "tab\t\"é\" \\")); got != `"tab\t\"é\" \\"` {
		t.Errorf("got %s", got)
	}
}

func TestFormatsRefuse(t *testing.T) {
	for _, c := range []struct {
		name    string
		columns []string
		want    string
	}{
		{"xml", nil, "table, csv, json or influx"},
		{"json", []string{"all"}, "--columns goes with --format csv"},
		{"csv", []string{"target", "rrt"}, `"rrt": must be all, or of target,name,result,rtt`},
	} {
		if _, err := newFormat(c.name, formatOptions{columns: c.columns}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %v: %v, want %q", c.name, c.columns, err, c.want)
		}
	}
}
