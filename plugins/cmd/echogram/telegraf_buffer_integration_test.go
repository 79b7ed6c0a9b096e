//go:build integration

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"echogram/plugins/netlab/parts"
	"echogram/plugins/schema"
)

// defaultAgent is Telegraf as it comes: 10,000 metrics of buffer, batches of 1,000, a flush each 10 s.
const defaultAgent = `
[agent]
  interval = "10s"
  omit_hostname = true
[[inputs.internal]]
[[outputs.influxdb_v2]]
  urls = [%q]
  bucket = "telegraf/autogen"
`

// TestDefaultBuffer: half of a /16 each 20 s, which is more a second than the whole each minute, is spread so that a
// Telegraf with default buffers hands all of it to InfluxDB.
func TestDefaultBuffer(t *testing.T) {
	const slots, targets = 20 * time.Second, 1 << 15
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
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
	if err := db.CreateDatabase(ctx, "telegraf"); err != nil {
		t.Fatal(err)
	}
	stanza := "[[inputs.icmp_sweep]]\n  interval = \"20s\"\n  networks = [\"198.18.0.0/17\"]"
	config := writeFile(t, "telegraf.conf", fmt.Sprintf(defaultAgent, db.URL), execdStanza(
		"nsenter", "--net="+answering(t).Path(), program, "telegraf", "--config", writeFile(t, "echogram.conf", stanza)))
	slot := time.Now().Add(2 * time.Second).Truncate(slots).Add(slots)
	time.Sleep(time.Until(slot.Add(-2 * time.Second)))
	log := filepath.Join(t.TempDir(), "telegraf.log")
	agent, err := parts.StartTelegraf(ctx, config, log)
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Until(slot.Add(slots * 3 / 4).Add(500 * time.Millisecond)))
	if err := agent.Stop(); err != nil {
		t.Error(err)
	}
	if said, err := os.ReadFile(log); err != nil || badLine.Match(said) {
		t.Errorf("telegraf says %s, %v", said, err)
	}
	series, err := db.Query(ctx, "telegraf", fmt.Sprintf(
		"SELECT count(sent) AS n FROM %s; SELECT sum(points) AS n FROM %s; SELECT max(metrics_dropped) AS n, count(metrics_dropped) AS seen FROM internal_write",
		schema.ICMPSweep, schema.ICMPSweepStats))
	if err != nil || len(series) != 3 {
		t.Fatalf("%v, %v", series, err)
	}
	rows, points, dropped := series[0].Int(0, "n"), series[1].Int(0, "n"), series[2].Int(0, "n")
	if rows != targets || points != targets || dropped != 0 || series[2].Int(0, "seen") == 0 {
		t.Errorf("%d rows in InfluxDB, %d by the manifest, %d dropped", rows, points, dropped)
	}
}
