package schema

import (
	"fmt"
	"net/netip"
	"time"
)

// MaxRTT is the longest RTT that is believed, ns: a day. 100,000 of them can be summed up.
const MaxRTT = int64(24 * time.Hour)

// Check says why a row with these numbers can be of no sweep; nil: it can. What reads rows leaves such a one out, says so,
// and counts it as read.
func (r *SweepRow) Check() error {
	switch {
	case r.Sent < 0 || r.Received < 0 || r.Late < 0 || r.Duplicates < 0 || r.Corrupt < 0:
		return fmt.Errorf("schema: a count is negative: sent %d, received %d, late %d, duplicates %d, corrupt %d", r.Sent, r.Received, r.Late, r.Duplicates, r.Corrupt)
	case r.Late > r.Sent || r.Received > r.Sent-r.Late:
		return fmt.Errorf("schema: %d replies and %d late ones to %d requests", r.Received, r.Late, r.Sent)
	}
	for _, rtt := range [...]*Opt{&r.RTT, &r.RTTMin, &r.RTTMax} {
		if rtt.Set && (rtt.N < 0 || rtt.N > MaxRTT) {
			return fmt.Errorf("schema: %d ns is no RTT", rtt.N)
		}
	}
	return nil
}

// Check says why no sweep can have a series with these tags; nil: one can. Of other measurements nothing is known.
func (s *RTTSeries) Check() error {
	if s.Of != "" || s.Block == "" {
		return nil
	}
	if _, err := netip.ParsePrefix(s.Block); err != nil {
		return fmt.Errorf("schema: block %q is no prefix", s.Block)
	}
	return nil
}
