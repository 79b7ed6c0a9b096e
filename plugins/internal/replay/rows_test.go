package replay

import (
	"slices"
	"testing"

	"echogram/plugins/internal/capture"
	"echogram/plugins/internal/targets"
	"echogram/plugins/schema"
)

// TestRows: order, names, times and sums of the rows.
func TestRows(t *testing.T) {
	got := replay(Config{Host: "h", Instance: "i", Labels: []schema.Tag{{Key: "site", Value: "x"}}},
		request(10, "198.51.100.9", 1, "x"), request(0, "198.51.100.8", 1, "x"), request(20, "2001:db8:7::7", 1, "x"),
		request(30, "198.51.101.1", 1, "x"), reply(40, "198.51.100.9", 1, "x"), reply(50, "198.51.101.1", 1, "x"),
		request(3*sec, "198.51.101.1", 2, "x"), reply(3*sec+70, "198.51.101.1", 2, "x"))
	var order []string
	for _, row := range got.rows {
		order = append(order, row.Target)
		if row.Time != 1700000000*sec || row.Host != "h" || row.Instance != "i" || row.Labels[0].Value != "x" || row.Network != row.Block {
			t.Errorf("%+v", row)
		}
	}
	if want := []string{"198.51.100.8", "198.51.100.9", "198.51.101.1", "2001:db8:7::7"}; !slices.Equal(order, want) {
		t.Errorf("order %v, want %v", order, want)
	}
	if len(got.blocks) != 3 || got.blocks[0].Block != "198.51.100.0/24" || got.blocks[2].Block != "2001:db8:7::/64" {
		t.Fatalf("blocks: %+v", got.blocks)
	}
	if b := got.blocks[0]; b.Targets != 2 || b.Responding != 1 || b.PercentResponding != 50 || b.RTTP50.N != 30 || b.RTTMean.N != 30 || b.Sent != 2 || b.Received != 1 {
		t.Errorf("%+v", b)
	}
	s := got.Stats
	if s.Points != 4 || s.Targets != 4 || s.Sent != 5 || s.Received != 3 || s.Trust != schema.TrustOK || s.StampKind != "file" ||
		s.Duration != 3*sec+70 || s.Rate != 5/3. || s.Partial || s.Time != 1700000000*sec {
		t.Errorf("%+v", s)
	}
	if got.rows[2].ResultCode != schema.ResultAnswered || got.rows[0].ResultCode != schema.ResultSilent || got.rows[1].TTL.N != 57 {
		t.Errorf("%+v", got.rows)
	}
}

func TestNoRequests(t *testing.T) {
	r := New(Config{})
	r.Observe(reply(0, "198.51.100.1", 1, "x"))
	sum := r.Finish(func(row schema.Row) { t.Errorf("%+v", row) })
	if sum.Packets != 1 || sum.Unmatched != 1 || sum.Stats.Trust != schema.TrustOK {
		t.Errorf("%+v", sum)
	}
}

func TestTargetsLimitAndName(t *testing.T) {
	in, err := targets.ParseRanges([]string{"198.51.100.0/23", "198.51.100.8/29"})
	if err != nil {
		t.Fatal(err)
	}
	set, err := targets.NewSet(in, nil)
	if err != nil {
		t.Fatal(err)
	}
	got := replay(Config{Targets: set},
		request(0, "198.51.100.8", 1, "x"), request(0, "198.51.101.8", 1, "x"), request(0, "203.0.113.1", 1, "x"), reply(5, "203.0.113.1", 1, "x"))
	if len(got.rows) != 2 || got.rows[0].Network != "198.51.100.8/29" || got.rows[1].Network != "198.51.100.0/23" {
		t.Errorf("%+v", got.rows)
	}
	if got.Unmatched != 0 || got.Stats.Targets != 512 || got.Stats.Points != 2 {
		t.Errorf("%+v", got.Summary)
	}
}

// TestCut: a capture that was cut short tells nothing of its youngest requests.
func TestCut(t *testing.T) {
	r := New(Config{})
	for _, p := range []*capture.Packet{
		request(0, "198.51.100.1", 1, "x"), request(2*sec, "198.51.100.1", 2, "x"), request(2*sec, "198.51.100.2", 1, "x"),
		request(2*sec, "198.51.100.3", 1, "x"), reply(2*sec+5, "198.51.100.3", 1, "x"),
	} {
		r.Observe(p)
	}
	r.Cut()
	got := finish(r)
	if len(got.rows) != 2 || got.rows[0].Sent != 1 || got.rows[1].Received != 1 || got.Open != 2 || got.Stats.Sent != 2 {
		t.Errorf("%+v, %+v", got.rows, got.Summary)
	}
	if !got.Stats.Partial || !got.blocks[0].Partial || got.Stats.Trust != trustCut {
		t.Errorf("%+v", got.Stats)
	}
}

func TestTrust(t *testing.T) {
	r := New(Config{})
	r.Observe(request(0, "198.51.100.1", 1, "x"))
	r.Observe(reply(-50, "198.51.100.1", 1, "x"))
	r.Dropped(3)
	got := finish(r)
	if got.Stats.Trust != "capture_drops,clock_step" || got.Stats.ClockStep != -50 || got.Stats.CaptureDrops != 3 {
		t.Errorf("%+v", got.Stats)
	}
}
