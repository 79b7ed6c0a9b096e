// Package config reads echogram-pipeline's configuration: TOML, strict, with ${NAME} for environment variables in
// string values. It owns defaults, checks, and the printed form without secrets. sampleconfig/pipeline.toml
// documents every key.
package config

import (
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"strings"
	"time"

	"echogram/pipeline/influx"
	"echogram/pipeline/lines"
	"echogram/pipeline/outlier"
	"echogram/pipeline/path"
	"echogram/pipeline/rollup"
	"echogram/pipeline/source"
	"echogram/sampleconfig/strict"
)

// Config is a checked configuration.
type Config struct {
	StateDir      string            `toml:"state_dir"`
	Interval      strict.Duration   `toml:"interval"`
	SweepInterval strict.Duration   `toml:"sweep_interval"`
	LateWindow    strict.Duration   `toml:"late_window"`
	Lateness      strict.Duration   `toml:"lateness"`
	Revisit       strict.Duration   `toml:"revisit"`
	Windows       []strict.Duration `toml:"windows"`
	PerTarget     strict.Duration   `toml:"per_target"`
	TargetFields  []string          `toml:"target_fields"`
	Filter        string            `toml:"filter"`
	FilterK       float64           `toml:"filter_k"`
	FilterRTTs    int               `toml:"filter_rtts"`
	LogLevel      slog.Level        `toml:"log_level"`
	Measurement   []Measurement     `toml:"measurement"`
	Path          Path              `toml:"path"`
	Block         Block             `toml:"block"`
	Source        Source            `toml:"source"`
	Sink          Sink              `toml:"sink"`
}

// Measurement is lines.Measurement as a configuration writes it.
type Measurement struct {
	Name     string `toml:"name"`
	Field    string `toml:"field"`
	Unit     string `toml:"unit"`
	Target   string `toml:"target"`
	Sent     string `toml:"sent"`
	Received string `toml:"received"`
}

// Path says how shifts of the floor are looked for.
type Path struct {
	Shifts     bool            `toml:"shifts"`
	HopDelay   strict.Duration `toml:"hop_delay"`
	NsPerMetre float64         `toml:"ns_per_metre"`
	Least      strict.Duration `toml:"least"`
	MinValues  int             `toml:"min_values"`
	References []string        `toml:"references"`
}

// Server says which bucket of which server, and how to log in.
type Server struct {
	URL       string `toml:"url"`
	Org       string `toml:"org"`
	Bucket    string `toml:"bucket"`
	Token     string `toml:"token"`
	TokenFile string `toml:"token_file"`

	where influx.Where
}

// Types of sources and sinks.
const (
	InfluxDB = "influxdb"
	Stdin    = "stdin"
	File     = "file"
	Stdout   = "stdout"
)

// Source is where raw points are read.
type Source struct {
	Type string `toml:"type"`
	Server
	Language string `toml:"language"`
	Readers  int    `toml:"readers"`
}

// Sink is where rollups are written.
type Sink struct {
	Type string `toml:"type"`
	Path string `toml:"path"`
	Server
	Batch int `toml:"batch"`
}

// Load reads and checks the file path. Errors are *strict.Error, one or several, or that of reading the file.
func Load(path string, lookup func(string) (string, bool)) (*Config, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("config: %w", err)
	}
	return Parse(path, data, lookup)
}

// Parse is Load for a file's content.
func Parse(path string, data []byte, lookup func(string) (string, bool)) (*Config, error) {
	c := &Config{
		StateDir:      "/var/lib/echogram-pipeline",
		Interval:      strict.Seconds(10),
		SweepInterval: strict.Seconds(10),
		LateWindow:    strict.Seconds(60),
		Windows:       []strict.Duration{{Duration: time.Minute}, {Duration: 10 * time.Minute}, {Duration: time.Hour}, {Duration: day}},
		Filter:        outlier.Sigma.String(),
		FilterRTTs:    rollup.DefaultRTTs,
		Path: Path{Shifts: true, HopDelay: strict.Duration{Duration: 20 * time.Microsecond}, NsPerMetre: 10,
			Least: strict.Duration{Duration: 150 * time.Nanosecond}, MinValues: 10},
		Block:  blockDefaults(),
		Source: Source{Type: InfluxDB, Language: source.Auto, Readers: 2},
		Sink:   Sink{Type: InfluxDB, Batch: 5000},
	}
	doc, err := strict.Decode(path, data, c, strict.Env(lookup))
	if err != nil {
		return nil, err
	}
	c.derive(doc)
	k := checker{doc: doc}
	k.times(c)
	k.windows(c)
	k.targetFields(c)
	k.methods(c)
	k.block(&c.Block)
	k.servers(c)
	return c, k.err()
}

const day = 24 * time.Hour

// derive fills in the defaults that depend on other keys.
func (c *Config) derive(doc *strict.Document) {
	if !doc.Has("lateness") {
		c.Lateness.Duration = c.SweepInterval.Duration + c.LateWindow.Duration + time.Minute
	}
	if !doc.Has("revisit") {
		c.Revisit.Duration = max(day, c.longest()) + c.Lateness.Duration + atLeastOpen
	}
	if !doc.Has("per_target") {
		c.PerTarget.Duration = max(time.Hour, c.tenSweeps())
	}
	if method, err := outlier.ParseMethod(c.Filter); err == nil && !doc.Has("filter_k") {
		c.FilterK = method.K()
	}
}

// atLeastOpen is how long a window stays open for corrections after it was due.
const atLeastOpen = 2 * time.Hour

func (c *Config) leastRevisit() time.Duration { return c.longest() + c.Lateness.Duration + atLeastOpen }

