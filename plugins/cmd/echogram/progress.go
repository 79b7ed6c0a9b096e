package main

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"echogram/plugins/internal/prober"
)

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

// progress draws one line over and over while a sweep runs.
type progress struct {
	out   *os.File
	p     *prober.Prober
	left  estimate
	begin time.Time
	quit  chan struct{}
	wg    sync.WaitGroup
}

// startProgress starts drawing on a terminal when show is set; the result is to be stopped either way.
func startProgress(out *os.File, show bool, p *prober.Prober) *progress {
	b := &progress{out: out, p: p, left: newEstimate(p.Plan()), begin: time.Now(), quit: make(chan struct{})}
	if show {
		b.wg.Go(b.run)
	}
	return b
}

func (b *progress) stop() {
	close(b.quit)
	b.wg.Wait()
}

func (b *progress) run() {
	tick := time.NewTicker(redraw)
	defer tick.Stop()
	for {
		select {
		case <-b.quit:
			fmt.Fprint(b.out, "\r\x1b[K")
			return
		case <-tick.C:
			width, _ := terminalSize(b.out)
			now, elapsed := b.p.Progress(), time.Since(b.begin)
			line := progressLine(now, elapsed, b.left.at(now, elapsed), width-1)
			fmt.Fprint(b.out, "\r", line, "\x1b[K")
		}
	}
}

// estimate tells how long a sweep will still take.
type estimate struct {
	least   time.Duration // from the first request to the last, where a target gets several
	timeout time.Duration
	tries   int           // rounds of retries that may follow
	allSent time.Duration // when the requests without retries were out, 0 if they are not
}

func newEstimate(p *prober.Plan) estimate {
	return estimate{least: time.Duration(p.Count-1) * p.CountInterval, timeout: p.Timeout, tries: p.Retries}
}

// at goes by the rate so far until all is sent, and then by the timeouts to come: at most one for each retry.
func (e *estimate) at(now prober.Progress, elapsed time.Duration) time.Duration {
	end := e.timeout * time.Duration(1+e.tries)
	switch {
	case now.Sent == 0:
		return e.least + end
	case now.Sent < now.Expected:
		rest := time.Duration(float64(now.Expected-now.Sent) / float64(now.Sent) * float64(elapsed))
		return max(rest, e.least-elapsed) + end
	case e.allSent == 0:
		e.allSent = elapsed
	}
	return max(0, e.allSent+end-elapsed)
}

// barWide is the width of the bar where there is room for it.
const barWide = 24

// progressLine says how far a sweep has come, in at most width characters: bar, sent, answered, rate and time left.
func progressLine(p prober.Progress, elapsed, left time.Duration, width int) string {
	total := max(p.Expected, p.Sent, 1)
	rate := int64(float64(p.Sent) / max(elapsed.Seconds(), 1e-3))
	text := fmt.Sprintf("%3d%%  %s of %s sent, %s answered, %s/s, %s left",
		p.Sent*100/total, thousands(p.Sent), thousands(total), thousands(p.Replies), thousands(rate), wholeSeconds(left))
	wide := min(barWide, width-len(text)-1)
	if wide < barWide/6 {
		return fit(strings.TrimLeft(text, " "), width)
	}
	done := int(p.Sent * int64(wide) / total)
	return strings.Repeat("█", done) + strings.Repeat("░", wide-done) + " " + text
}

// wholeSeconds rounds up: what is left is never nothing.
func wholeSeconds(d time.Duration) time.Duration {
	return max(time.Second, (d + time.Second - 1).Truncate(time.Second))
}
