package path

import (
	"cmp"
	"maps"
	"slices"

	"echogram/pipeline/outlier"
)

// Bytes of a frame without FCS: the least, and Ethernet, IP and ICMP headers of both families.
const (
	minFrame = 60
	headers4 = 14 + 20 + 8
	headers6 = 14 + 40 + 8
)

// wire is the length of an echo request's frame.
func wire(payload int, ipv6 bool) int {
	if ipv6 {
		return max(minFrame, headers6+payload)
	}
	return max(minFrame, headers4+payload)
}

// Measure filters the samples of one target, in any order. probes counts the unanswered ones, too.
func Measure(filter outlier.Config, target string, ipv6 bool, samples []Sample, probes int, facts Facts) *Measurement {
	m := &Measurement{Target: target, Probes: probes, Facts: facts}
	samples = slices.SortedFunc(slices.Values(samples), func(a, b Sample) int { return cmp.Compare(a.At, b.At) })
	bySize := map[int][]int64{}
	for i := range samples {
		s := &samples[i]
		if bySize[s.Size] = append(bySize[s.Size], s.RTT); i == 0 {
			m.TTL = s.TTL
		} else if s.TTL != m.TTL {
			m.TTL = 0
		}
		m.Last = s.At
	}
	for _, payload := range slices.Sorted(maps.Keys(bySize)) {
		m.Sizes = append(m.Sizes, measureSize(filter, payload, wire(payload, ipv6), bySize[payload], probes/len(bySize)))
	}
	return m
}

// measureSize takes the level of all RTTs: what the filter cuts lies above it.
func measureSize(filter outlier.Config, payload, wire int, rtts []int64, probes int) Size {
	return Size{Payload: payload, Wire: wire, Filter: outlier.Window(filter, rtts, nil), Level: levelOf(rtts, probes)}
}

// at finds the size of a payload.
func (m *Measurement) at(payload int) *Size {
	for i := range m.Sizes {
		if m.Sizes[i].Payload == payload {
			return &m.Sizes[i]
		}
	}
	return nil
}
