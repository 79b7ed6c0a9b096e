package report

import (
	"bytes"
	"errors"

	"echogram/plugins/schema"
)

// Line takes a line of line protocol. It returns false for lines of other measurements, which it passes over.
func (r *Report) Line(line []byte) (ours bool, err error) {
	row, ok := rowOf(line)
	if !ok {
		return false, nil
	}
	if err := parse(&r.point, line, row); err != nil {
		return true, err
	}
	r.take(row)
	return true, nil
}

// Row is Line for a row. Rows of kinds that Line does not take are passed over.
func (r *Report) Row(row schema.Row) {
	schema.Fill(&r.point, row)
	r.take(row)
}

// take takes a row whose point is r.point.
func (r *Report) take(row schema.Row) {
	p := &r.point
	if !r.config.wants(p.Time) {
		return
	}
	switch row := row.(type) {
	case *schema.BFDEchoRTTRow:
		if s := r.echoes.get(p, newEchoStream(&row.BFDEchoSeries)); s != nil {
			s.addEcho(row)
		}
	case *schema.BFDEchoRow:
		if s := r.echoes.get(p, newEchoStream(&row.BFDEchoSeries)); s != nil {
			s.addPeriod(row)
		}
	case *schema.BFDSessionRow:
		if s := r.controls.get(p, newControlStream(&row.BFDSeries)); s != nil {
			s.add(row)
		}
	case *schema.BFDEventRow:
		r.addEvent(row)
	}
}

// rowOf makes an empty row of the line's measurement, if it is one that is drawn.
func rowOf(line []byte) (schema.Row, bool) {
	switch measurementOf(line) {
	case schema.BFDEchoRTT:
		return new(schema.BFDEchoRTTRow), true
	case schema.BFDEcho:
		return new(schema.BFDEchoRow), true
	case schema.BFDSession:
		return new(schema.BFDSessionRow), true
	case schema.BFDEvent:
		return new(schema.BFDEventRow), true
	}
	return nil, false
}

func measurementOf(line []byte) string {
	end := bytes.IndexAny(line, ", ")
	if end < 0 {
		end = len(line)
	}
	return string(line[:end])
}

var errNoTime = errors.New("no time")

func parse(p *schema.Point, line []byte, row schema.Row) error {
	if err := p.Parse(line); err != nil {
		return err
	}
	if !p.HasTime {
		return errNoTime
	}
	return schema.Read(p, row)
}
