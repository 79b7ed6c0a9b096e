package sweep

import "time"

// pacer is a token bucket for bursts: burst k of a sweep is due k intervals after the first. A late burst is made
// up for by at most one more, so that no window of time holds more than the rate allows and one burst.
type pacer struct {
	interval int64 // ns between bursts; 0: none
	due      int64 // monotonic ns
}

func newPacer(rate, burst int, now int64) pacer {
	p := pacer{due: now}
	if rate > 0 {
		p.interval = int64(float64(burst) / float64(rate) * 1e9)
	}
	return p
}

// wait returns how long the next burst of n requests out of burst has to wait, and books it.
func (p *pacer) wait(now int64, n, burst int) time.Duration {
	if p.interval == 0 {
		return 0
	}
	p.due = max(p.due, now-p.interval)
	d := time.Duration(p.due - now)
	p.due += p.interval * int64(n) / int64(burst)
	return max(d, 0)
}
