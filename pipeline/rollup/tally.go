package rollup

import "echogram/plugins/schema"

// tally sums points up. Tallies of different points can be merged.
type tally struct {
	points                          int64
	sent, received, late, dup, corr int64
	doubted                         int64 // requests of doubted sweeps without a reply, even a late one
	rtts, rttSum                    int64 // points with an RTT, and the sum of these, ns
	squares                         wide  // of these, ns²
	rttMin, rttMax                  int64 // of any reply where points tell it, not only of points' means
	ttls                            int64 // points with a TTL
	ttlMin, ttlMax                  int64
}

func (c *tally) add(p *point) {
	c.points++
	c.sent += p.sent
	c.received += p.received
	c.late += p.late
	c.dup += p.dup
	c.corr += p.corr
	if p.has&inDoubt != 0 {
		c.doubted += p.sent - p.received - p.late
	}
	if p.has&hasTTL != 0 {
		c.extendTTL(1, int64(p.ttl), int64(p.ttl))
	}
	if p.has&hasRTT != 0 {
		c.extendRTT(1, p.low, p.high)
		c.rttSum += p.rtt
		c.squares.addSquare(p.rtt)
	}
}

func (c *tally) merge(o *tally) {
	c.points += o.points
	c.sent += o.sent
	c.received += o.received
	c.late += o.late
	c.dup += o.dup
	c.corr += o.corr
	c.doubted += o.doubted
	c.extendTTL(o.ttls, o.ttlMin, o.ttlMax)
	c.extendRTT(o.rtts, o.rttMin, o.rttMax)
	c.rttSum += o.rttSum
	c.squares.add(o.squares)
}

func (c *tally) extendRTT(n, low, high int64) {
	if c.rtts == 0 {
		c.rttMin, c.rttMax = low, high
	} else if n > 0 {
		c.rttMin, c.rttMax = min(c.rttMin, low), max(c.rttMax, high)
	}
	c.rtts += n
}

func (c *tally) extendTTL(n, low, high int64) {
	if c.ttls == 0 {
		c.ttlMin, c.ttlMax = low, high
	} else if n > 0 {
		c.ttlMin, c.ttlMax = min(c.ttlMin, low), max(c.ttlMax, high)
	}
	c.ttls += n
}

func (c *tally) lost() int64 { return c.sent - c.received - c.late - c.doubted }

func (c *tally) percentLost() float64 {
	told := c.sent - c.doubted
	if told <= 0 {
		return 0
	}
	return 100 * float64(c.lost()) / float64(told)
}

func (c *tally) counts(sweeps int64) schema.Counts {
	r := schema.Counts{
		Sweeps: sweeps, Sent: c.sent, Received: c.received, Lost: c.lost(), Doubted: c.doubted, PercentLost: c.percentLost(),
		Late: c.late, Duplicates: c.dup, Corrupt: c.corr,
	}
	r.RTTMin, r.RTTMean, r.RTTMax, r.RTTStddev = c.rtt()
	return r
}

func (c *tally) rtt() (low, mean, high, stddev schema.Opt) {
	if c.rtts == 0 {
		return
	}
	m, s := moments(c.rtts, c.rttSum, c.squares)
	return schema.Some(c.rttMin), schema.Some(m), schema.Some(c.rttMax), schema.Some(s)
}

func (c *tally) ttl() (low, high schema.Opt) {
	if c.ttls == 0 {
		return
	}
	return schema.Some(c.ttlMin), schema.Some(c.ttlMax)
}
