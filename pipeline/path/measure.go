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
		m.Sizes = append(m.Sizes, measureSize(filter, payload, wire(payload, ipv6), bySize[payload]))
	}
	return m
}

func measureSize(filter outlier.Config, payload, wire int, rtts []int64) Size {
	dropped := map[int]bool{}
	s := Size{Payload: payload, Wire: wire}
	s.Filter = outlier.Window(filter, rtts, func(i int, _ int64, _ string) { dropped[i] = true })
	kept := make([]int64, 0, len(rtts))
	for i, v := range rtts {
		if !dropped[i] {
			kept = append(kept, v)
		}
	}
	s.Level = levelOf(kept)
	return s
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
