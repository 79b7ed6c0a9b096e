package sweep

import "time"

// pacer is a token bucket that a burst fills, and asked when a burst is about to leave: over any window of time no
// more leaves than the rate allows, one burst, and what makes up for a timer that was late. It is used under the
// schedule's mutex.
type pacer struct {
	perRequest float64 // ns; 0: no rate
	grace      int64   // ns of lateness that are made up for: those of a third of a burst
	due        int64   // monotonic ns at which the next burst may leave
}

func newPacer(rate, burst int, now int64) pacer {
	p := pacer{due: now}
	if rate > 0 {
		p.perRequest = 1e9 / float64(rate)
		p.grace = int64(p.perRequest * float64(burst) / 3)
	}
	return p
}

// take books n requests that leave now, or returns after what time to ask again.
func (p *pacer) take(now int64, n int) (wait time.Duration) {
	if now < p.due {
		return time.Duration(p.due - now)
	}
	p.due = max(p.due, now-p.grace) + int64(p.perRequest*float64(n))
	return 0
}

// hold lets nothing leave before a time.
func (p *pacer) hold(until int64) { p.due = max(p.due, until) }
