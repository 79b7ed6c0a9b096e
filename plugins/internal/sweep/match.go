package sweep

import (
	"net/netip"
	"slices"

	"echogram/plugins/internal/capture"
	"echogram/plugins/internal/frame"
	"echogram/plugins/internal/icmpecho"
	"echogram/plugins/schema"
)

// observe files one captured frame. The caller holds the engine's mutex.
func (e *Engine) observe(source uint8, p *capture.Packet) {
	if p.HasVLAN && p.VLAN&0xfff != 0 {
		return // on its way to a VLAN's interface, whose own capture shows it again
	}
	ip, err := frame.Parse(p.Data, p.Link)
	if err != nil || ip.Proto != frame.ProtoICMP && ip.Proto != frame.ProtoICMPv6 {
		return // the kernel's filter lets nothing of the kind pass
	}
	cut := ip.Cut || int(p.OrigLen) > len(p.Data)
	m, err := icmpecho.Parse(ip.Payload, ip.Src, ip.Dst, cut)
	switch {
	case err != nil:
		return
	case m.Kind == icmpecho.EchoRequest && p.Direction == capture.Out && m.ID == e.id:
		e.request(p, &ip, &m)
	case p.Direction != capture.In:
		return // our own answers, and what loopback shows twice
	case m.Kind == icmpecho.EchoReply && m.ID == e.id:
		e.reply(source, p, &ip, &m, cut)
	case m.Kind == icmpecho.Error:
		e.icmpError(source, &ip, &m)
	}
}

// find returns the sweep and the probe whose cookie a payload bears.
func (e *Engine) find(payload []byte) (s *state, i int, ok bool) {
	index, ok := icmpecho.Index(payload)
	if !ok {
		return nil, 0, false
	}
	for k := len(e.runs) - 1; k >= 0; k-- {
		s := e.runs[k].state
		if i, ok := s.probe(index); ok && e.cookies.Verify(payload, s.plan.Targets.At(i%s.n), index) && s.at(i) != nil {
			return s, i, true
		}
	}
	return nil, 0, false
}

// outstanding finds the newest unanswered probe to an address with a sequence number, among those that want admits.
func (e *Engine) outstanding(dst netip.Addr, seq uint16, want func(s *state, k int) bool) (*state, int, bool) {
	for r := len(e.runs) - 1; r >= 0; r-- {
		s := e.runs[r].state
		target, ok := s.plan.Targets.Index(dst)
		if !ok {
			continue
		}
		for k := int(s.opened.Load()) - 1; k >= 0; k-- {
			if uint16(s.index(target, k)) != seq || !want(s, k) {
				continue
			}
			if p := s.pass(k); p != nil && p[target].taken() && p[target].answeredAt() == 0 {
				return s, k*s.n + target, true
			}
		}
	}
	return nil, 0, false
}

func anySize(*state, int) bool           { return true }
func withoutCookie(s *state, k int) bool { return s.plan.size(k) < icmpecho.CookieLen }

func (e *Engine) request(p *capture.Packet, ip *frame.IP, m *icmpecho.Message) {
	s, i, ok := e.find(m.Payload)
	if len(m.Payload) < icmpecho.CookieLen {
		s, i, ok = e.outstanding(ip.Dst, m.Seq, withoutCookie)
	}
	if !ok || s.plan.Targets.At(i%s.n).WithZone("") != ip.Dst || !s.stampedBy(p.Kind) {
		return
	}
	if probe := s.at(i); probe.stamp() == 0 && probe.taken() {
		probe.seen(p.Stamp)
	}
}

// stampedBy tells whether stamps of a kind are those of this sweep: RTTs are never made of two clocks. Another
// stanza's capture may show our frames, too.
func (s *state) stampedBy(k capture.StampKind) bool {
	if s.kind == capture.StampNone {
		s.kind = k
	}
	return s.kind == k
}

