package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"unicode/utf8"

	"golang.org/x/term"
)

// screen writes lines and, on a terminal, keeps some others under them. Whatever changes goes out in one write, so
// that nothing flickers.
type screen struct {
	out   io.Writer
	size  func() (width, height int) // of the terminal; nil: it is none, and nothing is kept under the lines
	under []string
	drawn int // lines that stand under the others now
	buf   bytes.Buffer
}

func newScreen(f *os.File) *screen {
	s := &screen{out: f}
	if isTerminal(f) {
		s.size = func() (int, int) { return terminalSize(f) }
	}
	return s
}

// terminalSize asks for the size of a terminal; one that has none is taken for the classic one.
func terminalSize(f *os.File) (width, height int) {
	width, height, err := term.GetSize(int(f.Fd()))
	if err != nil || width < 1 || height < 1 {
		return 80, 24
	}
	return width, height
}

// print writes whole lines above those that are kept.
func (s *screen) print(lines string) {
	s.buf.Reset()
	if s.drawn > 0 {
		fmt.Fprintf(&s.buf, "\x1b[%dA", s.drawn)
	}
	if s.size != nil {
		s.buf.WriteString("\r\x1b[J") // and what the terminal has echoed, such as ^C
	}
	s.buf.WriteString(lines)
	s.drawn = 0
	for _, line := range s.visible() {
		fmt.Fprintf(&s.buf, "\x1b[2m%s\x1b[0m\n", line)
		s.drawn++
	}
	s.out.Write(s.buf.Bytes())
}

// visible cuts the kept lines to what the terminal holds: a longer one would wrap, and one that is scrolled out could
// not be taken back. One line is the cursor's, and at least one is left to the lines above.
func (s *screen) visible() []string {
	if s.size == nil {
		return nil
	}
	width, height := s.size()
	room := max(0, min(len(s.under), height-2))
	lines := make([]string, room)
	for i := range lines {
		lines[i] = fit(s.under[i], width-1)
	}
	if more := len(s.under) - room; more > 0 && room > 0 {
		lines[room-1] = fit(fmt.Sprintf("and %d more", more+1), width-1)
	}
	return lines
}

// fit cuts a line to a width in characters.
func fit(s string, width int) string {
	if utf8.RuneCountInString(s) <= width {
		return s
	}
	if width < 1 {
		return ""
	}
	return string([]rune(s)[:width-1]) + "…"
}
