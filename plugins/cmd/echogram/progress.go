package main

import (
	"fmt"
	"io"
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
	out   io.Writer
	p     *prober.Prober
	total int64
	begin time.Time
	quit  chan struct{}
	wg    sync.WaitGroup
}

// startProgress starts drawing when show is set; the result is to be stopped either way.
func startProgress(out io.Writer, show bool, p *prober.Prober, total int64) *progress {
	b := &progress{out: out, p: p, total: total, begin: time.Now(), quit: make(chan struct{})}
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
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-b.quit:
			fmt.Fprint(b.out, "\r\x1b[K")
			return
		case <-tick.C:
			sent, answered := b.p.Progress()
			fmt.Fprint(b.out, "\r", progressLine(sent, answered, b.total, time.Since(b.begin)), "\x1b[K")
		}
	}
}

// progressLine says how far a sweep has come: bar, sent, answered, rate and time left.
func progressLine(sent, answered, total int64, elapsed time.Duration) string {
	const width = 24
	done := int(sent * width / max(total, 1))
	rate := float64(sent) / max(elapsed.Seconds(), 1e-3)
	left := time.Duration(0)
	if rate > 0 {
		left = time.Duration(float64(total-sent) / rate * float64(time.Second)).Round(time.Second)
	}
	return fmt.Sprintf("%s%s %3d%%  %s of %s sent, %s answered, %s/s, %s left",
		strings.Repeat("█", done), strings.Repeat("░", width-done), sent*100/max(total, 1),
		thousands(sent), thousands(total), thousands(answered), thousands(int64(rate)), left)
}
