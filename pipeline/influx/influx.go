// Package influx is the pipeline's edge to InfluxDB 1.8 and 2.x: it writes line protocol, and runs InfluxQL and Flux
// queries, through influxdb-client-go. It owns retries, the search for the lines of a batch that
// a server refuses, and errors that name the server and the line of the configuration that does. It knows no
// measurement and no field.
package influx

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	influxdb2 "github.com/influxdata/influxdb-client-go/v2"
	influxhttp "github.com/influxdata/influxdb-client-go/v2/api/http"
)

// Config says which bucket of which server.
type Config struct {
	URL     string
	Org     string
	Bucket  string // "db/rp" or "db" on 1.8
	Token   string // "user:password" on 1.8
	Where   Where  // for errors
	Retries int    // how often to try again what may yet succeed; negative: for ever

	Log *slog.Logger // gets a line for each failed attempt; nil: none
}

// Where says where the configuration gives a value, such as pipeline.toml:12.
type Where struct {
	URL, Bucket string
}

// Client talks to one bucket. It is safe for concurrent use.
type Client struct {
	cfg    Config
	client influxdb2.Client
	wait   func(ctx context.Context, d time.Duration) error
}

// requestTimeout bounds the wait for a response's first byte; how long its body may take depends on the query.
const requestTimeout = 60 * time.Second

// New makes a Client. It does not connect.
func New(cfg Config) *Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.ResponseHeaderTimeout = requestTimeout
	transport.ReadBufferSize = 64 << 10 // answers are long, and come in many small chunks
	transport.DisableCompression = onLoopback(cfg.URL)
	opts := influxdb2.DefaultOptions().SetHTTPClient(&http.Client{Transport: transport}).SetLogLevel(0)
	opts.SetUseGZip(!transport.DisableCompression).SetApplicationName("echogram-pipeline")
	return &Client{cfg: cfg, client: influxdb2.NewClientWithOptions(cfg.URL, cfg.Token, opts), wait: sleep}
}

// onLoopback tells of a server to which bytes cost less than packing them: that took a fifth of InfluxDB's time.
func onLoopback(raw string) bool {
	u, err := url.Parse(raw)
	if err != nil {
		return false
	}
	addr, err := netip.ParseAddr(u.Hostname())
	return u.Hostname() == "localhost" || err == nil && addr.Unmap().IsLoopback()
}

// Close frees the connections.
func (c *Client) Close() {
	c.client.Close()
	c.client.Options().HTTPClient().CloseIdleConnections()
}

// Once is the same Client without retries.
func (c *Client) Once() *Client {
	once := *c
	once.cfg.Retries = 0
	return &once
}

// Database splits the bucket as 1.8 and a DBRP mapping understand it: database and retention policy, which may be "".
func (c *Client) Database() (db, rp string) {
	db, rp, _ = strings.Cut(c.cfg.Bucket, "/")
	return db, rp
}

// Bucket is the bucket's name.
func (c *Client) Bucket() string { return c.cfg.Bucket }

// Error is a failed request.
type Error struct {
	URL     string
	Bucket  string
	Where   Where
	Status  int    // HTTP status; 0: the server was not reached, or the connection broke
	Message string // the server's own words, or the network's
	dial    bool   // there was no connection at all
	after   time.Duration
}

// Error is one line that names the server, and the line of the configuration that is to blame.
func (e *Error) Error() string {
	server := e.URL + at(e.Where.URL)
	switch {
	case e.dial:
		return fmt.Sprintf("influx: cannot reach %s: %s", server, e.Message)
	case e.Status == 0:
		return fmt.Sprintf("influx: a request to %s failed: %s", server, e.Message)
	case e.Status == http.StatusNotFound:
		return fmt.Sprintf("influx: %s has no bucket %q%s: %s", e.URL, e.Bucket, at(e.Where.Bucket), e.Message)
	}
	return fmt.Sprintf("influx: %s says %d %s: %s", server, e.Status, http.StatusText(e.Status), e.Message)
}

func at(where string) string {
	if where == "" {
		return ""
	}
	return " (" + where + ")"
}

// Temporary tells whether the same request may succeed later.
func (e *Error) Temporary() bool {
	return e.Status == 0 || e.Status == http.StatusTooManyRequests || e.Status >= 500 || e.closing()
}

// closing tells of an answer of InfluxDB 1.8 in the moment in which it is being stopped: with status 400, as if the
// request were wrong.
func (e *Error) closing() bool {
	return slices.ContainsFunc([]string{"query engine shutdown", "query interrupted", "query aborted", "engine is closed", "shard is disabled", "store is closed", "database is closed"},
		func(message string) bool { return strings.Contains(e.Message, message) })
}

func (c *Client) blank() *Error {
	return &Error{URL: redact(c.cfg.URL), Bucket: c.cfg.Bucket, Where: c.cfg.Where}
}

// fault makes an *Error of what the client library or the network returned.
func (c *Client) fault(err error) *Error {
	e := c.blank()
	var known *Error
	var he *influxhttp.Error
	switch {
	case errors.As(err, &known):
		return known
	case errors.As(err, &he) && he.StatusCode != 0:
		e.Status, e.after = he.StatusCode, retryAfter(he.Header)
		e.Message = oneLine(he.Message)
		if e.Message == "" {
			e.Message = oneLine(he.Error())
		}
	default:
		var ue *url.Error
		if errors.As(err, &ue) {
			err = ue.Err // it repeats the whole URL
		}
		var op *net.OpError
		e.dial = errors.As(err, &op) && op.Op == "dial"
		e.Message = oneLine(err.Error())
	}
	return e
}

// response makes an *Error of a response that is not 2xx.
func (c *Client) response(r *http.Response, body string) *Error {
	e := c.blank()
	e.Status, e.Message = r.StatusCode, oneLine(body)
	e.after = retryAfter(r.Header)
	return e
}

// redact leaves a password in a URL out.
func redact(raw string) string {
	if u, err := url.Parse(raw); err == nil {
		return u.Redacted()
	}
	return "the server"
}

func oneLine(s string) string {
	return shorten(strings.Join(strings.Fields(s), " "))
}

// shorten cuts the middle out of a long text: servers repeat the line first and say last what is wrong with it.
func shorten(s string) string {
	const begin, end = 300, 150
	if len(s) > begin+end {
		s = s[:begin] + " … " + s[len(s)-end:]
	}
	return s
}
