// Package report draws pictures: of networks that are swept and their blocks; of BFD sessions and their echoes over time;
// of one target's RTTs, what was cut and what the rest tells of the path.
//
// Its layers, in the order of the data:
//
//   - blockrows*.go: rows of sweeps, rollups and block analytics to a Collection: networks, blocks and targets.
//   - extent.go: which networks and times there were at all.
//   - hilbert.go, map*.go: a map of a network along a Hilbert curve, its scale, its names; animation*.go: the same over
//     its sweeps, as GIF and APNG.
//   - calendar.go, timeline.go, hours.go, churn.go: one kind of picture a file, network to chart.
//   - page*.go, page/: a Collection as one HTML page that loads nothing: view models for its template, maps packed for its
//     script.
//   - read.go: lines of BFD to rows of the schema; what is of other measurements is passed over.
//   - stream.go: rows to streams: one of echoes (echo.go) for each series of bfd_echo and bfd_echo_rtt, one of control
//     packets (control.go) for each of bfd_session, and the events of their session (event.go).
//   - series.go, spread.go: what a stream keeps, in bounded memory: a thinned series that never loses an extreme, and
//     a distribution.
//   - rtt.go, distribution.go, echointerval.go, control.go: one kind of picture a file, stream to chart. A chart is
//     plain data: layers of points in seconds and nanoseconds, so that tests read numbers and not pixels.
//   - path.go, pathfit.go: the picture of one target's path, from values that its caller has.
//   - canvas.go, layer.go, axis.go, style.go: chart to PNG and SVG. Only these know the plotting library.
//
// It knows no clock and no files: times come from the rows, and the same input gives the same bytes.
package report

import (
	"cmp"
	"slices"

	"echogram/plugins/schema"
)

// Config bounds a report.
type Config struct {
	Streams     int   // at most so many streams of echoes, and so many of control packets, the first ones; 0: all
	Start, Stop int64 // ns; only rows of Start <= time < Stop; Stop 0: no bound
}

func (c *Config) wants(at int64) bool { return c.Start <= at && (at < c.Stop || c.Stop == 0) }

// Report collects rows and makes charts of them. The zero value is not usable.
type Report struct {
	config   Config
	echoes   streams[echoStream]
	controls streams[controlStream]
	events   map[sessionKey]*events
	point    schema.Point
}

// New makes an empty report.
func New(c Config) *Report {
	return &Report{config: c, events: map[sessionKey]*events{},
		echoes: newStreams[echoStream](c.Streams), controls: newStreams[controlStream](c.Streams)}
}

// LeftOut is how many streams of echoes and of control packets came beyond the limit.
func (r *Report) LeftOut() (echoes, controls int) { return len(r.echoes.left), len(r.controls.left) }

// Empty says whether no row was found that a picture could be drawn from.
func (r *Report) Empty() bool { return len(r.echoes.list)+len(r.controls.list) == 0 }

// Pictures lists all pictures that have something to show, with unique names: those of echoes first, each kind of
// stream by its addresses. They are drawn when they are written.
func (r *Report) Pictures() []Picture {
	var charts []*chart
	for _, s := range sortedStreams(r.echoes.list, func(s *echoStream) *about { return &s.about }) {
		e := r.events[s.session]
		charts = append(charts, rttChart(s, e), distributionChart(s), echoIntervalChart(s, e))
	}
	for _, s := range sortedStreams(r.controls.list, func(s *controlStream) *about { return &s.about }) {
		charts = append(charts, controlChart(s, r.events[s.session]))
	}
	var pictures []Picture
	for _, c := range charts {
		if c != nil {
			pictures = append(pictures, Picture{Name: c.name, Text: c.text, chart: c})
		}
	}
	nameApart(pictures)
	return pictures
}

func sortedStreams[S any](list []*S, of func(*S) *about) []*S {
	return slices.SortedStableFunc(slices.Values(list), func(a, b *S) int {
		x, y := of(a), of(b)
		return cmp.Or(x.local.Compare(y.local), x.peer.Compare(y.peer), cmp.Compare(x.key, y.key))
	})
}
