package prober

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"time"

	"golang.org/x/net/bpf"

	"echogram/plugins/internal/bfdwatch"
	"echogram/plugins/internal/capture"
	"echogram/plugins/internal/capture/afpacket"
	"echogram/plugins/internal/frame"
	"echogram/plugins/internal/route"
)

// The rings of a watch: blocks of this size, and this many MiB of them.
const (
	watchBlock   = 64 << 10
	watchRingMiB = 8
)

// stampSlack is by how much, at most, frames come to a ring in another order than they were stamped: those that
// several processors receive do.
const stampSlack = int64(time.Millisecond)

// liveWatch is one engine that the rings of some interfaces show their frames to.
type liveWatch struct {
	config WatchConfig
	routes *route.Client
	hurry  <-chan struct{}
	began  time.Time

	mu     sync.Mutex // of all that follows
	engine watchEngine
	taps   []tap // by their ring's number
	begun  bool  // there was a frame
}

// tap is one interface.
type tap struct {
	ring    *ring
	index   int32  // of the interface when the watch began: what the engine knows it by
	through int64  // all frames from before this are shown, ns since the Unix epoch
	drops   uint64 // that the engine was told of
	down    bool   // nothing is captured, and the user was told
}

func openLive(c WatchConfig, hurry <-chan struct{}) (*liveWatch, error) {
	routes, err := route.NewClient()
	if err != nil {
		return nil, err
	}
	w := newLive(c, hurry)
	w.routes = routes
	w.engine = bfdwatch.New(c.engine(w.name, c.Emit))
	for source := range w.taps {
		if err := w.open(source); err != nil {
			w.closeRings()
			return nil, err
		}
	}
	return w, nil
}

// newLive makes a watch without engine and rings.
func newLive(c WatchConfig, hurry <-chan struct{}) *liveWatch {
	return &liveWatch{config: c, hurry: hurry, began: time.Now(), taps: make([]tap, len(c.Interfaces))}
}

// open captures on an interface.
func (w *liveWatch) open(source int) error {
	l, err := w.routes.ByName(w.config.Interfaces[source])
	if err != nil {
		return fmt.Errorf("prober: %w", err)
	}
	filter, err := bpf.Assemble(frame.BFDFilter(l.Link, 0xffff, frame.BFDOptions{Tunnels: w.config.Tunnels}))
	if err != nil {
		return err
	}
	mib := w.config.RingMiB
	if mib == 0 {
		mib = watchRingMiB
	}
	raw, err := afpacket.Open(afpacket.Config{
		IfIndex: l.Index, Link: l.Link, Filter: filter, Promiscuous: w.config.Promiscuous,
		BlockSize: watchBlock, Blocks: mib << 20 / watchBlock,
	})
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("prober: %w CAP_NET_RAW, which a capture on %s needs (%v): %s", ErrPrivilege, l.Name, err, remedy())
	}
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	t := &w.taps[source]
	t.index = int32(l.Index)
	t.ring = newRing(raw, l, w, w.routes, source)
	return nil
}

// name is the tag tap of an interface; of 0, what belongs to none in particular: of the only one there is.
func (w *liveWatch) name(ifindex int32) string {
	if w.config.Tap != "" {
		return w.config.Tap
	}
	if ifindex == 0 && len(w.config.Interfaces) == 1 {
		return w.config.Interfaces[0]
	}
	for i := range w.taps {
		if w.taps[i].index == ifindex {
			return w.config.Interfaces[i]
		}
	}
	return ""
}

// Observe takes what a ring shows; through is monotonic.
func (w *liveWatch) Observe(source int, batch []capture.Packet, through int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	t := &w.taps[source]
	w.begun = w.begun || len(batch) > 0
	for i := range batch {
		batch[i].IfIndex = t.index // an interface that was made anew has another one, and is the same
		w.engine.Observe(&batch[i])
	}
	if n := len(batch); n > 0 {
		t.through = batch[n-1].Stamp - stampSlack
	} else {
		t.through = through + clock{}.Offset() - stampSlack
	}
}

// flush has the engine close what is over. A ring shows frames late, and what it has not shown yet still counts: time
// is what all rings have been shown through. As in a file, it begins with the first frame.
func (w *liveWatch) flush(now int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range w.taps {
		now = min(now, w.taps[i].through)
	}
	if w.begun && now > 0 { // and all rings were read
		w.engine.Expire(now)
	}
	w.count()
}

// count tells the engine what the rings have lost, and the user how they fare.
func (w *liveWatch) count() {
	for i := range w.taps {
		if t := &w.taps[i]; t.ring != nil {
			w.countTap(t)
		}
	}
}

func (w *liveWatch) countTap(t *tap) {
	if drops := t.ring.losses().Drops; drops > t.drops && w.begun {
		say(w.config.Warn, "%d frames on %s were lost: raise ring_mib, or give the process CPU time", drops-t.drops, t.ring.name)
		w.engine.Dropped(drops - t.drops)
		t.drops = drops
	}
	err := t.ring.failed()
	switch {
	case err != nil && !t.down:
		say(w.config.Warn, "nothing is captured on %s: %v", t.ring.name, err)
	case err == nil && t.down:
		say(w.config.Info, "%s is captured again", t.ring.name)
	}
	t.down = err != nil
}

// settle waits, in a hurry, until the capture has lasted a period: a watch that is to end at once has seen nothing.
func (w *liveWatch) settle(ctx context.Context) error {
	select {
	case <-w.hurry:
		sleep(ctx, w.config.Period-time.Since(w.began))
	default:
	}
	return nil
}

func (w *liveWatch) close() {
	w.flush(time.Now().UnixNano())
	w.closeRings() // whose goroutines want the mutex
	w.engine.Finish()
}

func (w *liveWatch) closeRings() {
	for i := range w.taps {
		if r := w.taps[i].ring; r != nil {
			r.close()
		}
	}
	w.routes.Close()
}
