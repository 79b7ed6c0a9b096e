package influx

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// picky is a server that stores the lines of a batch, or refuses all of it for one that says "bad" or for its size.
// A partial one stores the good lines all the same, as InfluxDB 1.8 does.
type picky struct {
	t        *testing.T
	partial  bool
	limit    int // bytes; 0: none
	status   int // for a bad line
	stored   map[string]int
	requests int
	before   func(w http.ResponseWriter, lines []string) bool // answers itself
}

func (p *picky) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.requests++
	body, err := io.ReadAll(r.Body)
	if err != nil {
		p.t.Error(err)
	}
	lines := strings.Split(strings.TrimSuffix(string(body), "\n"), "\n")
	if p.before != nil && p.before(w, lines) {
		return
	}
	if p.limit > 0 && len(body) > p.limit {
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		return
	}
	bad := slices.IndexFunc(lines, func(l string) bool { return strings.Contains(l, "bad") })
	for _, l := range lines {
		if bad < 0 || p.partial && !strings.Contains(l, "bad") {
			p.stored[l]++
		}
	}
	if bad >= 0 {
		w.WriteHeader(p.status)
		fmt.Fprintf(w, "cannot take %s", lines[bad])
	}
}

func TestOnLoopback(t *testing.T) {
	for url, want := range map[string]bool{
		"http://localhost:8086": true, "http://127.0.0.1:8086": true, "https://[::1]:8086/": true, "http://[::ffff:127.0.0.1]": true,
		"http://192.0.2.1:8086": false, "http://influx.example:8086": false, "http://[2001:db8::1]:8086": false, ":": false,
	} {
		if onLoopback(url) != want {
			t.Errorf("%s: want %v", url, want)
		}
	}
}

// batch is n lines, of which those numbered are bad.
func batch(n int, bad ...int) []byte {
	var b strings.Builder
	for i := 1; i <= n; i++ {
		value := "1"
		if slices.Contains(bad, i) {
			value = "bad"
		}
		fmt.Fprintf(&b, "m f=%s %d\n", value, i)
	}
	return []byte(b.String())
}

func TestRefusedLinesAreNamedAndTheRestIsStored(t *testing.T) {
	all := make([]int, 20)
	for i := range all {
		all[i] = i + 1
	}
	cases := map[string]struct {
		server   picky
		n        int
		bad      []int
		requests int // at most
	}{
		"none":          {picky{status: 400}, 5000, nil, 1},
		"first":         {picky{status: 400}, 5000, []int{1}, 27},
		"last":          {picky{status: 422}, 5000, []int{5000}, 27},
		"a few":         {picky{status: 400}, 5000, []int{17, 18, 2500, 4999}, 4 * 27},
		"partial":       {picky{status: 400, partial: true}, 5000, []int{17, 3000}, 2 * 27},
		"all":           {picky{status: 400}, 20, all, 39},
		"alone":         {picky{status: 400}, 1, []int{1}, 1},
		"too large":     {picky{status: 400, limit: 2000}, 1000, nil, 31},
		"large and bad": {picky{status: 400, limit: 2000}, 1000, []int{700}, 31 + 20},
	}
	for name, k := range cases {
		t.Run(name, func(t *testing.T) {
			k.server.t, k.server.stored = t, map[string]int{}
			c, waits, _ := fixture(t, -1, k.server.ServeHTTP)
			err := c.Write(t.Context(), batch(k.n, k.bad...))
			var got []int
			var r *Refused
			if errors.As(err, &r) {
				for _, l := range r.Lines {
					got = append(got, l.Number)
				}
			}
			if !slices.Equal(got, k.bad) || (err != nil) != (len(k.bad) > 0) || errors.Is(err, ErrRefused) != (len(k.bad) > 0) {
				t.Errorf("refused %v, want %v: %v", got, k.bad, err)
			}
			if len(k.server.stored) != k.n-len(k.bad) || k.server.requests > k.requests || len(*waits) > 0 {
				t.Errorf("%d lines stored by %d requests, want %d by %d at most", len(k.server.stored), k.server.requests, k.n-len(k.bad), k.requests)
			}
		})
	}
}

func TestRefusedQuotesTheFirst(t *testing.T) {
	server := picky{t: t, status: 400, stored: map[string]int{}}
	c, _, _ := fixture(t, -1, server.ServeHTTP)
	err := c.Write(t.Context(), batch(100, 17, 40, 90))
	if err == nil || !strings.HasSuffix(err.Error(),
		`(p.toml:3): line 17 of the batch is refused: "m f=bad 17": 400 Bad Request: cannot take m f=bad 17 (and 2 more of its 100 lines)`) {
		t.Error(err)
	}
	var e *Error
	if !errors.As(err, &e) || e.Status != 400 || IsTemporary(err) {
		t.Errorf("%#v", e)
	}
}

