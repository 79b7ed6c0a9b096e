package prober

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"echogram/plugins/internal/bfdwatch"
	"echogram/plugins/internal/capture"
	"echogram/plugins/internal/capture/follow"
	"echogram/plugins/schema"
)

const second = int64(time.Second)

// fakeWatch closes periods of 10 s as the engine does: an event for each packet, at its time, and a bfd_stats row.
type fakeWatch struct {
	c         bfdwatch.Config
	open      int64 // the period under way, 0: none
	now       int64
	drops     uint64
	finished  bool
	ifindexes []int32
}

func (f *fakeWatch) Observe(p *capture.Packet) {
	f.Expire(p.Stamp)
	f.ifindexes = append(f.ifindexes, p.IfIndex)
	if f.open == 0 {
		f.open = p.Stamp - p.Stamp%(10*second)
	}
	row := &schema.BFDEventRow{Event: schema.BFDEventState, Time: p.Stamp}
	if f.c.Tap != nil {
		row.Tap = f.c.Tap(p.IfIndex)
	}
	f.c.Emit(row)
}

func (f *fakeWatch) Expire(now int64) {
	f.now = max(f.now, now)
	for f.open != 0 && f.open+11*second < f.now {
		f.c.Emit(&schema.BFDStatsRow{Time: f.open})
		f.open += 10 * second
	}
}

func (f *fakeWatch) Dropped(n uint64) { f.drops += n }

func (f *fakeWatch) Finish() {
	f.finished = true
	f.c.Emit(&schema.BFDStatsRow{Time: f.open, Partial: true})
}

// fakeFiles hands out items, then waits or ends, and notes what it is told.
type fakeFiles struct {
	items  []follow.Item
	end    error // after the items; nil: waits
	notes  []string
	saving error
}

func (f *fakeFiles) Next(ctx context.Context) (follow.Item, error) {
	switch {
	case ctx.Err() != nil:
		return follow.Item{}, ctx.Err()
	case len(f.items) > 0:
		item := f.items[0]
		f.items = f.items[1:]
		return item, nil
	case f.end != nil:
		return follow.Item{}, f.end
	}
	<-ctx.Done()
	return follow.Item{}, ctx.Err()
}

func (f *fakeFiles) Emitted(file *follow.File, stamp int64) {
	f.notes = append(f.notes, fmt.Sprintf("%s %d", file.Name, stamp/second))
}

func (f *fakeFiles) Save() error {
	f.notes = append(f.notes, "save")
	return f.saving
}

func (f *fakeFiles) Close() error {
	f.notes = append(f.notes, "close")
	return nil
}

// itemsOf makes the items of a file whose packets have these stamps, in seconds.
func itemsOf(f *follow.File, stamps ...int64) []follow.Item {
	f.FirstStamp = stamps[0] * second
	items := []follow.Item{{File: f, Event: follow.Begin}}
	for _, s := range stamps {
		items = append(items, follow.Item{File: f, Packet: &capture.Packet{Stamp: s * second}})
	}
	return append(items, follow.Item{File: f, Event: follow.End})
}

// fileRig is a watch of fake files with fake engines.
type fileRig struct {
	*fileWatch
	files   *fakeFiles
	engines []*fakeWatch
	rows    []string
	log     []string
}

func newFileRig(t *testing.T, c WatchConfig, files *fakeFiles) *fileRig {
	t.Helper()
	r := &fileRig{files: files}
	c.Period = 10 * time.Second
	c.Emit = func(row schema.Row) { r.rows = append(r.rows, short(row)) }
	c.Warn = func(text string) { r.log = append(r.log, text) }
	r.fileWatch = newFileWatch(t.Context(), c, files, make(chan struct{}))
	r.newEngine = func(c bfdwatch.Config) watchEngine {
		r.engines = append(r.engines, &fakeWatch{c: c})
		return r.engines[len(r.engines)-1]
	}
	return r
}

// short gives "12" for the event of second 12, "12@tap" if it has a tap, "10!" for the statistics of a period.
func short(row schema.Row) string {
	switch r := row.(type) {
	case *schema.BFDEventRow:
		return strings.TrimSuffix(fmt.Sprintf("%d@%s", r.Time/second, r.Tap), "@")
	case *schema.BFDStatsRow:
		return fmt.Sprintf("%d!", r.Time/second)
	}
	return row.Measurement()
}

