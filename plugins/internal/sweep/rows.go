package sweep

import (
	"math"
	"slices"

	"echogram/plugins/internal/targets"
	"echogram/plugins/schema"
)

// chunk is how many targets are closed under one hold of the engine's mutex.
const chunk = 256

// emitBlock writes the rows of a block's targets and then the block's own. whole says that the timeout of every
// request has passed; if not, requests younger than that are left out, as neither sent nor lost.
func (r *run) emitBlock(b int, whole bool) {
	block := r.plan.Targets.Blocks()[b]
	sum := blockSum{}
	for first := block.First; first < block.First+block.N; first += chunk {
		n := min(chunk, block.First+block.N-first)
		r.emitTargets(b, first, n, whole, &sum)
	}
	if sum.targets > 0 {
		r.emit(sum.row(r, b, block.First, whole && sum.targets == int64(block.N)))
	}
}

// emitTargets closes some targets and writes their rows, before any late row of theirs can come.
func (r *run) emitTargets(b, first, n int, whole bool, sum *blockSum) {
	r.emitMu.Lock()
	defer r.emitMu.Unlock()
	rows := r.closeTargets(b, first, n, whole, sum)
	for i := range rows {
		r.emitLocked(&rows[i])
	}
}

// closeTargets makes the rows of n targets of block b. From now on their replies are late ones.
func (r *run) closeTargets(b, first, n int, whole bool, sum *blockSum) []schema.SweepRow {
	r.engine.mu.Lock()
	defer r.engine.mu.Unlock()
	youngest := int64(math.MaxInt64)
	if !whole {
		youngest = r.engine.observedThrough(r.job.Sources) - int64(r.plan.Timeout)
	}
	rows := make([]schema.SweepRow, 0, n)
	for t := first; t < first+n; t++ {
		row := schema.SweepRow{Series: r.series(b, t), Time: r.job.Start}
		if !r.fill(&row, t, youngest) {
			r.left = append(r.left, t)
			continue
		}
		rows = append(rows, row)
		r.sum(sum, &row, t)
	}
	r.closed = first + n
	return rows
}

func (r *run) series(b, target int) schema.Series {
	p := r.plan
	return schema.Series{
		Host: p.Host, Instance: p.Instance, Labels: p.Labels,
		Network: p.Targets.Network(target), Block: p.names[b], Target: p.Targets.At(target).String(),
	}
}

// fill makes one target's row. It returns false if no request to it counts: none was sent, or none has had its
// time.
func (r *run) fill(row *schema.SweepRow, target int, youngest int64) bool {
	var rtts rttSum
	handed, seen := false, r.seen(target)
	for i := target; i < r.total; i += r.n {
		if r.sent.handed.Load() <= int64(i) || (youngest != math.MaxInt64 && r.sent.sentAt(i) > youngest) {
			continue
		}
		handed = true
		if !r.sent.took(i) {
			continue
		}
		row.Sent++
		r.countReply(row, i, &rtts)
		if r.request[i] == 0 {
			r.countUnseen(target, seen)
		}
	}
	if !handed {
		return false
	}
	rtts.into(row, r.plan.Count)
	r.fillRare(row, target)
	row.ResultCode = resultCode(row)
	return true
}

// countReply files the reply of probe i as received or late. Without a stamp of the request there is no RTT, and
// the reply, which came before the row was written, counts as received.
func (r *run) countReply(row *schema.SweepRow, i int, rtts *rttSum) {
	if r.reply[i] == 0 {
		return
	}
	rtt := r.reply[i] - r.request[i]
	switch {
	case r.request[i] == 0 || rtt < 0: // the request was not captured, or the clock was set back
		row.Received++
	case rtt > int64(r.plan.Timeout):
		r.rareOf(i%r.n).addLate(rtt, true)
		return
	default:
		row.Received++
		rtts.add(rtt)
	}
	row.TTL = schema.Some(int64(r.ttl[i]))
}

// seen tells whether any request to a target was seen leaving.
func (r *run) seen(target int) bool {
	for i := target; i < r.total; i += r.n {
		if r.request[i] != 0 {
			return true
		}
	}
	return false
}

// countUnseen says why a request was not seen leaving: on a link because nobody answered for the address, unless
// another request to it did leave, or it answered in the last sweep. All else is our own doing.
func (r *run) countUnseen(target int, otherSeen bool) {
	present := otherSeen || r.plan.prev != nil && r.plan.prev.has(target)
	if r.plan.OnLink != nil && r.plan.OnLink(target) && !present {
		r.counts.neighbour++
	} else {
		r.counts.unseen++
	}
}

