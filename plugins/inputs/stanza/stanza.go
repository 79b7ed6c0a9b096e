// Package stanza is what the stanzas of all our inputs have in common: an instance, and the way of a row to Telegraf.
// It knows no option of a single input.
package stanza

import (
	"fmt"
	"time"

	"github.com/influxdata/telegraf"

	"echogram/plugins/internal/prober"
	"echogram/plugins/schema"
)

// DefaultInstance is the tag instance of stanzas that do not say.
const DefaultInstance = "default"

// Instance returns the tag instance of a stanza that says name. The error is a *prober.Problem.
func Instance(name string) (string, error) {
	if name == "" {
		return DefaultInstance, nil
	}
	if schema.CheckName(name) != nil {
		return "", &prober.Problem{Key: "instance", Text: fmt.Sprintf("%q cannot be a tag: it ends in a backslash or holds a line break", name)}
	}
	return name, nil
}

// rowAdder is an accumulator that takes rows as they are; echogram's execd loop has one.
type rowAdder interface {
	AddRow(schema.Row)
}

// Emit hands a row to Telegraf, at the row's own time.
func Emit(acc telegraf.Accumulator, row schema.Row) {
	if a, ok := acc.(rowAdder); ok {
		a.AddRow(row)
		return
	}
	var p schema.Point
	schema.Fill(&p, row)
	acc.AddFields(p.Measurement, p.FieldMap(), p.TagMap(), time.Unix(0, p.Time))
}
