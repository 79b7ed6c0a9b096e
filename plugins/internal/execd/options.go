package execd

import (
	"fmt"
	"strings"

	"echogram/plugins/schema"
)

// Options are the keys that Telegraf itself knows in every input and that work here too. A stanza's struct embeds
// them beside the plugin.
type Options struct {
	Alias        string            `toml:"alias"`         // name in log lines
	Tags         map[string]string `toml:"tags"`          // added to every point that does not have them
	NameOverride string            `toml:"name_override"` // measurement of every point
	LogLevel     string            `toml:"log_level"`     // error, warn, info (default), debug
}

// Check refuses a log level that does not exist, and what line protocol cannot hold.
func (o *Options) Check() (key, text string) {
	if _, ok := levels[o.LogLevel]; !ok {
		return "log_level", fmt.Sprintf("%q is none of error, warn, info, debug", o.LogLevel)
	}
	if o.NameOverride != "" && schema.CheckName(o.NameOverride) != nil {
		return "name_override", fmt.Sprintf("%q cannot be a measurement: it ends in a backslash or holds a line break", o.NameOverride)
	}
	for k, v := range o.Tags {
		if schema.CheckName(k) != nil || v != "" && schema.CheckName(v) != nil {
			return "tags." + k, fmt.Sprintf("%q cannot be a tag: it ends in a backslash or holds a line break", v)
		}
	}
	return "", ""
}

// elsewhere are the keys that belong on [[inputs.execd]], because Telegraf does that work when it has our points.
var elsewhere = []string{
	"precision", "data_format", "collection_jitter", "collection_offset", "startup_error_behavior", "always_include_local_tags",
	"name_prefix", "name_suffix", "namepass", "namepass_separator", "namedrop", "namedrop_separator",
	"fieldpass", "fieldinclude", "fielddrop", "fieldexclude", "tagpass", "tagdrop", "taginclude", "tagexclude", "metricpass",
	"pass", "drop",
}

// Hint says, for a key that no stanza has, whether it belongs somewhere else.
func Hint(key string) string {
	name := key[strings.LastIndexByte(key, '.')+1:]
	for _, k := range elsewhere {
		if k == name {
			return "set this on [[inputs.execd]]"
		}
	}
	return ""
}
