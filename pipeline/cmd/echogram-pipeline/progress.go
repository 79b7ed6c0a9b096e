package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/term"
)

// progress is one line on a terminal that is written over and over; elsewhere it is silent.
type progress struct {
	mu   sync.Mutex // an interrupted read may still be going on
	out  io.Writer  // nil: silent
	last time.Time
	open bool
}

// redraw is the least time between two lines of progress; the first one comes after it, too.
const redraw = 200 * time.Millisecond

func newProgress(out io.Writer) *progress {
	p := &progress{last: time.Now()}
	if f, ok := out.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		p.out = out
	}
	return p
}

func (p *progress) say(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.out == nil || time.Since(p.last) < redraw {
		return
	}
	p.last, p.open = time.Now(), true
	fmt.Fprintf(p.out, "\r"+format+"\x1b[K", args...)
}

func (p *progress) clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.open {
		fmt.Fprint(p.out, "\r\x1b[K")
		p.open = false
	}
}

// over is a writer that takes the line of progress away before it writes to out, so that log lines stand alone.
func (p *progress) over(out io.Writer) io.Writer { return clearing{p, out} }

type clearing struct {
	p   *progress
	out io.Writer
}

func (c clearing) Write(b []byte) (int, error) {
	c.p.clear()
	return c.out.Write(b)
}
