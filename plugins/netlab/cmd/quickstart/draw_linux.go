package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"echogram/plugins/netlab/command"
	"echogram/plugins/schema"
)

// found prints what block analytics found: that the outage is among it depends on how much was seen before.
func (r *run) found(ctx context.Context) error {
	series, err := r.db.Query(ctx, rollupDB, fmt.Sprintf("SELECT duration_ns, addresses, reason FROM %s WHERE %s GROUP BY event, block",
		schema.BlockOutage, r.span().where()))
	if err != nil {
		return err
	}
	for _, s := range series {
		for row := range s.Values {
			r.out.line("  %s of %s at %s for %v: %s addresses; %s", s.Tags[schema.TagEvent], s.Tags[schema.TagBlock], clock(s.Int(row, "time")),
				time.Duration(s.Int(row, "duration_ns")), count(s.Int(row, "addresses")), s.String(row, "reason"))
		}
	}
	return nil
}

// draw makes the report, a page and pictures in a directory that stays.
func (r *run) draw(ctx context.Context) error {
	if err := os.MkdirAll(r.report, 0o755); err != nil {
		return err
	}
	page := filepath.Join(r.report, "report.html")
	cmd := command.Child(ctx, r.Path("echogram-pipeline"), "report", "--config", r.Path("pipeline.toml"), "--page", page, "--out", r.report,
		"--format", "png", "--start", time.Unix(0, r.span().from).UTC().Format(time.RFC3339), "--stop", r.until())
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("echogram-pipeline report: %w\n%s", err, out)
	}
	pictures, err := filepath.Glob(filepath.Join(r.report, "*.png"))
	if err != nil {
		return err
	}
	r.out.line("    the page  %s", page)
	r.out.line("    beside it %d pictures", len(pictures))
	session, err := filepath.Glob(filepath.Join(r.report, "control_*.png"))
	if err != nil || len(session) == 0 {
		return errors.Join(err, errors.New("the report has no picture of the BFD session"))
	}
	r.out.line("    of the BFD session  %s", session[0])
	return nil
}
