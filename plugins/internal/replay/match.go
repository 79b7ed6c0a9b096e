package replay

import (
	"net/netip"

	"echogram/plugins/internal/capture"
	"echogram/plugins/internal/frame"
	"echogram/plugins/internal/icmpecho"
)

// sameFrame is how far apart, in ns, two requests with one key are taken for one that was captured twice: at a
// mirror port, or on a bridge and its member. Further apart the key is used again, for another request.
const sameFrame = int64(1e6)

// request books an echo request.
func (r *Replay) request(p *capture.Packet, ip *frame.IP, m *icmpecho.Message, cut bool) {
	t := r.target(ip.Dst)
	if t == nil {
		return
	}
	k := newKey(ip.Src, ip.Dst, m.ID, m.Seq)
	if old := r.probes.byKey[k]; old != nil && p.Stamp-old.stamp <= sameFrame && old.stamp-p.Stamp <= sameFrame {
		old.copies++
		r.counts.repeated++
		return
	}
	t.sent++
	r.counts.requests++
	if r.counts.requests == 1 || p.Stamp < r.firstRequest {
		r.firstRequest = p.Stamp
	}
	r.lastRequest = max(r.lastRequest, p.Stamp)
	probe := r.probes.add(k, t, p.Stamp, m.Payload, cut)
	if a := r.held.take(k); a != nil {
		if a.stamp < p.Stamp { // it answers an earlier use of the key
			r.counts.unmatched++
		} else {
			r.book(probe, a)
		}
	}
}

// answer finds the request that a reply or an error is about. Without one it is held for a while.
func (r *Replay) answer(p *capture.Packet, ip *frame.IP, m *icmpecho.Message, cut bool) {
	a := answer{stamp: p.Stamp, from: ip.Src, ifIndex: p.IfIndex, ttl: ip.TTL, damaged: m.ChecksumBad, cut: cut}
	k := newKey(ip.Dst, ip.Src, m.ID, m.Seq)
	if m.Kind == icmpecho.Error {
		q, err := icmpecho.ParseQuote(m.Payload)
		if err != nil {
			return
		}
		k = newKey(ip.Dst, q.Dst, q.ID, q.Seq)
		a.isError, a.kind, a.code, a.mtu = true, m.Type, m.Code, m.MTU
	} else {
		a.payload = m.Payload
	}
	if probe := r.probes.byKey[k]; probe != nil {
		r.book(probe, &a)
	} else if r.wants(netip.AddrFrom16(k.to).Unmap()) && !r.held.add(k, &a) {
		r.counts.unmatched++
	}
}

// book files an answer with its probe.
func (r *Replay) book(p *probe, a *answer) {
	if a.isError {
		if p.failed {
			r.counts.repeated++
			return
		}
		p.failed = true
		r.counts.icmpErrors++
		p.target.fail(a)
		return
	}
	p.replies++
	if p.replies == 1 {
		p.ifIndex = a.ifIndex
		r.reply(p, a)
		return
	}
	// As many frames of the reply as of the request, or one on each interface, are one reply that was captured
	// more than once.
	if p.replies <= p.copies || a.ifIndex != p.ifIndex {
		r.counts.repeated++
	} else {
		p.target.rare().duplicates++
	}
}

// reply files the first reply to a probe.
func (r *Replay) reply(p *probe, a *answer) {
	t := p.target
	if differs, flipped, first := p.payload.compare(a.payload, a.cut); differs || a.damaged {
		t.rare().damage(flipped, first)
	}
	r.probes.release(p)
	rtt := a.stamp - p.stamp
	r.counts.backwards = min(r.counts.backwards, rtt)
	if rtt > int64(r.config.Timeout) {
		t.rare().late++
		t.rare().lateSum += rtt
		return
	}
	t.received++
	t.ttl = a.ttl
	if rtt >= 0 { // else the clock was set back between the two: a reply, but no RTT
		t.rtts.Add(rtt)
	}
}

// expire forgets what is too old to be answered, and what is too much.
func (r *Replay) expire(now int64) {
	r.counts.unmatched += r.held.expire(now)
	for p := r.probes.oldest; p != nil; p = r.probes.oldest {
		age := now - p.stamp
		if age <= int64(r.config.LateWindow) && r.probes.n < r.config.Outstanding {
			return
		}
		if p.replies == 0 && age <= int64(r.config.Timeout) {
			r.counts.forgotten++
		}
		r.probes.dropOldest()
	}
}
