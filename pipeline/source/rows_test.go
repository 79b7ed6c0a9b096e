package source

import (
	"reflect"
	"testing"

	"echogram/plugins/schema"
)

// TestRowTable: every kind of row comes back from the answer that InfluxDB would make of it.
func TestRowTable(t *testing.T) {
	want := schema.BlockOutageRow{
		BlockSeries: schema.BlockSeries{Host: "h", Instance: "i", Group: schema.GroupBlock, Network: "10.0.0.0/16", Block: "10.0.0.0/24",
			Labels: []schema.Tag{{Key: "site", Value: "a b"}}},
		Event: schema.EventOutage, Time: 3, Prefix: "10.0.0.0/25", Open: true, Duration: 7, Addresses: 9, BeliefLow: 0.01, Reason: `silent, "all" of it`,
	}
	columns := "time duration_ns addresses belief_low open prefix reason"
	answer := packed(t, stretch{"block=10.0.0.0/24,event=outage,group=block,host=h,instance=i,network=10.0.0.0/16,site=a b", columns,
		[][]any{{3, 7, 9, 0.01, true, "10.0.0.0/25", `silent, "all" of it`}}},
		stretch{"event=outage", columns, [][]any{{4, nil, nil, nil, nil, nil, nil}}})
	var got []schema.BlockOutageRow
	err := readAnswer(answer, rowTable(new(schema.BlockOutageRow)), &grouping{}, func(s *schema.RTTSeries, p *schema.Point) {
		p.Measurement, p.Tags = schema.BlockOutage, s.Labels
		var row schema.BlockOutageRow
		if err := schema.Read(p, &row); err != nil {
			t.Error(err)
		}
		got = append(got, row)
	})
	if err != nil || len(got) != 1 || !reflect.DeepEqual(got[0], want) {
		t.Errorf("%v\n got %+v\nwant %+v", err, got, want)
	}
}

// TestWholeFields: what marks a row as whole is a field of it.
func TestWholeFields(t *testing.T) {
	kinds := map[string]schema.Row{}
	for _, r := range schema.Rows() {
		if kinds[r.Measurement()] == nil { // the rows of late replies come second
			kinds[r.Measurement()] = r
		}
	}
	for measurement, name := range whole {
		if _, fields := schema.Names(kinds[measurement]); fields[name] == 0 {
			t.Errorf("%s has no field %s", measurement, name)
		}
	}
}

func TestOutcomes(t *testing.T) {
	answer := packed(t, stretch{"block=b,target=10.0.0.1", "time sent received late result_code rtt_ns", [][]any{{1, 1, 0, nil, 2, nil}}})
	var got schema.SweepRow
	err := readAnswer(answer, outcomes, plain(outcomes), func(_ *schema.RTTSeries, r *schema.SweepRow) { got = *r })
	if want := (schema.SweepRow{Time: 1, Sent: 1, ResultCode: schema.ResultICMPError}); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
}
