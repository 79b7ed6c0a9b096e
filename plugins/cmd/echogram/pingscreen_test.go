package main

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"echogram/plugins/internal/prober"
)

// terminal is a screen of some size and what was scrolled out of it. It knows what a view may use.
type terminal struct {
	t             *testing.T
	width, height int
	gone, lines   []string // lines of text, without what stands right of it
	row, column   int
}

func newTerminal(t *testing.T, width, height int) *terminal {
	return &terminal{t: t, width: width, height: height, lines: make([]string, height)}
}

var control = regexp.MustCompile(`^\x1b\[([0-9]*)([A-Za-z])`)

func (m *terminal) Write(b []byte) (int, error) {
	for s := string(b); s != ""; {
		if c := control.FindStringSubmatch(s); c != nil {
			m.control(c[1], c[2])
			s = s[len(c[0]):]
			continue
		}
		r, n := utf8.DecodeRuneInString(s)
		m.put(r)
		s = s[n:]
	}
	return len(b), nil
}

func (m *terminal) control(arg, what string) {
	switch n, _ := strconv.Atoi(arg); what {
	case "A":
		if n < 1 || n > m.row {
			m.t.Errorf("up %d from line %d", n, m.row)
		}
		m.row = max(0, m.row-n)
	case "J":
		m.lines[m.row] = string([]rune(m.lines[m.row])[:m.column])
		clear(m.lines[m.row+1:])
	case "m":
	default:
		m.t.Errorf("unknown: %s%s", arg, what)
	}
}

func (m *terminal) put(r rune) {
	switch {
	case r == '\r':
		m.column = 0
		return
	case r == '\n' || m.column == m.width:
		m.feed()
	}
	if r == '\n' {
		return
	}
	line := []rune(m.lines[m.row])
	if m.column > len(line) {
		m.t.Fatalf("a hole in line %d", m.row)
	}
	m.lines[m.row] = string(append(line[:m.column:m.column], append([]rune{r}, line[min(m.column+1, len(line)):]...)...))
	m.column++
}

func (m *terminal) feed() {
	m.column = 0
	if m.row++; m.row == m.height {
		m.gone = append(m.gone, m.lines[0])
		m.lines = append(m.lines[1:], "")
		m.row--
	}
}

// all is what the terminal has shown, from the first line to the cursor's.
func (m *terminal) all() string {
	return strings.Join(append(append([]string(nil), m.gone...), m.lines[:m.row+1]...), "\n")
}

// wrapped is what a terminal makes of plain text.
func wrapped(t *testing.T, text string, width, height int) string {
	m := newTerminal(t, width, height)
	io.WriteString(m, text)
	return m.all()
}

// TestLiveLeavesPlainLines: whatever the size of the terminal, what is left at the end is what would have gone into a
// file.
func TestLiveLeavesPlainLines(t *testing.T) {
	for _, c := range []struct{ width, height, targets int }{
		{80, 24, 1}, {80, 24, 2}, {80, 6, 16}, {30, 24, 2}, {30, 5, 3}, {10, 3, 2}, {80, 2, 2}, {1, 1, 1},
	} {
		t.Run(fmt.Sprintf("%dx%d, %d targets", c.width, c.height, c.targets), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				target := fmt.Sprintf("192.0.2.10-192.0.2.%d", 9+c.targets)
				live := newPinging(t, pingFlags{}, func() (int, int) { return c.width, c.height }, target)
				screen := newTerminal(t, c.width, c.height)
				live.screen.out = screen
				plain := newPinging(t, pingFlags{}, nil, target)
				for _, p := range []*pinging{live, plain} {
					p.sent = int64(30 * c.targets)
					p.begin()
					for k := range 30 {
						for i := range c.targets {
							p.show(reply(i, k, time.Duration(200+k%7)*time.Microsecond, nil))
						}
						time.Sleep(70 * time.Millisecond)
					}
					p.end(true)
				}
				if got, want := screen.all(), wrapped(t, plain.out.String(), c.width, c.height); got != want {
					t.Errorf("got\n%s\nwant\n%s", got, want)
				}
			})
		})
	}
}

// TestFloorsStayCurrent: the last replies' floors are drawn though no further one comes, and are there while lines
// come faster than floors are made.
func TestFloorsStayCurrent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPinging(t, pingFlags{}, func() (int, int) { return 80, 24 }, "192.0.2.1")
		screen := newTerminal(t, 80, 24)
		p.screen.out = screen
		p.begin()
		for k := range 7 {
			p.show(reply(0, k, 200*time.Microsecond, nil))
		}
		time.Sleep(redraw + time.Millisecond)
		synctest.Wait()
		if got := screen.lines[8]; got != "192.0.2.1: floor 200.000 ± 0.001 µs (7 of 7 RTTs)" {
			t.Errorf("a while after the last reply: %q", got)
		}
		p.show(reply(0, 7, 201*time.Microsecond, nil))
		if got := screen.lines[9]; !strings.HasPrefix(got, "192.0.2.1: floor") {
			t.Errorf("right after a reply: %q", got)
		}
		p.end(true)
	})
}

// TestFloorsOfMany: what there is no room for is counted.
func TestFloorsOfMany(t *testing.T) {
	var out bytes.Buffer
	s := &screen{out: &out, size: func() (int, int) { return 12, 5 }, under: []string{"0123456789ab", "b", "c", "d", "e"}}
	if got, want := strings.Join(s.visible(), "|"), "0123456789…|b|and 3 more"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestWritesAreWhole: one event is one write, so that nothing flickers.
func TestWritesAreWhole(t *testing.T) {
	p := newPinging(t, pingFlags{}, func() (int, int) { return 80, 24 }, "192.0.2.1")
	writes := &counter{}
	p.screen.out, p.screen.under = writes, []string{"a floor"}
	p.show(reply(0, 0, 5, func(e *prober.Event) {}))
	p.show(reply(0, 1, 5, nil))
	if writes.n != 2 {
		t.Errorf("%d writes", writes.n)
	}
}

type counter struct{ n int }

func (c *counter) Write(b []byte) (int, error) {
	c.n++
	return len(b), nil
}
