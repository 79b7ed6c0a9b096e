package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"echogram/plugins/schema"
)

// The databases in which the day is and into which means go, and what the client of Flux calls these.
const (
	rawDatabase    = "raw"
	rollupDatabase = "rollup"
	fluxMean       = "flux_mean" // a measurement, and its field:
	fluxField      = "rtt_mean_ns"
)

// Ways to ask for the mean of a day in Flux.
const (
	fluxWindow = "aggregateWindow" // as tasks do it
	fluxBare   = "mean"            // the least work: the range is the window
)

// fluxQuery asks for the mean RTT of each target over the day.
func fluxQuery(way string) string {
	end := "mean()"
	if way == fluxWindow {
		end = "aggregateWindow(every: 1d, fn: mean, createEmpty: false)"
	}
	return fmt.Sprintf(`from(bucket: "%s/autogen") |> range(start: %s, stop: %s)
  |> filter(fn: (r) => r._measurement == "%s" and r._field == "rtt_ns") |> %s`,
		rawDatabase, dayStart.Format(time.RFC3339), dayStart.AddDate(0, 0, 1).Format(time.RFC3339), schema.ICMPSweep, end)
}

// fluxBatch is how many lines the client writes at once.
const fluxBatch = 5000

// fluxClient writes back what InfluxDB has computed: to() of 1.8 is read-only. It holds one batch.
type fluxClient struct {
	server string // http://host:port
	lines  []byte
	held   int
}

// run asks in the given way and writes a point for each target.
func (c *fluxClient) run(ctx context.Context, way string) error {
	answer, err := c.post(ctx, "/api/v2/query", "application/vnd.flux", strings.NewReader(fluxQuery(way)))
	if err != nil {
		return err
	}
	defer answer.Close()
	if err := readMeans(answer, func(p *schema.Point) error { return c.put(ctx, p) }); err != nil {
		return err
	}
	return c.flush(ctx)
}

func (c *fluxClient) put(ctx context.Context, p *schema.Point) (err error) {
	if c.lines, err = p.AppendLine(c.lines); err != nil {
		return err
	}
	if c.held++; c.held < fluxBatch {
		return nil
	}
	return c.flush(ctx)
}

func (c *fluxClient) flush(ctx context.Context) error {
	if c.held == 0 {
		return nil
	}
	answer, err := c.post(ctx, "/write?"+url.Values{"db": {rollupDatabase}}.Encode(), "text/plain", bytes.NewReader(c.lines))
	if err != nil {
		return err
	}
	c.lines, c.held = c.lines[:0], 0
	return answer.Close()
}

func (c *fluxClient) post(ctx context.Context, path, kind string, body io.Reader) (io.ReadCloser, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.server+path, body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", kind)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode/100 != 2 {
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		return nil, errors.Join(fmt.Errorf("%s: %s: %s", path, resp.Status, bytes.TrimSpace(text)), err)
	}
	return resp.Body, nil
}

// errFlux is an error that Flux met when its answer had begun.
var errFlux = errors.New("flux")

// readMeans makes points of an annotated CSV answer: tables follow each other, each with a header where it differs
// from the one before. A point is valid until the next one.
func readMeans(answer io.Reader, out func(*schema.Point) error) error {
	r := csv.NewReader(answer)
	r.Comment, r.FieldsPerRecord, r.ReuseRecord = '#', -1, true
	var header []string
	var point schema.Point
	for {
		record, err := r.Read()
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		case len(record) > 1 && (record[1] == "result" || record[1] == "error"):
			header = append([]string{}, record...)
			continue
		case len(record) != len(header):
			return fmt.Errorf("%w: a row of %d columns below a header of %d", errFlux, len(record), len(header))
		case header[1] == "error":
			return fmt.Errorf("%w: %s", errFlux, record[1])
		}
		if err := meanPoint(&point, header, record); err != nil {
			return err
		}
		if err := out(&point); err != nil {
			return err
		}
	}
}

func meanPoint(p *schema.Point, header, record []string) error {
	p.Reset()
	p.Measurement, p.Time, p.HasTime = fluxMean, dayStart.UnixNano(), true
	for i, column := range header {
		switch {
		case column == "_value":
			v, err := strconv.ParseFloat(record[i], 64)
			if err != nil {
				return fmt.Errorf("%w: %w", errFlux, err)
			}
			p.Fields = append(p.Fields, schema.Float(fluxField, v))
		case column != "" && column != "result" && column != "table" && column[0] != '_':
			p.SetTag(column, record[i])
		}
	}
	return nil
}
