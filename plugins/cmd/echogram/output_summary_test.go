package main

import (
	"bytes"
	"math"
	"slices"
	"testing"

	"echogram/plugins/schema"
)

func summaryOf(rows []schema.Row, change func(*schema.SweepStatsRow)) []byte {
	var b bytes.Buffer
	w := newWriter(&b, format{row: appendCSV})
	for _, r := range rows {
		w.emit(r)
		if s, ok := r.(*schema.SweepStatsRow); ok {
			change(s)
			writeSummary(&b, s, &w.tally)
		}
	}
	return b.Bytes()
}

func TestSummary(t *testing.T) {
	golden(t, "summary", summaryOf(sampleRows(t), func(*schema.SweepStatsRow) {}))
	golden(t, "summary_untrusted", summaryOf(sampleRows(t), func(s *schema.SweepStatsRow) {
		s.CaptureDrops, s.SendErrors, s.Unseen, s.QdiscDrops, s.NICDrops, s.ClockStep = 1312, 1, 20, 3, 4, -1_250_000
		s.Trust = "capture_drops,send_errors,unseen,qdisc_drops,nic_drops,clock_step,interface_down,cut_short,too_many_outstanding,moonlight"
	}))
	golden(t, "summary_empty", summaryOf([]schema.Row{&schema.SweepStatsRow{Trust: schema.TrustOK}}, func(*schema.SweepStatsRow) {}))
}

func TestHistogram(t *testing.T) {
	var h histogram
	var all []int64
	for ns := int64(1); ns < 1e12; ns = ns*9/8 + 1 {
		h.add(ns)
		all = append(all, ns)
		if got := value(class(ns)); math.Abs(float64(got-ns)) > float64(ns)/512 {
			t.Errorf("%d is told as %d", ns, got)
		}
	}
	slices.Sort(all)
	for _, q := range []float64{0, .01, .5, .99, 1} {
		want := all[max(0, int(math.Ceil(q*float64(len(all))))-1)]
		if got := h.quantile(q); math.Abs(float64(got-want)) > float64(want)/512 {
			t.Errorf("quantile %v: %d, want %d", q, got, want)
		}
	}
	if h.quantile(0) != all[0] || h.quantile(1) > all[len(all)-1] {
		t.Errorf("quantiles outside of least and most: %d, %d", h.quantile(0), h.quantile(1))
	}
	if len(h.classes) > 64<<classBits {
		t.Errorf("%d classes", len(h.classes))
	}
	if got := (&histogram{}).quantile(.5); got != 0 {
		t.Errorf("of nothing: %d", got)
	}
}
