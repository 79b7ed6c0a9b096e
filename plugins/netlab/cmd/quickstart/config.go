package main

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

// What the sample configurations are set to.
const (
	instance  = "lab"
	rawDB     = "telegraf" // as in the samples
	rollupDB  = "rollup"
	interval  = 10 * time.Second
	sweepRate = 10_000
	timeout   = time.Second
)

// setting is a value for a key of a sample configuration.
type setting struct {
	table string // the table's header as it stands in the sample: [agent], [[inputs.execd]]
	key   string
	value any // string, int, or []string
}

// render puts values into a sample configuration. Each key must stand in its table exactly once, in use or
// commented out: what a sample does not show cannot be set.
func render(sample string, settings ...setting) (string, error) {
	for _, s := range settings {
		start, end, err := tableSpan(sample, s.table)
		if err != nil {
			return "", err
		}
		key := regexp.MustCompile(`(?m)^([ \t]*)(?:#[ \t]*)?` + regexp.QuoteMeta(s.key) + `[ \t]*=.*$`)
		body := sample[start:end]
		found := key.FindAllStringSubmatchIndex(body, -1)
		if len(found) != 1 {
			return "", fmt.Errorf("sample configuration: %s has %s %d times, want it once", s.table, s.key, len(found))
		}
		m := found[0]
		line := fmt.Sprintf("%s%s = %s", body[m[2]:m[3]], s.key, tomlValue(s.value))
		sample = sample[:start] + body[:m[0]] + line + body[m[1]:] + sample[end:]
	}
	return sample, nil
}

// tableSpan finds the text between a table's header and the next header. The empty header is what stands before
// the first one.
func tableSpan(text, header string) (start, end int, err error) {
	if header != "" {
		at := regexp.MustCompile(`(?m)^[ \t]*` + regexp.QuoteMeta(header) + `[ \t]*$`).FindStringIndex(text)
		if at == nil {
			return 0, 0, fmt.Errorf("sample configuration: no table %s", header)
		}
		start = at[1]
	}
	end = len(text)
	if next := regexp.MustCompile(`(?m)^[ \t]*\[`).FindStringIndex(text[start:]); next != nil {
		end = start + next[0]
	}
	return start, end, nil
}

// tomlValue writes a value as TOML does; Go's quoting of what we set is TOML's.
func tomlValue(v any) string {
	switch v := v.(type) {
	case string:
		return fmt.Sprintf("%q", v)
	case []string:
		quoted := make([]string, len(v))
		for i, s := range v {
			quoted[i] = fmt.Sprintf("%q", s)
		}
		return "[" + strings.Join(quoted, ", ") + "]"
	}
	return fmt.Sprint(v)
}

// sweepSettings make the sample of icmp_sweep sweep the lab.
func sweepSettings(network string) []setting {
	const table = "[[inputs.icmp_sweep]]"
	return []setting{
		{table, "interval", interval.String()},
		{table, "networks", []string{network}},
		{table, "instance", instance},
		{table, "rate", sweepRate},
		{table, "timeout", timeout.String()},
	}
}

// bfdSettings make the sample of bfd watch a link.
func bfdSettings(link string) []setting {
	const table = "[[inputs.bfd]]"
	return []setting{
		{table, "interval", interval.String()},
		{table, "interfaces", []string{link}},
		{table, "instance", instance},
	}
}

// telegrafSettings make the sample of Telegraf run command and write to url.
func telegrafSettings(command []string, url string) []setting {
	return []setting{
		{"[agent]", "interval", interval.String()},
		{"[[inputs.execd]]", "command", command},
		{"[[outputs.influxdb_v2]]", "urls", []string{url}},
		{"[[outputs.influxdb_v2]]", "bucket", rawDB + "/autogen"},
	}
}

// pipelineSettings make the sample of the pipeline read and write the databases at url.
func pipelineSettings(url, state string) []setting {
	return []setting{
		{"", "state_dir", state},
		{"", "sweep_interval", interval.String()},
		{"[source]", "url", url},
		{"[source]", "bucket", rawDB + "/autogen"},
		{"[sink]", "bucket", rollupDB + "/autogen"},
	}
}
