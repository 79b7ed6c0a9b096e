package icmp_sweep

import (
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

// How long a halted sweep may take until its rows are emitted as they stand: beyond its timeout where nobody is
// in a hurry, and at SIGTERM, when Telegraf's whole end is to take a second.
const (
	stopMargin = 500 * time.Millisecond
	signalTime = 400 * time.Millisecond
)

// heedSignals has a gather that Telegraf has called end when a signal tells Telegraf to: Telegraf stops its inputs
// only when their gathers have returned, and a large sweep takes most of its interval. The gather over, call done.
func (s *ICMPSweep) heedSignals() (done func()) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	over := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		select {
		case sig := <-signals:
			s.halt.raise()
			limit := signalTime
			if sig == syscall.SIGHUP { // a reload
				limit = s.config.Plan.Timeout + stopMargin
			}
			timer := time.AfterFunc(limit, s.cancel)
			defer timer.Stop()
			<-over
		case <-over:
		}
	})
	return func() {
		signal.Stop(signals)
		close(over)
		wg.Wait()
	}
}

// flag is raised once, for good.
type flag struct {
	once   sync.Once
	raised chan struct{} // closed then
}

func newFlag() *flag { return &flag{raised: make(chan struct{})} }

func (f *flag) raise() { f.once.Do(func() { close(f.raised) }) }
