package bfdwatch

// mirrors knows the frames of the last moment, to tell a second copy of one: mirror ports that mirror both directions,
// and captures of all interfaces at once that do not say which, show each frame twice, some µs apart. Equal frames of
// one capture point within the window are one; BFD never sends two that fast.
type mirrors struct {
	window int64
	slots  [mirrorSlots]struct {
		hash uint64
		at   int64
	}
}

// mirrorSlots is how many frames are remembered at most. Where two fall into one slot the older is forgotten.
const mirrorSlots = 1 << 12

// seen tells whether a frame with this hash was there within the window, and remembers the first one.
func (m *mirrors) seen(hash uint64, at int64) bool {
	slot := &m.slots[hash>>52]
	if slot.hash == hash && at-slot.at <= m.window {
		return true
	}
	slot.hash, slot.at = hash, at
	return false
}
