package stanza

import (
	"errors"
	"testing"
	"time"

	"github.com/influxdata/telegraf"

	"echogram/plugins/internal/prober"
	"echogram/plugins/schema"
)

func TestInstance(t *testing.T) {
	for name, want := range map[string]string{"": "default", "east": "east"} {
		if got, err := Instance(name); err != nil || got != want {
			t.Errorf("%q: %q, %v", name, got, err)
		}
	}
	var p *prober.Problem
	if _, err := Instance(`east\`); !errors.As(err, &p) || p.Key != "instance" {
		t.Errorf("got %v", err)
	}
}

// theirs is an accumulator of Telegraf's, ours one that takes rows.
type theirs struct {
	telegraf.Accumulator
	measurement string
	fields      map[string]any
	tags        map[string]string
	at          time.Time
}

func (a *theirs) AddFields(measurement string, fields map[string]any, tags map[string]string, at ...time.Time) {
	a.measurement, a.fields, a.tags, a.at = measurement, fields, tags, at[0]
}

type ours struct {
	telegraf.Accumulator
	row schema.Row
}

func (a *ours) AddRow(row schema.Row) { a.row = row }

func TestEmit(t *testing.T) {
	row := &schema.BFDEventRow{BFDSeries: schema.BFDSeries{Local: "192.0.2.1"}, Event: schema.BFDEventUp, Time: 1_790_000_000_123_456_789, Text: "up"}
	a := &ours{}
	if Emit(a, row); a.row != row {
		t.Error("the row is another one")
	}
	b := &theirs{}
	Emit(b, row)
	if b.measurement != schema.BFDEvent || b.fields["text"] != "up" || b.tags["local"] != "192.0.2.1" || b.tags["event"] != "up" || b.at.UnixNano() != row.Time {
		t.Errorf("%+v", b)
	}
}
