package execd

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/influxdata/telegraf"

	"echogram/plugins/schema"
)

// fake is a plugin whose gather takes some time, unless it is halted.
type fake struct {
	takes, ends time.Duration // how long a gather takes, and its end once halted
	points      int           // of a gather but the last; 1,000 fill a buffer
	startErr    error
	starting    func()

	acc     telegraf.Accumulator
	spreads bool // a gather takes a minute unless it is hurried
	hurried chan struct{}
	halted  chan struct{}
	cut     chan struct{}
	once    sync.Once
	running chan struct{} // held while full; a mutex would stop a bubble's time
	mu      sync.Mutex
	slots   []time.Time
	stopped bool
}

func newFake(takes, ends time.Duration) *fake {
	return &fake{takes: takes, ends: ends, hurried: make(chan struct{}), halted: make(chan struct{}), cut: make(chan struct{}), running: make(chan struct{}, 1)}
}

func (*fake) SampleConfig() string                { return "" }
func (f *fake) Gather(telegraf.Accumulator) error { return nil }
func (f *fake) Start(a telegraf.Accumulator) error {
	f.acc = a
	if f.starting != nil {
		f.starting()
	}
	return f.startErr
}

func (f *fake) GatherAt(slot time.Time) error {
	f.running <- struct{}{}
	defer func() { <-f.running }()
	f.mu.Lock()
	f.slots = append(f.slots, slot)
	f.mu.Unlock()
	how := "whole"
	if f.spreads {
		select {
		case <-time.After(time.Minute):
		case <-f.hurried:
		}
	}
	select {
	case <-time.After(f.takes):
	case <-f.halted:
		how = "halted"
		select {
		case <-time.After(f.ends):
		case <-f.cut:
			how = "cut"
		}
	}
	for range f.points {
		f.acc.AddFields("fake", map[string]any{"filler": "filler that makes a line of some 65 bytes"}, nil, slot)
	}
	f.acc.AddFields("fake", map[string]any{"how": how}, map[string]string{"a": "b"}, slot)
	return nil
}

func (f *fake) Hurry() { close(f.hurried) }

func (f *fake) Stop() { f.StopWithin(time.Hour) }

func (f *fake) StopWithin(d time.Duration) {
	f.once.Do(func() { close(f.halted) })
	t := time.AfterFunc(d, func() { close(f.cut) })
	defer t.Stop()
	f.running <- struct{}{}
	defer func() { <-f.running }()
	f.stopped = true
}

// sink is a stream that remembers what was written and whether it was closed.
type sink struct {
	mu     sync.Mutex
	b      bytes.Buffer
	closed bool
}

func (s *sink) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return 0, io.ErrClosedPipe
	}
	return s.b.Write(p)
}

func (s *sink) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return nil
}

// served runs Serve in a bubble on a STDIN that talk writes, and returns what came of it.
func served(t *testing.T, f *fake, o Options, ctx context.Context, talk func(stdin io.WriteCloser)) (out, log string, took time.Duration) {
	t.Helper()
	stdin, w := io.Pipe()
	var stdout, stderr sink
	logger := NewLogger(&stderr)
	in := &Input{Plugin: f, Options: o, Interval: 10 * time.Second, Log: logger.With("inputs.fake", &o)}
	var wg sync.WaitGroup
	wg.Go(func() { talk(w); w.Close() })
	begin := time.Now()
	err := Serve(ctx, []*Input{in}, Streams{In: stdin, Out: &stdout, Err: &stderr, Abort: func() { t.Error("aborted") }}, func() error { return nil })
	took = time.Since(begin)
	stdin.Close()
	wg.Wait()
	if err != nil {
		t.Error(err)
	}
	if !stdout.closed || !stderr.closed || !f.stopped {
		t.Error("a stream or the plugin is left open")
	}
	return stdout.b.String(), stderr.b.String(), took
}

func TestServeRunsWhatIsDueAndEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(time.Second, 0)
		out, log, _ := served(t, f, Options{NameOverride: "other", Tags: map[string]string{"site": "x", "a": "mine"}}, t.Context(), func(w io.WriteCloser) {
			for range 3 {
				time.Sleep(10 * time.Second)
				io.WriteString(w, "\n")
			}
			time.Sleep(5 * time.Second)
		})
		if n := strings.Count(out, "other,a=b,site=x how=\"whole\" "); n != 3 || strings.Count(out, "\n") != 3 {
			t.Errorf("wrote %q", out)
		}
		if log != "" {
			t.Errorf("logged %q", log)
		}
		for i, s := range f.slots {
			if want := time.Date(2000, 1, 1, 0, 0, 10*(i+1), 0, time.UTC); !s.Equal(want) {
				t.Errorf("slot %d is %v", i, s)
			}
		}
	})
}

// TestEnds: how long the process lives after its STDIN has closed, and what became of the gather.
func TestEnds(t *testing.T) {
	for name, c := range map[string]struct {
		takes, ends time.Duration
		spreads     bool
		took        time.Duration
		how         string
	}{
		"a gather that ends in time":     {3 * time.Second, time.Second, false, 3300 * time.Millisecond, "whole"},
		"one that does not":              {time.Minute, 1200 * time.Millisecond, false, 5500 * time.Millisecond, "halted"},
		"one that does if it hurries up": {3 * time.Second, time.Second, true, 3300 * time.Millisecond, "whole"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake(c.takes, c.ends)
				f.spreads = c.spreads
				out, _, took := served(t, f, Options{}, t.Context(), func(w io.WriteCloser) { io.WriteString(w, "\n") })
				if took != c.took || !strings.Contains(out, c.how) {
					t.Errorf("took %v and wrote %q, want %v and %q", took, out, c.took, c.how)
				}
			})
		})
	}
}

