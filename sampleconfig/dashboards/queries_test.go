// Package dashboards holds the tests of the dashboards beside it. There is nothing in it to import.
//
// Its layers: queries (every query of every file, found by its look, so that none is left out), names (those in the
// queries against plugins/schema), structure (files against the formats that take them), and, tagged integration, all
// queries run on a real InfluxDB that the simulator and the pipeline have filled.
package dashboards

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"gopkg.in/yaml.v3"
)

// query is one query as it stands in a file.
type query struct {
	file  string
	place string        // title or name of the panel, cell, chart, annotation, variable, rule that has it
	kind  string        // of a panel, cell, chart or variable
	flux  bool          // else InfluxQL
	span  time.Duration // that a rule looks back; 0: what its reader chooses
	text  string
}

func (q query) String() string { return q.file + ": " + q.place + ":\n" + q.text }

// files lists what is shipped, by pattern.
func files(t *testing.T, pattern string) []string {
	t.Helper()
	names, err := filepath.Glob(pattern)
	if err != nil || len(names) == 0 {
		t.Fatalf("%s: no files (%v)", pattern, err)
	}
	return names
}

var shipped = []string{"grafana/dashboards/*.json", "grafana/provisioning/*/*.yaml", "chronograf/*.dashboard", "influxdb2/*.yml"}

// documents decodes a file: JSON, or YAML of one or more documents.
func documents(t *testing.T, file string) (all []any) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(filepath.Ext(file), ".y") {
		var v any
		if err := json.Unmarshal(data, &v); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		return []any{v}
	}
	for text := range strings.SplitSeq(string(data), "\n---\n") {
		var v any
		if err := yaml.Unmarshal([]byte(text), &v); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		all = append(all, v)
	}
	return all
}

// queries finds all queries of all files, each text once a file.
func queries(t *testing.T) []query {
	t.Helper()
	var all []query
	for _, pattern := range shipped {
		for _, file := range files(t, pattern) {
			begin := len(all)
			for _, d := range documents(t, file) {
				walk(d, query{file: file}, func(q query) {
					if !slices.ContainsFunc(all[begin:], func(p query) bool { return p.text == q.text }) {
						all = append(all, q)
					}
				})
			}
		}
	}
	if len(all) < 80 {
		t.Fatalf("%d queries: most are not found", len(all))
	}
	return all
}

var (
	fluxLook = regexp.MustCompile(`\bfrom\(bucket:|\btagValues\(`)
	qlLook   = regexp.MustCompile(`^(SELECT|SHOW) `)
)

// walk gives found each string below node that looks like a query; at is where it is.
func walk(node any, at query, found func(query)) {
	switch node := node.(type) {
	case map[string]any:
		at = at.below(node)
		if text, ok := tagValues(node); ok {
			at.text = text
			found(at)
			return
		}
		for _, child := range node {
			walk(child, at, found)
		}
	case []any:
		for _, child := range node {
			walk(child, at, found)
		}
	case string:
		if at.flux, at.text = fluxLook.MatchString(node), node; at.flux || qlLook.MatchString(node) {
			found(at)
		}
	}
}

func (q query) below(node map[string]any) query {
	for _, key := range []string{"title", "name"} {
		if s, ok := node[key].(string); ok {
			q.place = s
		}
	}
	for _, key := range []string{"type", "kind"} {
		if s, ok := node[key].(string); ok {
			q.kind = s
		}
	}
	if r, ok := node["relativeTimeRange"].(map[string]any); ok {
		q.span = time.Duration(r["from"].(int)) * time.Second
	}
	return q
}

// tagValues is the query of a template variable of Chronograf, whose placeholders Chronograf fills by what stands beside.
func tagValues(node map[string]any) (text string, ok bool) {
	if text, ok = node["influxql"].(string); !ok {
		return "", false
	}
	for name, key := range map[string]string{":database:": "db", ":measurement:": "measurement", ":tagKey:": "tagKey"} {
		value, _ := node[key].(string)
		text = strings.ReplaceAll(text, name, `"`+value+`"`)
	}
	return text, true
}
