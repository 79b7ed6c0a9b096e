//go:build integration

package influx

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"echogram/plugins/netlab/parts"
)

// database starts an InfluxDB 1.8 with an empty database.
func database(t *testing.T) *parts.Influx {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute) // it may have to be built
	defer cancel()
	db, err := parts.StartInfluxDB(ctx, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Stop(); err != nil {
			t.Error(err)
		}
	})
	if err := db.CreateDatabase(ctx, "db"); err != nil {
		t.Fatal(err)
	}
	return db
}

func stored(t *testing.T, db *parts.Influx, measurement string) int64 {
	t.Helper()
	s, err := db.Query(t.Context(), "db", fmt.Sprintf("SELECT count(f) FROM %s", measurement))
	if err != nil {
		t.Fatal(err)
	}
	if len(s) == 0 {
		return 0
	}
	return s[0].Int(0, "count")
}

// TestInfluxDBRefusesOneLine: for each way that 1.8 has to refuse a line, 4,999 of 5,000 are stored and the line is named.
func TestInfluxDBRefusesOneLine(t *testing.T) {
	db := database(t)
	c := New(Config{URL: db.URL, Bucket: "db/autogen"})
	defer c.Close()
	const n, place = 5000, 3117
	cases := map[string]struct{ line, words string }{
		"conflict":   {"conflict,k=b f=true %d", "field type conflict"},
		"unparsable": {"unparsable,k=b f=1i,f %d", "unable to parse"},
		"open_quote": {"open_quote,k=b f=\"1 %d", "unable to parse"},
		"too_long":   {"too_long,k=" + strings.Repeat("x", 70000) + " f=1i %d", "unable to parse"},
	}
	for name, k := range cases {
		var b strings.Builder
		for i := 1; i <= n; i++ {
			line := name + ",k=a f=1i %d"
			if i == place {
				line = k.line
			}
			fmt.Fprintf(&b, line+"\n", 1768046400000000000+int64(i))
		}
		began := time.Now()
		err := c.Write(t.Context(), []byte(b.String()))
		var r *Refused
		if !errors.As(err, &r) || len(r.Lines) != 1 || r.Lines[0].Number != place || !strings.Contains(err.Error(), k.words) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := stored(t, db, name); got != n-1 {
			t.Errorf("%s: %d lines are stored", name, got)
		}
		t.Logf("%s: %v: %.300v", name, time.Since(began).Round(time.Millisecond), err)
	}
}

// TestInfluxDBRefusesAll: rows older than the retention policy keeps them; the time of halving is bounded.
func TestInfluxDBRefusesAll(t *testing.T) {
	db := database(t)
	if _, err := db.Query(t.Context(), "", `CREATE RETENTION POLICY short ON db DURATION 1h REPLICATION 1`); err != nil {
		t.Fatal(err)
	}
	c := New(Config{URL: db.URL, Bucket: "db/short"})
	defer c.Close()
	const n = 1000
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "old f=1i %d\n", 1600000000000000000+i)
	}
	began := time.Now()
	err := c.Write(t.Context(), []byte(b.String()))
	var r *Refused
	if !errors.As(err, &r) || len(r.Lines) != n || !strings.Contains(err.Error(), "beyond retention policy") {
		t.Fatal(err)
	}
	t.Logf("%d lines refused one by one in %v: %v", n, time.Since(began).Round(time.Millisecond), err)
}
