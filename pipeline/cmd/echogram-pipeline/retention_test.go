package main

import (
	"testing"

	"echogram/pipeline/config"
)

func script(t *testing.T, text string) string {
	t.Helper()
	cfg, err := config.Parse("p.toml", []byte(text), func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	return (&retentionFlags{targets: 1000}).script(cfg)
}

func TestRetentionOf1(t *testing.T) {
	got := script(t, "windows = ['1m', '1h', '1d']\n[source]\nurl = 'http://u:secret@db:8086'\nbucket = 'telegraf/autogen'\n[sink]\nbucket = 'rollup'\n")
	const want = `#!/bin/sh
# What InfluxDB keeps, and for how long. Sizes are for 1000 targets, compacted.
set -eu

# Raw points: 15 days, 726 MB. At least revisit, 26h2m10s, must be left for the pipeline, and for a backfill of blocks block.span, 14 days, before it.
influx -host 'db' -port 8086 -execute 'ALTER RETENTION POLICY "autogen" ON "telegraf" DURATION 360h'

# Rollups: for ever, but for those of short windows, which this deletes: run it every day.
# rollup names no policy (rollup/POLICY): it is taken for that of rollup/autogen.
influx -host 'db' -port 8086 -execute 'ALTER RETENTION POLICY "autogen" ON "rollup" DURATION INF'

# 1m: 30 days, 9.96 MB.
influx -host 'db' -port 8086 -database 'rollup' -execute 'DELETE FROM /_rollup$/ WHERE "window" = '\''1m'\'' AND time < now() - 720h'

# 1h: 365 days, 517 MB.
influx -host 'db' -port 8086 -database 'rollup' -execute 'DELETE FROM /_rollup$/ WHERE "window" = '\''1h'\'' AND time < now() - 8760h'

# 1d: for ever, 21.5 MB a year.

# block_state, block_churn, block_daily, and the few of block_outage: for ever, 4.39 MB a year.
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestRetentionOf2(t *testing.T) {
	got := script(t, "windows = ['10m']\n[block]\nenabled = false\n[source]\nurl = 'http://db:8086'\norg = 'o'\nbucket = 'raw'\n[sink]\nbucket = \"it's\"\n")
	const want = `#!/bin/sh
# What InfluxDB keeps, and for how long. Sizes are for 1000 targets, compacted.
set -eu

# Raw points: 7 days, 339 MB. At least revisit, 26h2m10s, must be left for the pipeline.
influx bucket update --host 'http://db:8086' --id "$(influx bucket list --host 'http://db:8086' --org 'o' --name 'raw' --hide-headers | cut -f 1)" --retention 168h

# Rollups: for ever, but for those of short windows, which this deletes: run it every day.
influx bucket update --host 'http://db:8086' --id "$(influx bucket list --host 'http://db:8086' --org 'o' --name 'it'\''s' --hide-headers | cut -f 1)" --retention 0s

# 10m: 30 days, 996 kB.
influx delete --host 'http://db:8086' --org 'o' --bucket 'it'\''s' --predicate 'window="10m"' --start 1970-01-01T00:00:00Z --stop "$(date -u -d '30 days ago' +%FT%TZ)"
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