func TestSIGTERM(t *testing.T) {
	for name, after := range map[string]time.Duration{"in a gather": 11 * time.Second, "while STDIN's end is under way": 17 * time.Second} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(after, cancel)
				out, _, took := served(t, newFake(time.Minute, 30*time.Second), Options{}, ctx, func(w io.WriteCloser) {
					time.Sleep(10 * time.Second)
					io.WriteString(w, "\n")
					time.Sleep(2 * time.Second)
				})
				if end := took - after; end > time.Second || !strings.Contains(out, "cut") {
					t.Errorf("ended %v after the signal, wrote %q", end, out)
				}
			})
		})
	}
}

// lazy is a reader that takes a buffer in each tenth of a second.
type lazy struct{ sink }

func (l *lazy) Write(p []byte) (int, error) {
	time.Sleep(100 * time.Millisecond)
	return l.sink.Write(p)
}

// TestSIGTERMWithASlowReader: points that are being taken are not thrown away when the second is over, but they are
// when it takes forever.
func TestSIGTERMWithASlowReader(t *testing.T) {
	for name, c := range map[string]struct {
		buffers int // full of points
		aborted bool
	}{"slow": {20, false}, "far too slow": {60, true}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake(time.Hour, 0)
				f.points = c.buffers * 1000
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(11*time.Second, cancel)
				stdin, w := io.Pipe()
				time.AfterFunc(10*time.Second, func() { io.WriteString(w, "\n"); w.Close() })
				var out lazy
				var aborted bool
				in := &Input{Plugin: f, Interval: 10 * time.Second, Log: NewLogger(io.Discard)}
				streams := Streams{In: stdin, Out: &out, Err: &sink{}, Abort: func() { aborted = true }}
				if err := Serve(ctx, []*Input{in}, streams, func() error { return nil }); err != nil {
					t.Error(err)
				}
				if n := strings.Count(out.b.String(), "\n"); n != f.points+1 || aborted != c.aborted {
					t.Errorf("%d points of %d were taken, aborted: %v", n, f.points+1, aborted)
				}
			})
		})
	}
}

func TestSilentSTDIN(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, log, _ := served(t, newFake(0, 0), Options{Alias: "east"}, t.Context(), func(io.WriteCloser) { time.Sleep(time.Minute) })
		if !strings.HasPrefix(log, "W! [inputs.fake::east] ") || !strings.Contains(log, `signal = "STDIN"`) || strings.Count(log, "\n") != 1 {
			t.Errorf("logged %q", log)
		}
	})
}

// TestSIGTERMInAStart: a start that waits for names is not waited for.
func TestSIGTERMInAStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		f, begin, aborted := newFake(0, 0), time.Now(), make(chan time.Duration, 1)
		f.startErr = errors.New("no address")
		f.starting = func() { time.Sleep(time.Minute) }
		streams := Streams{In: strings.NewReader(""), Out: &sink{}, Err: &sink{}, Abort: func() { aborted <- time.Since(begin) }}
		Serve(ctx, []*Input{{Plugin: f, Interval: time.Second, Log: NewLogger(&sink{})}}, streams, func() error { return nil })
		if d := <-aborted; d != time.Second {
			t.Errorf("ended after %v", d)
		}
	})
}

func TestFailedStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		good, bad := newFake(0, 0), newFake(0, 0)
		bad.startErr = errors.New("no such interface")
		log := NewLogger(io.Discard)
		inputs := []*Input{{Plugin: good, Interval: time.Second, Log: log}, {Plugin: bad, Interval: time.Second, Log: log}}
		err := Serve(t.Context(), inputs, Streams{In: strings.NewReader(""), Out: &sink{}, Err: &sink{}}, func() error { return nil })
		if !errors.Is(err, bad.startErr) || !good.stopped {
			t.Errorf("got %v; the first input is stopped: %v", err, good.stopped)
		}
	})
}

func TestLogger(t *testing.T) {
	var b bytes.Buffer
	l := NewLogger(&b).With("inputs.fake", &Options{LogLevel: "warn"})
	l.Infof("not shown")
	l.Errorf("two\nlines\n")
	l.Warn("a ", 1)
	if want := "E! [inputs.fake] two; lines\nW! [inputs.fake] a 1\n"; b.String() != want {
		t.Errorf("got %q, want %q", b.String(), want)
	}
}

func TestAccumulatorRefusesWhatNoLineCanHold(t *testing.T) {
	var out, log sink
	o := newOutput(&out)
	a := newAccumulator(o, &Input{Log: NewLogger(&log)})
	a.AddGauge("m", map[string]any{"good": 1, "bad": []int{1}}, nil, noon)
	a.AddRow(&schema.StatsLateRow{Instance: "line\nbreak"})
	a.AddError(errors.New("no luck"))
	o.flush()
	if want := "m good=1i 1767268800000000000\n"; out.b.String() != want {
		t.Errorf("wrote %q, want %q", out.b.String(), want)
	}
	if n := strings.Count(log.b.String(), "E! "); n != 3 {
		t.Errorf("logged %q", log.b.String())
	}
}

func TestHint(t *testing.T) {
	if Hint("inputs.icmp_sweep.namepass") == "" || Hint("inputs.icmp_sweep.networks") != "" {
		t.Error("the wrong keys belong elsewhere")
	}
}
