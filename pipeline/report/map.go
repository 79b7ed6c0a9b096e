package report

import (
	"encoding/binary"
	"math/bits"
	"net/netip"
	"slices"
	"time"
)

// netMap is a map of a network: each target one cell along a Hilbert curve.
type netMap struct {
	network *Network
	curve   hilbert
	cells   []Answer // by place on the curve
	places  []int32  // of each target of the network on the curve
	blocks  []int32  // of each cell: which block it belongs to, or beyond; nil of IPv4, where blocks follow from the place
	scale   *scale
	facts   []string
	labels  []label
	dpi     int // of the pixels that cells are whole ones of
	grid    int // bits of the prefixes that are outlined; of IPv6 0: blocks are
}

// mostBits is the host part of the largest network that is mapped: a /8.
const mostBits = 24

// newMap lays a network out; nil if there is nothing to be seen.
func newMap(n *Network) *netMap {
	if len(n.Targets) == 0 {
		return nil
	}
	m := &netMap{network: n, dpi: dpi, places: make([]int32, len(n.Targets))}
	if n.Prefix.IsValid() {
		m.curve.bits = 32 - n.Prefix.Bits()
		for i, t := range n.Targets {
			m.places[i] = int32(v4(t.Addr) - v4(n.Prefix.Addr()))
		}
	} else {
		m.curve.bits = bits.Len(uint(len(n.Targets) - 1))
		m.listed()
	}
	if m.curve.bits > mostBits {
		return nil
	}
	m.cells = make([]Answer, 1<<m.curve.bits)
	return m
}

func v4(a netip.Addr) uint32 {
	b := a.As4()
	return binary.BigEndian.Uint32(b[:])
}

// listed puts targets at the places that they have in the list.
func (m *netMap) listed() {
	of := map[*Block]int32{}
	for i, b := range m.network.Blocks {
		of[b] = int32(i)
	}
	m.blocks = make([]int32, 1<<m.curve.bits)
	for i := range m.blocks {
		m.blocks[i] = beyond
	}
	for i, t := range m.network.Targets {
		m.places[i] = int32(i)
		m.blocks[i] = of[t.Block]
	}
}

// fill puts answers into the cells. Where a block's sweeps counted all of its addresses, those without a row of their own
// were silent.
func (m *netMap) fill(answer func(*Target) Answer) {
	clear(m.cells)
	for _, b := range m.network.Blocks {
		if first, n := m.span(b); n > 0 && b.Probed >= int64(n) {
			for i := range n {
				m.cells[first+i] = Silent
			}
		}
	}
	for i, t := range m.network.Targets {
		if a := answer(t); a != NotProbed {
			m.cells[m.places[i]] = a
		}
	}
}

// span is the cells of a block of IPv4.
func (m *netMap) span(b *Block) (first, n int) {
	p := m.network.Prefix
	if m.blocks != nil || !b.Prefix.IsValid() || !b.Prefix.Addr().Is4() || !p.Overlaps(b.Prefix) {
		return 0, 0
	}
	if b.Prefix.Bits() < p.Bits() {
		return 0, len(m.cells)
	}
	return int(v4(b.Prefix.Addr()) - v4(p.Addr())), 1 << (32 - b.Prefix.Bits())
}

// counts says how many cells there are of each answer without an RTT, and how RTTs are spread.
func (m *netMap) counts() (counts map[Answer]int, rtts *spread) {
	counts, rtts = map[Answer]int{}, new(spread)
	for i, a := range m.cells {
		if ns, ok := a.RTT(); ok {
			rtts.add(int64(ns))
		} else if m.region(i) != beyond {
			counts[a]++
		}
	}
	return counts, rtts
}

// answering is how many targets answered, and of how many that were probed.
func answering(counts map[Answer]int, rtts *spread) (answered, probed int) {
	answered = int(rtts.n) + counts[Untimed]
	return answered, answered + counts[Silent] + counts[Late] + counts[ICMPError]
}

// latestMap is the map of what the latest row of each target says; nil if there is nothing to be seen.
func latestMap(n *Network, top float64) *netMap {
	m := newMap(n)
	if m == nil {
		return nil
	}
	m.fill(func(t *Target) Answer { return t.Last })
	counts, rtts := m.counts()
	m.scale = scaleOf(rtts, top)
	m.facts = append(n.place(), n.when(), share(answering(counts, rtts))+" answer")
	m.facts = slices.Concat(m.facts, rttWords(rtts), []string{m.order()})
	m.outline()
	return m
}

// order says how cells lie.
func (m *netMap) order() string {
	cell := "each cell an address"
	if m.blocks != nil {
		cell = "each cell a target in the order of addresses"
	}
	return cell + ", along a Hilbert curve from top left to top right"
}

// rttWords says how RTTs are spread.
func rttWords(s *spread) []string {
	if s.n == 0 {
		return nil
	}
	return []string{"median RTT " + duration(s.at(0.5)), "99th percentile " + duration(s.at(0.99)), "greatest " + duration(float64(s.high))}
}

// place says who looked, and at what.
func (n *Network) place() (facts []string) {
	if n.Host != "" {
		facts = append(facts, "from "+n.Host)
	}
	if n.Instance != "" {
		facts = append(facts, "instance "+n.Instance)
	}
	if n.Window != "" {
		facts = append(facts, "medians of "+n.Window)
	}
	return facts
}

// file is the name of a file about the network.
func (n *Network) file(kind string) string { return fileName(kind, n.Name) }

// when says from which time what is shown is: the latest of each target.
func (n *Network) when() string {
	from, to := n.To, n.From
	for _, t := range n.Targets {
		from, to = min(from, t.Time), max(to, t.Time)
	}
	if from == to {
		return stamp(to)
	}
	return "latest of each target, " + stamp(from) + " to " + stamp(to)
}

func stamp(at int64) string { return time.Unix(0, at).UTC().Format("2006-01-02 15:04:05 UTC") }
