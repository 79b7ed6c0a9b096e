package influx

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"
)

// The pauses between attempts double from the first to the last. A server that names a longer one gets it.
const (
	firstPause   = 250 * time.Millisecond
	lastPause    = 30 * time.Second
	longestPause = 5 * time.Minute
)

// retry runs f until it succeeds, fails for good, or has been tried often enough.
func (c *Client) retry(ctx context.Context, f func() error) error {
	pause := firstPause
	for attempt := 0; ; attempt++ {
		err := f()
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		var f *final
		if errors.As(err, &f) {
			return f.error
		}
		var none *noDatabase
		if errors.As(err, &none) {
			return none
		}
		e := c.fault(err)
		if !e.Temporary() || attempt == c.cfg.Retries {
			return e
		}
		d := max(pause, min(e.after, longestPause))
		if c.cfg.Log != nil {
			c.cfg.Log.Warn(e.Error(), "attempt", attempt+1, "again_in", d.String())
		}
		if err := c.wait(ctx, d); err != nil {
			return err
		}
		pause = min(2*pause, lastPause)
	}
}

// retryAfter is the pause that a server asks for: seconds, or a date, which is taken against the server's own clock
// (RFC 9110, 10.2.3). It is 0 when there is none.
func retryAfter(h http.Header) time.Duration {
	text := h.Get("Retry-After")
	if s, err := strconv.ParseUint(text, 10, 31); err == nil {
		return time.Duration(s) * time.Second
	}
	then, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	now, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		now = time.Now()
	}
	return max(0, then.Sub(now))
}

// final is an error that no further attempt can mend: not the server's, but its reader's.
type final struct{ error }

// watched tells a broken connection from a reader that did not like what it read.
type watched struct {
	r      io.Reader
	broken bool
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.r.Read(p)
	if err != nil && err != io.EOF {
		w.broken = true
	}
	return n, err
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
