package dashboards

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"echogram/plugins/schema"
)

// TestNames holds the names in all queries against the schema.
func TestNames(t *testing.T) {
	for _, q := range queries(t) {
		for _, problem := range unknown(q) {
			t.Errorf("%v\n%s", q, problem)
		}
	}
}

func TestUnknownNamesAreFound(t *testing.T) {
	for text, want := range map[string]string{
		`from(bucket: "b") |> filter(fn: (r) => r._measurement == "icmp_swoop")`:                              "measurement icmp_swoop",
		`from(bucket: "b") |> filter(fn: (r) => r._field == "rtt_ns")`:                                        "no measurement",
		`from(bucket: "b") |> filter(fn: (r) => r._measurement == "icmp_sweep" and r._field == "rtt")`:        "field rtt",
		`from(bucket: "b") |> filter(fn: (r) => r._measurement == "icmp_sweep" and r.peer == "x")`:            "name peer",
		`from(bucket: "b") |> filter(fn: (r) => r._measurement == "bfd_echo") |> keep(columns: ["blocks"])`:   "name blocks",
		`import "v1" v1.tagValues(bucket: "b", tag: "blok", predicate: (r) => r._measurement == "bfd_event")`: "name blok",
		`SELECT mean("rtt") AS "m" FROM "d"."autogen"."icmp_sweep" WHERE "block" = :block:`:                   "name rtt",
		`SELECT mean("rtt_ns") FROM "d"."autogen"."icmp" WHERE "block" = :block:`:                             "measurement icmp",
		`SHOW TAG VALUES ON "d" FROM "icmp_sweep" WITH KEY="peer"`:                                            "name peer",
		`SELECT mean("rtt_ns") AS "m" FROM "d"."autogen"."icmp_sweep" WHERE "block" = :block:`:                "",
	} {
		got := strings.Join(unknown(query{text: text, flux: fluxLook.MatchString(text)}), "; ")
		if (want == "") != (got == "") || !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

var (
	fluxMeasurement = regexp.MustCompile(`r\._measurement == "(\w+)"`)
	fluxField       = regexp.MustCompile(`r\._field == "(\w+)"`)
	fluxColumn      = regexp.MustCompile(`\br\.([a-z]\w*)`)
	fluxTag         = regexp.MustCompile(`\btag: "(\w+)"`)
	fluxColumns     = regexp.MustCompile(`\bcolumns: \[([^\]]*)\]`)
	qlMeasurement   = regexp.MustCompile(`FROM (?:"\w+"\."autogen"\.)?"(\w+)"`)
	qlAround        = regexp.MustCompile(`FROM (?:"\w+"\.)*"\w+"|AS "\w+"|ON "\w+"`)
	quoted          = regexp.MustCompile(`"(\w+)"`)
)

// submatches are the first groups of all matches.
func submatches(re *regexp.Regexp, text string) (all []string) {
	for _, m := range re.FindAllStringSubmatch(text, -1) {
		all = append(all, m[1])
	}
	return all
}

// unknown says which of a query's names the schema does not have.
func unknown(q query) (problems []string) {
	measurements, fields, names := namesOf(q)
	known := map[string]bool{"_time": true, "_value": true, "_start": true, "_stop": true, "_field": true, "_measurement": true}
	isField := map[string]bool{}
	if len(measurements) == 0 {
		problems = append(problems, "no measurement")
	}
	for _, m := range measurements {
		rows := 0
		for _, row := range schema.Rows() {
			if row.Measurement() != m {
				continue
			}
			rows++
			tags, fields := schema.Names(row)
			for _, tag := range tags {
				known[tag] = true
			}
			for field := range fields {
				known[field], isField[field] = true, true
			}
		}
		if rows == 0 {
			problems = append(problems, "measurement "+m)
		}
	}
	for _, f := range fields {
		if !isField[f] {
			problems = append(problems, fmt.Sprintf("field %s of %v", f, measurements))
		}
	}
	for _, n := range names {
		if !known[n] {
			problems = append(problems, fmt.Sprintf("name %s of %v", n, measurements))
		}
	}
	return problems
}

// namesOf reads what a query names: measurements, fields, and what may be a tag or a field.
func namesOf(q query) (measurements, fields, names []string) {
	if !q.flux {
		return submatches(qlMeasurement, q.text), nil, submatches(quoted, qlAround.ReplaceAllString(q.text, ""))
	}
	names = slices.Concat(submatches(fluxColumn, q.text), submatches(fluxTag, q.text))
	for _, list := range submatches(fluxColumns, q.text) {
		names = append(names, submatches(quoted, list)...)
	}
	return submatches(fluxMeasurement, q.text), submatches(fluxField, q.text), names
}

// TestEveryMeasurementIsShown: what no dashboard shows is hard to find.
func TestEveryMeasurementIsShown(t *testing.T) {
	shown := map[string]bool{
		schema.Ping: true, "": true, schema.RollupSuffix: true, // Telegraf's own; rollups of measurements that users name
		schema.ICMPSample: true, schema.BFDEchoRTT: true, // a row a packet, on request
		schema.ICMPSweepBlockRollup: true, // the same as of networks
	}
	for _, q := range queries(t) {
		measurements, _, _ := namesOf(q)
		for _, m := range measurements {
			shown[m] = true
		}
	}
	for _, row := range schema.Rows() {
		if !shown[row.Measurement()] {
			t.Errorf("no dashboard shows %s", row.Measurement())
		}
	}
}
