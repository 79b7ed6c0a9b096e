package world

import (
	"strconv"

	"echogram/plugins/internal/rtt"
	"echogram/plugins/schema"
)

// Names that all rows of a world carry.
const (
	Host     = "prober"
	Instance = "world"
)

// lines writes sweeps. What does not change from sweep to sweep is written once.
type lines struct {
	heads    [][]byte // of each target's line, up to its fields
	answered []uint64 // of the last sweep that was made, a bit for each target
	before   []uint64 // of the one before that
	last     int      // number of the last sweep that was made; -1: none
	rtts     []int64
	point    schema.Point
	sum      schema.SweepStatsRow
}

// drop is what the prober's capture loses of a sweep: a share of the replies to what is sent in a part of it.
type drop struct {
	span
	share float64
}

// Sweeps is how many there are.
func (w *World) Sweeps() int { return w.sweeps }

// AppendSweep appends sweep n, 0 <= n < Sweeps, as line protocol: block by block a row for each target and one for the
// block, and the manifest last. It is fastest when sweeps are asked for one after the other.
func (w *World) AppendSweep(dst []byte, n int) []byte {
	w.begin(n)
	l := &w.lines
	l.sum = schema.SweepStatsRow{Host: Host, Instance: Instance, Time: w.sweepAt(n)}
	time := strconv.AppendInt(nil, l.sum.Time, 10)
	d := w.drop(n)
	first := 0
	for _, b := range w.blocks {
		row := schema.SweepBlockRow{Host: Host, Instance: Instance, Network: w.cfg.Network.String(), Block: b.prefix.String(), Time: l.sum.Time}
		l.rtts = l.rtts[:0]
		for p := range b.places {
			at := w.sentAt(n, b, p)
			ns, ttl, ok := w.seen(b, p, at, d)
			dst = appendTarget(dst, l.heads[first+p], time, ns, ttl, ok)
			if ok {
				l.rtts = append(l.rtts, ns)
				l.answered[(first+p)>>6] |= 1 << ((first + p) & 63)
			}
		}
		l.block(&row, first, len(b.places), n > 0)
		dst = l.append(dst, &row)
		first += len(b.places)
	}
	return l.append(dst, w.manifest(n, d))
}

// begin makes room for sweep n, and sees to it that before holds who answered in the one before it.
func (w *World) begin(n int) {
	l := &w.lines
	if l.heads == nil {
		w.writeHeads()
	}
	l.answered, l.before = l.before, l.answered
	if n > 0 && l.last != n-1 {
		w.look(n-1, l.before)
	}
	l.last = n
	clear(l.answered)
}

// writeHeads writes what is always the same. The target's is the last of the tags.
func (w *World) writeHeads() {
	l := &w.lines
	l.last = -1
	for _, b := range w.blocks {
		row := schema.LateRow{Series: w.series(b, "T")}
		head := l.append(nil, &row)
		head = head[:len(head)-len("T late=0i 0\n")]
		for _, t := range b.targets {
			line := append(make([]byte, 0, len(head)+len("2001:2:0:ffff:ffff:ffff:ffff:ffff ")), head...)
			l.heads = append(l.heads, append(t.AppendTo(line), ' '))
		}
	}
	words := (len(l.heads) + 63) / 64
	l.answered, l.before = make([]uint64, words), make([]uint64, words)
}

// series names a target: every 16 blocks have an owner, every 4 a site.
func (w *World) series(b *block, target string) schema.Series {
	return schema.Series{Host: Host, Instance: Instance, Network: w.cfg.Network.String(), Block: b.prefix.String(), Target: target,
		Labels: []schema.Tag{{Key: "owner", Value: "owner-" + strconv.Itoa(b.index/16)}, {Key: "site", Value: "site-" + strconv.Itoa(b.index/4)}}}
}

// look notes who answers in sweep n.
func (w *World) look(n int, answered []uint64) {
	clear(answered)
	d, i := w.drop(n), 0
	for _, b := range w.blocks {
		for p := range b.places {
			if _, _, ok := w.seen(b, p, w.sentAt(n, b, p), d); ok {
				answered[i>>6] |= 1 << (i & 63)
			}
			i++
		}
	}
}

// seen is what the prober sees of the answer to a request.
func (w *World) seen(b *block, p int, at int64, d drop) (ns, ttl int64, ok bool) {
	if b.places[p].stays == nil || w.cut(at) {
		return 0, 0, false
	}
	ns, ttl, ok = w.answer(b, p, at)
	if ok && d.has(at) && unit(mix(uint64(at)^uint64(b.index)<<16^uint64(p))) < d.share {
		w.lines.sum.CaptureDrops++
		return 0, 0, false
	}
	return ns, ttl, ok
}

// drop is drawn for each sweep by itself: one in 66 loses 10 to 60 % of the replies in 20 to 100 % of its time.
func (w *World) drop(n int) drop {
	h := mix(mix(w.cfg.Seed) ^ uint64(n))
	if unit(h) >= .015 {
		return drop{}
	}
	length, whole := .2+.8*unit(mix(h+1)), float64(w.duration(n))
	from := w.sweepAt(n) + int64((1-length)*unit(mix(h+2))*whole)
	return drop{span{from, from + int64(length*whole)}, .1 + .5*unit(mix(h+3))}
}

// block fills the row of the block whose targets begin at first, and adds it to the sweep.
func (l *lines) block(row *schema.SweepBlockRow, first, targets int, compare bool) {
	row.Targets, row.Responding = int64(targets), int64(len(l.rtts))
	row.PercentResponding = 100 * float64(row.Responding) / float64(row.Targets)
	row.Sent, row.Received = row.Targets, row.Responding
	rtt.Quantiles(row, l.rtts)
	if compare {
		row.Joined, row.Left = schema.Some(0), schema.Some(0)
		for i := first; i < first+targets; i++ {
			now, before := int64(l.answered[i>>6]>>(i&63)&1), int64(l.before[i>>6]>>(i&63)&1)
			row.Joined.N += now &^ before
			row.Left.N += before &^ now
		}
	}
	l.sum.Sent += row.Sent
	l.sum.Received += row.Received
}

// manifest closes sweep n.
func (w *World) manifest(n int, d drop) *schema.SweepStatsRow {
	row := &w.lines.sum
	row.Points, row.Targets = row.Sent, row.Sent
	row.Trust, row.Order, row.StampKind = schema.TrustOK, "permuted", "software"
	if row.CaptureDrops > 0 {
		row.Trust, row.CaptureFreezes = "capture_drops", 1
	}
	row.Seed = schema.Some(int64(w.cfg.Seed >> 1))
	row.Rate = w.rate(row.Time)
	row.Duration = w.duration(n) + 1e9
	return row
}

// appendTarget is AppendLine of a target's SweepRow.
func appendTarget(dst, head, time []byte, rtt, ttl int64, ok bool) []byte {
	dst = append(dst, head...)
	if ok {
		dst = append(dst, "sent=1i,received=1i,rtt_ns="...)
		dst = strconv.AppendInt(dst, rtt, 10)
		dst = append(dst, "i,ttl="...)
		dst = strconv.AppendInt(dst, ttl, 10)
		dst = append(dst, "i,result_code=0i "...)
	} else {
		dst = append(dst, "sent=1i,received=0i,result_code=1i "...)
	}
	dst = append(dst, time...)
	return append(dst, '\n')
}

// append appends any row.
func (l *lines) append(dst []byte, row schema.Row) []byte {
	schema.Fill(&l.point, row)
	dst, err := l.point.AppendLine(dst)
	if err != nil {
		panic(err) // no name of a world is more than a line can hold
	}
	return dst
}
