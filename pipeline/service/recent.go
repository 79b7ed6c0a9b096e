package service

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"time"

	"echogram/pipeline/path"
)

// recent keeps the last floors of each series, in a third of the room that path.Floor needs: there may be 65,536.
type recent struct {
	series map[string][]kept // ascending
	texts  []string          // facts and errors, each once
	floors []path.Floor      // what put returned last

	newest, last uint32 // start of the newest window, and of that at the last forget
	windows      int    // since then
}

type kept struct {
	start          uint32 // minutes
	n              uint16 // or more
	facts, error   uint16 // numbers of texts
	ttlMin, ttlMax uint8
	stdErr         float32
	floor          float64
}

// put keeps f, in the place of what was known of the same window, and returns the floors up to it, until the next put.
func (m *recent) put(key string, f *path.Floor) []path.Floor {
	k := kept{
		start: uint32(f.Start / int64(time.Minute)), n: uint16(min(f.N, math.MaxUint16)), facts: m.number(f.Facts), error: m.number(f.Error),
		ttlMin: uint8(f.TTLMin), ttlMax: uint8(f.TTLMax), stdErr: float32(f.StdErr), floor: f.Floor,
	}
	m.forget(k.start)
	all := m.series[key]
	i, found := slices.BinarySearchFunc(all, k, func(a, b kept) int { return cmp.Compare(a.start, b.start) })
	switch {
	case found:
		all[i] = k
	case len(all) < shiftWindows:
		all = slices.Insert(all, i, k)
	case i > 0: // the oldest makes room
		i--
		copy(all[:i], all[1:i+1])
		all[i] = k
	default:
		return nil // older than all that is kept
	}
	m.series[key] = all
	m.floors = m.floors[:0]
	for _, k := range all[:i+1] {
		m.floors = append(m.floors, path.Floor{
			Start: int64(k.start) * int64(time.Minute), N: int(k.n), Floor: k.floor, StdErr: float64(k.stdErr),
			TTLMin: int64(k.ttlMin), TTLMax: int64(k.ttlMax), Facts: m.texts[k.facts], Error: m.texts[k.error],
		})
	}
	return m.floors
}

// forget drops the series that have been silent for as long as floors are kept: targets come and go.
func (m *recent) forget(start uint32) {
	if start <= m.newest {
		return
	}
	m.newest = start
	if m.windows++; m.windows < shiftWindows {
		return
	}
	maps.DeleteFunc(m.series, func(_ string, all []kept) bool { return all[len(all)-1].start < m.last })
	m.last, m.windows = start, 0
}

func (m *recent) number(text string) uint16 {
	i := slices.Index(m.texts, text)
	if i < 0 {
		i = len(m.texts)
		m.texts = append(m.texts, text)
	}
	return uint16(i)
}
