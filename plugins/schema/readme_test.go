package schema

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestReadmeTable holds the table of points in the project's README against the rows, both ways.
func TestReadmeTable(t *testing.T) {
	data, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	table := map[string][]string{} // names by measurement, as the README gives them
	for line := range strings.Lines(string(data)) {
		cells := strings.Split(line, "|")
		if len(cells) == 6 && regexp.MustCompile("^ `(icmp_|bfd_|path_|block_|…)").MatchString(cells[1]) {
			table[strings.Trim(cells[1], " `…")] = regexp.MustCompile(`[a-z0-9_]+`).FindAllString(cells[3]+" "+cells[4], -1)
		}
	}
	for _, r := range Rows() {
		if r.Measurement() == Ping {
			continue // Telegraf's own names
		}
		words := table[r.Measurement()]
		for _, other := range words { // "those of `icmp_sweep`"
			words = append(words, table[other]...)
		}
		tags, fields := Names(r)
		for _, tag := range tags {
			known[tag] = true
			if tag != TagName && tag != TagSize && !slices.Contains(words, tag) {
				t.Errorf("%s: tag %s is not in the README's table", r.Measurement(), tag)
			}
		}
		for name := range fields {
			known[name] = true
			if !slices.Contains(words, name) {
				t.Errorf("%s: field %s is not in the README's table", r.Measurement(), name)
			}
		}
	}
	for measurement, words := range table {
		for _, w := range words {
			if strings.Contains(w, "_") && !known[w] && table[w] == nil {
				t.Errorf("%s: the README's table has %s, the schema does not", measurement, w)
			}
		}
	}
}
