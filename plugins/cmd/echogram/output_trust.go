package main

import (
	"fmt"
	"io"
	"strings"

	"echogram/plugins/schema"
)

// remedies says of each word of trust what bent the sweep and what helps. A remedy with %s takes the count.
var remedies = map[string]struct {
	count func(*schema.SweepStatsRow) string
	text  string
}{
	"capture_drops": {
		func(s *schema.SweepStatsRow) string { return thousands(s.CaptureDrops) },
		"frames that the capture had no room for: %s. Lower --rate, or give the program that captured a larger buffer (tcpdump -B)."},
	"send_errors": {
		func(s *schema.SweepStatsRow) string { return thousands(s.SendErrors) },
		"requests that the kernel refused: %s. The error says why."},
	"unseen": {
		func(s *schema.SweepStatsRow) string { return thousands(s.Unseen) },
		"requests that were never seen to leave: %s. Lower --rate or --burst, or lengthen the interface's queue (ip link set IF txqueuelen N)."},
	"qdisc_drops": {
		func(s *schema.SweepStatsRow) string { return thousands(s.QdiscDrops) },
		"packets that the interface's queue dropped: %s. Lower --rate or --burst, or lengthen it (ip link set IF txqueuelen N)."},
	"nic_drops": {
		func(s *schema.SweepStatsRow) string { return thousands(s.NICDrops) },
		"packets that the adapter dropped or found garbled: %s. Lower --rate, and see ethtool -S IF."},
	"clock_step": {
		func(s *schema.SweepStatsRow) string { return micros(max(s.ClockStep, -s.ClockStep)) },
		"clock set while requests were out: by %s or more. RTTs may be wrong; sweep again."},
	"interface_down":       {text: "an interface went down. Sweep again when it stays up."},
	"cut_short":            {text: "the capture was cut short. Requests younger than the timeout are left out."},
	"too_many_outstanding": {text: "more requests were outstanding than are kept in memory. Read a capture of fewer targets at a time."},
}

// writeTrust says whether the network lost what the sweep calls lost, and if not, what did and what helps.
func writeTrust(w io.Writer, s *schema.SweepStatsRow) {
	if s.Trust == schema.TrustOK {
		writeList(w, "trust", "ok")
		return
	}
	writeList(w, "trust", "not ok: what was lost may have been lost on our own side")
	for word := range strings.SplitSeq(s.Trust, ",") {
		r, known := remedies[word]
		text := r.text
		switch {
		case !known:
			text = word
		case r.count != nil:
			text = fmt.Sprintf(text, r.count(s))
		}
		fmt.Fprintf(w, "            %s\n", text)
	}
}
