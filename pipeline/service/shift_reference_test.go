package service

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"echogram/pipeline/ledger"
	"echogram/pipeline/outlier"
	"echogram/pipeline/path"
	"echogram/plugins/schema"
)

// swept is a database of six hours, a sweep each two minutes over six targets. At the fourth the prober's side adds 300 ns
// to all of them, and 10.0.0.2 moves by 250 ns itself; at the fifth the reference 10.0.0.1 does by 600 ns.
func swept() *memory {
	m := &memory{lines: map[string]bool{}}
	for k := range 6 * 30 {
		at := noon.Add(time.Duration(k) * 2 * time.Minute)
		m.add(at, 6)
		for i, r := range m.rows[len(m.rows)-6:] {
			r.RTT.N += 5000 + int64(k*7%5)
			if k/30 >= 3 {
				r.RTT.N += 300
				if i == 2 {
					r.RTT.N += 250
				}
			}
			if i == 1 && k/30 >= 4 {
				r.RTT.N += 600
			}
		}
		m.manifests = append(m.manifests, schema.SweepStatsRow{Host: "h", Instance: "i", Time: at.UnixNano(), Points: 6, Trust: schema.TrustOK})
	}
	return m
}

func besideConfig(references ...string) Config {
	c := config
	c.Shifts, c.References = &path.ShiftConfig{}, references
	return c
}

// steps are the targets that stepped, at which hour and by how much.
func (m *memory) steps(t *testing.T) (all []string) {
	t.Helper()
	for _, line := range m.shifts() {
		var r schema.PathShiftRow
		if err := schema.ParseLine([]byte(line), &r); err != nil {
			t.Fatal(err)
		}
		all = append(all, fmt.Sprintf("%s %d %+d", r.Target, time.Unix(0, r.Time).Sub(noon)/time.Hour, r.Step.N))
	}
	slices.Sort(all)
	return all
}

// TestShiftsBesideReferences: what the prober's side adds is told of the references alone, and what one of three of them
// does by itself shows in no other target; the same comes out of what is stored, of what is kept and of a stream.
func TestShiftsBesideReferences(t *testing.T) {
	config := besideConfig("10.0.0.0", "10.0.0.1", "10.0.0.3")
	want := []string{"10.0.0.0 3 +300", "10.0.0.1 3 +300", "10.0.0.1 4 +600", "10.0.0.2 3 +250", "10.0.0.3 3 +300"}
	var found [][]string
	for _, back := range []bool{true, false} {
		m := swept()
		ends := Ends{Accounts: m, Points: m, Sink: m}
		if back {
			ends.Floors = m
		}
		s := New(config, ledger.New(accounts), ends, m)
		s.shifter.find = jumps
		if err := s.Once(t.Context(), noon.Add(24*time.Hour)); err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(fmt.Sprint(m.events), "targets [10.0.0.0 10.0.0.1 10.0.0.3]"); back != (n == 1) {
			t.Errorf("references were read %d times", n)
		}
		if got := m.steps(t); !slices.Equal(got, want) {
			t.Errorf("read back %v: %q, want %q", back, got, want)
		}
		found = append(found, m.shifts())
	}
	m, out := swept(), &memory{lines: map[string]bool{}}
	stream := streamConfig(nil)
	stream.Shifts, stream.References = config.Shifts, config.References
	s := NewStream(stream, Closed{}, out, nil, nil)
	s.shifter.find = jumps
	var reversed []string
	for at := noon; at.Before(noon.Add(6 * time.Hour)); at = at.Add(10 * time.Minute) { // less than the lateness
		text := strings.SplitAfter(m.between(at, at.Add(10*time.Minute)), "\n")
		slices.Reverse(text)
		reversed = append(reversed, text...)
	}
	if err := pour(t, s, strings.Join(reversed, "")); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(found[0], found[1]) || !slices.Equal(found[0], out.shifts()) {
		t.Errorf("read back\n%v\nkept\n%v\nstreamed\n%v", found[0], found[1], out.shifts())
	}
}

// hourly are rows of a target's floors, hour by hour; 0: there is none.
func hourly(series schema.Series, floors ...int64) (rows []*schema.SweepRollupRow) {
	for hour, floor := range floors {
		if floor != 0 {
			r := &schema.SweepRollupRow{Series: series, Window: "1h", Time: noon.Add(time.Duration(hour) * time.Hour).UnixNano()}
			r.N, r.Floor, r.Error = 30, schema.Some(floor), outlier.OK
			rows = append(rows, r)
		}
	}
	return rows
}

func probed(instance, target, size string) schema.Series {
	return schema.Series{Host: "h", Instance: instance, Target: target, Size: size}
}

// listed tells of a shift in each window, whose kind lists the floors.
func listed(_ path.ShiftConfig, floors []path.Floor) []path.Shift {
	if len(floors) == 0 {
		return nil
	}
	var values []float64
	for i := range floors {
		values = append(values, floors[i].Floor)
	}
	return []path.Shift{{At: floors[len(floors)-1].Start, Kind: fmt.Sprint(values)}}
}

// TestWhichReferencesApply: those of the same instance and size, in windows in which they have floors, whatever comes first.
func TestWhichReferencesApply(t *testing.T) {
	target, reference := probed("i", "t", ""), probed("i", "r", "")
	var long []int64
	for hour := range int64(shiftWindows + 3) {
		long = append(long, 1000+hour)
	}
	for _, c := range []struct {
		name      string
		target    []*schema.SweepRollupRow
		reference []*schema.SweepRollupRow
		hour      int
		want      string // the target's floors up to the hour
	}{
		{"the same", hourly(target, 1000, 1100, 1200), hourly(reference, 50, 150, 250), 2, "[1100 1100 1100]"},
		{"another instance's", hourly(target, 1000, 1100, 1200), hourly(probed("j", "r", ""), 50, 150, 250), 2, "[1000 1100 1200]"},
		{"another size's", hourly(target, 1000, 1100, 1200), hourly(probed("i", "r", "64"), 50, 150, 250), 2, "[1000 1100 1200]"},
		{"no reference in the middle", hourly(target, 1000, 1100, 1200), hourly(reference, 50, 0, 250), 2, "[1100 1100]"},
		{"no reference at the end", hourly(target, 1000, 1100, 1200), hourly(reference, 50, 150), 2, ""},
		{"later windows", hourly(target, 1000, 1100, 1200), hourly(reference, 50, 150, 950), 1, "[1050 1050]"},
		{"the reference itself", hourly(reference, 50, 150, 250), nil, 2, "[50 150 250]"},
		{"one that fell silent", hourly(target, long...), hourly(reference, 50, 50, 50), shiftWindows + 2, fmt.Sprint(long[3:])},
		{"one that is about to", hourly(target, long...), hourly(reference, 50, 50, 50), shiftWindows + 1, ""},
	} {
		rows := append(c.reference, c.target...)
		var first []schema.Row
		for seed := range uint64(5) {
			s := newShifter(besideConfig("r"))
			s.find = listed
			rand.New(rand.NewPCG(seed, 0)).Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
			for _, r := range rows {
				if early := s.add(r); early != nil {
					t.Errorf("%s: told before all is there: %v", c.name, early)
				}
			}
			all := s.rest()
			if first == nil {
				first = all
			}
			if !reflect.DeepEqual(all, first) {
				t.Errorf("%s: another order tells else", c.name)
			}
		}
		got := ""
		for _, r := range first {
			if shift := r.(*schema.PathShiftRow); shift.Target == c.target[0].Target && shift.Time == noon.Add(time.Duration(c.hour)*time.Hour).UnixNano() {
				got = shift.Kind
			}
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}
