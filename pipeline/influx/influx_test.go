package influx

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// fixture is a Client to a server, with a clock that only notes how long it should have waited.
func fixture(t *testing.T, retries int, handle http.HandlerFunc) (*Client, *[]time.Duration, *bytes.Buffer) {
	t.Helper()
	srv := httptest.NewServer(handle)
	t.Cleanup(srv.Close)
	var log bytes.Buffer
	c := New(Config{URL: srv.URL, Org: "o", Bucket: "db/rp", Token: "s3cret", Where: Where{"p.toml:3", "p.toml:4"}, Retries: retries,
		Log: slog.New(slog.NewTextHandler(&log, nil))})
	t.Cleanup(c.Close)
	var waits []time.Duration
	c.wait = func(ctx context.Context, d time.Duration) error { waits = append(waits, d); return ctx.Err() }
	return c, &waits, &log
}

func TestWriteTriesAgain(t *testing.T) {
	var bodies []string
	answers := []int{503, 429, 500, 204}
	c, waits, log := fixture(t, 5, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		bodies = append(bodies, string(body))
		status := answers[len(bodies)-1]
		if status == 429 {
			w.Header().Set("Retry-After", "7")
		}
		w.WriteHeader(status)
	})
	if err := c.Write(t.Context(), []byte("a b=1 1\n")); err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(*waits) != "[250ms 7s 1s]" {
		t.Errorf("waited %v", *waits)
	}
	if len(bodies) != 4 || bodies[0] != bodies[3] {
		t.Errorf("%d requests", len(bodies))
	}
	if strings.Contains(log.String(), "s3cret") || strings.Count(log.String(), "\n") != 3 {
		t.Errorf("log:\n%s", log)
	}
}

func TestWriteGivesUp(t *testing.T) {
	n := 0
	c, waits, _ := fixture(t, 2, func(w http.ResponseWriter, r *http.Request) { n++; w.WriteHeader(500) })
	err := c.Write(t.Context(), []byte("a b=1 1\n"))
	var e *Error
	if !errors.As(err, &e) || e.Status != 500 || n != 3 || len(*waits) != 2 || !IsTemporary(err) {
		t.Errorf("%v after %d requests", err, n)
	}
}

// TestAStoppingServerIsTriedAgain: InfluxDB 1.8 says 400 while it is being stopped.
func TestAStoppingServerIsTriedAgain(t *testing.T) {
	n := 0
	c, waits, _ := fixture(t, -1, func(w http.ResponseWriter, r *http.Request) {
		if n++; n == 1 {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("X-Influxdb-Error", "query engine shutdown")
			w.WriteHeader(400)
			w.Write([]byte(`{"error":"query engine shutdown"}`))
			return
		}
		w.WriteHeader(204)
	})
	if err := c.Write(t.Context(), []byte("a b=1 1\n")); err != nil || len(*waits) != 1 {
		t.Errorf("%v after %d requests", err, n)
	}
}

func TestRefusedWriteIsFinal(t *testing.T) {
	n := 0
	c, _, _ := fixture(t, -1, func(w http.ResponseWriter, r *http.Request) {
		n++
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(400)
		io.WriteString(w, `{"code":"invalid","message":"partial write:\n field type conflict"}`)
	})
	err := c.Write(t.Context(), []byte("a b=1 1\n"))
	if n != 1 || err == nil || !errors.Is(err, ErrRefused) ||
		!strings.HasSuffix(err.Error(), `(p.toml:3): line 1 of the batch is refused: "a b=1 1": 400 Bad Request: partial write: field type conflict`) {
		t.Errorf("%d requests: %v", n, err)
	}
}

func TestUnreachable(t *testing.T) {
	c := New(Config{URL: "http://127.0.0.1:1", Bucket: "b", Where: Where{"p.toml:3", "p.toml:4"}})
	defer c.Close()
	err := c.Write(t.Context(), []byte("a b=1 1\n"))
	want := "influx: cannot reach http://127.0.0.1:1 (p.toml:3): dial tcp 127.0.0.1:1: connect: connection refused"
	if err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
}

