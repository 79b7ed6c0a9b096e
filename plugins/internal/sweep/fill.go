package sweep

import (
	"math"
	"net"

	"echogram/plugins/schema"
)

// fill makes the row of one target and size, that of its probe number k and those that follow in its turn. It
// returns false if no request of them counts: none was sent, or none has had its time.
func (r *run) fill(row *schema.SweepRow, target, k int, youngest int64) bool {
	rtts := rttSum{all: r.rtts[:0], keep: len(r.plan.Percentiles) > 0}
	handed, seen := false, r.seen(target)
	for i := k; i < int(r.opened.Load()); i += len(r.plan.Sizes) {
		pass := r.pass(i)
		if pass == nil || !r.counted(&pass[target], youngest) {
			continue
		}
		handed = true
		if !pass[target].taken() {
			continue
		}
		row.Sent++
		r.countReply(row, target, i, &rtts)
		r.fillError(row, &pass[target])
		if pass[target].stamp() == 0 {
			r.countUnseen(target, seen)
		}
	}
	r.rtts = rtts.all
	absent := r.absent(target)
	if !handed && !absent {
		return false
	}
	rtts.into(row, r.plan)
	r.fillRare(row, r.slot(target, k))
	if !absent {
		r.fillNeighbour(row, target)
	}
	row.ResultCode = resultCode(row, absent)
	return true
}

// counted tells whether a probe was handed over, and, in a sweep that was cut short, long enough ago.
func (r *run) counted(p *probe, youngest int64) bool {
	if youngest == math.MaxInt64 || !p.taken() {
		return p.tried()
	}
	left, _ := p.left(r.before.offset)
	return left <= youngest
}

// countReply files the reply to a probe as received or late. Without a stamp of the request there is no RTT, and
// the reply, which came before the row was written, counts as received.
func (r *run) countReply(row *schema.SweepRow, target, k int, rtts *rttSum) {
	p := &r.pass(k)[target]
	if p.answeredAt() == 0 {
		return
	}
	rtt, timed := p.rtt()
	switch {
	case !timed || rtt < 0: // the request was not captured, or the clock was set back
		row.Received++
	case rtt > int64(r.plan.Timeout):
		r.rareOf(r.slot(target, k)).addLate(rtt, true)
		return
	default:
		row.Received++
		rtts.add(rtt)
	}
	row.TTL = schema.Some(int64(p.ttl))
}

func (r *run) fillError(row *schema.SweepRow, p *probe) {
	if p.erred() && !row.ICMPType.Set {
		row.ICMPType, row.ICMPCode = schema.Some(int64(p.errType)), schema.Some(int64(p.errCode))
		row.ErrorFrom = r.routerName(p.errFrom)
	}
}

// seen tells whether any request to a target was seen leaving.
func (r *run) seen(target int) bool {
	for k := range int(r.opened.Load()) {
		if pass := r.pass(k); pass != nil && pass[target].stamp() != 0 {
			return true
		}
	}
	return false
}

// countUnseen says why a request was not seen leaving: on a link because nobody answered for the address, unless
// another request to it did leave, or it answered in the last sweep. All else is our own doing.
func (r *run) countUnseen(target int, otherSeen bool) {
	prev := r.plan.History.prev
	present := otherSeen || prev != nil && prev.has(target)
	if r.plan.OnLink != nil && r.plan.OnLink(target) && !present {
		r.counts.neighbour++
	} else {
		r.counts.unseen++
	}
}

func (r *run) fillRare(row *schema.SweepRow, slot int) {
	rare := r.rare[slot]
	if rare == nil {
		return
	}
	row.Late, row.LateRTT = rare.late, rare.lateMean()
	row.Duplicates = rare.duplicates
	row.Corrupt, row.Flipped = rare.corrupt, rare.flipped
	if rare.corrupt > 0 && rare.firstFlip >= 0 {
		row.FirstFlip = schema.Some(int64(rare.firstFlip))
	}
	if rare.mtu > 0 {
		row.MTU = schema.Some(rare.mtu)
	}
}

func (r *run) fillNeighbour(row *schema.SweepRow, target int) {
	if r.job.Neighbours == nil {
		return
	}
	if n, asked := r.job.Neighbours(target); asked && n.Present {
		row.MAC, row.ARPRTT, row.HostName = net.HardwareAddr(n.MAC[:]).String(), n.RTT, n.HostName
	}
}

// addLate books a late reply; timed says that its RTT is known.
func (r *rare) addLate(rtt int64, timed bool) {
	r.late++
	if timed {
		r.lateSum += rtt
		r.lateTimed++
	}
}

func (r *rare) lateMean() schema.Opt {
	if r.lateTimed == 0 {
		return schema.Opt{}
	}
	return schema.Some(r.lateSum / r.lateTimed)
}

func resultCode(row *schema.SweepRow, absent bool) int64 {
	switch {
	case row.Received > 0:
		return schema.ResultAnswered
	case row.ICMPType.Set:
		return schema.ResultICMPError
	case absent:
		return schema.ResultNoHost
	case row.Sent == 0:
		return schema.ResultNotSent
	}
	return schema.ResultSilent
}
