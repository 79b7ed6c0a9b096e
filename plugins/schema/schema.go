// Package schema is the authority on what Echogram writes: measurement, tag and field names, their types, and
// one row type for each kind of point. Nobody else knows a field name.
//
// Its layers, from the bottom:
//
//   - Point: one line of line protocol as a value; AppendLine and Parse turn it into bytes and back.
//   - Row: a struct for each kind of point (row_*.go). A row lists its tags and fields once, in visit; encoding,
//     decoding and Names all follow that list, so that they cannot disagree.
//   - AppendLine, ParseLine: row to bytes and back.
//
// Names and types are for ever: InfluxDB refuses a batch whose field has changed its type. A new field may be
// added; none may be renamed. All durations are integer nanoseconds and end in _ns; times are Unix nanoseconds.
//
// Units and meanings stand at the fields of the row types. What is left out of a line was not measured.
package schema

import (
	"fmt"
	"math"
	"slices"
	"sync"
)

// Measurement names. Those without a row type yet are reserved for the capabilities that will write them.
const (
	ICMPSweep              = "icmp_sweep"
	ICMPSweepBlock         = "icmp_sweep_block"
	ICMPSweepStats         = "icmp_sweep_stats"
	ICMPSample             = "icmp_sample"
	Ping                   = "ping" // of Telegraf's inputs.ping
	ICMPSweepRollup        = "icmp_sweep_rollup"
	ICMPSweepBlockRollup   = "icmp_sweep_block_rollup"
	ICMPSweepNetworkRollup = "icmp_sweep_network_rollup"
	PathEstimate           = "path_estimate"
	PathShift              = "path_shift"
	BlockState             = "block_state"
	BlockOutage            = "block_outage"
	BlockChurn             = "block_churn"
	BlockDaily             = "block_daily"
	BFDSession             = "bfd_session"
	BFDEcho                = "bfd_echo"
	BFDEchoRTT             = "bfd_echo_rtt"
	BFDEvent               = "bfd_event"
	BFDStats               = "bfd_stats"
)

// RollupSuffix makes the name of a rollup's measurement of that of the raw one.
const RollupSuffix = "_rollup"

// Tag keys.
const (
	TagHost      = "host"      // the prober; Telegraf's own tag, which our commands write too
	TagInstance  = "instance"  // one configured stanza
	TagNetwork   = "network"   // the configured network or range that names the target
	TagBlock     = "block"     // the /24 or /64 of the target
	TagTarget    = "target"    // the probed address, as RFC 5952 writes it
	TagName      = "name"      // the host name that the target was configured by
	TagSize      = "size"      // payload bytes, when sizes are cycled
	TagURL       = "url"       // the target in Telegraf's ping measurement
	TagWindow    = "window"    // length of a rollup's window: 1m, 1h
	TagReference = "reference" // what a path was compared with
	TagGroup     = "group"     // what block analytics sum up: block, network, target, or the key of a label
)

// Tag keys of BFD: see BFDSeries and BFDEchoSeries.
const (
	TagTap          = "tap"
	TagVLAN         = "vlan"
	TagTunnel       = "tunnel"
	TagVNI          = "vni"
	TagOuterLocal   = "outer_local"
	TagOuterPeer    = "outer_peer"
	TagLocal        = "local"
	TagPeer         = "peer"
	TagHop          = "hop"
	TagFamily       = "af"
	TagParallel     = "parallel"
	TagInitiatorMAC = "initiator_mac"
	TagReflectorMAC = "reflector_mac"
	TagLayout       = "layout"
	TagTapRole      = "tap_role"
	TagEvent        = "event"
)

// Row is one kind of point.
type Row interface {
	// Measurement is the row's measurement name, whatever the row holds.
	Measurement() string
	visit(c *codec)
}

// Opt is an integer that may not have been measured. The zero value was not.
type Opt struct {
	N   int64
	Set bool
}

// OptFloat is a number that may not have been measured. The zero value was not.
type OptFloat struct {
	F   float64
	Set bool
}

// Some is a measured value.
func Some(n int64) Opt { return Opt{N: n, Set: true} }

// Rounded is the integer nearest to a measured value; of NaN and infinity it was not measured.
func Rounded(v float64) Opt {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return Opt{}
	}
	return Some(int64(math.Round(v)))
}

// Fill writes r into p, whose memory it reuses; the tags come sorted by key.
func Fill(p *Point, r Row) {
	p.Reset()
	p.Measurement = r.Measurement()
	c := codecs.Get().(*codec)
	*c = codec{p: p, mode: encode}
	r.visit(c)
	codecs.Put(c)
}

// codecs spares an allocation a row: a codec escapes through Row.
var codecs = sync.Pool{New: func() any { return new(codec) }}

// Read fills r from p. Fields that r does not know are ignored (a newer writer may add some), tags that it does
// not know are kept as labels where the row has labels. A field of the wrong type is an error.
func Read(p *Point, r Row) error {
	if p.Measurement != r.Measurement() {
		return fmt.Errorf("schema: measurement %q is not %q", p.Measurement, r.Measurement())
	}
	c := codec{p: p, mode: decode}
	r.visit(&c)
	return c.err
}

// AppendLine appends r as one line of line protocol, with a newline, to dst. For many rows reuse a Point:
// Fill, then Point.AppendLine.
func AppendLine(dst []byte, r Row) ([]byte, error) {
	var p Point
	Fill(&p, r)
	return p.AppendLine(dst)
}

// ParseLine reads one line of line protocol into r, which should be a zero row.
func ParseLine(line []byte, r Row) error {
	var p Point
	if err := p.Parse(line); err != nil {
		return err
	}
	return Read(&p, r)
}

