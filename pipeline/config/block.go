package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // for systems that have no time zones of their own

	"echogram/pipeline/block"
	"echogram/pipeline/rollup"
	"echogram/plugins/schema"
	"echogram/sampleconfig/strict"
)

// Block says how blocks are looked at. Its thresholds are block.Config's.
type Block struct {
	Enabled    bool            `toml:"enabled"`
	Window     strict.Duration `toml:"window"`
	Timezone   string          `toml:"timezone"`
	Labels     []string        `toml:"labels"`
	References []string        `toml:"references"`

	Belief     float64 `toml:"belief"`
	Up         float64 `toml:"up"`
	Down       float64 `toml:"down"`
	Responders int     `toml:"responders"`
	Vantage    float64 `toml:"vantage"`

	Stable     float64         `toml:"stable"`
	Volatile   float64         `toml:"volatile"`
	LongUptime strict.Duration `toml:"long_uptime"`
	Underused  float64         `toml:"underused"`
	Classified float64         `toml:"classified"`

	Days    int             `toml:"days"`
	Span    int             `toml:"span"`
	Low     strict.Duration `toml:"low"`
	Mild    strict.Duration `toml:"mild"`
	Severe  strict.Duration `toml:"severe"`
	Targets int             `toml:"targets"`
	Top     int             `toml:"top"`

	Thresholds

	location *time.Location
}

// blockDefaults are those that pipeline/block names, with their sources.
func blockDefaults() Block {
	duration := func(d time.Duration) strict.Duration { return strict.Duration{Duration: d} }
	c := block.Defaults()
	b := Block{
		Enabled: true, Window: duration(c.Window), Timezone: "UTC", Labels: []string{"owner", "site", "asn"},
		Belief: c.Belief, Up: c.Up, Down: c.Down, Responders: c.Responders, Vantage: c.Vantage,
		Stable: c.Stable, Volatile: c.Volatile, LongUptime: duration(c.LongUptime), Underused: c.Underused, Classified: c.Classified,
		Days: c.Days, Span: c.Span, Low: duration(c.Low), Mild: duration(c.Mild), Severe: duration(c.Severe), Targets: c.Targets, Top: c.Top,
		location: c.Location,
	}
	b.from(c)
	return b
}

// Blocks is what pipeline/block needs to know; nil when blocks are not to be looked at.
func (c *Config) Blocks() *block.Config {
	b := &c.Block
	if !b.Enabled {
		return nil
	}
	out := &block.Config{
		Window: b.Window.Duration, Location: b.location, Labels: b.Labels, References: b.References,
		Belief: b.Belief, Up: b.Up, Down: b.Down, Responders: b.Responders, Vantage: b.Vantage,
		Stable: b.Stable, Volatile: b.Volatile, LongUptime: b.LongUptime.Duration, Underused: b.Underused, Classified: b.Classified,
		Days: b.Days, Span: b.Span, Low: b.Low.Duration, Mild: b.Mild.Duration, Severe: b.Severe.Duration, Targets: b.Targets, Top: b.Top,
	}
	b.to(out)
	return out
}

// maxSpan bounds what is remembered of each target.
const maxSpan = 60

func (k *checker) block(b *Block) {
	k.blockNames(b)
	for _, p := range []struct {
		key string
		v   float64
	}{{"belief", b.Belief}, {"up", b.Up}, {"down", b.Down}, {"vantage", b.Vantage}, {"stable", b.Stable}, {"volatile", b.Volatile},
		{"underused", b.Underused}, {"classified", b.Classified}} {
		if !(p.v > 0 && p.v < 1) {
			k.bad("block."+p.key, "%v does not lie between 0 and 1", p.v)
		}
	}
	if b.Down >= b.Up {
		k.bad("block.down", "%v is not less than up, %v: a block would be both", b.Down, b.Up)
	}
	for _, n := range []struct {
		key string
		v   int
	}{{"responders", b.Responders}, {"days", b.Days}, {"targets", b.Targets}, {"top", b.Top}} {
		if n.v < 1 {
			k.bad("block."+n.key, "%d is less than 1", n.v)
		}
	}
	k.blockTimes(b)
	k.thresholds(&b.Thresholds)
}

// blockNames checks what is no number, and finds the time zone.
func (k *checker) blockNames(b *Block) {
	location, err := time.LoadLocation(b.Timezone)
	if err != nil || b.Timezone == "" {
		k.bad("block.timezone", `%q is not a time zone such as "Europe/Berlin", "UTC" or "Local"`, b.Timezone)
	} else {
		b.location = location
	}
	k.addresses("block.references", b.References)
	for i, l := range b.Labels {
		key := fmt.Sprintf("block.labels[%d]", i)
		switch err := schema.CheckName(l); {
		case err != nil:
			k.bad(key, "%v", err)
		case slices.Contains([]string{schema.GroupBlock, schema.GroupNetwork, schema.GroupTarget}, l):
			k.bad(key, "%q is summed up as it is, and no label", l)
		case slices.Contains(b.Labels[:i], l):
			k.bad(key, "%q stands there already", l)
		}
	}
}

func (k *checker) blockTimes(b *Block) {
	if w := b.Window.Duration; w < time.Minute || day%w != 0 {
		k.bad("block.window", "%v is not a part of a day, a minute or longer: 1h would do", b.Window)
	}
	if b.LongUptime.Duration <= 0 {
		k.bad("block.long_uptime", "%v is not positive", b.LongUptime)
	}
	if b.Span < b.Days || b.Span > maxSpan {
		k.bad("block.span", "%d does not lie between days, %d, and %d", b.Span, b.Days, maxSpan)
	}
	if !(0 < b.Low.Duration && b.Low.Duration < b.Mild.Duration && b.Mild.Duration < b.Severe.Duration) {
		k.bad("block.low", "%v, mild, %v, and severe, %v, do not grow from above 0", b.Low, b.Mild, b.Severe)
	}
}

// print gives the section with all defaults filled in.
func (b *Block) print() string {
	return fmt.Sprintf("[block]\nenabled = %v\nwindow = %q\ntimezone = %q\nlabels = %s\nreferences = %s\n",
		b.Enabled, rollup.Name(b.Window.Duration), b.Timezone, quoted(b.Labels), quoted(b.References)) +
		fmt.Sprintf("belief = %v\nup = %v\ndown = %v\nresponders = %d\nvantage = %v\n", b.Belief, b.Up, b.Down, b.Responders, b.Vantage) +
		fmt.Sprintf("stable = %v\nvolatile = %v\nlong_uptime = %q\nunderused = %v\nclassified = %v\n",
			b.Stable, b.Volatile, b.LongUptime, b.Underused, b.Classified) +
		fmt.Sprintf("days = %d\nspan = %d\nlow = %q\nmild = %q\nsevere = %q\ntargets = %d\ntop = %d\n",
			b.Days, b.Span, b.Low, b.Mild, b.Severe, b.Targets, b.Top) +
		b.Thresholds.print()
}

// quoted writes a list of strings as TOML.
func quoted(all []string) string {
	list := make([]string, len(all))
	for i, s := range all {
		list[i] = strconv.Quote(s)
	}
	return "[" + strings.Join(list, ", ") + "]"
}
