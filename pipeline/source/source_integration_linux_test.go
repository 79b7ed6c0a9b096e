//go:build integration

package source

import (
	"context"
	"reflect"
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
