package influx

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/influxdata/influxdb-client-go/v2/api"
)

// ErrNoDatabase: /query knows no such database: a missing one, or a 2.x bucket without a DBRP mapping.
var ErrNoDatabase = errors.New("influx: no such database")

// Series is one series of an InfluxQL answer. Numbers are json.Number; what is missing is nil.
type Series struct {
	Name    string            `json:"name"`
	Tags    map[string]string `json:"tags"`
	Columns []string          `json:"columns"`
	Values  [][]any           `json:"values"`
}

// InfluxQL runs a statement whose answer is small, and tries again as often as Config.Retries says. Times are ns.
func (c *Client) InfluxQL(ctx context.Context, statement string) ([]Series, error) {
	var all []Series
	err := c.retry(ctx, func() error {
		body, err := c.query(ctx, statement, "application/json")
		if err != nil {
			return err
		}
		defer body.Close()
		all, err = c.decode(body)
		return err
	})
	return all, err
}

// answer is one chunk of a JSON answer.
type answer struct {
	Error   string
	Results []struct {
		Error  string
		Series []Series
	}
}

func (c *Client) decode(body io.Reader) ([]Series, error) {
	d := json.NewDecoder(body)
	d.UseNumber()
	var all []Series
	for {
		var a answer
		if err := d.Decode(&a); err == io.EOF {
			return all, nil
		} else if err != nil {
			return nil, err
		}
		if a.Error != "" {
			return nil, c.refused(a.Error)
		}
		for _, r := range a.Results {
			if r.Error != "" {
				return nil, c.refused(r.Error)
			}
			all = append(all, r.Series...)
		}
	}
}

// refused is an error inside of an answer with status 200.
func (c *Client) refused(message string) error {
	if strings.HasPrefix(message, "database not found") || strings.HasPrefix(message, "retention policy not found") {
		return c.noDatabase(message)
	}
	e := c.blank()
	e.Status, e.Message = http.StatusBadRequest, oneLine(message)
	return e
}

func (c *Client) noDatabase(message string) error {
	e := c.blank()
	e.Status, e.Message = http.StatusNotFound, oneLine(message)
	return &noDatabase{e}
}

// noDatabase is an *Error and ErrNoDatabase.
type noDatabase struct{ e *Error }

func (n *noDatabase) Error() string   { return n.e.Error() }
func (n *noDatabase) Unwrap() []error { return []error{n.e, ErrNoDatabase} }

// Said is what the server says of an error inside of an answer: who reads a stream returns it.
type Said string

func (s Said) Error() string { return fmt.Sprintf("the server says %q", string(s)) }

// StreamInfluxQL runs statements and hands their answer, MessagePack with times in ns, to read while it comes in. When
// it breaks off it starts over, with another call of read.
func (c *Client) StreamInfluxQL(ctx context.Context, statements string, read func(io.Reader) error) error {
	return c.retry(ctx, func() error {
		body, err := c.query(ctx, statements, messagePack)
		if err != nil {
			return err
		}
		defer body.Close()
		w := watched{r: body}
		err = read(&w)
		var said Said
		switch {
		case errors.As(err, &said):
			return c.refused(string(said))
		case err != nil && !w.broken && !errors.Is(err, io.ErrUnexpectedEOF):
			return &final{err}
		}
		return err
	})
}

const messagePack = "application/x-msgpack"

// query posts a statement; the caller closes the body.
func (c *Client) query(ctx context.Context, statement, accept string) (io.ReadCloser, error) {
	service := c.client.HTTPService()
	u, err := url.Parse(service.ServerURL())
	if err != nil {
		return nil, fmt.Errorf("influx: %w", err)
	}
	u = u.JoinPath("query")
	db, rp := c.Database()
	params := url.Values{"db": {db}, "q": {statement}, "epoch": {"ns"}, "chunked": {"true"}}
	if rp != "" {
		params.Set("rp", rp)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), strings.NewReader(params.Encode()))
	if err != nil {
		return nil, fmt.Errorf("influx: %w", err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", accept)
	resp, err := service.DoHTTPRequestWithResponse(req, nil)
	if err != nil {
		return nil, err
	}
	if kind := resp.Header.Get("Content-Type"); resp.StatusCode/100 == 2 && accept == messagePack && kind != accept {
		resp.Body.Close()
		return nil, &final{fmt.Errorf("influx: %s answers /query in %q, where %q was asked for", redact(c.cfg.URL), kind, accept)}
	}
	if resp.StatusCode/100 == 2 {
		return resp.Body, nil
	}
	text, _ := io.ReadAll(io.LimitReader(resp.Body, 4096))
	resp.Body.Close()
	if resp.StatusCode == http.StatusNotFound {
		return nil, c.noDatabase(string(text))
	}
	return nil, c.response(resp, string(text))
}

// Flux runs a Flux query and hands its answer to read while it comes in. When the connection breaks it starts over,
// with another call of read.
func (c *Client) Flux(ctx context.Context, query string, read func(*api.QueryTableResult) error) error {
	return c.retry(ctx, func() error {
		result, err := c.client.QueryAPI(c.cfg.Org).Query(ctx, query)
		if err != nil {
			return err
		}
		defer result.Close()
		if err := read(result); err != nil {
			return &final{err}
		}
		return result.Err()
	})
}
