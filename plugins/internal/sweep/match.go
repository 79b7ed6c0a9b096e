package sweep

import (
	"net/netip"
	"slices"

	"echogram/plugins/internal/capture"
	"echogram/plugins/internal/frame"
	"echogram/plugins/internal/icmpecho"
)

// observe files one captured frame. The caller holds the engine's mutex.
func (e *Engine) observe(p *capture.Packet) {
	if p.HasVLAN && p.VLAN&0xfff != 0 {
		return // on its way to a VLAN's interface, whose own capture shows it again
	}
	ip, err := frame.Parse(p.Data, p.Link)
	if err != nil || ip.Proto != frame.ProtoICMP {
		return // the kernel's filter lets nothing of the kind pass
	}
	cut := ip.Cut || int(p.OrigLen) > len(p.Data)
	m, err := icmpecho.Parse(ip.Payload, cut)
	switch {
	case err != nil:
		return
	case m.Type == icmpecho.TypeEchoRequest && p.Direction == capture.Out && m.ID == e.id:
		e.request(p, &ip, &m)
	case p.Direction != capture.In:
		return // our own answers, and what loopback shows twice
	case m.Type == icmpecho.TypeEchoReply && m.ID == e.id:
		e.reply(p, &ip, &m, cut)
	case m.IsError():
		e.icmpError(&ip, &m)
	}
}

// find returns the sweep and the probe whose cookie a payload bears.
func (e *Engine) find(payload []byte) (*state, int, bool) {
	index, ok := icmpecho.Index(payload)
	if !ok {
		return nil, 0, false
	}
	for k := len(e.runs) - 1; k >= 0; k-- {
		s := e.runs[k].state
		if i, ok := s.probe(index); ok {
			return s, i, e.cookies.Verify(payload, s.plan.Targets.At(i%s.n), index)
		}
	}
	return nil, 0, false
}

func (e *Engine) request(p *capture.Packet, ip *frame.IP, m *icmpecho.Message) {
	if s, i, ok := e.find(m.Payload); ok && s.request[i] == 0 && s.plan.Targets.At(i%s.n) == ip.Dst {
		s.request[i] = p.Stamp
	}
}

func (e *Engine) reply(p *capture.Packet, ip *frame.IP, m *icmpecho.Message, cut bool) {
	if len(m.Payload) < icmpecho.CookieLen && !cut {
		e.short(ip, m)
		return
	}
	s, i, ok := e.find(m.Payload)
	if !ok || uint16(s.base+uint32(i)) != m.Seq {
		e.foreign++
		return
	}
	target := i % s.n
	switch {
	case s.plan.Targets.At(target) != ip.Src:
		s.counts.otherSource++
		return
	case s.reply[i] != 0:
		s.rareOf(target).duplicates++
		s.counts.duplicates++
		return
	}
	if m.ChecksumBad || !icmpecho.PatternIntact(m.Payload, s.plan.Size, cut) {
		s.rareOf(target).corrupt++
		s.counts.corrupt++
	}
	s.reply[i], s.ttl[i] = p.Stamp, ip.TTL
	s.counts.replies++
	if target < s.closed {
		s.addLate(target, i)
	}
}

// short counts a reply that has no room for the cookie: unverified if a probe with its address and sequence
// number is outstanding, else foreign. It is no answer: anybody could have sent it.
func (e *Engine) short(ip *frame.IP, m *icmpecho.Message) {
	if _, _, ok := e.outstanding(ip.Src, m.Seq); ok {
		e.unverified++
	} else {
		e.foreign++
	}
}

// outstanding finds the newest unanswered probe to an address with a sequence number.
func (e *Engine) outstanding(dst netip.Addr, seq uint16) (*state, int, bool) {
	for k := len(e.runs) - 1; k >= 0; k-- {
		s := e.runs[k].state
		target, ok := s.plan.Targets.Index(dst)
		if !ok {
			continue
		}
		for i := s.total - s.n + target; i >= 0; i -= s.n {
			if s.request[i] != 0 && s.reply[i] == 0 && uint16(s.base+uint32(i)) == seq {
				return s, i, true
			}
		}
	}
	return nil, 0, false
}

// icmpError lays an error at the door of the target whose request it quotes: by the cookie, or by address and
// sequence number when the quote is cut short.
func (e *Engine) icmpError(ip *frame.IP, m *icmpecho.Message) {
	q, err := icmpecho.ParseQuote(m.Payload)
	if err != nil || q.ID != e.id {
		return
	}
	s, i, ok := e.find(q.Payload)
	if len(q.Payload) < icmpecho.CookieLen {
		s, i, ok = e.outstanding(q.Dst, q.Seq)
	}
	if !ok || s.plan.Targets.At(i%s.n) != q.Dst {
		e.foreign++
		return
	}
	s.counts.icmpErrors++
	if r := s.rareOf(i % s.n); r.err == nil {
		r.err = &icmpError{m.Type, m.Code, ip.Src}
	}
}

// addLate books the reply of probe i, whose target is closed. It is none if the target has no row, because the
// sweep was cut short, or if the row was written before the timeout for that reason.
func (s *state) addLate(target, i int) {
	rtt, timed := s.reply[i]-s.request[i], s.request[i] != 0
	if _, left := slices.BinarySearch(s.left, target); left || timed && rtt <= int64(s.plan.Timeout) {
		return
	}
	r := s.rareOf(target)
	r.addLate(rtt, timed)
	s.counts.late++
	if !r.queued {
		r.queued = true
		s.late = append(s.late, target)
	}
}
