package execd

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/influxdata/telegraf"

	"echogram/plugins/schema"
)

// output is STDOUT, shared by all stanzas.
type output struct {
	mu   sync.Mutex
	dst  io.WriteCloser
	buf  *bufio.Writer
	line []byte

	taken atomic.Int64 // bytes that were read, or that the pipe has room for
}

func newOutput(dst io.WriteCloser) *output {
	o := &output{dst: dst}
	o.buf = bufio.NewWriterSize(taking{o}, 64<<10)
	return o
}

// taking counts what the other end takes.
type taking struct{ *output }

func (t taking) Write(p []byte) (int, error) {
	n, err := t.dst.Write(p)
	t.taken.Add(int64(n))
	return n, err
}

func (o *output) write(p *schema.Point) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	var err error
	if o.line, err = p.AppendLine(o.line[:0]); err == nil {
		_, err = o.buf.Write(o.line)
	}
	return err
}

// flush hands what is buffered to Telegraf. An error comes back from the next write, too.
func (o *output) flush() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.buf.Flush()
}

func (o *output) close() {
	o.flush()
	o.dst.Close()
}

// accumulator is the telegraf.Accumulator of one stanza: every point becomes a line at once.
type accumulator struct {
	out  *output
	in   *Input
	tags []schema.Tag // of the stanza, sorted by key

	mu      sync.Mutex
	point   schema.Point
	failure string // what the last point that could not be written failed with
}

func newAccumulator(out *output, in *Input) *accumulator {
	a := &accumulator{out: out, in: in}
	for k, v := range in.Options.Tags {
		a.tags = append(a.tags, schema.Tag{Key: k, Value: v})
	}
	slices.SortFunc(a.tags, func(x, y schema.Tag) int { return strings.Compare(x.Key, y.Key) })
	return a
}

// AddRow takes a row without the detour by maps.
func (a *accumulator) AddRow(row schema.Row) {
	a.mu.Lock()
	defer a.mu.Unlock()
	schema.Fill(&a.point, row)
	a.write()
}

// write finishes a.point as Telegraf would and lets it go. The caller holds the mutex.
func (a *accumulator) write() {
	for _, t := range a.tags {
		if a.point.Tag(t.Key) == "" {
			a.point.SetTag(t.Key, t.Value)
		}
	}
	if name := a.in.Options.NameOverride; name != "" {
		a.point.Measurement = name
	}
	err := a.out.write(&a.point)
	if err == nil {
		a.failure = ""
	} else if err.Error() != a.failure { // once, not once a point
		a.failure = err.Error()
		a.in.Log.Errorf("points are not written: %v", err)
	}
}

// AddFields takes a metric of any measurement. Fields of a type that line protocol does not have are an error.
func (a *accumulator) AddFields(measurement string, fields map[string]any, tags map[string]string, t ...time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	p := &a.point
	p.Reset()
	p.Measurement = measurement
	for k, v := range tags {
		p.SetTag(k, v)
	}
	for k, v := range fields {
		f, err := schema.Any(k, v)
		if err != nil {
			a.in.Log.Errorf("%s: %v", measurement, err)
			continue
		}
		p.Fields = append(p.Fields, f)
	}
	slices.SortFunc(p.Fields, func(x, y schema.Field) int { return strings.Compare(x.Key, y.Key) })
	p.Time = time.Now().UnixNano()
	if len(t) > 0 {
		p.Time = t[0].UnixNano()
	}
	a.write()
}

// The kinds of metric are all the same in line protocol.

func (a *accumulator) AddGauge(m string, f map[string]any, tags map[string]string, t ...time.Time) {
	a.AddFields(m, f, tags, t...)
}

func (a *accumulator) AddCounter(m string, f map[string]any, tags map[string]string, t ...time.Time) {
	a.AddFields(m, f, tags, t...)
}

func (a *accumulator) AddSummary(m string, f map[string]any, tags map[string]string, t ...time.Time) {
	a.AddFields(m, f, tags, t...)
}

func (a *accumulator) AddHistogram(m string, f map[string]any, tags map[string]string, t ...time.Time) {
	a.AddFields(m, f, tags, t...)
}

// AddMetric takes a metric apart.
func (a *accumulator) AddMetric(m telegraf.Metric) {
	a.AddFields(m.Name(), m.Fields(), m.Tags(), m.Time())
}

// AddError logs.
func (a *accumulator) AddError(err error) {
	if err != nil {
		a.in.Log.Errorf("%v", err)
	}
}

// SetPrecision does nothing: points keep their nanoseconds.
func (*accumulator) SetPrecision(time.Duration) {}

// WithTracking is not to be had: nobody tells this process what became of a line.
func (a *accumulator) WithTracking(int) telegraf.TrackingAccumulator {
	panic(fmt.Sprintf("execd: %s asks for delivery tracking, which a line on STDOUT cannot have", a.in.Log.name))
}
