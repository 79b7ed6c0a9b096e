package replay

import "net/netip"

// key is what a request and its reply have in common: the two addresses as IPv6 writes them, identifier and
// sequence number. An IPv4 address can be no other's: its mapped form does not travel.
type key struct {
	from, to [16]byte // of the request
	id, seq  uint16
}

func newKey(from, to netip.Addr, id, seq uint16) key { return key{from.As16(), to.As16(), id, seq} }

// probe is one request that answers may come for.
type probe struct {
	key     key
	target  *target
	stamp   int64
	ifIndex int32 // that the first reply came by, 0 unknown
	copies  int32 // frames of the request
	replies int32 // frames of replies
	failed  bool  // an error about it was booked
	payload payload
	next    *probe // the next younger one, or free one
}

// probes holds the newest requests by key and all of them by age.
type probes struct {
	byKey          map[key]*probe
	oldest, newest *probe
	free           *probe
	n              int
	room           int      // bytes of payload that may be kept
	buffers        [][]byte // for payloads, not in use
}

func newProbes() probes { return probes{byKey: map[key]*probe{}, room: keptPayload} }

// add makes the newest probe. An older one with the same key gets no more answers.
func (s *probes) add(k key, t *target, stamp int64, b []byte, cut bool) *probe {
	p := s.free
	if p == nil {
		p = &probe{}
	} else {
		s.free = p.next
	}
	*p = probe{key: k, target: t, stamp: stamp, copies: 1}
	if n := len(s.buffers) - 1; n >= 0 {
		p.payload.bytes, s.buffers = s.buffers[n], s.buffers[:n]
	}
	s.room -= p.payload.take(b, cut, s.room)
	if s.newest == nil {
		s.oldest = p
	} else {
		s.newest.next = p
	}
	s.newest = p
	s.byKey[k] = p
	s.n++
	return p
}

// pooled is the capacity, in bytes, up to which a buffer is used again: what is larger must not be held by a small
// payload.
const pooled = 256

// release gives up the payload of a probe, which nothing is compared with any more.
func (s *probes) release(p *probe) {
	b := p.payload.bytes
	s.room += len(b)
	if b != nil && cap(b) <= pooled {
		s.buffers = append(s.buffers, b)
	}
	p.payload.bytes = nil
}

// dropOldest forgets the oldest probe.
func (s *probes) dropOldest() {
	p := s.oldest
	if s.byKey[p.key] == p {
		delete(s.byKey, p.key)
	}
	if s.oldest = p.next; s.oldest == nil {
		s.newest = nil
	}
	s.release(p)
	p.next, s.free = s.free, p
	s.n--
}

// answer is a reply or an error.
type answer struct {
	stamp      int64
	from       netip.Addr
	ifIndex    int32
	isError    bool
	kind, code uint8
	mtu        uint32
	ttl        uint8
	damaged    bool // its checksum is wrong
	cut        bool
	payload    []byte // of a reply
}

// Limits of what is held for a request that comes later in the file.
const (
	holdTime    = int64(1e9) // ns
	holdMost    = 1 << 16
	holdPayload = 256 // bytes of an answer's payload; the rest counts as cut
)

// held keeps answers for which no request was seen so far, because captures of several interfaces and queues are
// not always in order.
type held struct {
	byKey map[key]*heldAnswer
	queue []*heldAnswer // by age; entries before head are gone
	head  int
	n     int // not yet given away or given up
}

type heldAnswer struct {
	answer
	key  key
	gone bool
}

func newHeld() held { return held{byKey: map[key]*heldAnswer{}} }

// add holds a. Of two answers to one key the first is held; it returns false for the other.
func (h *held) add(k key, a *answer) bool {
	if h.byKey[k] != nil {
		return false
	}
	own := &heldAnswer{answer: *a, key: k}
	if len(a.payload) > holdPayload {
		own.cut = true
	}
	own.payload = append([]byte(nil), a.payload[:min(len(a.payload), holdPayload)]...)
	h.byKey[k] = own
	h.queue = append(h.queue, own)
	h.n++
	return true
}

// take gives the answer that is held for a key.
func (h *held) take(k key) *answer {
	a := h.byKey[k]
	if a == nil {
		return nil
	}
	h.forget(a)
	return &a.answer
}

func (h *held) forget(a *heldAnswer) {
	delete(h.byKey, a.key)
	a.gone = true
	h.n--
}

// expire gives up what is held for too long, or too much of it, and returns how many answers that were.
func (h *held) expire(now int64) (n int64) {
	for h.head < len(h.queue) {
		a := h.queue[h.head]
		if !a.gone {
			if now-a.stamp <= holdTime && h.n <= holdMost {
				break
			}
			h.forget(a)
			n++
		}
		h.queue[h.head] = nil
		h.head++
	}
	if h.head > holdMost || h.head == len(h.queue) {
		h.queue = append(h.queue[:0], h.queue[h.head:]...)
		h.head = 0
	}
	return n
}
