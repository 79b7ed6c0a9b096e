package config

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"echogram/pipeline/outlier"
	"echogram/pipeline/rollup"
	"echogram/pipeline/source"
	"echogram/plugins/schema"
	"echogram/sampleconfig/strict"
)

// checker collects what is wrong.
type checker struct {
	doc  *strict.Document
	errs []error
}

func (k *checker) bad(key, format string, args ...any) {
	k.errs = append(k.errs, k.doc.Errorf(key, format, args...))
}

func (k *checker) err() error {
	if len(k.errs) == 1 {
		return k.errs[0]
	}
	return errors.Join(k.errs...)
}

func (k *checker) times(c *Config) {
	if c.StateDir == "" {
		k.bad("state_dir", "is empty")
	}
	k.atLeastASecond("interval", c.Interval)
	k.atLeastASecond("sweep_interval", c.SweepInterval)
	if c.LateWindow.Duration < 0 {
		k.bad("late_window", "%v is negative", c.LateWindow)
	}
	if c.Lateness.Duration < c.SweepInterval.Duration {
		k.bad("lateness", "%v is less than sweep_interval, %v: no window could ever be complete", c.Lateness, c.SweepInterval)
	}
	if least := c.leastRevisit(); c.Revisit.Duration < least {
		k.bad("revisit", "%v is less than the longest window, lateness and 2h, %v", c.Revisit, strict.Duration{Duration: least})
	}
}

func (k *checker) atLeastASecond(key string, d strict.Duration) {
	if d.Duration < time.Second {
		k.bad(key, "%v is less than 1s", d)
	}
}

func (k *checker) windows(c *Config) {
	if len(c.Windows) == 0 {
		k.bad("windows", `is empty: ["1m", "10m", "1h", "1d"] is the default`)
	}
	before := time.Minute
	for i, w := range c.Windows {
		key := fmt.Sprintf("windows[%d]", i)
		multiple := w.Duration > 0 && w.Duration%before == 0
		right := strict.Duration{Duration: before * max(1, (w.Duration+before-1)/before)}
		switch {
		case !multiple && i == 0:
			k.bad(key, "%v is not a multiple of a minute: %v would do", w, right)
		case !multiple:
			k.bad(key, "%v is not a multiple of the one before, %v: %v would do", w, c.Windows[i-1], right)
		case i > 0 && w == c.Windows[i-1]:
			k.bad(key, "%v stands there already", w)
		}
		before = max(w.Duration, time.Minute)
	}
	if least := c.tenSweeps(); c.PerTarget.Duration < least {
		k.bad("per_target", "%v holds fewer than 10 sweeps of %v: %v or more would do", c.PerTarget, c.SweepInterval, strict.Duration{Duration: least})
	}
}

// targetFields checks the choice of fields, some of which are read back.
func (k *checker) targetFields(c *Config) {
	_, known := schema.Names(&schema.SweepRollupRow{})
	_, other := schema.Names(&schema.RTTRollupRow{})
	for i, name := range c.TargetFields {
		if known[name] == 0 && other[name] == 0 {
			k.bad(fmt.Sprintf("target_fields[%d]", i), "%q is no field of rollups of targets, such as rtt_mean_ns and sent are", name)
		}
	}
	if len(c.TargetFields) == 0 || !c.Path.Shifts || c.Sink.Type != InfluxDB {
		return
	}
	missing := slices.DeleteFunc(source.FloorFields(), func(name string) bool { return slices.Contains(c.TargetFields, name) })
	if len(missing) > 0 {
		k.bad("target_fields", "path.shifts also reads %s back: add them, or set path.shifts = false", strings.Join(missing, ", "))
	}
}

// Fewer RTTs tell nothing of noise; more than a day of one each second tell no more.
const (
	leastFilterRTTs = 100
	mostFilterRTTs  = 100_000
)

// methods checks what is computed, and of which points.
func (k *checker) methods(c *Config) {
	if method, err := outlier.ParseMethod(c.Filter); err != nil {
		k.bad("filter", "%q is not one of sigma, density, mad", c.Filter)
	} else if !(c.FilterK > 1 && c.FilterK <= 100) {
		k.bad("filter_k", "%v does not lie above 1 and up to 100: %v is the default of %v", c.FilterK, method.K(), method)
	}
	if c.FilterRTTs < leastFilterRTTs || c.FilterRTTs > mostFilterRTTs {
		k.bad("filter_rtts", "%d does not lie between %d and %d: %d is the default", c.FilterRTTs, leastFilterRTTs, mostFilterRTTs, rollup.DefaultRTTs)
	}
	seen := map[string]bool{}
	for i, m := range c.Measurements() {
		key := fmt.Sprintf("measurement[%d]", i)
		if err := m.Check(); err != nil {
			k.bad(key, "%s", strings.TrimPrefix(err.Error(), "lines: "))
		} else if seen[m.Name] {
			k.bad(key+".name", "%q is there already", m.Name)
		}
		seen[m.Name] = true
	}
	if c.Path.HopDelay.Duration <= 0 {
		k.bad("path.hop_delay", "%v is not positive: 20us is an office switch's, 2us a fast one's", c.Path.HopDelay)
	}
	if !(c.Path.NsPerMetre > 0) {
		k.bad("path.ns_per_metre", "%v is not positive: 10 is copper's and glass's, there and back", c.Path.NsPerMetre)
	}
	if c.Path.Least.Duration <= 0 {
		k.bad("path.least", "%v is not positive: 150ns is the default", c.Path.Least)
	}
	if c.Path.MinValues < 1 {
		k.bad("path.min_values", "%d is less than 1: 10 is the default", c.Path.MinValues)
	}
	k.addresses("path.references", c.Path.References)
}

