package main

import (
	"bytes"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"echogram/plugins/schema"
)

// reported writes rows as the table does.
func reported(name string, width int, period time.Duration, rows []schema.Row) []byte {
	r := newBFDReport(width, period, false, false)
	r.begin(name)
	r.saw(bfdStart)
	r.saw(bfdStart + 4_012_345_678_901)
	var b []byte
	for _, row := range rows {
		b = append(b, r.row(nil, row)...)
	}
	return append(b, r.end(nil)...)
}

func TestBFDTable(t *testing.T) {
	for _, c := range []struct {
		name  string
		width int
		rows  []schema.Row
	}{
		{"bfd_session_80", 80, bfdSample("10.0.1.1", "10.0.1.2")},
		{"bfd_session_120", 120, bfdSample("10.0.1.1", "10.0.1.2")},
		{"bfd_one_way", 80, oneWay()},
		{"bfd_list_80", 80, manySessions(12)},
		{"bfd_list_120", 120, manySessions(12)},
	} {
		got := reported("core.pcap", c.width, wholeCapture, c.rows)
		golden(t, c.name, got)
		for line := range strings.Lines(string(got)) {
			if utf8.RuneCountInString(line) > c.width+1 {
				t.Errorf("%s: wider than %d: %s", c.name, c.width, line)
			}
		}
	}
}

// TestBFDTablePeriods: a period has pages of its own, with what happened in it.
func TestBFDTablePeriods(t *testing.T) {
	at := func(start int64) []schema.Row {
		r := bfdDirection("10.0.1.1", "10.0.1.2")
		r.Time += start
		near := &schema.BFDEventRow{BFDSeries: r.BFDSeries, Event: schema.BFDEventNearMiss, Time: r.Time + 9e9, Gap: schema.Some(start)}
		return []schema.Row{near, r, &schema.BFDStatsRow{Time: r.Time, Packets: 34}}
	}
	first, second := at(0), at(10e9)
	rows := append([]schema.Row{first[0], second[0]}, append(first[1:], second[1:]...)...)
	pages := strings.Split(string(reported("", 80, 10*time.Second, rows)), "\n10s from ")
	if len(pages) != 2 || strings.Count(pages[0], "near miss:") != 1 || !strings.Contains(pages[1], "nothing for 10.00 s") {
		t.Errorf("%d pages: %s", len(pages), pages)
	}
}

// TestBFDHistory: the first and the last events are kept, and how many there were between them.
func TestBFDHistory(t *testing.T) {
	var some, all eventLog
	for i := range 100 {
		e := &schema.BFDEventRow{Time: int64(i)}
		some.add(e, false)
		all.add(e, true)
	}
	if len(some.head) != logLen || len(some.tail) != logLen || some.skipped != 100-2*logLen || some.tail[0].Time != 100-logLen {
		t.Errorf("%+v", some)
	}
	if len(all.head) != 100 || all.skipped != 0 {
		t.Errorf("%d events, %d skipped", len(all.head), all.skipped)
	}
}

func TestBFDEchoCSV(t *testing.T) {
	series := bfdEchoes("10.10.10.2", "10.10.10.1", "initiator", 1).BFDEchoSeries
	rows := []schema.Row{
		&schema.BFDEchoRTTRow{BFDEchoSeries: series, Time: 1393809717166670123, RTT: schema.Some(10014), Pairing: "identity"},
		&schema.BFDEchoRTTRow{BFDEchoSeries: series, Time: 1393809717394558009, Interval: schema.Some(227887886)},
		bfdDirection("10.10.10.2", "10.10.10.1"),
		&schema.BFDEchoRTTRow{BFDEchoSeries: series, Time: 1393809717694375001, RTT: schema.Some(2_000_000_003), Interval: schema.Some(299816992),
			IntervalRatio: schema.OptFloat{F: .99939, Set: true}, Sequence: schema.Some(7), Discriminator: schema.Some(1), Pairing: "aligned"},
	}
	for name, columns := range map[string][]string{"bfd_csv": nil, "bfd_csv_all": {"all"}, "bfd_csv_columns": {"ts", "delta", "tap_role"}} {
		form, err := newEchoCSV(columns)
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		w := newWriter(&b, form)
		for _, r := range rows {
			w.emit(r)
		}
		if err := w.flush(); err != nil {
			t.Fatal(err)
		}
		golden(t, name, b.Bytes())
	}
	if _, err := newEchoCSV([]string{"rtt"}); err == nil || !strings.Contains(err.Error(), `--columns "rtt": must be all, or of router_IP,`) {
		t.Error(err)
	}
}

func TestTimer(t *testing.T) {
	for ns, want := range map[int64]string{50e6: "50 ms", 1e9: "1 s", 1.5e9: "1.5 s", 13_234: "13.23 µs", 124e6: "124 ms", 0: "0 µs"} {
		if got := timer(ns); got != want {
			t.Errorf("%d: %s, want %s", ns, got, want)
		}
	}
	for ns, want := range map[int64]string{-1500: "-0.000001500", 1_700_000_000_123_456_789: "1700000000.123456789"} {
		if got := string(appendNanos(nil, ns)); got != want {
			t.Errorf("%d: %s, want %s", ns, got, want)
		}
	}
}
