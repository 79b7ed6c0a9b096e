package service

import (
	"fmt"
	"log/slog"
	"strings"
	"time"

	"echogram/plugins/schema"
	"echogram/sampleconfig/strict"
)

// events writes a log line when something befalls a block, and one when it is over.
type events struct {
	log  *slog.Logger
	open map[string]bool // those whose begin is told and whose end is not
}

// eventWords are the messages.
var eventWords = map[string]string{
	schema.EventOutage:      "outage",
	schema.EventRenumbering: "renumbering",
	schema.EventVantage:     "the prober's own way is suspect: nothing is said of blocks",
	schema.EventRateLimit:   "rate limiting",
}

// tell takes a row, which comes again as its event lasts.
func (e *events) tell(r *schema.BlockOutageRow) {
	key := eventKey(r)
	word := eventWords[r.Event]
	switch known := e.open[key]; {
	case r.Open && !known:
		e.open[key] = true
		e.log.Warn(word, about(r)...)
	case !r.Open && known:
		delete(e.open, key)
		e.log.Info(word+" is over", append(where(r), "after", lasting(r.Duration), "since", stamp(r.Time))...)
	case !r.Open:
		e.log.Warn(word, append(about(r), "after", lasting(r.Duration))...)
	}
}

// lasting writes a length of time as configurations do: 1h10m.
func lasting(ns int64) string { return strict.Duration{Duration: time.Duration(ns)}.String() }

func eventKey(r *schema.BlockOutageRow) string {
	s := &r.BlockSeries
	return strings.Join([]string{r.Event, s.Host, s.Instance, s.Group, s.Network, s.Block, fmt.Sprint(s.Labels, r.Time)}, "\x00")
}

// where names the block, or whose own way it is.
func where(r *schema.BlockOutageRow) []any {
	var list []any
	add := func(key, value string) {
		if value != "" {
			list = append(list, key, value)
		}
	}
	add("block", r.Block)
	if r.Prefix != r.Block {
		add("part", r.Prefix)
	}
	if r.Block == "" {
		add("network", r.Network)
	}
	add("to", r.To)
	for _, l := range r.Labels {
		add(l.Key, l.Value)
	}
	add("host", r.Host)
	add("instance", r.Instance)
	return list
}

// about says what there is to say when an event begins.
func about(r *schema.BlockOutageRow) []any {
	list := append(where(r), "since", stamp(r.Time))
	add := func(key string, value int64) {
		if value > 0 {
			list = append(list, key, value)
		}
	}
	add("addresses", r.Addresses)
	add("answering", r.Answering)
	add("blocks", r.Blocks)
	if r.Uncertain > 0 {
		list = append(list, "uncertain", lasting(r.Uncertain))
	}
	if r.Reason != "" {
		list = append(list, "reason", r.Reason)
	}
	return list
}
