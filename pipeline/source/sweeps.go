package source

import (
	"context"

	"echogram/plugins/schema"
)

// manifests are the rows of icmp_sweep_stats, with the fields that tell what a sweep's points are worth.
var manifests = &table[schema.SweepStatsRow]{
	measurement: schema.ICMPSweepStats,
	columns: []column[schema.SweepStatsRow]{
		integer("points", func(r *schema.SweepStatsRow) *int64 { return &r.Points }),
		integer("targets", func(r *schema.SweepStatsRow) *int64 { return &r.Targets }),
		integer("sent", func(r *schema.SweepStatsRow) *int64 { return &r.Sent }),
		integer("received", func(r *schema.SweepStatsRow) *int64 { return &r.Received }),
		integer("duration_ns", func(r *schema.SweepStatsRow) *int64 { return &r.Duration }),
		{"rate", func(r *schema.SweepStatsRow, v *value) (err error) {
			r.Rate, err = v.float()
			return err
		}},
		{"trust", func(r *schema.SweepStatsRow, v *value) error {
			r.Trust = v.string()
			return nil
		}},
		{"partial", func(r *schema.SweepStatsRow, v *value) (err error) {
			r.Partial, err = v.is()
			return err
		}},
	},
	time:   func(r *schema.SweepStatsRow) *int64 { return &r.Time },
	series: sweepSeries,
}

// answers are the per-target rows of icmp_sweep, with the fields that tell who answers.
var answers = &table[schema.SweepRow]{
	measurement: schema.ICMPSweep,
	columns: []column[schema.SweepRow]{
		integer("sent", func(r *schema.SweepRow) *int64 { return &r.Sent }),
		integer("received", func(r *schema.SweepRow) *int64 { return &r.Received }),
		optional("rtt_ns", func(r *schema.SweepRow) *schema.Opt { return &r.RTT }),
		integer("result_code", func(r *schema.SweepRow) *int64 { return &r.ResultCode }),
	},
	time:   rowTime,
	series: sweepSeries,
}

// Answers hands the rows of one block's targets to add, as Read does, with only the fields that tell who answers.
func (s *Source) Answers(ctx context.Context, block string, from, to int64, begin func(), add func(*schema.RTTSeries, *schema.SweepRow)) error {
	return read(ctx, s, answers, []condition{{schema.TagBlock, []string{block}}}, from, to, begin, add)
}

// Sweeps lists the manifests of the sweeps in from <= t < to, one by one, with what they say of how far to trust them.
func (s *Source) Sweeps(ctx context.Context, from, to int64) ([]schema.SweepStatsRow, error) {
	var all []schema.SweepStatsRow
	err := read(ctx, s, manifests, nil, from, to, func() { all = nil }, func(series *schema.RTTSeries, r *schema.SweepStatsRow) {
		r.Host, r.Instance, r.Labels = series.Host, series.Instance, series.Labels
		all = append(all, *r)
	})
	return all, err
}