// TestRequestIsToBlame: words that fit every line and name none are not about lines.
func TestRequestIsToBlame(t *testing.T) {
	for message, aboutLines := range map[string]bool{
		"precision is not valid": false, `field type conflict on measurement "rollup"`: true, "request %d": true, "dropped=%l": true,
	} {
		n := 0
		c, _, _ := fixture(t, -1, func(w http.ResponseWriter, r *http.Request) {
			n++
			w.WriteHeader(http.StatusBadRequest)
			text, _ := io.ReadAll(r.Body)
			fmt.Fprint(w, strings.NewReplacer("%d", fmt.Sprint(n), "%l", fmt.Sprint(strings.Count(string(text), "\n"))).Replace(message))
		})
		var e *Error
		err := c.Write(t.Context(), []byte("rollup,a=b f=1i 1\nrollup,a=b f=1i 2\nother f=1i 3\nrollup f=1i 4\n"))
		if errors.Is(err, ErrRefused) != aboutLines || !errors.As(err, &e) || e.Status != 400 || IsTemporary(err) {
			t.Errorf("%s: %v", message, err)
		}
		if err = c.Write(t.Context(), []byte("rollup f=1i 1\n")); !errors.Is(err, ErrRefused) {
			t.Errorf("%s, a line alone: %v", message, err)
		}
	}
}

// TestHalvesAreTriedAgain: what fails for a while meanwhile is neither refused nor lost.
func TestHalvesAreTriedAgain(t *testing.T) {
	server := picky{t: t, status: 400, stored: map[string]int{}}
	failed := map[string]bool{}
	server.before = func(w http.ResponseWriter, lines []string) bool {
		if key := strings.Join(lines, ""); !failed[key] {
			failed[key] = true
			w.WriteHeader(http.StatusServiceUnavailable)
			return true
		}
		return false
	}
	c, waits, _ := fixture(t, -1, server.ServeHTTP)
	err := c.Write(t.Context(), batch(100, 50))
	var r *Refused
	if !errors.As(err, &r) || len(r.Lines) != 1 || r.Lines[0].Number != 50 || len(server.stored) != 99 || 2*len(*waits) != server.requests {
		t.Errorf("%d stored, %d requests, %d pauses: %v", len(server.stored), server.requests, len(*waits), err)
	}
}

// TestHalvingEndsWithAnotherError: a server that shuts the door is not asked about each line.
func TestHalvingEndsWithAnotherError(t *testing.T) {
	server := picky{t: t, status: 400, stored: map[string]int{}}
	server.before = func(w http.ResponseWriter, lines []string) bool {
		if server.requests > 3 {
			w.WriteHeader(http.StatusUnauthorized)
		}
		return server.requests > 3
	}
	c, _, _ := fixture(t, -1, server.ServeHTTP)
	err := c.Write(t.Context(), batch(100, 1))
	var e *Error
	if !errors.As(err, &e) || e.Status != 401 || errors.Is(err, ErrRefused) || server.requests != 4 {
		t.Errorf("%d requests: %v", server.requests, err)
	}
}

func TestRetryAfter(t *testing.T) {
	server := "Sat, 10 Jan 2026 12:00:00 GMT"
	cases := map[string]time.Duration{
		"": 0, "7": 7 * time.Second, "-1": 0, "soon": 0,
		"Sat, 10 Jan 2026 12:01:30 GMT":    90 * time.Second,
		"Saturday, 10-Jan-26 12:00:05 GMT": 5 * time.Second,
		"Sat, 10 Jan 2026 11:59:00 GMT":    0,
	}
	for text, want := range cases {
		if got := retryAfter(http.Header{"Retry-After": {text}, "Date": {server}}); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
	soon := time.Now().Add(time.Hour).UTC().Format(http.TimeFormat)
	if got := retryAfter(http.Header{"Retry-After": {soon}}); got < 59*time.Minute || got > time.Hour {
		t.Errorf("without a date of the server's: %v", got)
	}
}

// TestPausesGrowAndEnd: doubled up to half a minute, longer only when the server asks for it, and never beyond five.
func TestPausesGrowAndEnd(t *testing.T) {
	n := 0
	c, waits, _ := fixture(t, 10, func(w http.ResponseWriter, r *http.Request) {
		if n++; n == 9 {
			w.Header().Set("Retry-After", "3600")
		}
		w.WriteHeader(http.StatusTooManyRequests)
	})
	if err := c.Write(t.Context(), []byte("m f=1 1\n")); !IsTemporary(err) {
		t.Error(err)
	}
	if got := fmt.Sprint(*waits); got != "[250ms 500ms 1s 2s 4s 8s 16s 30s 5m0s 30s]" {
		t.Errorf("waited %s", got)
	}
}
