package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"echogram/pipeline/path"
	"echogram/plugins/schema"
)

// findingFormats write a finding each.
var findingFormats = map[string]func(io.Writer, *finding) error{
	"text": writeText, "json": writeJSON, "influx": writeInflux,
}

// row is a finding as the schema has it.
func (f *finding) row() *schema.PathEstimateRow {
	r := &schema.PathEstimateRow{
		Host: f.host, Instance: f.instance, Target: f.Target, Reference: f.Reference, Time: f.Last, Probes: int64(f.Probes),
		Verdict: schema.VerdictNotTold, Reason: strings.Join(f.Reasons, "; "),
	}
	if f.Told {
		r.Verdict = schema.VerdictTold
	}
	for i := range f.Sizes {
		r.Kept += int64(f.Sizes[i].Filter.Kept)
	}
	if len(f.Sizes) > 0 {
		least := &f.Sizes[0]
		r.RTT, r.RTTStdErr, r.Floor = schema.Rounded(least.Filter.Mean), schema.Rounded(least.Filter.StdErr), schema.Rounded(least.Level.Value)
	}
	if f.TTL > 0 {
		r.TTL = schema.Some(f.TTL)
	}
	f.rowHops(r)
	if f.Slope != nil {
		r.Slope, r.SlopeStdErr = some(f.Slope.Value), some(f.SlopeErr)
	}
	if f.Offset != nil {
		r.Offset, r.OffsetLow, r.OffsetHigh = schema.Rounded(f.Offset.Value), schema.Rounded(f.Offset.Low), schema.Rounded(f.Offset.High)
	}
	if f.Cable != nil {
		r.Cable, r.CableLow, r.CableHigh = some(f.Cable.Value), some(f.Cable.Low), some(f.Cable.High)
	}
	return r
}

func (f *finding) rowHops(r *schema.PathEstimateRow) {
	if f.Hops == nil || !f.Hops.Told {
		return
	}
	r.Hops, r.HopsConfidence = schema.Some(int64(f.Hops.Hops)), some(f.Hops.Confidence)
	if f.Hops.RunnerUp >= 0 {
		r.HopsRunnerUp = schema.Some(int64(f.Hops.RunnerUp))
	}
	if r.HopsBy = "offset"; f.Hops == f.BySlope {
		r.HopsBy = "slope"
	}
	if f.Hops.Rate > 0 {
		r.LinkRate = schema.Some(f.Hops.Rate)
	}
}

func some(v float64) schema.OptFloat {
	return schema.OptFloat{F: v, Set: !math.IsNaN(v) && !math.IsInf(v, 0)}
}

func writeInflux(w io.Writer, f *finding) error {
	line, err := schema.AppendLine(nil, f.row())
	if err != nil {
		return err
	}
	_, err = w.Write(line)
	return err
}

// writeJSON writes what the point has, and what the measurement says of each size.
func writeJSON(w io.Writer, f *finding) error {
	var p schema.Point
	schema.Fill(&p, f.row())
	text, err := json.Marshal(struct {
		Measurement string            `json:"measurement"`
		Time        time.Time         `json:"time"`
		Tags        map[string]string `json:"tags"`
		Fields      map[string]any    `json:"fields"`
		Measured    *path.Measurement `json:"measured"`
	}{p.Measurement, time.Unix(0, p.Time).UTC(), p.TagMap(), p.FieldMap(), f.Measurement})
	if err != nil {
		return fmt.Errorf("path: %s: %w", f.Target, err)
	}
	_, err = w.Write(append(text, '\n'))
	return err
}
