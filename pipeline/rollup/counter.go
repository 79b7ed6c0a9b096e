package rollup

import "echogram/plugins/schema"

// counter sums points up.
type counter struct {
	points                          int64
	sent, received, late, dup, corr int64
	rtts, rttSum                    int64 // points with an RTT, and the sum of these, ns
	rttMin, rttMax                  int64
}

func (c *counter) add(p *schema.SweepRow) {
	c.points++
	c.sent += p.Sent
	c.received += p.Received
	c.late += p.Late
	c.dup += p.Duplicates
	c.corr += p.Corrupt
	if !p.RTT.Set {
		return
	}
	low, high := p.RTT.N, p.RTT.N
	if p.RTTMin.Set {
		low = min(low, p.RTTMin.N)
	}
	if p.RTTMax.Set {
		high = max(high, p.RTTMax.N)
	}
	if c.rtts == 0 {
		c.rttMin, c.rttMax = low, high
	}
	c.rttMin, c.rttMax = min(c.rttMin, low), max(c.rttMax, high)
	c.rtts++
	c.rttSum += p.RTT.N
}

func (c *counter) counts(sweeps int64) schema.Counts {
	r := schema.Counts{
		Sweeps: sweeps, Sent: c.sent, Received: c.received, Lost: c.sent - c.received - c.late,
		Late: c.late, Duplicates: c.dup, Corrupt: c.corr,
	}
	if c.sent > 0 {
		r.PercentLost = 100 * float64(r.Lost) / float64(c.sent)
	}
	if c.rtts > 0 {
		r.RTTMin, r.RTTMean, r.RTTMax = schema.Some(c.rttMin), schema.Some(c.rttSum/c.rtts), schema.Some(c.rttMax)
	}
	return r
}
