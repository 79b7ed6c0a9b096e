package parts

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// Series is one series of an InfluxQL answer. Times are nanoseconds; numbers keep all their digits.
type Series struct {
	Name    string            `json:"name"`
	Tags    map[string]string `json:"tags"`
	Columns []string          `json:"columns"`
	Values  [][]any           `json:"values"` // json.Number, string, bool or nil, a row at a time
}

// Value returns the value of a column in a row; nil when there is none.
func (s Series) Value(row int, column string) any {
	for i, name := range s.Columns {
		if name == column && row < len(s.Values) {
			return s.Values[row][i]
		}
	}
	return nil
}

// Int returns an integer value; 0 when there is none. Aggregates come as floats and are cut.
func (s Series) Int(row int, column string) int64 {
	n, ok := s.Value(row, column).(json.Number)
	if !ok {
		return 0
	}
	if i, err := n.Int64(); err == nil {
		return i
	}
	f, _ := n.Float64() // a json.Number is a number
	return int64(f)
}

// Float returns a number; 0 when there is none.
func (s Series) Float(row int, column string) float64 {
	n, _ := s.Value(row, column).(json.Number)
	f, _ := n.Float64() // "" is the missing one
	return f
}

// String returns a string value; "" when there is none.
func (s Series) String(row int, column string) string {
	v, _ := s.Value(row, column).(string)
	return v
}

// CreateDatabase makes a database; one that exists stays as it is.
func (db *Influx) CreateDatabase(ctx context.Context, name string) error {
	_, err := db.Query(ctx, "", fmt.Sprintf("CREATE DATABASE %q", name))
	return err
}

// Query runs InfluxQL and returns the series of all its statements. The error of any statement is an error.
func (db *Influx) Query(ctx context.Context, database, influxql string) ([]Series, error) {
	form := url.Values{"db": {database}, "epoch": {"ns"}, "q": {influxql}}
	body, err := db.post(ctx, "/query", "application/x-www-form-urlencoded", form.Encode())
	if err != nil {
		return nil, err
	}
	var answer struct {
		Results []struct {
			Series []Series
			Error  string
		}
	}
	dec := json.NewDecoder(strings.NewReader(body))
	dec.UseNumber()
	if err := dec.Decode(&answer); err != nil {
		return nil, fmt.Errorf("parts: influxdb: answer to %q: %w", influxql, err)
	}
	var all []Series
	for _, r := range answer.Results {
		if r.Error != "" {
			return nil, fmt.Errorf("parts: influxdb: %q: %s", influxql, r.Error)
		}
		all = append(all, r.Series...)
	}
	return all, nil
}

// QueryFlux runs Flux and returns the annotated CSV.
func (db *Influx) QueryFlux(ctx context.Context, flux string) (string, error) {
	return db.post(ctx, "/api/v2/query", "application/vnd.flux", flux)
}

// Write writes lines of line protocol with nanosecond times.
func (db *Influx) Write(ctx context.Context, database, lines string) error {
	query := url.Values{"db": {database}, "precision": {"ns"}}
	_, err := db.post(ctx, "/write?"+query.Encode(), "text/plain; charset=utf-8", lines)
	return err
}

func (db *Influx) post(ctx context.Context, path, contentType, body string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, db.URL+path, strings.NewReader(body))
	if err != nil {
		return "", fmt.Errorf("parts: influxdb: %w", err)
	}
	req.Header.Set("Content-Type", contentType)
	resp, err := db.client.Do(req)
	if err != nil {
		return "", fmt.Errorf("parts: influxdb: %w", err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return "", fmt.Errorf("parts: influxdb: %s: %w", path, err)
	}
	if resp.StatusCode/100 != 2 {
		return "", fmt.Errorf("parts: influxdb: %s: %s: %s", path, resp.Status, strings.TrimSpace(string(answer)))
	}
	return string(answer), nil
}
