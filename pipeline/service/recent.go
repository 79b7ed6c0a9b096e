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
	reach  uint32            // how far back floors count, minutes
	series map[string][]kept // ascending
	texts  []string          // facts and errors, each once

	newest, forgot uint32 // start of the newest window, and of that when series were forgotten last
}

type kept struct {
	start          uint32 // minutes
	n              uint16 // or more
	facts, error   uint16 // numbers of texts
	ttlMin, ttlMax uint8
	stdErr         float32
	floor          float64
}

// put keeps f, in the place of what was known of the same window, until trim.
func (m *recent) put(key string, f *path.Floor) {
	k := kept{
		start: uint32(f.Start / int64(time.Minute)), n: uint16(min(f.N, math.MaxUint16)), facts: m.number(f.Facts), error: m.number(f.Error),
		ttlMin: uint8(f.TTLMin), ttlMax: uint8(f.TTLMax), stdErr: float32(f.StdErr), floor: f.Floor,
	}
	m.newest = max(m.newest, k.start)
	i, found := m.find(key, k.start)
	if found {
		m.series[key][i] = k
	} else {
		m.series[key] = slices.Insert(m.series[key], i, k)
	}
}

func (m *recent) find(key string, start uint32) (int, bool) {
	return slices.BinarySearchFunc(m.series[key], start, func(k kept, start uint32) int { return cmp.Compare(k.start, start) })
}

// upTo are the last floors of a series up to the window that starts at a time, in room.
func (m *recent) upTo(room []path.Floor, key string, start int64) []path.Floor {
	n, _ := m.find(key, uint32(start/int64(time.Minute))+1)
	return m.floors(room, m.series[key][max(0, n-shiftWindows):n])
}

func (m *recent) floors(room []path.Floor, all []kept) []path.Floor {
	for _, k := range all {
		room = append(room, path.Floor{
			Start: int64(k.start) * int64(time.Minute), N: int(k.n), Floor: k.floor, StdErr: float64(k.stdErr),
			TTLMin: int64(k.ttlMin), TTLMax: int64(k.ttlMax), Facts: m.texts[k.facts], Error: m.texts[k.error],
		})
	}
	return room
}

// trim drops all but the last floors of a series.
func (m *recent) trim(key string) {
	all := m.series[key]
	m.series[key] = slices.Delete(all, 0, max(0, len(all)-shiftWindows))
}

// forget drops the series that have been silent for as long as floors count: targets come and go.
func (m *recent) forget() {
	if m.newest < m.forgot+m.reach {
		return
	}
	m.forgot = m.newest
	maps.DeleteFunc(m.series, func(_ string, all []kept) bool { return all[len(all)-1].start+m.reach < m.newest })
}

func (m *recent) number(text string) uint16 {
	i := slices.Index(m.texts, text)
	if i < 0 {
		i = len(m.texts)
		m.texts = append(m.texts, text)
	}
	return uint16(i)
}
