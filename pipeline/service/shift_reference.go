package service

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"echogram/pipeline/path"
	"echogram/plugins/schema"
)

// origin is who probes, and with which size: a target's floors are set beside those of references of the same.
type origin struct{ host, instance, size string }

func originOf(s *schema.Series) origin { return origin{s.Host, s.Instance, s.Size} }

// references are the floors of reference targets. It is used by several goroutines at once.
type references struct {
	*shifter
	all map[origin][][]path.Floor // by series, ascending

	mu    sync.Mutex
	known map[lastOf]*path.References // nil: there is none
}

// lastOf is the last of the windows that references are learned from.
type lastOf struct {
	origin
	start int64
}

func (s *shifter) newReferences() *references {
	return &references{shifter: s, all: map[origin][][]path.Floor{}, known: map[lastOf]*path.References{}}
}

func (r *references) add(series *schema.Series, floors []path.Floor) {
	o := originOf(series)
	r.all[o] = append(r.all[o], floors)
}

// floors are those of a target relative to its references, in room, which may be their own. They are as they are without
// references, and those of references themselves; there are none when no reference tells of the last window.
func (r *references) floors(room []path.Floor, series *schema.Series, floors []path.Floor) []path.Floor {
	o := originOf(series)
	if len(r.all[o]) == 0 || slices.Contains(r.references, series.Target) {
		return floors
	}
	last := floors[len(floors)-1].Start
	known := r.upTo(lastOf{o, last})
	if known == nil {
		return floors
	}
	relative := known.Relative(room[:0], floors)
	if n := len(relative); n == 0 || relative[n-1].Start != last {
		return nil
	}
	return relative
}

// upTo learns from the windows that are looked at for a shift in the last of them, whatever else is known.
func (r *references) upTo(k lastOf) *path.References {
	r.mu.Lock()
	defer r.mu.Unlock()
	known, ok := r.known[k]
	if ok {
		return known
	}
	var within [][]path.Floor
	for _, floors := range r.all[k.origin] {
		if some := between(floors, k.start-(shiftWindows-1)*int64(r.length), k.start); len(some) > 0 {
			within = append(within, some)
		}
	}
	if within != nil {
		learned := path.ReferencesOf(r.cfg, within)
		known = &learned
	}
	r.known[k] = known
	return known
}

// between are the floors of windows that start from one time to another, that included.
func between(floors []path.Floor, from, to int64) []path.Floor {
	start := func(f path.Floor, t int64) int { return cmp.Compare(f.Start, t) }
	i, _ := slices.BinarySearchFunc(floors, from, start)
	j, _ := slices.BinarySearchFunc(floors, to+1, start)
	return floors[i:j]
}

// referencesBack reads the floors of references back.
func (s *Service) referencesBack(ctx context.Context, from, to int64) (*references, error) {
	r := s.shifter.newReferences()
	if len(r.references) == 0 {
		return r, nil
	}
	floors, err := s.shifter.read(func(begin func(), add addFloor) error {
		return s.Floors.TargetFloors(ctx, r.references, s.shifter.window, from, to, begin, add)
	})
	for series, all := range floors {
		r.add(&series.Series, all)
	}
	return r, err
}
