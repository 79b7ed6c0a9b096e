package lines

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"slices"

	"echogram/plugins/schema"
)

// entry is an interned series.
type entry struct {
	series *schema.RTTSeries
	of     *Measurement
}

// entry finds the series of a line's "measurement,tags", or makes it: nil without an error for a measurement that
// nobody asked for. Other orders and escapes of the same tags are the same series.
func (r *Reader) entry(head []byte) (*entry, error) {
	if e := r.heads[string(head)]; e != nil {
		return e, nil
	}
	if name, _, _ := bytes.Cut(head, []byte{','}); bytes.IndexByte(name, '\\') < 0 && r.wanted[string(name)] == nil {
		return nil, nil
	}
	const field = " f=0i 0" // makes a line of a head
	var p schema.Point
	if err := p.Parse(append(bytes.Clone(head), field...)); err != nil {
		return nil, err
	}
	m := r.wanted[p.Measurement]
	if m == nil {
		return nil, nil
	}
	e, err := r.intern(m, &p)
	if err == nil {
		r.heads[string(head)] = e
	}
	return e, err
}

// intern finds the series of p by its tags in order, or makes it.
func (r *Reader) intern(m *Measurement, p *schema.Point) (*entry, error) {
	slices.SortStableFunc(p.Tags, func(a, b schema.Tag) int { return cmp.Compare(a.Key, b.Key) })
	p.Fields = append(p.Fields[:0], schema.Int("f", 0))
	key, err := p.AppendLine(nil)
	if err != nil {
		return nil, err
	}
	key = key[:headEnd(key)]
	if e := r.heads[string(key)]; e != nil {
		return e, nil
	}
	s, err := newSeries(m, p)
	if err != nil {
		return nil, err
	}
	e := &entry{s, m}
	r.heads[string(key)] = e
	return e, nil
}

// Forget drops the series that nobody wants any more: targets come and go. One that comes back has another pointer then.
func (r *Reader) Forget(wanted func(*schema.RTTSeries) bool) {
	maps.DeleteFunc(r.heads, func(_ string, e *entry) bool { return e.series == nil || !wanted(e.series) })
}

func newSeries(m *Measurement, p *schema.Point) (*schema.RTTSeries, error) {
	switch m {
	case manifests:
		return nil, nil
	case sweeps:
		var row schema.SweepRow
		p.Fields = p.Fields[:0]
		if err := schema.Read(p, &row); err != nil {
			return nil, err
		}
		s := &schema.RTTSeries{HasCounts: true, Series: row.Series}
		return s, s.Check()
	}
	target := p.Tag(m.Target)
	if target == "" {
		return nil, fmt.Errorf("lines: measurement %s: no tag %s", m.Name, m.Target)
	}
	return &schema.RTTSeries{Of: m.Name, HasCounts: m.Sent != "",
		Series: schema.Series{Host: p.Tag(schema.TagHost), Target: target, Labels: slices.Clone(p.Tags)}}, nil
}
