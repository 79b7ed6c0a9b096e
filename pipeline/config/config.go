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
	"echogram/sampleconfig/strict"
)

// Config is a checked configuration.
type Config struct {
	StateDir      string          `toml:"state_dir"`
	Interval      strict.Duration `toml:"interval"`
	SweepInterval strict.Duration `toml:"sweep_interval"`
	LateWindow    strict.Duration `toml:"late_window"`
	Lateness      strict.Duration `toml:"lateness"`
	Revisit       strict.Duration `toml:"revisit"`
	LogLevel      slog.Level      `toml:"log_level"`
	Source        Source          `toml:"source"`
	Sink          Sink            `toml:"sink"`
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

// Source is where raw points are read.
type Source struct {
	Server
	Language string `toml:"language"`
	Readers  int    `toml:"readers"`
}

// Sink is where rollups are written.
type Sink struct {
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
		Revisit:       strict.Duration{Duration: 24 * time.Hour},
		Source:        Source{Language: "auto", Readers: 2},
		Sink:          Sink{Batch: 5000},
	}
	doc, err := strict.Decode(path, data, c, strict.Env(lookup))
	if err != nil {
		return nil, err
	}
	if !doc.Has("lateness") {
		c.Lateness.Duration = c.SweepInterval.Duration + c.LateWindow.Duration + time.Minute
	}
	k := checker{doc: doc}
	k.times(c)
	k.servers(c)
	return c, k.err()
}

// Client is what pipeline/influx needs to know of s.
func (s *Server) Client(retries int, log *slog.Logger) influx.Config {
	return influx.Config{URL: s.URL, Org: s.Org, Bucket: s.Bucket, Token: s.Token, Where: s.where, Retries: retries, Log: log}
}

// Identity names the bucket, without secrets.
func (s *Server) Identity() string {
	u, err := url.Parse(s.URL)
	if err != nil {
		return s.Bucket
	}
	u.User = nil
	return strings.TrimSuffix(u.String(), "/") + " " + s.Org + " " + s.Bucket
}

// Print writes the configuration with all defaults filled in, as TOML, and tokens as (set) or (none).
func (c *Config) Print(w io.Writer) error {
	_, err := fmt.Fprintf(w, "state_dir = %q\ninterval = %q\nsweep_interval = %q\nlate_window = %q\nlateness = %q\nrevisit = %q\nlog_level = %q\n\n",
		c.StateDir, c.Interval, c.SweepInterval, c.LateWindow, c.Lateness, c.Revisit, strings.ToLower(c.LogLevel.String()))
	if err == nil {
		_, err = fmt.Fprintf(w, "[source]\n%slanguage = %q\nreaders = %d\n\n", c.Source.print(), c.Source.Language, c.Source.Readers)
	}
	if err == nil {
		_, err = fmt.Fprintf(w, "[sink]\n%sbatch = %d\n", c.Sink.print(), c.Sink.Batch)
	}
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
