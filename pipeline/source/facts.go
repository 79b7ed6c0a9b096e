package source

import (
	"strconv"

	"echogram/plugins/schema"
)

// linkFields are the fields of icmp_sweep_stats that Facts hold.
var linkFields = []string{"rx_usecs", "tx_usecs", "adaptive_coalescing", "eee", "governor"}

// Facts are what bent the RTTs of one instance on its own side, as the last sweep of a window tells.
type Facts struct {
	Host, Instance string
	Start          int64 // of the window, ns
	Link           schema.LinkFacts
}

func (f *Facts) set(field, value string) {
	l := &f.Link
	switch field {
	case "rx_usecs", "tx_usecs":
		at := &l.RXUsecs
		if field == "tx_usecs" {
			at = &l.TXUsecs
		}
		n, err := strconv.ParseInt(value, 10, 64)
		*at = schema.Opt{N: n, Set: err == nil}
	case "adaptive_coalescing":
		l.Adaptive = value
	case "eee":
		l.EEE = value
	case "governor":
		l.Governor = value
	}
}