func TestStopWhileWaiting(t *testing.T) {
	c, _, _ := fixture(t, -1, func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(500) })
	ctx, cancel := context.WithCancel(t.Context())
	c.wait = func(ctx context.Context, _ time.Duration) error { cancel(); return ctx.Err() }
	if err := c.Write(ctx, []byte("a b=1 1\n")); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestInfluxQL(t *testing.T) {
	var form string
	c, _, _ := fixture(t, 0, func(w http.ResponseWriter, r *http.Request) {
		r.ParseForm()
		form = r.Form.Encode()
		io.WriteString(w, `{"results":[{"statement_id":0,"series":[{"name":"m","tags":{"a":"b"},"columns":["time","n"],"values":[[1700000000000000001,null]]}],"partial":true}]}
{"results":[{"statement_id":0,"series":[{"name":"m","columns":["time","n"],"values":[[2,3]]}]}]}`)
	})
	all, err := c.InfluxQL(t.Context(), "SELECT 1")
	if err != nil || len(all) != 2 || all[0].Tags["a"] != "b" || fmt.Sprint(all[0].Values[0][0]) != "1700000000000000001" {
		t.Errorf("%+v, %v", all, err)
	}
	if form != "chunked=true&db=db&epoch=ns&q=SELECT+1&rp=rp" {
		t.Errorf("asked %s", form)
	}
}

func TestInfluxQLErrors(t *testing.T) {
	cases := map[string]struct {
		status int
		body   string
		none   bool
	}{
		"1.8":      {200, `{"results":[{"statement_id":0,"error":"database not found: x"}]}`, true},
		"2.x":      {404, `{"error":"no dbrp mapping found"}`, true},
		"parse":    {400, `{"error":"error parsing query"}`, false},
		"in chunk": {200, `{"results":[{"statement_id":0,"error":"timeout"}]}`, false},
	}
	for name, k := range cases {
		c, _, _ := fixture(t, -1, func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(k.status); io.WriteString(w, k.body) })
		_, err := c.InfluxQL(t.Context(), "SHOW")
		if err == nil || errors.Is(err, ErrNoDatabase) != k.none {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestStreamStartsOverWhenTheConnectionBreaks(t *testing.T) {
	n := 0
	c, waits, _ := fixture(t, 3, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", r.Header.Get("Accept"))
		io.WriteString(w, "first,")
		if n++; n == 1 {
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}
		io.WriteString(w, "second")
	})
	var got []string
	err := c.StreamInfluxQL(t.Context(), "SELECT", func(r io.Reader) error {
		b, err := io.ReadAll(r)
		got = append(got, string(b))
		return err
	})
	if err != nil || len(got) != 2 || got[1] != "first,second" || len(*waits) != 1 {
		t.Errorf("%q, %v", got, err)
	}
	bad := errors.New("bad row")
	if err := c.StreamInfluxQL(t.Context(), "SELECT", func(io.Reader) error { return bad }); !errors.Is(err, bad) || n != 3 {
		t.Errorf("a reader's error: %v after %d requests", err, n)
	}
}

// TestStreamsError: what a reader finds to be the server's error is that, and ends the query or is waited for.
func TestStreamsError(t *testing.T) {
	for said, requests := range map[string]int{"timeout": 1, "engine is closed": 4} {
		n := 0
		c, _, _ := fixture(t, 3, func(w http.ResponseWriter, r *http.Request) {
			n++
			w.Header().Set("Content-Type", r.Header.Get("Accept"))
		})
		err := c.StreamInfluxQL(t.Context(), "SELECT", func(io.Reader) error { return fmt.Errorf("answer: %w", Said(said)) })
		var e *Error
		if !errors.As(err, &e) || e.Message != said || n != requests {
			t.Errorf("%s: %v after %d requests", said, err, n)
		}
	}
	c, waits, _ := fixture(t, 2, func(w http.ResponseWriter, r *http.Request) { w.Header().Set("Content-Type", r.Header.Get("Accept")) })
	err := c.StreamInfluxQL(t.Context(), "SELECT", func(io.Reader) error { return io.ErrUnexpectedEOF })
	if err == nil || len(*waits) != 2 {
		t.Errorf("an answer that is cut off: %v after %d pauses", err, len(*waits))
	}
	c, _, _ = fixture(t, -1, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "<html>") })
	err = c.StreamInfluxQL(t.Context(), "SELECT", func(io.Reader) error { return nil })
	if err == nil || !strings.Contains(err.Error(), `answers /query in "text/html; charset=utf-8", where "application/x-msgpack" was asked for`) {
		t.Errorf("a server that answers otherwise: %v", err)
	}
}
