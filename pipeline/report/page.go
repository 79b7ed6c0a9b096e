package report

import (
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"time"
)

//go:embed page/template.html
var pageTemplate string

//go:embed page/page.css
var pageStyle string

//go:embed page/page.js
var pageScript string

// PageConfig bounds a page. The zero value is usable.
type PageConfig struct {
	Blocks  int // rows of the table of blocks; 4,096
	Events  int // rows of the table of events, the latest; 1,000
	Targets int // rows of the table of single targets; 100
	Maps    int // networks with a map; 16
	Bytes   int // of all maps' sweeps, packed; 600,000
}

func (p PageConfig) withDefaults() PageConfig {
	return PageConfig{Blocks: cmp.Or(p.Blocks, 4096), Events: cmp.Or(p.Events, 1000), Targets: cmp.Or(p.Targets, 100),
		Maps: cmp.Or(p.Maps, 16), Bytes: cmp.Or(p.Bytes, 600_000)}
}

// Page writes all there is to see as one HTML file, which loads nothing and may load nothing: its policy allows the one
// style and the one script it holds, by their hashes, and pictures that it holds. Without JavaScript the tables, the
// calendars, the curves and a picture of each map are there. The same Collection gives the same bytes.
func (c *Collection) Page(w io.Writer, config PageConfig) error {
	t, err := template.New("page").Parse(pageTemplate)
	if err != nil {
		panic(err) // it is a constant
	}
	view, err := newPage(c, config.withDefaults())
	if err != nil {
		return err
	}
	if err := t.Execute(w, view); err != nil {
		return fmt.Errorf("report: page: %w", err)
	}
	return nil
}

// page is what the template shows.
type page struct {
	Policy string
	CSS    template.CSS
	JS     template.JS

	Title    string
	Networks []string
	More     string // networks that the title does not name
	Span     string
	Trust    string
	Doubted  bool
	Zone     string // of local days and hours
	Sections []pageSection
	Tiles    []pageTile

	Maps      *pageMaps
	Calendars []pageCalendar
	Hours     []pageCurve
	Blocks    pageTable
	Events    pageTable
	Targets   pageTable
	Groups    pageTable
	Words     []pageWord
}

type pageSection struct{ ID, Name string }

type pageWord struct{ Name, Text string }

func newPage(c *Collection, config PageConfig) (*page, error) {
	maps, err := packMaps(c, config)
	if err != nil {
		return nil, err
	}
	v := &page{Policy: pagePolicy(), CSS: template.CSS(pageStyle), JS: template.JS(pageScript), Maps: maps,
		Calendars: pageCalendars(c), Hours: pageCurves(c), Blocks: blockTable(c, config.Blocks), Events: eventTable(c, config.Events),
		Targets: targetTable(c, config.Targets), Groups: groupTable(c), Words: pageWords()}
	v.head(c)
	v.Tiles = pageTiles(c)
	v.sections()
	return v, nil
}

// pagePolicy is the Content-Security-Policy.
func pagePolicy() string {
	hash := func(text string) string {
		sum := sha256.Sum256([]byte(text))
		return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}
	return "default-src 'none'; base-uri 'none'; form-action 'none'; img-src data:; style-src " + hash(pageStyle) +
		"; script-src " + hash(pageScript)
}

// sections lists what there is, for the links at the top.
func (v *page) sections() {
	for _, s := range []struct {
		there bool
		pageSection
	}{
		{v.Maps != nil, pageSection{"map", "Map"}},
		{len(v.Calendars) > 0, pageSection{"use", "Use"}},
		{len(v.Hours) > 0, pageSection{"hours", "Latency by hour"}},
		{len(v.Blocks.Rows) > 0, pageSection{"blocks", "Blocks"}},
		{len(v.Events.Rows) > 0, pageSection{"events", "Events"}},
		{len(v.Targets.Rows) > 0, pageSection{"targets", "Slow targets"}},
		{len(v.Groups.Rows) > 0, pageSection{"groups", "Networks and labels"}},
		{true, pageSection{"about", "How to read it"}},
	} {
		if s.there {
			v.Sections = append(v.Sections, s.pageSection)
		}
	}
}

func pageWords() []pageWord {
	return []pageWord{
		{"RTT", "From the echo request on the wire to its reply, by the kernel's stamps."},
		{"Answering", "Share of the targets that answered. On the map an answer is a colour, silence is blank."},
		{"A", "Share of the echoes that addresses which have ever answered did answer, 0 to 1."},
		{"Use", "always: stable, A above 0.95; sometimes: up for 6 hours or more at a time; intermittent: for less; underused: A below 0.1; unclassifiable: too few addresses answer (Heidemann 2008; Cai, Heidemann 2010)."},
		{"Churn", "static: the same addresses answer for days; dhcp: sessions begin and end as where addresses are handed out; mixed; unused. A session is of an address: an echo cannot tell whose it is."},
		{"Daily latency", "Swing of the RTT over the day, peak to peak: low above 0.5 ms, mild above 1 ms, severe above 3 ms; with the hour at which it is highest (Fontugne 2020)."},
		{"Outage", "The belief that a block is up, by its own history, fell below 0.1. Begin and end are known to within the time between two sweeps (Quan 2013)."},
		{"Renumbering", "The same population answers from another block: no outage."},
		{"Own way", "Most blocks were silent at once, or a reference was: the prober's uplink is suspect, and nothing is said of blocks meanwhile."},
		{"Rate limiting", "Loss to a block grows with the rate of the requests."},
	}
}

// zoneName says in which zone days and hours are.
func zoneName(l *time.Location, at int64) string {
	if l == time.UTC || l.String() == "UTC" {
		return "UTC"
	}
	return l.String() + ", " + time.Unix(0, at).In(l).Format("UTC-07:00") + " at the end"
}
