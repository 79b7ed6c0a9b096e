package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// screen prints the steps: whole lines to a file, and on a terminal also a line that counts the seconds of the
// step that runs.
type screen struct {
	w    io.Writer
	tty  bool
	took []took

	mu     sync.Mutex // the ticking line against all others
	status string
}

type took struct {
	name string
	time time.Duration
}

func newScreen(w io.Writer, tty bool) *screen { return &screen{w: w, tty: tty} }

// Colours; used on a terminal only.
const (
	bold  = "1"
	green = "32"
	red   = "31"
)

func (s *screen) paint(colour, text string) string {
	if !s.tty {
		return text
	}
	return "\x1b[" + colour + "m" + text + "\x1b[0m"
}

// line prints a whole line below whatever runs.
func (s *screen) line(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clear()
	fmt.Fprintf(s.w, format+"\n", args...)
}

func (s *screen) clear() {
	if s.tty {
		fmt.Fprint(s.w, "\r\x1b[K")
	}
}

func (s *screen) good(text string) { s.line("%s", s.paint(green, "ok: ")+text) }
func (s *screen) fail(text string) { s.line("%s", s.paint(red, "failed: ")+text) }

// say sets the text that ticks beside the seconds.
func (s *screen) say(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status = text
}

// do runs one step: its name, what f says, and the time that it took.
func (s *screen) do(name string, f func() error) error {
	s.line("%s", s.paint(bold, "==> "+name))
	s.say("")
	begin := time.Now()
	stop := s.tick(begin)
	err := f()
	stop()
	t := took{name, time.Since(begin)}
	s.took = append(s.took, t)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	s.line("    done in %s", seconds(t.time))
	return nil
}

// tick counts the seconds on a terminal until the returned function is called, which waits for it to end.
func (s *screen) tick(begin time.Time) (stop func()) {
	if !s.tty {
		return func() {}
	}
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		ticker := time.NewTicker(time.Second)
		defer ticker.Stop()
		for {
			select {
			case <-done:
				return
			case <-ticker.C:
				s.mu.Lock()
				s.clear()
				fmt.Fprintf(s.w, "    %.0f s %s", time.Since(begin).Seconds(), s.status)
				s.mu.Unlock()
			}
		}
	})
	return func() { close(done); wg.Wait() }
}

// Write prints what a part of ours says about its progress, line by line.
func (s *screen) Write(p []byte) (int, error) {
	for text := range strings.Lines(string(p)) {
		s.line("    %s", strings.TrimRight(text, "\n"))
	}
	return len(p), nil
}

// times prints how long each step took.
func (s *screen) times() {
	if len(s.took) == 0 {
		return
	}
	s.line("\n%s", s.paint(bold, "Time"))
	var sum time.Duration
	for _, t := range s.took {
		sum += t.time
		s.line("  %8s  %s", seconds(t.time), t.name)
	}
	s.line("  %8s  in all", seconds(sum))
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }

// count writes a number with thousands separated.
func count(n int64) string {
	text := fmt.Sprint(n)
	sign := ""
	if n < 0 {
		sign, text = "-", text[1:]
	}
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return sign + text
}
