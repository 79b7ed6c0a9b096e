package neighbour

import (
	"math"

	"echogram/plugins/internal/capture"
	"echogram/plugins/internal/frame"
)

// Observe takes a batch of frames from the capture of the link, and returns frames that answer those who ask for
// our own addresses: to be sent at once, or not at all. through is the monotonic time up to which the capture has
// now shown everything it will show. The engine keeps no piece of batch.
func (e *Engine) Observe(batch []capture.Packet, through int64) (answers [][]byte) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for i := range batch {
		p := &batch[i]
		if p.HasVLAN && p.VLAN&0xfff != 0 { // another link's
			continue
		}
		m, err := frame.ParseNeighbour(p.Data)
		if err != nil {
			continue
		}
		switch {
		case p.Direction == capture.Out && !m.Tells:
			e.left(&m, p.Stamp)
		case p.Direction == capture.In && m.Tells:
			e.told(&m, p.Stamp)
		case p.Direction == capture.In && e.mustAnswer(&m):
			answers = append(answers, frame.AppendIsAt(nil, m, e.c.Own.MAC))
			e.stats.Served++
		}
	}
	e.through = max(e.through, through)
	return answers
}

// left notes when a request left.
func (e *Engine) left(m *frame.Neighbour, stamp int64) {
	if i, ok := e.c.Targets.Index(m.Addr); ok && e.known[i].tries > 0 {
		k := &e.known[i]
		k.request = stamp
		k.seen += min(1, math.MaxUint8-k.seen)
	}
}

// told notes at which MAC a target is. What was told to others, or to all, counts as well, but for the RTT.
func (e *Engine) told(m *frame.Neighbour, stamp int64) {
	i, ok := e.c.Targets.Index(m.Addr)
	if !ok || !unicast(m.MAC) {
		return
	}
	k := &e.known[i]
	switch {
	case k.tries == 0:
		e.stats.Unasked++
		return
	case !k.present:
		k.present, k.mac = true, m.MAC
		e.stats.Present++
	case k.mac != m.MAC:
		e.conflict(i, m.MAC)
		return
	}
	if k.rtt == 0 && k.tries == 1 && k.seen == 1 && e.c.Own.has(m.To) {
		k.rtt = max(0, stamp-k.request)
	}
}

func (e *Engine) conflict(i int, mac frame.MAC) {
	if _, known := e.others[i]; !known {
		e.others[i] = mac
		e.stats.Conflicts++
	}
}

// mustAnswer tells whether a question is somebody else's for an address of ours, probes for duplicates included.
// An announcement of our own address by another is no question.
func (e *Engine) mustAnswer(m *frame.Neighbour) bool {
	return e.c.Own.has(m.Addr) && m.From != m.Addr && m.MAC != e.c.Own.MAC && unicast(m.MAC)
}

// unicast tells whether a host can have this MAC: RFC 1812 section 3.3.2 forbids to believe in others.
func unicast(m frame.MAC) bool { return m[0]&1 == 0 && m != frame.MAC{} }