// Names lists the tag keys and field names, with their types, that rows of r's kind can have: for the test that
// holds documents against the schema, and for the inputs of generic tools.
func Names(r Row) (tags []string, fields map[string]Kind) {
	c := codec{mode: list, fields: map[string]Kind{}}
	r.visit(&c)
	return c.tags, c.fields
}

// Rows returns a zero row of every kind.
func Rows() []Row {
	return []Row{
		&SweepRow{}, &LateRow{}, &SweepBlockRow{}, &SweepStatsRow{}, &StatsLateRow{}, &SampleRow{}, &PingRow{},
		&SweepRollupRow{}, &BlockRollupRow{}, &NetworkRollupRow{}, &RTTRollupRow{}, &PathEstimateRow{}, &PathShiftRow{},
		&BlockStateRow{}, &BlockOutageRow{}, &BlockChurnRow{}, &BlockDailyRow{},
		&BFDSessionRow{}, &BFDEchoRow{}, &BFDEchoRTTRow{}, &BFDEventRow{}, &BFDStatsRow{},
	}
}

type mode uint8

const (
	encode mode = iota
	decode
	list
)

// codec carries one visit: it writes the row to p, reads it from p, or lists the names.
type codec struct {
	p      *Point
	mode   mode
	err    error
	tags   []string
	fields map[string]Kind
}

func (c *codec) time(t *int64) {
	switch c.mode {
	case encode:
		c.p.Time, c.p.HasTime = *t, true
	case decode:
		*t = c.p.Time
	}
}

func (c *codec) tag(key string, v *string) {
	switch c.mode {
	case encode:
		if n := len(c.p.Tags); *v != "" && (n == 0 || c.p.Tags[n-1].Key < key) {
			c.p.Tags = append(c.p.Tags, Tag{key, *v})
		} else if *v != "" {
			c.p.SetTag(key, *v)
		}
	case decode:
		*v = c.p.Tag(key)
	case list:
		c.tags = append(c.tags, key)
	}
}

// labels takes every tag that no field of the row has claimed; known are the row's own keys.
func (c *codec) labels(v *[]Tag, known ...string) {
	switch c.mode {
	case encode:
		for _, t := range *v {
			c.p.SetTag(t.Key, t.Value)
		}
	case decode:
		*v = nil
		for _, t := range c.p.Tags {
			if !slices.Contains(known, t.Key) {
				*v = append(*v, t)
			}
		}
	}
}

// field finds key when decoding and checks its type.
func (c *codec) field(key string, kind Kind) (Field, bool) {
	if c.mode == list {
		c.fields[key] = kind
		return Field{}, false
	}
	f, ok := c.p.Field(key)
	if ok && f.kind != kind {
		if c.err == nil {
			c.err = fmt.Errorf("schema: %s field %s has another type than the schema's", c.p.Measurement, key)
		}
		return f, false
	}
	return f, ok
}

func (c *codec) int(key string, v *int64) {
	if c.mode == encode {
		c.p.Fields = append(c.p.Fields, Int(key, *v))
	} else if f, ok := c.field(key, KindInt); ok {
		*v = int64(f.num)
	}
}

// intNonZero leaves a zero out: for what is rare.
func (c *codec) intNonZero(key string, v *int64) {
	if c.mode != encode || *v != 0 {
		c.int(key, v)
	}
}

func (c *codec) opt(key string, v *Opt) {
	if c.mode == encode {
		if v.Set {
			c.p.Fields = append(c.p.Fields, Int(key, v.N))
		}
	} else if f, ok := c.field(key, KindInt); ok {
		*v = Some(int64(f.num))
	}
}

func (c *codec) optFloat(key string, v *OptFloat) {
	if c.mode == encode {
		if v.Set {
			c.p.Fields = append(c.p.Fields, Float(key, v.F))
		}
	} else if f, ok := c.field(key, KindFloat); ok {
		*v = OptFloat{F: f.Value().(float64), Set: true}
	}
}

// percentiles are one field each, named by their number, prefix + P + suffix, and written as field does.
func (c *codec) percentiles(prefix, suffix string, v *[]Percentile, field func(string, *Opt)) {
	switch c.mode {
	case encode:
		for i := range *v {
			field(percentileName(prefix, (*v)[i].P, suffix), &(*v)[i].RTT)
		}
	case decode:
		*v = nil
		for _, f := range c.p.Fields {
			if p, ok := percentileOf(f.Key, prefix, suffix); ok {
				q := Percentile{P: p}
				field(f.Key, &q.RTT)
				*v = append(*v, q)
			}
		}
	}
}

func (c *codec) float(key string, v *float64) {
	if c.mode == encode {
		c.p.Fields = append(c.p.Fields, Float(key, *v))
	} else if f, ok := c.field(key, KindFloat); ok {
		*v = f.Value().(float64)
	}
}

func (c *codec) bool(key string, v *bool) {
	if c.mode == encode {
		c.p.Fields = append(c.p.Fields, Bool(key, *v))
	} else if f, ok := c.field(key, KindBool); ok {
		*v = f.num != 0
	}
}

// boolTrue leaves false out.
func (c *codec) boolTrue(key string, v *bool) {
	if c.mode != encode || *v {
		c.bool(key, v)
	}
}

// str leaves the empty string out.
func (c *codec) str(key string, v *string) {
	if c.mode == encode {
		if *v != "" {
			c.p.Fields = append(c.p.Fields, String(key, *v))
		}
	} else if f, ok := c.field(key, KindString); ok {
		*v = f.str
	}
}
