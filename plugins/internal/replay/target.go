package replay

import (
	"net/netip"

	"echogram/plugins/internal/rtt"
	"echogram/plugins/internal/targets"
	"echogram/plugins/schema"
)

// target is what the capture says about one target.
type target struct {
	addr           netip.Addr
	sent, received int32 // requests, and replies within the timeout
	ttl            uint8 // of the last reply
	rtts           rtt.Sum
	more           *rare
}

// rare is what most targets do not have.
type rare struct {
	late, lateSum, duplicates int64
	corrupt, flipped          int64
	firstFlip                 schema.Opt
	err                       *answer
}

func (t *target) rare() *rare {
	if t.more == nil {
		t.more = &rare{}
	}
	return t.more
}

// fail keeps the first error about a target.
func (t *target) fail(a *answer) {
	if m := t.rare(); m.err == nil {
		own := *a
		m.err = &own
	}
}

func (m *rare) damage(flipped, first int) {
	m.corrupt++
	m.flipped += int64(flipped)
	if first >= 0 && !m.firstFlip.Set {
		m.firstFlip = schema.Some(int64(first))
	}
}

// wants tells whether an address may be a target.
func (r *Replay) wants(a netip.Addr) bool {
	if r.config.Targets == nil {
		return true
	}
	_, ok := r.config.Targets.Index(a)
	return ok
}

// target returns what is known of an address, nil if it is no target or one too many.
func (r *Replay) target(a netip.Addr) *target {
	if t := r.targets[a.As16()]; t != nil {
		return t
	}
	if !r.wants(a) || len(r.targets) == targets.MaxTargets {
		return nil
	}
	t := &target{addr: a}
	r.targets[a.As16()] = t
	return t
}

// row makes the target's row; series and time are the caller's.
func (t *target) row() schema.SweepRow {
	row := schema.SweepRow{Sent: int64(t.sent), Received: int64(t.received)}
	t.rtts.Into(&row, t.sent > 1)
	if t.received > 0 {
		row.TTL = schema.Some(int64(t.ttl))
	}
	if m := t.more; m != nil {
		m.into(&row)
	}
	switch {
	case row.Received > 0:
		row.ResultCode = schema.ResultAnswered
	case row.ICMPType.Set:
		row.ResultCode = schema.ResultICMPError
	default:
		row.ResultCode = schema.ResultSilent
	}
	return row
}

func (m *rare) into(row *schema.SweepRow) {
	row.Late, row.Duplicates, row.Corrupt = m.late, m.duplicates, m.corrupt
	row.Flipped, row.FirstFlip = m.flipped, m.firstFlip
	if m.late > 0 {
		row.LateRTT = schema.Some(m.lateSum / m.late)
	}
	if m.err != nil {
		row.ICMPType, row.ICMPCode = schema.Some(int64(m.err.kind)), schema.Some(int64(m.err.code))
		row.ErrorFrom = m.err.from.String()
		if m.err.mtu > 0 {
			row.MTU = schema.Some(int64(m.err.mtu))
		}
	}
}
