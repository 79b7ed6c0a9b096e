// Package rollup sums up raw points over windows, per target, per block and per network: pure arithmetic, which takes
// its time from the data.
//
// Its layers, from the bottom:
//
//   - tally, Quantiles, times, members: sums of points, values, sweeps and targets that can be merged.
//   - settle: the points of one series in the order of their time, each time once.
//   - spread: quantiles and outlier filter of one target's RTTs in one window.
//   - blockSums, Networks: the sums of a block or network over each window, and their rows.
//   - Block and Stream, which drive these: Block takes the points of one block for a list of windows, as a database
//     gives them; Stream takes those of all series as they come and closes windows as the data's own time passes.
//
// The order in which points arrive does not matter: sums are integers (squares of 128 bits), sets and quantiles do not
// depend on it, the filter gets RTTs by time, and rows come out sorted. Only where one series has several points of
// the same time does the last one count, as in a database.
//
// What did not come back of a sweep that is not trusted is doubted instead of lost; all else of it counts.
//
// Tag size splits targets, blocks and networks alike: RTTs of different sizes are never mixed. What a window may be
// and when it is due is the caller's.
package rollup

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"echogram/pipeline/outlier"
	"echogram/plugins/schema"
)

// Config says what to compute.
type Config struct {
	Lengths   []time.Duration // of windows, ascending, each a multiple of the one before; windows start at multiples of their length since 1970
	PerTarget time.Duration   // shortest window with rows per target
	Filter    outlier.Config

	// FilterRTTs is how many RTTs of one target and window the filter gets at most. Of more it gets every second, fourth,
	// eighth … in the order of their time: n and the standard error are then those of what it saw. Quantiles and sums are
	// of all. A Stream holds as many of each open window, 4 bytes each. 0: DefaultRTTs.
	FilterRTTs int
}

// Window is one window that is to be computed: of one instance, or of another measurement.
type Window struct {
	Of             string // the measurement; "" is icmp_sweep
	Host, Instance string // of icmp_sweep
	Start          int64  // ns
	Length         time.Duration
	Complete       bool
	Missing        int64
}

func (w *Window) end() int64 { return w.Start + int64(w.Length) }

// Name is the value of the tag window: 1m, 1h, 1d.
func Name(length time.Duration) string {
	for _, unit := range []struct {
		length time.Duration
		name   string
	}{{24 * time.Hour, "d"}, {time.Hour, "h"}, {time.Minute, "m"}} {
		if length >= unit.length && length%unit.length == 0 {
			return strconv.FormatInt(int64(length/unit.length), 10) + unit.name
		}
	}
	return length.String()
}

// owner is whose windows a series belongs to.
type owner struct{ of, host, instance string }

func ownerOf(of string, s *schema.Series) owner {
	if of != "" {
		return owner{of: of}
	}
	return owner{host: s.Host, instance: s.Instance}
}

// The kinds of rows in the order in which they come out.
const (
	kindNetwork = iota
	kindBlock
	kindTarget
)

// sortable is a row and what it is sorted by.
type sortable struct {
	row    schema.Row
	window *Window
	kind   int
	of     string
	series *schema.Series
}

// sorted returns the rows by time, then networks, blocks and targets, then by window and by tags.
func sorted(all []sortable) []schema.Row {
	slices.SortFunc(all, func(x, y sortable) int {
		return cmp.Or(cmp.Compare(x.window.Start, y.window.Start), cmp.Compare(x.kind, y.kind),
			cmp.Compare(x.window.Length, y.window.Length), cmp.Compare(x.of, y.of), compareSeries(x.series, y.series))
	})
	rows := make([]schema.Row, len(all))
	for i := range all {
		rows[i] = all[i].row
	}
	return rows
}

// compareSeries orders series by their tags.
func compareSeries(a, b *schema.Series) int {
	return cmp.Or(cmp.Compare(a.Host, b.Host), cmp.Compare(a.Instance, b.Instance), cmp.Compare(a.Network, b.Network),
		cmp.Compare(a.Block, b.Block), cmp.Compare(a.Target, b.Target), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Size, b.Size),
		slices.CompareFunc(a.Labels, b.Labels, func(x, y schema.Tag) int {
			return cmp.Or(cmp.Compare(x.Key, y.Key), cmp.Compare(x.Value, y.Value))
		}))
}
