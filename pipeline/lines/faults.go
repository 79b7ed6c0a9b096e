package lines

import "fmt"

const (
	keptFaults = 5   // malformed lines that are kept
	quoted     = 120 // bytes of such a line
)

// faults counts malformed lines and keeps the first few.
type faults struct {
	n     int64
	first []Fault
}

// Fault is a line that could not be read.
type Fault struct {
	Line int64  // its number, from 1
	Text string // it, or its begin
	Err  error
}

// Error is one line of text: the number, a quote and the reason.
func (f Fault) Error() string { return fmt.Sprintf("line %d: %s: %v", f.Line, f.quote(), f.Err) }

// Unwrap is the reason.
func (f Fault) Unwrap() error { return f.Err }

func (f Fault) quote() string {
	if len(f.Text) == quoted {
		return fmt.Sprintf("%q …", f.Text)
	}
	return fmt.Sprintf("%q", f.Text)
}

func (f *faults) add(line int64, text []byte, err error) {
	f.n++
	if len(f.first) < keptFaults {
		f.first = append(f.first, Fault{line, string(text[:min(len(text), quoted)]), err})
	}
}

// Malformed tells how many lines were skipped because they could not be read, and of the first its text and what is
// wrong with it, and its number.
func (f *faults) Malformed() (n int64, first string, line int64) {
	if f.n == 0 {
		return 0, "", 0
	}
	return f.n, fmt.Sprintf("%s: %v", f.first[0].quote(), f.first[0].Err), f.first[0].Line
}

// Faults are the first malformed lines, at most five.
func (f *faults) Faults() []Fault { return f.first }
