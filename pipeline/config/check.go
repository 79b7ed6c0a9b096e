package config

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"echogram/pipeline/source"
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
	if least := c.Lateness.Duration + 2*time.Hour; c.Revisit.Duration < least {
		k.bad("revisit", "%v is less than lateness and 2h, %v", c.Revisit, strict.Duration{Duration: least})
	}
}

func (k *checker) atLeastASecond(key string, d strict.Duration) {
	if d.Duration < time.Second {
		k.bad(key, "%v is less than 1s", d)
	}
}

func (k *checker) servers(c *Config) {
	k.server("source", &c.Source.Server)
	if languages := []string{source.Auto, source.InfluxQL, source.Flux}; !slices.Contains(languages, c.Source.Language) {
		k.bad("source.language", "%q is not one of %s", c.Source.Language, strings.Join(languages, ", "))
	}
	if c.Source.Readers < 1 || c.Source.Readers > 64 {
		k.bad("source.readers", "%d is not between 1 and 64", c.Source.Readers)
	}
	urlAt := "sink.url"
	if to, from := &c.Sink.Server, &c.Source.Server; to.URL == "" || to.URL == from.URL {
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
	if urlAt == "sink.url" {
		k.server("sink", &c.Sink.Server)
	} else {
		k.bucket("sink", &c.Sink.Server)
	}
	c.Source.where.URL, c.Source.where.Bucket = k.where("source.url"), k.where("source.bucket")
	c.Sink.where.URL, c.Sink.where.Bucket = k.where(urlAt), k.where("sink.bucket")
	if c.Sink.Batch < 1 || c.Sink.Batch > 100_000 {
		k.bad("sink.batch", "%d is not between 1 and 100000", c.Sink.Batch)
	}
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
