package main

import (
	"context"
	"fmt"
	"net/netip"

	"echogram/plugins/netlab"
	"echogram/plugins/netlab/parts"
	"echogram/plugins/schema"
)

// manifest is the stats row of one sweep.
type manifest struct {
	time          int64 // Unix nanoseconds
	points, drops int64
	received      int64
	trust         string
}

// manifests reads the stats rows of the complete sweeps, oldest first.
func manifests(ctx context.Context, db *parts.Influx) ([]manifest, error) {
	series, err := db.Query(ctx, rawDB, fmt.Sprintf(
		"SELECT points, received, capture_drops, trust, partial FROM %s WHERE instance = '%s'", schema.ICMPSweepStats, instance))
	if err != nil || len(series) == 0 {
		return nil, err
	}
	var all []manifest
	s := series[0]
	for row := range s.Values {
		partial, _ := s.Value(row, "partial").(bool) // absent: a whole sweep
		if s.Value(row, "points") == nil || partial {
			continue // a correction of the late count, or a sweep that was cut short
		}
		all = append(all, manifest{
			time: s.Int(row, "time"), points: s.Int(row, "points"), drops: s.Int(row, "capture_drops"),
			received: s.Int(row, "received"), trust: s.String(row, "trust"),
		})
	}
	return all, nil
}

func (s span) where() string {
	return fmt.Sprintf("instance = '%s' AND time >= %d AND time < %d", instance, s.from, s.to)
}

// rawTallies reads the rows of all targets, summed by block and sweep.
func rawTallies(ctx context.Context, db *parts.Influx, s span) (map[cell]tally, error) {
	cells := map[cell]tally{}
	fill := func(columns, and string, set func(*tally, parts.Series, int)) error {
		series, err := db.Query(ctx, rawDB, fmt.Sprintf("SELECT %s FROM %s WHERE %s%s GROUP BY block, time(%ds) FILL(none)",
			columns, schema.ICMPSweep, s.where(), and, int(interval.Seconds())))
		if err != nil {
			return err
		}
		return eachCell(series, func(c cell, s parts.Series, row int) {
			t := cells[c]
			set(&t, s, row)
			cells[c] = t
		})
	}
	err := fill("count(sent) AS n, sum(sent) AS sent, sum(received) AS received, sum(late) AS late", "",
		func(t *tally, s parts.Series, row int) {
			t.points, t.sent, t.received, t.late = s.Int(row, "n"), s.Int(row, "sent"), s.Int(row, "received"), s.Int(row, "late")
		})
	if err != nil {
		return nil, err
	}
	from := netlab.ResponderAddress
	for _, q := range []struct {
		and string
		of  func(*tally) *int64
	}{
		{fmt.Sprintf(" AND result_code = %d", schema.ResultAnswered), func(t *tally) *int64 { return &t.responding }},
		{fmt.Sprintf(" AND result_code = %d", schema.ResultSilent), func(t *tally) *int64 { return &t.silent }},
		{fmt.Sprintf(" AND icmp_type = 3 AND icmp_code = 1 AND error_from = '%v'", from), func(t *tally) *int64 { return &t.hostErrors }},
		{fmt.Sprintf(" AND icmp_type = 3 AND icmp_code = 13 AND error_from = '%v'", from), func(t *tally) *int64 { return &t.prohibited }},
	} {
		err := fill("count(sent) AS n", q.and, func(t *tally, s parts.Series, row int) { *q.of(t) = s.Int(row, "n") })
		if err != nil {
			return nil, err
		}
	}
	return cells, nil
}

func eachCell(series []parts.Series, f func(c cell, s parts.Series, row int)) error {
	for _, s := range series {
		block, err := netip.ParsePrefix(s.Tags[schema.TagBlock])
		if err != nil {
			return fmt.Errorf("block tag: %w", err)
		}
		for row := range s.Values {
			f(cell{block, s.Int(row, "time")}, s, row)
		}
	}
	return nil
}

// rttLine is the distribution of the RTTs of all answers.
func rttLine(ctx context.Context, db *parts.Influx, s span) (string, error) {
	series, err := db.Query(ctx, rawDB, fmt.Sprintf("SELECT min(rtt_ns) AS lo, percentile(rtt_ns, 50) AS p50, percentile(rtt_ns, 90) AS p90, "+
		"percentile(rtt_ns, 99) AS p99, max(rtt_ns) AS hi FROM %s WHERE %s", schema.ICMPSweep, s.where()))
	if err != nil {
		return "", err
	}
	if len(series) == 0 {
		return "", fmt.Errorf("no RTTs in the database")
	}
	us := func(column string) string { return fmt.Sprintf("%.1f", series[0].Float(0, column)/1e3) }
	return fmt.Sprintf("RTT of all answers in µs: min %s, p50 %s, p90 %s, p99 %s, max %s", us("lo"), us("p50"), us("p90"), us("p99"), us("hi")), nil
}

// blockRollups sums the rollups of one window length by block. The sweep of the cells is 0.
func blockRollups(ctx context.Context, db *parts.Influx, s span, window string) (map[cell]tally, error) {
	series, err := db.Query(ctx, rollupDB, fmt.Sprintf("SELECT sum(points) AS n, sum(sent) AS sent, sum(received) AS received, sum(late) AS late "+
		"FROM %s WHERE %s AND window = '%s' GROUP BY block", schema.ICMPSweepBlockRollup, s.where(), window))
	if err != nil {
		return nil, err
	}
	cells := map[cell]tally{}
	err = eachCell(series, func(c cell, s parts.Series, row int) {
		cells[cell{block: c.block}] = tally{
			points: s.Int(row, "n"), sent: s.Int(row, "sent"), received: s.Int(row, "received"), late: s.Int(row, "late")}
	})
	return cells, err
}

// targetRollups sums the rollups of all targets over one window length, and counts the rows.
func targetRollups(ctx context.Context, db *parts.Influx, s span, window string) (rows int64, sum tally, err error) {
	series, err := db.Query(ctx, rollupDB, fmt.Sprintf("SELECT count(sent) AS n, sum(sent) AS sent, sum(received) AS received, sum(late) AS late "+
		"FROM %s WHERE %s AND window = '%s'", schema.ICMPSweepRollup, s.where(), window))
	if err != nil || len(series) == 0 {
		return 0, tally{}, err
	}
	a := series[0]
	return a.Int(0, "n"), tally{sent: a.Int(0, "sent"), received: a.Int(0, "received"), late: a.Int(0, "late")}, nil
}

// telegrafCounters is what Telegraf says about itself.
type telegrafCounters struct {
	time                                int64 // of its last report
	dropped, written, gathered, refused int64 // refused: by the output alone
}

func readTelegraf(ctx context.Context, db *parts.Influx) (c telegrafCounters, err error) {
	series, err := db.Query(ctx, rawDB, "SELECT metrics_dropped, metrics_written, metrics_gathered FROM internal_agent ORDER BY time DESC LIMIT 1;"+
		"SELECT max(metrics_dropped) AS dropped FROM internal_write")
	if err != nil {
		return c, err
	}
	for _, s := range series {
		switch s.Name {
		case "internal_agent":
			c.time, c.dropped = s.Int(0, "time"), s.Int(0, "metrics_dropped")
			c.written, c.gathered = s.Int(0, "metrics_written"), s.Int(0, "metrics_gathered")
		case "internal_write":
			c.refused = s.Int(0, "dropped")
		}
	}
	return c, nil
}