func TestFilesOfARotatedCaptureAreOneStream(t *testing.T) {
	for name, c := range map[string]struct {
		tap     string
		second  follow.File
		stamps  []int64 // of the second file
		engines int
		rows    []string
		notes   []string
	}{
		"goes on": {
			"core", follow.File{Name: "b"}, []int64{14, 32}, 1,
			[]string{"11@core", "12@core", "14@core", "10!", "20!", "32@core", "30!"},
			[]string{"b 20", "save", "b 32", "save", "close"},
		},
		"is older": {
			"core", follow.File{Name: "b"}, []int64{2}, 2,
			[]string{"11@core", "12@core", "10!", "2@core", "0!"},
			[]string{"a 12", "b 2", "save", "close"},
		},
		"has another tap": {
			TapFile, follow.File{Name: "b"}, []int64{14}, 2,
			[]string{"11@a", "12@a", "10!", "14@b", "10!"},
			[]string{"a 12", "b 14", "save", "close"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			files := &fakeFiles{end: io.EOF}
			empty := &follow.File{Name: "empty"}
			files.items = slices.Concat(itemsOf(&follow.File{Name: "a"}, 11, 12),
				[]follow.Item{{File: empty, Event: follow.Begin}, {File: empty, Event: follow.End}}, itemsOf(&c.second, c.stamps...))
			r := newFileRig(t, WatchConfig{Tap: c.tap}, files)
			r.start()
			if err := r.settle(t.Context()); err != nil {
				t.Error(err)
			}
			r.close()
			if len(r.engines) != c.engines || !slices.Equal(r.rows, c.rows) {
				t.Errorf("%d engines, rows %v; want %d, %v", len(r.engines), r.rows, c.engines, c.rows)
			}
			if !slices.Equal(files.notes, c.notes) {
				t.Errorf("follow was told %q, want %q", files.notes, c.notes)
			}
		})
	}
}

// TestRestart: of what an earlier run has emitted only the period comes again of which something was open.
func TestRestart(t *testing.T) {
	run := func(f *follow.File, stamps ...int64) *fileRig {
		r := newFileRig(t, WatchConfig{StateFile: "state"}, &fakeFiles{items: itemsOf(f, stamps...)})
		r.files.items[len(r.files.items)-1] = follow.Item{Event: follow.Idle} // it grows on
		r.start()
		if err := r.settle(t.Context()); err != nil {
			t.Error(err)
		}
		r.close()
		return r
	}
	first := run(&follow.File{Name: "a"}, 11, 12, 22, 33)
	if rows, want := first.rows, []string{"11", "12", "10!", "22", "20!", "33"}; !slices.Equal(rows, want) {
		t.Errorf("at first %v, want %v", rows, want)
	}
	if notes, want := first.files.notes, []string{"a 10", "save", "a 20", "save", "close"}; !slices.Equal(notes, want) {
		t.Errorf("follow was told %q, want %q", notes, want)
	}
	rest := run(&follow.File{Name: "a", Emitted: 20 * second}, 11, 12, 22, 33, 44)
	if rows, want := rest.rows, []string{"22", "20!", "33", "30!", "44"}; !slices.Equal(rows, want) {
		t.Errorf("after the restart %v, want %v", rows, want)
	}
}

// TestWhatWasThereAtTheFirstStart gives an engine its state, and no rows.
func TestWhatWasThereAtTheFirstStart(t *testing.T) {
	items := itemsOf(&follow.File{Name: "a"}, 11, 12, 25, 44)
	for i := range 4 {
		items[i].Skip = true
	}
	r := newFileRig(t, WatchConfig{}, &fakeFiles{items: items, end: io.EOF})
	r.start()
	r.settle(t.Context())
	r.close()
	if want := []string{"20!", "30!", "44", "40!"}; !slices.Equal(r.rows, want) {
		t.Errorf("rows %v, want %v", r.rows, want)
	}
}

// TestStopLeavesNothingBehind: without a state file the open period is emitted as it stands.
func TestStopLeavesNothingBehind(t *testing.T) {
	r := newFileRig(t, WatchConfig{}, &fakeFiles{items: append(itemsOf(&follow.File{Name: "a"}, 11)[:2], follow.Item{Event: follow.Idle})})
	r.start()
	r.settle(t.Context())
	r.close()
	if want := []string{"11", "10!"}; !slices.Equal(r.rows, want) {
		t.Errorf("rows %v, want %v", r.rows, want)
	}
}

