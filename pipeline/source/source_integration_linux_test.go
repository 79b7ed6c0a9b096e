//go:build integration

package source

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"echogram/pipeline/influx"
	"echogram/pipeline/lines"
	"echogram/plugins/netlab/parts"
	"echogram/plugins/schema"
)

// TestTagsOfFluxsOwnNames: tags result and table tell series apart in either language, and points on the edges of the time
// asked for are read once.
func TestTagsOfFluxsOwnNames(t *testing.T) {
	ctx := t.Context()
	client := stored(t, `http_response,result=success,server=a,table=x response_time=0.1,table=1 60000000000
http_response,result=success,server=a,table=x response_time=0.2,table=1 120000000000
http_response,result=timeout,server=a,table=y response_time=0.3,table=1 60000000000
http_response,result=timeout,server=a,table=y response_time=0.4,table=1 120000000000
http_response,server=a response_time=0.5,table=1 60000000000
`)
	want := map[string][]int64{"success x": {1e8}, "timeout y": {3e8}, " ": {5e8}}
	for _, language := range []string{InfluxQL, Flux} {
		s := New(client, language, []lines.Measurement{{Name: "http_response", Field: "response_time", Unit: "s", Target: "server"}})
		got, begun := map[string][]int64{}, 0
		err := s.Read(ctx, Part{"http_response", []string{"a"}}, 60e9, 120e9, func() { begun++ }, func(series *schema.RTTSeries, r *schema.SweepRow) {
			p := schema.Point{Tags: series.Labels}
			key := p.Tag("result") + " " + p.Tag("table")
			got[key] = append(got[key], r.RTT.N)
		})
		if err != nil || begun != 1 || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, %v", language, got, err)
		}
	}
}

// TestSeriesOneByOne: series of many points, asked for one by one, give the rows that they give together.
func TestSeriesOneByOne(t *testing.T) {
	ctx := t.Context()
	var lines strings.Builder
	for _, tags := range []string{"target=a", `site=x\ y'z,target=a`, "target=b", `site=\y,target=b`} {
		for i := range manyPoints {
			fmt.Fprintf(&lines, "icmp_sweep,block=1,%s sent=1i,rtt_ns=%di %d\n", tags, len(tags)*1000+i, i*1e9)
		}
	}
	s := New(stored(t, lines.String()), InfluxQL, nil)
	if err := s.Open(ctx); err != nil {
		t.Fatal(err)
	}
	which := qlRange(0, manyPoints*1e9) + ` AND "block" = '1'`
	g, err := qlGrouping(ctx, s, sweeps, which)
	if err != nil || len(g.tags) != 4 || qlDivide(ctx, s, sweeps, g, which) != nil || !g.divided {
		t.Fatalf("%+v, %v", g, err)
	}
	read := func(from int64) (all []taken) {
		begin := func() { all = nil }
		err := s.Read(ctx, Part{"", []string{"1"}}, from, manyPoints*1e9, begin, func(series *schema.RTTSeries, r *schema.SweepRow) {
			if r.Time >= 1e9 {
				all = append(all, taken{series, *r})
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	one, together := read(0), read(1e9)
	if len(one) != 4*(manyPoints-1) || !reflect.DeepEqual(one, together) {
		t.Errorf("%d rows one by one, %d together", len(one), len(together))
	}
}

// stored is the way to an InfluxDB of its own that holds lines.
func stored(t *testing.T, lines string) *influx.Client {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 10*time.Minute) // it may have to be built, and outlives the test
	t.Cleanup(cancel)
	db, err := parts.StartInfluxDB(ctx, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Stop() })
	if err := db.CreateDatabase(ctx, "raw"); err != nil {
		t.Fatal(err)
	}
	if err := db.Write(ctx, "raw", lines); err != nil {
		t.Fatal(err)
	}
	client := influx.New(influx.Config{URL: db.URL, Bucket: "raw"})
	t.Cleanup(client.Close)
	return client
}
