package bfdwatch

import (
	"cmp"
	"strings"
	"time"

	"echogram/plugins/schema"
)

// MinPeriod is the least length of a period: an echo's return is awaited for as long.
const MinPeriod = time.Second

// Config says what a Watch does. It does not change once a Watch has it.
type Config struct {
	Host     string        // tag host
	Instance string        // tag instance
	Labels   []schema.Tag  // further tags of all rows
	Period   time.Duration // length of a period, at least MinPeriod; default 10 s. Periods begin at its multiples
	PerEcho  bool          // a row for each echo, too
	// Tap names the capture point of an interface index (0: unknown), for the tag tap; nil: no tag.
	Tap func(ifindex int32) string
	// Local are the addresses, IP or MAC, of the device that is captured on, where frames do not tell their direction.
	Local        []string
	MaxSessions  int              // sessions, and streams of echoes, that are kept; default 10,000 each
	NearMiss     float64          // a gap of more than this × T is a near miss; default 1.5
	Forget       time.Duration    // silent sessions are forgotten after this; default 10 min
	MirrorWindow time.Duration    // equal frames within this are one; default 1 ms; negative: never
	SortWindow   time.Duration    // packets this late are put in their place; default 1 s, for captures of several interfaces come in batches
	Emit         func(schema.Row) // takes all rows; required
	Trace        func(*Sight)     // takes each BFD packet as it was read, accepted or refused, unsorted; may be nil
}

func (c *Config) setDefaults() {
	c.Period = max(cmp.Or(c.Period, DefaultPeriod), MinPeriod)
	c.MaxSessions = cmp.Or(c.MaxSessions, DefaultMaxSessions)
	c.NearMiss = cmp.Or(c.NearMiss, DefaultNearMiss)
	c.Forget = cmp.Or(c.Forget, DefaultForget)
	c.MirrorWindow = cmp.Or(c.MirrorWindow, defaultMirror)
	c.SortWindow = cmp.Or(c.SortWindow, defaultSort)
	if c.Tap == nil {
		c.Tap = func(int32) string { return "" }
	}
}

func (c *Config) localSet() map[string]bool {
	m := map[string]bool{}
	for _, a := range c.Local {
		m[strings.ToLower(a)] = true
	}
	return m
}