func (r *run) fillRare(row *schema.SweepRow, target int) {
	rare := r.rare[target]
	if rare == nil {
		return
	}
	row.Late, row.LateRTT = rare.late, rare.lateMean()
	row.Duplicates, row.Corrupt = rare.duplicates, rare.corrupt
	if rare.err != nil {
		row.ICMPType, row.ICMPCode = schema.Some(int64(rare.err.kind)), schema.Some(int64(rare.err.code))
		row.ErrorFrom = rare.err.from.String()
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

func resultCode(row *schema.SweepRow) int64 {
	switch {
	case row.Received > 0:
		return schema.ResultAnswered
	case row.ICMPType.Set:
		return schema.ResultICMPError
	case row.Sent == 0:
		return schema.ResultNotSent
	}
	return schema.ResultSilent
}

// sum adds a target's row to its block and to the sweep.
func (r *run) sum(b *blockSum, row *schema.SweepRow, target int) {
	r.counts.points++
	r.counts.sent += row.Sent
	r.counts.received += row.Received
	r.counts.late += row.Late
	b.add(row)
	now := row.Received > 0
	if now {
		r.answered.set(target)
	}
	if before := r.plan.prev; before != nil {
		switch was := before.has(target); {
		case now && !was:
			b.joined++
		case was && !now:
			b.left++
		}
	}
}

// rttSum gathers a target's RTTs.
type rttSum struct {
	n, sum, least, most int64
	squares             float64
}

func (s *rttSum) add(rtt int64) {
	if s.n == 0 || rtt < s.least {
		s.least = rtt
	}
	s.most = max(s.most, rtt)
	s.n++
	s.sum += rtt
	s.squares += float64(rtt) * float64(rtt)
}

func (s *rttSum) into(row *schema.SweepRow, count int) {
	if s.n == 0 {
		return
	}
	row.RTT = schema.Some(s.sum / s.n)
	if count == 1 {
		return
	}
	mean := float64(s.sum) / float64(s.n)
	row.RTTMin, row.RTTMax = schema.Some(s.least), schema.Some(s.most)
	row.RTTStddev = schema.Some(int64(math.Sqrt(max(0, s.squares/float64(s.n)-mean*mean))))
}

// blockSum gathers the rows of a block.
type blockSum struct {
	targets, responding, sent, received, joined, left int64
	rtts                                              []int64
}

func (b *blockSum) add(row *schema.SweepRow) {
	b.targets++
	b.sent += row.Sent
	b.received += row.Received
	if row.Received > 0 {
		b.responding++
	}
	if row.RTT.Set {
		b.rtts = append(b.rtts, row.RTT.N)
	}
}

func (b *blockSum) row(r *run, block, first int, whole bool) *schema.SweepBlockRow {
	p := r.plan
	row := &schema.SweepBlockRow{
		Host: p.Host, Instance: p.Instance, Labels: p.Labels,
		Network: p.Targets.Network(first), Block: p.names[block], Time: r.job.Start,
		Targets: b.targets, Responding: b.responding, Sent: b.sent, Received: b.received,
		PercentResponding: 100 * float64(b.responding) / float64(b.targets),
		Partial:           !whole,
	}
	if whole && p.prev != nil {
		row.Joined, row.Left = schema.Some(b.joined), schema.Some(b.left)
	}
	b.quantiles(row)
	return row
}

// quantiles takes nearest ranks: the least value that at least q of the values do not exceed.
func (b *blockSum) quantiles(row *schema.SweepBlockRow) {
	if len(b.rtts) == 0 {
		return
	}
	slices.Sort(b.rtts)
	rank := func(q float64) schema.Opt {
		return schema.Some(b.rtts[max(0, int(math.Ceil(q*float64(len(b.rtts))))-1)])
	}
	var sum int64
	for _, v := range b.rtts {
		sum += v
	}
	row.RTTMin, row.RTTMax = schema.Some(b.rtts[0]), schema.Some(b.rtts[len(b.rtts)-1])
	row.RTTMean = schema.Some(sum / int64(len(b.rtts)))
	row.RTTP50, row.RTTP90, row.RTTP99 = rank(.5), rank(.9), rank(.99)
}

// emitLate writes the late rows of targets whose late count has grown since their row was written.
func (r *run) emitLate() {
	r.emitMu.Lock()
	defer r.emitMu.Unlock()
	r.engine.mu.Lock()
	rows := make([]schema.LateRow, 0, len(r.late))
	for _, t := range r.late {
		rare := r.rare[t]
		rare.queued = false
		rows = append(rows, schema.LateRow{
			Series: r.series(r.blockOf(t), t), Time: r.job.Start, Late: rare.late, LateRTT: rare.lateMean(),
		})
	}
	r.late = r.late[:0]
	r.engine.mu.Unlock()
	for i := range rows {
		r.emitLocked(&rows[i])
	}
}

func (r *run) blockOf(target int) int {
	blocks := r.plan.Targets.Blocks()
	b, found := slices.BinarySearchFunc(blocks, target, func(b targets.Block, t int) int { return b.First - t })
	if !found {
		b--
	}
	return b
}

// bitSet is one bit a target.
type bitSet []uint64

func newBitSet(n int) bitSet    { return make(bitSet, (n+63)/64) }
func (b bitSet) set(i int)      { b[i/64] |= 1 << (i % 64) }
func (b bitSet) has(i int) bool { return b[i/64]>>(i%64)&1 != 0 }