func TestWhatGoesWrongInFiles(t *testing.T) {
	items := append(itemsOf(&follow.File{Name: "a", Path: "/x/a.pcap", Err: errors.New("cut")}, 11, 33), follow.Item{Event: follow.Idle})
	r := newFileRig(t, WatchConfig{StateFile: "state"}, &fakeFiles{items: items, end: errors.New("gone"), saving: errors.New("no room")})
	r.start()
	if err := r.settle(t.Context()); err != nil {
		t.Error(err) // the files had been read
	}
	r.close()
	if len(r.log) != 2 || !strings.HasPrefix(r.log[0], "what was read will be read again after a restart: no room") || r.log[1] != "/x/a.pcap: cut: what comes before that counts" {
		t.Errorf("logged %q", r.log)
	}
}

// TestEmissionIsPaced: rows come at their rate, reading waits for them, and a hurry ends that.
func TestEmissionIsPaced(t *testing.T) {
	stamps := make([]int64, 1001)
	for i := range stamps {
		stamps[i] = 11
	}
	for name, hurryAfter := range map[string]time.Duration{"all the way": time.Hour, "until hurried": 4 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			r := newFileRig(t, WatchConfig{EmitRate: 100}, &fakeFiles{items: itemsOf(&follow.File{Name: "a"}, stamps...), end: io.EOF})
			hurry := make(chan struct{})
			r.pace.hurry = hurry
			timer := time.AfterFunc(hurryAfter, func() { close(hurry) })
			defer timer.Stop()
			began := time.Now()
			r.start()
			r.settle(t.Context())
			if took, want := time.Since(began), min(10*time.Second, hurryAfter); (took - want).Abs() > 20*time.Millisecond {
				t.Errorf("%s: %d rows in %v, want %v", name, len(r.rows), took, want)
			}
			r.close()
		})
	}
}

func TestInterfacesInFilesNameTaps(t *testing.T) {
	w := &fileWatch{stream: &stream{names: map[int32]string{0: "", 2: "eth1"}}}
	for _, c := range []struct {
		tap     string
		ifindex int32
		want    string
	}{
		{"", 0, ""}, {"", 2, "eth1"}, {"core", 0, "core"}, {"core", 2, "core/eth1"},
	} {
		w.stream.tap = c.tap
		if got := w.name(c.ifindex); got != c.want {
			t.Errorf("%+v: %q", c, got)
		}
	}
}

// TestFlushWaitsForTheRings: time passes when all rings have shown what came before it.
func TestFlushWaitsForTheRings(t *testing.T) {
	began := time.Now().UnixNano()
	w := newLive(WatchConfig{Interfaces: []string{"eth0", "eth1"}}, make(chan struct{}))
	engine := &fakeWatch{c: bfdwatch.Config{Emit: func(schema.Row) {}}}
	w.engine = engine
	w.taps[0].index, w.taps[1].index = 4, 7
	w.Observe(0, []capture.Packet{{Stamp: began - 3*second, IfIndex: 12}}, 0)
	w.flush(began)
	if engine.now != began-3*second {
		t.Error("time has passed although a ring has shown nothing")
	}
	w.Observe(1, nil, clock{}.Mono()-second)
	w.flush(began)
	if engine.now > began-2*second {
		t.Errorf("time is %v before the flush", time.Duration(began-engine.now))
	}
	w.Observe(0, nil, clock{}.Mono())
	w.flush(began)
	if d := time.Duration(began - engine.now); d < 500*time.Millisecond || d > time.Second+time.Duration(stampSlack) {
		t.Errorf("time is %v before the flush, the slower ring's a second", d)
	}
	if !slices.Equal(engine.ifindexes, []int32{4}) || w.name(7) != "eth1" {
		t.Errorf("interfaces %v, and number 7 is %q", engine.ifindexes, w.name(7))
	}
}

func TestLiveSettlesAtOnceUnlessHurried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hurry := make(chan struct{})
		w := newLive(WatchConfig{Interfaces: []string{"eth0"}, Period: 10 * time.Second}, hurry)
		time.Sleep(3 * time.Second)
		began := time.Now()
		w.settle(t.Context())
		if took := time.Since(began); took != 0 {
			t.Errorf("took %v", took)
		}
		close(hurry)
		w.settle(t.Context())
		if took := time.Since(began); took != 7*time.Second {
			t.Errorf("in a hurry %v, want what is left of the period", took)
		}
	})
}
