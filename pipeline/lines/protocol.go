package lines

import (
	"bytes"
	"errors"
	"fmt"

	"echogram/plugins/schema"
)

var (
	errNoFields = errors.New("lines: not line protocol: no fields")
	errNoTime   = errors.New("lines: no time")
)

// protocol is line protocol.
type protocol struct{}

func (protocol) end(*Reader) Kind { return 0 }

func (protocol) line(r *Reader, b []byte) (Kind, error) {
	end := headEnd(b)
	if end < 0 {
		return 0, errNoFields
	}
	e, err := r.entry(b[:end])
	if err != nil {
		return 0, err
	}
	if e == nil {
		return other(b[end:])
	}
	if e.of == manifests {
		return r.manifest(b)
	}
	r.begin(e)
	s := scanner{b: b, i: end + 1}
	if seen, ok := r.scan(e.of, &s); ok {
		return r.checked(seen.kind(e.of))
	}
	seen, err := r.unusual(e, b)
	if err != nil {
		return 0, err
	}
	return r.checked(seen.kind(e.of))
}

// checked refuses a Row that no sweep can have written.
func (r *Reader) checked(k Kind) (Kind, error) {
	var err error
	switch {
	case k == Point:
		err = r.Row.Check()
	case k == Late && r.Row.Late < 0:
		err = fmt.Errorf("lines: %d late replies", r.Row.Late)
	}
	return k, err
}

// other is a line of a measurement nobody asked for: whether it is all right is not looked at closer than this.
func other(fields []byte) (Kind, error) {
	if bytes.IndexByte(fields, '=') < 2 {
		return 0, errNoFields
	}
	return Other, nil
}

func (r *Reader) manifest(b []byte) (Kind, error) {
	if err := r.parse(b); err != nil {
		return 0, err
	}
	r.Stats = schema.SweepStatsRow{}
	if err := schema.Read(&r.point, &r.Stats); err != nil {
		return 0, err
	}
	if _, ok := r.point.Field("points"); !ok {
		return Other, nil // the late count that follows a manifest; the targets' own late rows say the same
	}
	return Manifest, nil
}

func (r *Reader) begin(e *entry) {
	r.Series = e.series
	r.Row = schema.SweepRow{Series: e.series.Series}
}

// scan reads a line with nothing unusual in it into Row. What it leaves there otherwise is of no use.
func (r *Reader) scan(m *Measurement, s *scanner) (seen fields, ok bool) {
	for more := true; more; {
		if more, ok = s.field(); !ok {
			return 0, false
		}
		f, err := r.field(m, s.key, &s.value)
		if err != nil || seen&f != 0 {
			return 0, false
		}
		seen |= f
	}
	r.Row.Time, ok = s.time()
	return seen, ok
}

// unusual reads any line into Row, by way of schema.Point. The first of two fields of the same name counts.
func (r *Reader) unusual(e *entry, b []byte) (seen fields, err error) {
	if err := r.parse(b); err != nil {
		return 0, err
	}
	r.begin(e)
	r.Row.Time = r.point.Time
	for _, p := range r.point.Fields {
		if first, _ := r.point.Field(p.Key); first != p {
			continue
		}
		v := value{kind: p.Kind()}
		switch x := p.Value().(type) {
		case int64:
			v.int = x
		case float64:
			v.float = x
		}
		f, err := r.field(e.of, []byte(p.Key), &v)
		if err != nil {
			return 0, err
		}
		seen |= f
	}
	return seen, nil
}

func (r *Reader) parse(b []byte) error {
	if err := r.point.Parse(b); err != nil {
		return err
	}
	if !r.point.HasTime {
		return errNoTime
	}
	return nil
}

// field takes one field into Row. It returns 0 for those that nobody wants.
func (r *Reader) field(m *Measurement, key []byte, v *value) (f fields, err error) {
	row := &r.Row
	if m == sweeps {
		f, n, o := sweepField(row, key)
		switch {
		case f == 0:
		case v.kind != schema.KindInt:
			return f, fmt.Errorf("lines: field %s is no integer", key)
		case n != nil:
			*n = v.int
		default:
			*o = schema.Some(v.int)
		}
		return f, nil
	}
	switch string(key) {
	case m.Field:
		row.RTT.Set = true
		row.RTT.N, err = m.nanoseconds(v)
		return fieldRTT, err
	case m.Sent:
		row.Sent, err = count(m.Sent, v)
		return fieldSent, err
	case m.Received:
		row.Received, err = count(m.Received, v)
		return fieldReceived, err
	}
	return 0, nil
}

// fields is a set of those that a line had.
type fields uint32

const (
	fieldSent fields = 1 << iota
	fieldReceived
	fieldRTT
	fieldLate
	fieldLateRTT
	fieldRTTMin
	fieldRTTMax
	fieldRTTStddev
	fieldTTL
	fieldResultCode
	fieldDuplicates
	fieldCorrupt
	fieldFlipped
	fieldICMPType
	fieldICMPCode
)

// counted is the field that every point has: what a database can count points by.
func (m *Measurement) counted() fields {
	if m == sweeps || m.Sent != "" {
		return fieldSent
	}
	return fieldRTT
}

func (f fields) kind(m *Measurement) Kind {
	switch {
	case f&m.counted() != 0:
		return Point
	case m == sweeps && f&fieldLate != 0:
		return Late
	}
	return Other
}

// sweepField says where an integer field of icmp_sweep goes. Its names are schema.SweepRow's, and a test holds them
// against it: to go through a list of names for each field would halve the speed.
func sweepField(row *schema.SweepRow, key []byte) (fields, *int64, *schema.Opt) {
	switch string(key) {
	case "sent":
		return fieldSent, &row.Sent, nil
	case "received":
		return fieldReceived, &row.Received, nil
	case "rtt_ns":
		return fieldRTT, nil, &row.RTT
	case "rtt_min_ns":
		return fieldRTTMin, nil, &row.RTTMin
	case "rtt_max_ns":
		return fieldRTTMax, nil, &row.RTTMax
	case "rtt_stddev_ns":
		return fieldRTTStddev, nil, &row.RTTStddev
	case "ttl":
		return fieldTTL, nil, &row.TTL
	case "result_code":
		return fieldResultCode, &row.ResultCode, nil
	case "late":
		return fieldLate, &row.Late, nil
	case "late_rtt_ns":
		return fieldLateRTT, nil, &row.LateRTT
	case "duplicates":
		return fieldDuplicates, &row.Duplicates, nil
	case "corrupt":
		return fieldCorrupt, &row.Corrupt, nil
	case "flipped_bits":
		return fieldFlipped, &row.Flipped, nil
	case "icmp_type":
		return fieldICMPType, nil, &row.ICMPType
	case "icmp_code":
		return fieldICMPCode, nil, &row.ICMPCode
	}
	return 0, nil, nil
}
