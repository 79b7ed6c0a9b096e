package schema

import "testing"

func TestSweepRowCheck(t *testing.T) {
	for name, c := range map[string]struct {
		row  SweepRow
		want string
	}{
		"answered":            {SweepRow{Sent: 2, Received: 1, Late: 1, RTT: Some(0), RTTMax: Some(MaxRTT)}, ""},
		"of no counts":        {SweepRow{RTT: Some(5)}, ""},
		"more than was asked": {SweepRow{Sent: 1, Received: 2}, "schema: 2 replies and 0 late ones to 1 requests"},
		"late beside in time": {SweepRow{Sent: 1, Received: 1, Late: 1}, "schema: 1 replies and 1 late ones to 1 requests"},
		"negative":            {SweepRow{Sent: -1}, "schema: a count is negative: sent -1, received 0, late 0, duplicates 0, corrupt 0"},
		"overflow":            {SweepRow{Sent: 1, Received: 1 << 62, Late: 1 << 62}, "schema: 4611686018427387904 replies and 4611686018427387904 late ones to 1 requests"},
		"negative RTT":        {SweepRow{Sent: 1, Received: 1, RTT: Some(-5)}, "schema: -5 ns is no RTT"},
		"endless RTT":         {SweepRow{Sent: 1, Received: 1, RTT: Some(5), RTTMax: Some(1<<63 - 1)}, "schema: 9223372036854775807 ns is no RTT"},
	} {
		if got := text(c.row.Check()); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestSeriesCheck(t *testing.T) {
	for _, c := range []struct{ of, block, target, want string }{
		{"", "192.0.2.0/24", "192.0.2.7", ""},
		{"", "", "192.0.2.7", ""},
		{"ping", "banana", "", ""},
		{"", "banana", "192.0.2.7", `schema: block "banana" is no prefix`},
	} {
		s := RTTSeries{Of: c.of, Series: Series{Block: c.block, Target: c.target}}
		if got := text(s.Check()); got != c.want {
			t.Errorf("%+v: %q", c, got)
		}
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