func (e *Engine) reply(source uint8, p *capture.Packet, ip *frame.IP, m *icmpecho.Message, cut bool) {
	s, i, ok := e.find(m.Payload)
	verified := ok
	if ok && m.Seq != uint16(s.index(i%s.n, i/s.n)) && !m.ChecksumBad {
		ok = false
	}
	if !ok {
		if s, i, ok = e.findUnverified(ip, m, cut); !ok {
			return
		}
	}
	if !s.stampedBy(p.Kind) {
		return
	}
	target, k := i%s.n, i/s.n
	ev := Event{Kind: Replied, Target: target, Probe: k, Bytes: len(ip.Payload), TTL: ip.TTL, From: ip.Src, First: -1}
	if cut { // the capture shows the first fragment
		ev.Bytes = 8 + s.plan.size(k)
	}
	probe := s.at(i)
	if rtt := p.Stamp - probe.stamp(); probe.stamp() != 0 {
		ev.RTT = schema.Some(rtt)
	}
	switch {
	case verified && s.plan.Targets.At(target).WithZone("") != ip.Src:
		s.counts.otherSource++
		ev.Kind = Strayed
	case probe.answeredAt() != 0 && probe.via != source:
		return // the same frame, on the interface below or above
	case probe.answeredAt() != 0:
		s.rareOf(s.slot(target, k)).duplicates++
		s.counts.duplicates++
		ev.Kind = Duplicated
	default:
		e.firstReply(s, i, m, verified, cut, &ev)
		probe.ttl, probe.via = ip.TTL, source
		probe.answer(p.Stamp)
		s.counts.replies++
		if target < s.closed {
			s.addLate(target, k)
		}
	}
	s.tell(ev)
}

// firstReply notes what was damaged in a reply.
func (e *Engine) firstReply(s *state, i int, m *icmpecho.Message, verified, cut bool, ev *Event) {
	flipped, first := e.damage(s, i, m, verified, cut)
	if flipped == 0 && !m.ChecksumBad {
		return
	}
	r := s.rareOf(s.slot(i%s.n, i/s.n))
	if r.corrupt == 0 {
		r.firstFlip = first
	}
	r.corrupt++
	r.flipped += int64(flipped)
	s.counts.corrupt++
	ev.Corrupt, ev.Flipped, ev.First = true, flipped, first
}

// findUnverified finds the probe of a reply whose cookie does not hold. Such a reply counts only if its probe had
// no room for a cookie, or if its checksum says that it was damaged on the way; all others anybody could have sent.
func (e *Engine) findUnverified(ip *frame.IP, m *icmpecho.Message, cut bool) (s *state, i int, ok bool) {
	short := len(m.Payload) < icmpecho.CookieLen && !cut
	switch {
	case m.ChecksumBad:
		if s, i, ok = e.outstanding(ip.Src, m.Seq, anySize); !ok {
			e.foreign++
		}
		return s, i, ok
	case !short:
		e.foreign++
		return nil, 0, false
	}
	if s, i, ok = e.outstanding(ip.Src, m.Seq, withoutCookie); ok {
		e.unverified++
		return s, i, true
	}
	if _, _, asked := e.outstanding(ip.Src, m.Seq, anySize); asked {
		e.unverified++
	} else {
		e.foreign++
	}
	return nil, 0, false
}

// icmpError lays an error at the door of the target whose request it quotes: by the cookie, or by address and
// sequence number when the quote is cut short.
func (e *Engine) icmpError(source uint8, ip *frame.IP, m *icmpecho.Message) {
	q, err := icmpecho.ParseQuote(m.Payload)
	if err != nil || q.ID != e.id {
		return
	}
	s, i, ok := e.find(q.Payload)
	if len(q.Payload) < icmpecho.CookieLen {
		s, i, ok = e.outstanding(q.Dst, q.Seq, anySize)
	}
	if !ok || s.plan.Targets.At(i%s.n).WithZone("") != q.Dst {
		e.foreign++
		return
	}
	target, k := i%s.n, i/s.n
	if p := s.at(i); p.erred() && p.errVia != source {
		return // the same frame, on the interface below or above
	}
	s.counts.icmpErrors++
	if p := s.at(i); !p.erred() {
		p.errType, p.errCode, p.errFrom, p.errVia = m.Type, m.Code, s.router(ip.Src), source
		if m.MTU != 0 {
			s.rareOf(s.slot(target, k)).mtu = int64(m.MTU)
		}
	}
	s.tell(Event{Kind: Errored, Target: target, Probe: k, Bytes: len(ip.Payload), TTL: ip.TTL, From: ip.Src, Type: m.Type, Code: m.Code, MTU: m.MTU, First: -1})
}

// addLate books the reply to probe k of a target that is closed. It is none if the target has no row, because the
// sweep was cut short, or if the row was written before the timeout for that reason.
func (s *state) addLate(target, k int) {
	probe := &s.pass(k)[target]
	rtt, timed := probe.rtt()
	if _, left := slices.BinarySearch(s.left, target); left || timed && rtt <= int64(s.plan.Timeout) {
		return
	}
	slot := s.slot(target, k)
	r := s.rareOf(slot)
	r.addLate(rtt, timed)
	s.counts.late++
	if s.plan.Samples && timed {
		s.tardy = append(s.tardy, k*s.n+target)
	}
	if !r.queued {
		r.queued = true
		s.late = append(s.late, slot)
	}
}
