package main

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"echogram/plugins/internal/prober"
	"echogram/plugins/schema"
)

// redraw is the time between two drawings of the floors.
const redraw = 100 * time.Millisecond

// pingView prints the classic lines, and under them, on a terminal, the floor of each target.
type pingView struct {
	plan    *prober.Plan
	quiet   bool
	clock   bool
	overdue bool         // say which replies have not come in time
	sent    func() int64 // attempts at sending so far
	done    func()       // called when all that can come has come

	mu      sync.Mutex
	screen  *screen
	targets []pinged
	index   map[string]int // of targets by address
	pending int            // probes of which nothing has come
	news    bool           // there are RTTs that the floors drawn do not know
	rest    time.Time      // no floors are made before
	marks   []mark
	began   time.Time

	quit chan struct{}
	wg   sync.WaitGroup
}

// mark is how many requests each target had been sent at a time.
type mark struct {
	at   time.Time
	each int
}

func newPingView(s *screen, plan *prober.Plan, f *pingFlags, sent func() int64, done func()) *pingView {
	n := plan.Targets.Len()
	v := &pingView{
		screen: s, plan: plan, quiet: f.quiet, clock: f.stamps, overdue: f.overdue && !f.quiet, sent: sent, done: done,
		targets: make([]pinged, n), index: make(map[string]int, n), pending: n * plan.Count, quit: make(chan struct{}),
	}
	for i := range v.targets {
		address := plan.Targets.At(i).String()
		v.index[address], v.targets[i].name = i, address
		if plan.Describe == nil {
			continue
		}
		if name, _ := plan.Describe(i); name != "" && name != address {
			v.targets[i].name = name + " (" + address + ")"
		}
	}
	return v
}

// begin prints the head and starts redrawing, until end.
func (v *pingView) begin() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.began = time.Now()
	var b strings.Builder
	for i := range v.targets {
		fmt.Fprintf(&b, "PING %s: %d bytes of payload\n", v.targets[i].name, v.plan.Sizes[0])
	}
	v.screen.print(b.String())
	if v.screen.size != nil || v.overdue {
		v.wg.Go(v.keep)
	}
}

// keep brings the screen up to date while nothing else does.
func (v *pingView) keep() {
	tick := time.NewTicker(redraw)
	defer tick.Stop()
	for {
		select {
		case <-v.quit:
			return
		case <-tick.C:
			v.tick()
		}
	}
}

func (v *pingView) tick() {
	attempts := v.sent()
	v.mu.Lock()
	defer v.mu.Unlock()
	lines := ""
	if v.overdue {
		lines = v.missing(v.mark(int(attempts) / len(v.targets)))
	}
	stale := v.news && v.screen.size != nil && !time.Now().Before(v.rest)
	if !stale && lines == "" {
		return
	}
	if stale {
		began := time.Now()
		v.news, v.screen.under = false, v.floors()
		v.rest = time.Now().Add(20 * time.Since(began)) // thousands of RTTs of many targets take their time
	}
	v.screen.print(lines)
}

// floors are the lines of as many targets as a terminal has room for, and empty ones for the rest.
func (v *pingView) floors() []string {
	_, height := v.screen.size()
	var lines []string
	for i := range v.targets {
		t := &v.targets[i]
		switch {
		case t.timed > 0 && len(lines) < height:
			lines = append(lines, t.name+": "+t.floor())
		case t.timed > 0:
			lines = append(lines, "")
		}
	}
	return lines
}

// mark notes how many requests each target has been sent and returns of how many the timeout has passed.
func (v *pingView) mark(each int) (due int) {
	now := time.Now()
	if n := len(v.marks); n == 0 || v.marks[n-1].each < each {
		v.marks = append(v.marks, mark{now, each})
	}
	for len(v.marks) > 1 && now.Sub(v.marks[0].at) > v.plan.Timeout {
		due, v.marks = v.marks[0].each, v.marks[1:]
	}
	return due
}

// missing names the first so many probes of each target of which nothing has come.
func (v *pingView) missing(due int) string {
	var b strings.Builder
	for i := range v.targets {
		t := &v.targets[i]
		for ; t.checked < due; t.checked++ {
			if !t.isSettled(t.checked) {
				fmt.Fprintf(&b, "%sno answer yet for icmp_seq=%d%s\n", v.stamp(), t.checked+1, v.of(t))
			}
		}
	}
	return b.String()
}

// show takes one event.
func (v *pingView) show(e prober.Event) {
	v.mu.Lock()
	defer v.mu.Unlock()
	t := &v.targets[e.Target]
	t.book(&e, int64(v.plan.Timeout))
	v.news = true
	if !v.quiet {
		v.screen.print(v.stamp() + v.line(t, &e) + "\n")
	}
	if e.Kind != prober.Strayed && t.settle(e.Probe) {
		if v.pending--; v.pending == 0 {
			v.done()
		}
	}
}

