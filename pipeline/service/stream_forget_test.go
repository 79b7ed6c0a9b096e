package service

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"echogram/pipeline/lines"
	"echogram/plugins/schema"
)

// TestForgottenSeries: targets that have gone are forgotten, and one that comes back is in one row, however its series is
// held.
func TestForgottenSeries(t *testing.T) {
	var text []byte
	for k := range 6 * 24 { // ten minutes each; the target of an hour comes back ten hours later
		at := noon.Add(time.Duration(k) * 10 * time.Minute).UnixNano()
		target := fmt.Sprintf("10.0.0.%d", k/6%10)
		text, _ = schema.AppendLine(text, &schema.SweepRow{Series: schema.Series{Host: "h", Instance: "i", Network: "10.0.0.0/24", Block: "10.0.0.0/24", Target: target},
			Time: at, Sent: 1, Received: 1, RTT: schema.Some(1000)})
		text, _ = schema.AppendLine(text, &schema.SweepStatsRow{Host: "h", Instance: "i", Time: at, Points: 1, Trust: schema.TrustOK})
	}
	_, m := fixture()
	s := NewStream(streamConfig(nil), Closed{}, m, nil, nil)
	r := lines.NewReader(strings.NewReader(string(text)), nil)
	if err := s.Read(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	kept := 0
	r.Forget(func(*schema.RTTSeries) bool { kept++; return false })
	if kept > 3 {
		t.Errorf("%d series are kept, of ten", kept)
	}
	if err := s.End(t.Context()); err != nil {
		t.Fatal(err)
	}
	hours := 0
	for line := range m.lines {
		if strings.HasPrefix(line, schema.ICMPSweepRollup+",") {
			hours++
			if !strings.Contains(line, ",sent=6i,") {
				t.Error(line)
			}
		}
	}
	if hours != 24 {
		t.Errorf("%d hours of targets, want 24", hours)
	}
}
