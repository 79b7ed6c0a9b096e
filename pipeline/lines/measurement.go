package lines

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"echogram/plugins/schema"
)

// Measurement describes a measurement with an RTT, besides icmp_sweep, which is always known.
type Measurement struct {
	Name     string // of the measurement, such as ping
	Field    string // that holds the RTT, an integer or a float
	Unit     string // of that field: ns, us, ms or s
	Target   string // tag that names the target
	Sent     string // field with the number of requests; "": there is none
	Received string // field with the number of replies; "": there is none
}

// What is always known. Their fields are read by sweepField and by schema.
var (
	sweeps    = &Measurement{Name: schema.ICMPSweep}
	manifests = &Measurement{Name: schema.ICMPSweepStats}
)

// units in ns.
var units = map[string]int64{"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9}

// Scale is the unit of the field, in ns.
func (m *Measurement) Scale() int64 { return units[m.Unit] }

// Check tells what is wrong with m as it stands in a configuration.
func (m *Measurement) Check() error {
	switch {
	case m.Name == "":
		return errors.New("lines: a measurement needs a name, such as ping")
	case m.Name == schema.ICMPSweep || m.Name == schema.ICMPSweepStats:
		return fmt.Errorf("lines: measurement %s is always read: leave it out", m.Name)
	case strings.HasSuffix(m.Name, schema.RollupSuffix):
		return fmt.Errorf("lines: measurement %s is a rollup: name the one with the RTTs", m.Name)
	case m.Field == "":
		return fmt.Errorf("lines: measurement %s needs the field that holds its RTT, such as average_response_ms", m.Name)
	case units[m.Unit] == 0:
		return fmt.Errorf("lines: measurement %s: unit %q of field %s is unknown: use ns, us, ms or s", m.Name, m.Unit, m.Field)
	case m.Target == "":
		return fmt.Errorf("lines: measurement %s needs the tag that names its target, such as url", m.Name)
	case (m.Sent == "") != (m.Received == ""):
		return fmt.Errorf("lines: measurement %s: give the fields of requests and of replies, or neither", m.Name)
	}
	return m.checkNames()
}

func (m *Measurement) checkNames() error {
	for _, name := range []string{m.Name, m.Field, m.Target, m.Sent, m.Received} {
		if name == "" {
			continue
		}
		if err := schema.CheckName(name); err != nil {
			return fmt.Errorf("lines: measurement %s: %w", m.Name, err)
		}
	}
	return nil
}

// CheckAll checks each, and that no two have the same name.
func CheckAll(ms []Measurement) error {
	seen := map[string]bool{}
	for i := range ms {
		if err := ms[i].Check(); err != nil {
			return err
		}
		if seen[ms[i].Name] {
			return fmt.Errorf("lines: measurement %s is given twice", ms[i].Name)
		}
		seen[ms[i].Name] = true
	}
	return nil
}

// nanoseconds makes an RTT of a field's value in the measurement's unit, rounded half away from zero.
func (m *Measurement) nanoseconds(v *value) (int64, error) {
	unit := m.Scale()
	ns := math.Round(v.float * float64(unit))
	switch v.kind {
	case schema.KindInt:
		if v.int < 0 || v.int > schema.MaxRTT/unit {
			return 0, fmt.Errorf("lines: field %s is %di, which is no RTT in %s", m.Field, v.int, m.Unit)
		}
		return v.int * unit, nil
	case schema.KindFloat:
		if ns < 0 || ns > float64(schema.MaxRTT) {
			return 0, fmt.Errorf("lines: field %s is %v, which is no RTT in %s", m.Field, v.float, m.Unit)
		}
		return int64(ns), nil
	}
	return 0, fmt.Errorf("lines: field %s is no number", m.Field)
}

// count makes a number of requests or replies of a field's value.
func count(field string, v *value) (int64, error) {
	switch {
	case v.kind == schema.KindInt && v.int >= 0:
		return v.int, nil
	case v.kind == schema.KindFloat && v.float >= 0 && v.float < math.MaxInt64 && v.float == math.Trunc(v.float):
		return int64(v.float), nil
	}
	return 0, fmt.Errorf("lines: field %s is no count", field)
}