func (c *Config) longest() time.Duration {
	if len(c.Windows) == 0 {
		return 0
	}
	return c.Windows[len(c.Windows)-1].Duration
}

func (c *Config) tenSweeps() time.Duration { return 10 * c.SweepInterval.Duration }

// Lengths are those of the windows.
func (c *Config) Lengths() []time.Duration {
	all := make([]time.Duration, len(c.Windows))
	for i, w := range c.Windows {
		all[i] = w.Duration
	}
	return all
}

// Rollup is what pipeline/rollup needs to know.
func (c *Config) Rollup() rollup.Config {
	method, err := outlier.ParseMethod(c.Filter)
	if err != nil {
		panic(err) // it has been checked
	}
	return rollup.Config{Lengths: c.Lengths(), PerTarget: c.PerTarget.Duration, FilterRTTs: c.FilterRTTs, Filter: outlier.Config{Method: method, K: c.FilterK}}
}

// Measurements are those that are read besides icmp_sweep.
func (c *Config) Measurements() []lines.Measurement {
	var all []lines.Measurement
	for _, m := range c.Measurement {
		all = append(all, lines.Measurement(m))
	}
	return all
}

// ShiftConfig is what pipeline/path needs to know of shifts.
func (c *Config) ShiftConfig() path.ShiftConfig {
	return path.ShiftConfig{HopDelay: c.Path.HopDelay.Duration, NsPerMetre: c.Path.NsPerMetre,
		Least: float64(c.Path.Least.Duration), MinValues: c.Path.MinValues}
}

// Client is what pipeline/influx needs to know of s.
func (s *Server) Client(retries int, log *slog.Logger) influx.Config {
	return influx.Config{URL: s.URL, Org: s.Org, Bucket: s.Bucket, Token: s.Token, Where: s.where, Retries: retries, Log: log}
}

// Identity names the source, without secrets.
func (s *Source) Identity() string {
	if s.Type == Stdin {
		return strings.TrimSpace(s.Type + " " + s.Server.Identity())
	}
	return s.Server.Identity()
}

// Identity names the sink, without secrets.
func (s *Sink) Identity() string {
	if s.Type == InfluxDB {
		return s.Server.Identity()
	}
	return strings.TrimSpace(s.Type + " " + s.Path)
}

// Identity names the bucket, without secrets; "" when there is none.
func (s *Server) Identity() string {
	if s.URL == "" {
		return ""
	}
	return s.Public() + " " + s.Org + " " + s.Bucket
}

// OneBucket tells whether source and sink are the same bucket. That works, as measurements of raw points and of rows are
// others, but both are kept equally long.
func (c *Config) OneBucket() bool {
	plain := func(s *Server) string { return strings.TrimSuffix(s.Identity(), "/autogen") }
	return c.Sink.Type == InfluxDB && c.Source.URL != "" && plain(&c.Source.Server) == plain(&c.Sink.Server)
}

// Public is the URL without a login.
func (s *Server) Public() string {
	u, err := url.Parse(s.URL)
	if err != nil {
		return "" // it has been checked
	}
	u.User = nil
	return strings.TrimSuffix(u.String(), "/")
}

// Print writes the configuration with all defaults filled in, as TOML, and tokens as (set) or (none).
func (c *Config) Print(w io.Writer) error {
	var b strings.Builder
	windows := make([]string, len(c.Windows))
	for i, d := range c.Windows {
		windows[i] = rollup.Name(d.Duration)
	}
	fmt.Fprintf(&b, "state_dir = %q\ninterval = %q\nsweep_interval = %q\nlate_window = %q\nlateness = %q\nrevisit = %q\n",
		c.StateDir, c.Interval, c.SweepInterval, c.LateWindow, c.Lateness, c.Revisit)
	fmt.Fprintf(&b, "windows = %s\nper_target = %q\ntarget_fields = %s\nfilter = %q\nfilter_k = %v\nfilter_rtts = %d\nlog_level = %q\n\n",
		quoted(windows), c.PerTarget, quoted(c.TargetFields), c.Filter, c.FilterK, c.FilterRTTs, strings.ToLower(c.LogLevel.String()))
	for _, m := range c.Measurement {
		fmt.Fprintf(&b, "[[measurement]]\nname = %q\nfield = %q\nunit = %q\ntarget = %q\nsent = %q\nreceived = %q\n\n",
			m.Name, m.Field, m.Unit, m.Target, m.Sent, m.Received)
	}
	fmt.Fprintf(&b, "[path]\nshifts = %v\nhop_delay = %q\nns_per_metre = %v\nleast = %q\nmin_values = %d\nreferences = %s\n\n",
		c.Path.Shifts, c.Path.HopDelay, c.Path.NsPerMetre, c.Path.Least, c.Path.MinValues, quoted(c.Path.References))
	b.WriteString(c.Block.print())
	fmt.Fprintf(&b, "[source]\ntype = %q\n%slanguage = %q\nreaders = %d\n\n", c.Source.Type, c.Source.print(), c.Source.Language, c.Source.Readers)
	fmt.Fprintf(&b, "[sink]\ntype = %q\npath = %q\n%sbatch = %d\n", c.Sink.Type, c.Sink.Path, c.Sink.print(), c.Sink.Batch)
	_, err := io.WriteString(w, b.String())
	return err
}

func (s *Server) print() string {
	u, token := s.URL, "(none)"
	if p, err := url.Parse(u); err == nil {
		u = p.Redacted()
	}
	if s.Token != "" {
		token = "(set)"
	}
	text := fmt.Sprintf("url = %q\norg = %q\nbucket = %q\ntoken = %q\n", u, s.Org, s.Bucket, token)
	if s.TokenFile != "" {
		text += fmt.Sprintf("token_file = %q\n", s.TokenFile)
	}
	return text
}
