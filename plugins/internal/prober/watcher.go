package prober

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"echogram/plugins/internal/bfdwatch"
	"echogram/plugins/internal/capture"
	"echogram/plugins/schema"
)

// TapFile as WatchConfig.Tap stands for the name of the file that is read.
const TapFile = "{file}"

// WatchConfig says which BFD is watched, and how. It is of interfaces or of files, not of both.
type WatchConfig struct {
	Host, Instance string // tags

	Interfaces  []string // that are captured on
	Promiscuous bool     // see what is for others, too, as on a mirror port
	Tunnels     bool     // have all frames leave the kernel that may carry BFD in a tunnel
	RingMiB     int      // of each interface; default 8

	Files         []string // paths and patterns of capture files
	Follow        bool     // go on as files grow and further ones come; else end when all are read
	FromBeginning bool     // read files that are there at the first start, and not only what is added to them
	StateFile     string   // remembers what was read across restarts; "": nothing does
	EmitRate      int      // rows a second at most; 0: as fast as it goes

	// Tap is the tag tap; "": the name of the interface, which most files do not tell. TapFile: the file's name.
	Tap         string
	Local       []string      // addresses, IP or MAC, of the device that files were captured on
	Period      time.Duration // 0: 10 s
	PerEcho     bool          // a row for each echo, too
	MaxSessions int           // 0: 10,000
	NearMiss    float64       // × the agreed interval; 0: 1.5
	Forget      time.Duration // 0: 10 min

	Emit              func(schema.Row)      // takes all rows, one at a time; required
	Trace             func(*bfdwatch.Sight) // takes each BFD packet, never beside Emit; may be nil
	Warn, Info, Debug func(text string)
}

// DefaultPeriod is the length of a period.
const DefaultPeriod = bfdwatch.DefaultPeriod

// Check refuses what cannot be with a *Problem. It opens nothing.
func (c *WatchConfig) Check() error {
	live, files := len(c.Interfaces) > 0, len(c.Files) > 0
	badLocal := slices.IndexFunc(c.Local, func(s string) bool {
		_, noAddr := netip.ParseAddr(s)
		_, noMAC := net.ParseMAC(s)
		return noAddr != nil && noMAC != nil
	})
	badPattern := slices.IndexFunc(c.Files, func(s string) bool { _, err := filepath.Match(s, ""); return s == "" || err != nil })
	for _, o := range []struct {
		bad       bool
		key, text string
	}{
		{!live && !files, "interfaces", "is empty, and so is files: name interfaces to capture on, or capture files"},
		{live && files, "files", "stands beside interfaces: give files a stanza of their own, with another instance; what a stanza reads is counted as one capture"},
		{slices.Contains(c.Interfaces, ""), "interfaces", "has an empty name"},
		{len(slices.Compact(slices.Sorted(slices.Values(c.Interfaces)))) < len(c.Interfaces), "interfaces", "names an interface twice"},
		{c.Promiscuous && !live, "promiscuous", "goes with interfaces"},
		{c.Tunnels && !live, "tunnels", "goes with interfaces: of files all frames are read"},
		{c.RingMiB != 0 && !live, "ring_mib", "goes with interfaces"},
		{c.RingMiB < 0 || c.RingMiB > MaxRingMiB, "ring_mib", fmt.Sprintf("%d is not 0 (8) to %d", c.RingMiB, MaxRingMiB)},
		{c.FromBeginning && !files, "from_beginning", "goes with files"},
		{c.StateFile != "" && !files, "state_file", "goes with files"},
		{c.EmitRate < 0, "emit_rate", fmt.Sprintf("%d is not 0 (as fast as it goes) or more points per second", c.EmitRate)},
		{c.Tap == TapFile && live, "tap", TapFile + " goes with files"},
		{c.Tap != "" && len(c.Interfaces) > 1, "tap", "goes with one interface: the points of several could not be told apart; leave it out, and they have the interfaces' names"},
		{c.Tap != "" && schema.CheckName(c.Tap) != nil, "tap", fmt.Sprintf("%q cannot be a tag: it ends in a backslash or holds a line break", c.Tap)},
		{c.Period != 0 && (c.Period < time.Second || c.Period%time.Second != 0), "period", fmt.Sprintf("%s is not a whole number of seconds of at least 1", c.Period)},
		{c.MaxSessions < 0, "max_sessions", fmt.Sprintf("%d is not 0 (10,000) or more", c.MaxSessions)},
		{c.NearMiss != 0 && !(c.NearMiss > 1), "near_miss", fmt.Sprintf("%v is not above 1: each interval may be as long as the agreed one", c.NearMiss)},
		{c.Forget < 0, "forget", fmt.Sprintf("%s is negative", c.Forget)},
	} {
		if o.bad {
			return &Problem{Key: o.key, Text: o.text}
		}
	}
	if badLocal >= 0 {
		return &Problem{Key: "local_addresses", Text: fmt.Sprintf("%q is neither an IP nor a MAC address", c.Local[badLocal])}
	}
	if badPattern >= 0 {
		return &Problem{Key: "files", Text: fmt.Sprintf("%q is no path or pattern (*, ?, [a-z])", c.Files[badPattern])}
	}
	return nil
}