// addresses writes each of a list as the tag of a target does.
func (k *checker) addresses(key string, list []string) {
	for i, text := range list {
		a, err := netip.ParseAddr(text)
		if err != nil {
			k.bad(fmt.Sprintf("%s[%d]", key, i), "%q is no address such as 192.0.2.1", text)
			continue
		}
		list[i] = a.String()
		if slices.Contains(list[:i], list[i]) {
			k.bad(fmt.Sprintf("%s[%d]", key, i), "%q stands there already", text)
		}
	}
}

func (k *checker) oneOf(key, value string, allowed ...string) {
	if !slices.Contains(allowed, value) {
		k.bad(key, "%q is not one of %s", value, strings.Join(allowed, ", "))
	}
}

func (k *checker) servers(c *Config) {
	k.oneOf("source.type", c.Source.Type, InfluxDB, Stdin)
	k.oneOf("sink.type", c.Sink.Type, InfluxDB, File, Stdout)
	k.oneOf("source.language", c.Source.Language, source.Auto, source.InfluxQL, source.Flux)
	if c.Source.Readers < 1 || c.Source.Readers > 64 {
		k.bad("source.readers", "%d is not between 1 and 64", c.Source.Readers)
	}
	if c.Sink.Batch < 1 || c.Sink.Batch > 100_000 {
		k.bad("sink.batch", "%d is not between 1 and 100000", c.Sink.Batch)
	}
	if c.Source.Type == InfluxDB || c.Source.URL != "" { // of a type that there is not, that is enough to say
		k.server("source", &c.Source.Server)
	}
	c.Source.where.URL, c.Source.where.Bucket = k.where("source.url"), k.where("source.bucket")
	switch {
	case c.Sink.Type == InfluxDB:
		k.sinkServer(c)
	case c.Sink.Type == File && c.Sink.Path == "":
		k.bad("sink.path", "is missing: where the file goes, such as /var/lib/echogram-pipeline/rollups.lp")
	}
	if c.Sink.Type != File && c.Sink.Path != "" {
		k.bad("sink.path", "is for type = %q, not for %q", File, c.Sink.Type)
	}
}

// sinkServer fills in what the sink shares with the source.
func (k *checker) sinkServer(c *Config) {
	urlAt := "sink.url"
	if to, from := &c.Sink.Server, &c.Source.Server; from.URL != "" && (to.URL == "" || to.URL == from.URL) {
		if to.URL == "" {
			urlAt = "source.url"
		}
		to.URL = from.URL
		if to.Org == "" {
			to.Org = from.Org
		}
		if to.Token == "" && to.TokenFile == "" {
			to.Token, to.TokenFile = from.Token, from.TokenFile
		}
	}
	if urlAt == "sink.url" && !(c.Sink.URL == "" && c.Source.Type != Stdin) {
		k.server("sink", &c.Sink.Server)
	} else {
		k.bucket("sink", &c.Sink.Server)
	}
	c.Sink.where.URL, c.Sink.where.Bucket = k.where(urlAt), k.where("sink.bucket")
}

func (k *checker) where(key string) string {
	if line := k.doc.Line(key); line > 0 {
		return fmt.Sprintf("%s:%d", k.doc.File(), line)
	}
	return k.doc.File()
}

func (k *checker) server(table string, s *Server) {
	u, err := url.Parse(s.URL)
	switch {
	case s.URL == "":
		k.bad(table+".url", "is missing")
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		k.bad(table+".url", "is not a URL such as http://127.0.0.1:8086") // not shown: it may hold a password
	}
	k.bucket(table, s)
}

func (k *checker) bucket(table string, s *Server) {
	if s.Bucket == "" {
		k.bad(table+".bucket", "is missing")
	}
	if s.TokenFile == "" || s.Token != "" && !k.doc.Has(table+".token") {
		return // none, or the source's, read already
	}
	if s.Token != "" {
		k.bad(table+".token_file", "and token are both set")
		return
	}
	data, err := os.ReadFile(s.TokenFile)
	if err != nil {
		k.bad(table+".token_file", "%v", err)
		return
	}
	if s.Token = strings.TrimSpace(string(data)); s.Token == "" {
		k.bad(table+".token_file", "%s is empty", s.TokenFile)
	}
}
