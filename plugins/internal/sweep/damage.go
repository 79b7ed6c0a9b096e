package sweep

import (
	"math/bits"

	"echogram/plugins/internal/icmpecho"
)

// damage compares the reply to probe i with its request: how many bits differ, and the place of the first byte that
// does in the payload, -1 if none does. What has verified as it came is compared behind the cookie only.
func (e *Engine) damage(s *state, i int, m *icmpecho.Message, verified, cut bool) (flipped, first int) {
	target, k := i%s.n, i/s.n
	size := s.plan.size(k)
	flipped, first = s.pattern.Compare(m.Payload, size, cut)
	if verified && !m.ChecksumBad {
		return flipped, first
	}
	index := s.index(target, k)
	flipped += bits.OnesCount16(m.Seq ^ uint16(index))
	if size < icmpecho.CookieLen {
		return flipped, first
	}
	e.scratch = e.cookies.Append(e.scratch[:0], s.plan.Targets.At(target), index)
	for at := min(len(e.scratch), len(m.Payload)) - 1; at >= 0; at-- {
		if d := e.scratch[at] ^ m.Payload[at]; d != 0 {
			flipped += bits.OnesCount8(d)
			first = at
		}
	}
	return flipped, first
}