// engine is what a watch's configuration is to the engine. tap names capture points.
func (c *WatchConfig) engine(tap func(ifindex int32) string, emit func(schema.Row)) bfdwatch.Config {
	return bfdwatch.Config{
		Host: c.Host, Instance: c.Instance, Period: c.Period, PerEcho: c.PerEcho, Tap: tap, Local: c.Local,
		MaxSessions: c.MaxSessions, NearMiss: c.NearMiss, Forget: c.Forget, Emit: emit, Trace: c.Trace,
	}
}

// say hands text to one of the functions for it.
func say(to func(string), format string, args ...any) {
	if to != nil {
		to(fmt.Sprintf(format, args...))
	}
}

// watchEngine is a bfdwatch.Watch: see there.
type watchEngine interface {
	Observe(p *capture.Packet)
	Expire(now int64)
	Dropped(frames uint64)
	Finish()
}

// Watcher has an engine follow the BFD of live captures, or of files. Rows come from its goroutines, and from Flush
// and Close.
type Watcher struct {
	source watchSource
	hurry  chan struct{} // closed by Hurry
	once   sync.Once     // of that
	closed sync.Once
}

// watchSource is where a Watcher's packets come from.
type watchSource interface {
	flush(now int64)
	settle(ctx context.Context) error
	close()
}

// OpenWatch opens what watching needs and starts it. Without CAP_NET_RAW the error of live captures is ErrPrivilege.
// When ctx is done, files are not read further.
func OpenWatch(ctx context.Context, c WatchConfig) (*Watcher, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	if c.Period == 0 {
		c.Period = DefaultPeriod
	}
	w := &Watcher{hurry: make(chan struct{})}
	var err error
	if len(c.Interfaces) > 0 {
		w.source, err = openLive(c, w.hurry)
	} else {
		w.source, err = openFiles(ctx, c, w.hurry)
	}
	if err != nil {
		return nil, err
	}
	return w, nil
}

// Flush has the rows come of periods that are over although no packet has told. Files tell the time by their packets
// alone.
func (w *Watcher) Flush(now time.Time) { w.source.flush(now.UnixNano()) }

// Settle returns when files have been read as far as they go, and all rows of that are out but for the last period's.
// It says what has ended their reading before. A live capture is settled, but in a hurry when a period has passed.
func (w *Watcher) Settle(ctx context.Context) error {
	err := w.source.settle(ctx)
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// Hurry has rows come as fast as they can, and says that this watch lasts no longer than it must.
func (w *Watcher) Hurry() { w.once.Do(func() { close(w.hurry) }) }

// Close ends the watch and joins its goroutines. What is open is emitted as partial; not so what is in files of which
// a state file remembers that it was not read to its end.
func (w *Watcher) Close() { w.closed.Do(w.source.close) }
