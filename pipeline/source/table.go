package source

import (
	"math"

	"echogram/pipeline/lines"
	"echogram/plugins/schema"
)

// table says how the rows of one measurement are read into R.
type table[R any] struct {
	measurement string
	columns     []column[R] // a row without the first one's field is left out
	time        func(*R) *int64
	series      func(*schema.Point) (*schema.RTTSeries, error) // of a point that has the tags
}

// column reads one field from its value.
type column[R any] struct {
	name string
	set  func(*R, *value) error
}

// index is the place of a field among the columns, or -1.
func (t *table[R]) index(name string) int {
	for i := range t.columns {
		if t.columns[i].name == name {
			return i
		}
	}
	return -1
}

// fields are the names of the columns.
func (t *table[R]) fields() []string {
	names := make([]string, len(t.columns))
	for i := range t.columns {
		names[i] = t.columns[i].name
	}
	return names
}

func integer[R any](name string, at func(*R) *int64) column[R] {
	return column[R]{name, func(r *R, v *value) (err error) {
		*at(r), err = v.integer()
		return err
	}}
}

func optional[R any](name string, at func(*R) *schema.Opt) column[R] {
	return column[R]{name, func(r *R, v *value) error {
		n, err := v.integer()
		*at(r) = schema.Some(n)
		return err
	}}
}

// sweeps are the per-target rows of icmp_sweep, with the fields that rollups need.
var sweeps = &table[schema.SweepRow]{
	measurement: schema.ICMPSweep,
	columns: []column[schema.SweepRow]{
		integer("sent", func(r *schema.SweepRow) *int64 { return &r.Sent }),
		integer("received", func(r *schema.SweepRow) *int64 { return &r.Received }),
		integer("late", func(r *schema.SweepRow) *int64 { return &r.Late }),
		integer("duplicates", func(r *schema.SweepRow) *int64 { return &r.Duplicates }),
		integer("corrupt", func(r *schema.SweepRow) *int64 { return &r.Corrupt }),
		optional("rtt_ns", func(r *schema.SweepRow) *schema.Opt { return &r.RTT }),
		optional("rtt_min_ns", func(r *schema.SweepRow) *schema.Opt { return &r.RTTMin }),
		optional("rtt_max_ns", func(r *schema.SweepRow) *schema.Opt { return &r.RTTMax }),
		optional("ttl", func(r *schema.SweepRow) *schema.Opt { return &r.TTL }),
	},
	time:   rowTime,
	series: sweepSeries,
}

func rowTime(r *schema.SweepRow) *int64 { return &r.Time }

func sweepSeries(p *schema.Point) (*schema.RTTSeries, error) {
	p.Measurement, p.Fields = schema.ICMPSweep, nil
	var row schema.SweepRow
	err := schema.Read(p, &row)
	return &schema.RTTSeries{HasCounts: true, Series: row.Series}, err
}

// floors are the rollups of targets, with the fields that tell of the RTT's floor.
var floors = &table[schema.SweepRollupRow]{
	measurement: schema.ICMPSweepRollup,
	columns: []column[schema.SweepRollupRow]{
		optional("rtt_floor_ns", func(r *schema.SweepRollupRow) *schema.Opt { return &r.Floor }),
		optional("rtt_stderr_ns", func(r *schema.SweepRollupRow) *schema.Opt { return &r.StdErr }),
		integer("rtt_n", func(r *schema.SweepRollupRow) *int64 { return &r.N }),
		optional("ttl_min", func(r *schema.SweepRollupRow) *schema.Opt { return &r.TTLMin }),
		optional("ttl_max", func(r *schema.SweepRollupRow) *schema.Opt { return &r.TTLMax }),
		{"rtt_error", func(r *schema.SweepRollupRow, v *value) error {
			r.Error = v.string()
			return nil
		}},
	},
	time:   func(r *schema.SweepRollupRow) *int64 { return &r.Time },
	series: sweepSeries,
}

// FloorFields are the fields of rollups of targets that Floors reads.
func FloorFields() []string { return floors.fields() }

// tableOf reads m: first the field that every row has.
func tableOf(m *lines.Measurement) *table[schema.SweepRow] {
	t := &table[schema.SweepRow]{measurement: m.Name, time: rowTime}
	if m.Sent != "" {
		t.columns = append(t.columns,
			column[schema.SweepRow]{m.Sent, func(r *schema.SweepRow, v *value) error { return count(&r.Sent, v) }},
			column[schema.SweepRow]{m.Received, func(r *schema.SweepRow, v *value) error { return count(&r.Received, v) }})
	}
	t.columns = append(t.columns, column[schema.SweepRow]{m.Field, func(r *schema.SweepRow, v *value) (err error) {
		r.RTT, err = rtt(v, m.Scale())
		return err
	}})
	t.series = func(p *schema.Point) (*schema.RTTSeries, error) {
		return &schema.RTTSeries{Of: m.Name, HasCounts: m.Sent != "",
			Series: schema.Series{Host: p.Tag(schema.TagHost), Target: p.Tag(m.Target), Labels: p.Tags}}, nil
	}
	return t
}

// NoRTT is the RTT of a row of another measurement whose number is none: beyond what nanoseconds can hold.
const NoRTT = math.MinInt64

// rtt makes an RTT of a number in a unit of so many ns, rounded half away from zero. What is none comes as a negative
// number: one value that is far off must not keep all others from being read.
func rtt(v *value, unit int64) (schema.Opt, error) {
	if v.kind == schema.KindInt {
		return within(v.n*unit, v.n >= -math.MaxInt64/unit && v.n <= math.MaxInt64/unit), nil
	}
	f, err := v.float()
	ns := math.Round(f * float64(unit))
	return within(int64(ns), math.Abs(ns) < math.MaxInt64), err
}

func within(ns int64, ok bool) schema.Opt {
	if !ok {
		return schema.Some(NoRTT)
	}
	return schema.Some(ns)
}

// count makes a number of requests or replies of an integer or of a float.
func count(n *int64, v *value) error {
	f, err := v.float()
	if *n = int64(f); v.kind == schema.KindInt {
		*n = v.n
	}
	return err
}