// row takes a target's row: what it counts as sent is older than the timeout.
func (v *pingView) row(r schema.Row) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if r, ok := r.(*schema.SweepRow); ok {
		v.targets[v.index[r.Target]].due = r.Sent
	}
}

func (v *pingView) stamp() string {
	if !v.clock {
		return ""
	}
	now := time.Now()
	return fmt.Sprintf("[%d.%06d] ", now.Unix(), now.Nanosecond()/1000)
}

// of names the target where there are several.
func (v *pingView) of(t *pinged) string {
	if len(v.targets) == 1 {
		return ""
	}
	return " of " + t.name
}

// line is one event in words.
func (v *pingView) line(t *pinged, e *prober.Event) string {
	switch e.Kind {
	case prober.Errored:
		s := fmt.Sprintf("From %s icmp_seq=%d%s %s", e.From, e.Probe+1, v.of(t), schema.ErrorText(e.Type, e.Code, e.From.Is6()))
		if e.MTU > 0 {
			s += fmt.Sprintf(" (mtu = %d)", e.MTU)
		}
		return s
	case prober.Refused:
		return fmt.Sprintf("icmp_seq=%d%s was refused by our own kernel: %v", e.Probe+1, v.of(t), e.Err)
	case prober.Strayed:
		return fmt.Sprintf("%d bytes from %s, which was not asked: icmp_seq=%d of %s%s", e.Bytes, e.From, e.Probe+1, t.name, timeText(e))
	}
	s := fmt.Sprintf("%d bytes from %s: icmp_seq=%d ttl=%d%s", e.Bytes, t.name, e.Probe+1, e.TTL, timeText(e))
	if e.Kind == prober.Duplicated {
		s += " (DUP!)"
	} else if rtt, timed := rttOf(e); timed && rtt > int64(v.plan.Timeout) {
		s += " (late)"
	}
	if e.Corrupt {
		s += " (CORRUPT: " + damageText(e) + ")"
	}
	return s
}

func timeText(e *prober.Event) string {
	switch rtt, timed := rttOf(e); {
	case timed:
		return " time=" + millis(rtt) + " ms"
	case e.RTT.Set:
		return " time unknown (the clock was set back)"
	}
	return " time unknown (the request was not seen leaving)"
}

func damageText(e *prober.Event) string {
	switch {
	case e.Flipped == 0:
		return "wrong checksum"
	case e.First < 0:
		return fmt.Sprintf("bits flipped: %d, in the header", e.Flipped)
	}
	return fmt.Sprintf("bits flipped: %d, the first in payload byte %d", e.Flipped, e.First)
}

// brief prints a line a target while the pinging goes on, as ping does on Ctrl-\.
func (v *pingView) brief() {
	attempts := v.sent()
	v.mu.Lock()
	defer v.mu.Unlock()
	var b strings.Builder
	for i := range v.targets {
		t := &v.targets[i]
		fmt.Fprintf(&b, "%s: %d/%d packets", t.name, t.received, v.each(i, attempts)-t.refused)
		if t.timed > 0 {
			fmt.Fprintf(&b, ", min/avg/max = %s/%s/%s ms", millis(t.least), millis(t.sum/t.timed), millis(t.most))
		}
		b.WriteByte('\n')
	}
	v.screen.print(b.String())
}

// each is how many of the attempts were target i's: they are asked in turn.
func (v *pingView) each(i int, attempts int64) int64 {
	n := int64(len(v.targets))
	return (attempts + n - 1 - int64(i)) / n
}

// end prints the statistics, when no event comes any more. whole says that the timeout of every request has passed.
func (v *pingView) end(whole bool) {
	close(v.quit)
	v.wg.Wait()
	attempts, took := v.sent(), time.Since(v.began)
	v.mu.Lock()
	defer v.mu.Unlock()
	var b strings.Builder
	if v.overdue && whole {
		b.WriteString(v.missing(int(attempts) / len(v.targets)))
	}
	for i := range v.targets {
		t := &v.targets[i]
		counts := t.counts(t.fate(v.each(i, attempts)))
		fmt.Fprintf(&b, "\n--- %s ping statistics ---\n%s, time %dms\n", t.name, counts, took.Milliseconds())
		t.writeTimes(&b)
	}
	v.screen.under = nil
	v.screen.print(b.String())
}

func (v *pingView) allAnswered() bool {
	for i := range v.targets {
		if v.targets[i].received == 0 {
			return false
		}
	}
	return true
}
