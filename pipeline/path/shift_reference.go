package path

import (
	"cmp"
	"math"
	"slices"
)

// References are what floors moved by on the prober's side: a clock that slows down, interrupts that come otherwise, a busy
// machine move the RTTs of all targets that are swept together alike. It is learned of references, targets whose ways
// stay as they are, and is the median over them: of three or more, one may move by itself. A single one's own shifts show
// in all targets with the opposite sign, and half of them when there are two.
type References []common

// common is what references moved by in one window.
type common struct {
	start   int64 // ns
	by, err float64
}

// ReferencesOf learns from the floors of references, of one prober and one length of window. Each counts from its own
// median over them, so that what is relative to the references keeps the target's magnitude.
func ReferencesOf(cfg ShiftConfig, floors [][]Floor) References {
	cfg = cfg.withDefaults()
	var all []common
	for _, own := range floors {
		all = cfg.deviations(all, own)
	}
	slices.SortFunc(all, func(a, b common) int {
		return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(a.by, b.by), cmp.Compare(a.err, b.err))
	})
	windows := all[:0]
	for i := 0; i < len(all); {
		n := i + 1
		for n < len(all) && all[n].start == all[i].start {
			n++
		}
		windows, i = append(windows, commonOf(all[i:n])), n
	}
	return windows
}

// deviations appends what one reference deviates by from its own median, in the windows that tell.
func (cfg *ShiftConfig) deviations(all []common, floors []Floor) []common {
	var values []float64
	for i := range floors {
		if f := &floors[i]; cfg.tells(f) {
			values, all = append(values, f.Floor), append(all, common{f.Start, f.Floor, f.StdErr})
		}
	}
	if len(values) == 0 {
		return all
	}
	median := medianOf(values)
	for i := range all[len(all)-len(values):] {
		all[len(all)-len(values)+i].by -= median
	}
	return all
}

// commonOf is the median of what references deviate by in one window, ascending. The variance of a median of three or
// more is π/2 of a mean's at most.
func commonOf(all []common) common {
	n := len(all)
	m := common{start: all[0].start, by: (all[(n-1)/2].by + all[n/2].by) / 2}
	for _, c := range all {
		m.err += c.err * c.err
	}
	m.err = math.Sqrt(m.err) / float64(n)
	if n > 2 {
		m.err *= math.Sqrt(math.Pi / 2)
	}
	return m
}

// Relative appends to room the floors of a target, ascending by Start, without what the references moved by. Windows in
// which no reference tells are left out. Within a window, too, what scatters the target's RTTs scatters the references':
// of the standard error that part goes, and what is common to all windows shows in how the relative floors scatter.
func (r References) Relative(room, floors []Floor) []Floor {
	i := 0
	for _, f := range floors {
		for i < len(r) && r[i].start < f.Start {
			i++
		}
		if i == len(r) {
			break
		}
		if r[i].start == f.Start {
			f.Floor -= r[i].by
			f.StdErr = math.Sqrt(math.Abs(f.StdErr*f.StdErr - r[i].err*r[i].err))
			room = append(room, f)
		}
	}
	return room
}
