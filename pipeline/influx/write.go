package influx

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// Write writes lines of line protocol, and tries again as often as Config.Retries says. It returns nil only when the
// server has acknowledged all of them. An empty lines is nothing to do.
//
// A batch that the server refuses for what it holds (400, 413, 422) is halved until the lines to blame stand alone:
// everything else is written, and the error is a *Refused that names each of them. InfluxDB 1.8 stores the good lines
// of some batches that it refuses; they are then written twice, which is the same as once. A batch that is only too
// large is no error. Each line to blame costs two requests for each time that the batch can be halved, and a batch of
// nothing else two a line. When the batch and every single line are refused in the same words, which name none of them,
// it is the request that is wrong: the error is the server's own. Any other error ends the work, with an unknown part of
// the lines written.
func (c *Client) Write(ctx context.Context, lines []byte) error {
	if len(lines) == 0 {
		return nil
	}
	r := Refused{Batch: count(string(lines))}
	if err := c.divide(ctx, string(lines), 1, &r); err != nil {
		return err
	}
	switch {
	case len(r.Lines) == 0:
		return nil
	case r.aboutRequest():
		return r.Lines[0].Err
	}
	return &r
}

// divide writes text, whose first line is line number first of its batch, in as few pieces as the server takes.
func (c *Client) divide(ctx context.Context, text string, first int, r *Refused) error {
	err := c.send(ctx, text)
	var e *Error
	if !errors.As(err, &e) || !e.aboutLines() {
		return err
	}
	if r.message == "" {
		r.message = e.Message
	}
	n := count(text)
	if n == 1 {
		r.Lines = append(r.Lines, RefusedLine{Number: first, Text: shorten(strings.TrimSuffix(text, "\n")), Err: e})
		return nil
	}
	half := after(text, n/2)
	if err := c.divide(ctx, text[:half], first, r); err != nil {
		return err
	}
	return c.divide(ctx, text[half:], first+n/2, r)
}

func (c *Client) send(ctx context.Context, text string) error {
	return c.retry(ctx, func() error {
		return c.client.WriteAPIBlocking(c.cfg.Org, c.cfg.Bucket).WriteRecord(ctx, text)
	})
}

// aboutLines tells whether another choice of lines may fare better.
func (e *Error) aboutLines() bool {
	switch e.Status {
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity:
		return true
	}
	return false
}

// count is the number of lines; the last may lack its newline.
func count(text string) int {
	return strings.Count(strings.TrimSuffix(text, "\n"), "\n") + 1
}

// after is where the first n lines end.
func after(text string, n int) int {
	end := 0
	for range n {
		end += strings.IndexByte(text[end:], '\n') + 1
	}
	return end
}

// ErrRefused: the server took all lines but some. Every *Refused is this error.
var ErrRefused = errors.New("influx: lines are refused")

// Refused says which lines of a batch the server did not take. All others are stored.
type Refused struct {
	Batch int           // lines in the batch
	Lines []RefusedLine // in order, at least one

	message string // what the server says about the whole batch
}

// RefusedLine is a line that the server does not take even when it stands alone.
type RefusedLine struct {
	Number int    // in its batch, from 1
	Text   string // its middle is left out when it is longer than 450 bytes
	Err    *Error // what the server says about it
}

// aboutRequest tells whether no line is to blame: the server says the same of the batch and of every line. What names a
// line names its measurement, or counts lines (points dropped). A line alone tells nothing.
func (r *Refused) aboutRequest() bool {
	return r.Batch > 1 && len(r.Lines) == r.Batch && !slices.ContainsFunc(r.Lines, func(l RefusedLine) bool {
		measurement := l.Text
		if end := strings.IndexAny(l.Text, ", "); end >= 0 {
			measurement = l.Text[:end]
		}
		return l.Err.Message != r.message || strings.Contains(l.Err.Message, measurement)
	})
}

// Error is one line that quotes the first refused line and counts the others.
func (r *Refused) Error() string {
	first := r.Lines[0]
	server := first.Err.URL + at(first.Err.Where.URL)
	text := fmt.Sprintf("influx: %s: line %d of the batch is refused: %q: %d %s: %s", server, first.Number, first.Text,
		first.Err.Status, http.StatusText(first.Err.Status), first.Err.Message)
	if more := len(r.Lines) - 1; more > 0 {
		text += fmt.Sprintf(" (and %d more of its %d lines)", more, r.Batch)
	}
	return text
}

// Unwrap is ErrRefused, and the server's error about the first line.
func (r *Refused) Unwrap() []error { return []error{ErrRefused, r.Lines[0].Err} }

// IsTemporary tells whether err is a failed request that may succeed later.
func IsTemporary(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Temporary()
}
