package main

import (
	"strconv"
	"strings"

	"echogram/plugins/schema"
)

// echoRow shortens the columns of echoes.
type echoRow = *schema.BFDEchoRTTRow

// echoColumns are all columns of echoes, in the order of "all": the first six are those of the first parser.
var echoColumns = []bfdColumn[echoRow]{
	wordColumn("router_IP", func(r echoRow) string { return r.Local }),
	wordColumn("router_mac_sender", func(r echoRow) string { return r.InitiatorMAC }),
	wordColumn("router_mac_echoer", func(r echoRow) string { return r.ReflectorMAC }),
	nanoColumn("ts", func(r echoRow) schema.Opt { return schema.Some(r.Time) }),
	nanoColumn("delta", func(r echoRow) schema.Opt { return r.RTT }),
	nanoColumn("jitter", func(r echoRow) schema.Opt { return r.Interval }),
	wordColumn("peer", func(r echoRow) string { return r.Peer }),
	wordColumn("pairing", func(r echoRow) string { return r.Pairing }),
	wordColumn("tap_role", func(r echoRow) string { return r.TapRole }),
	wordColumn("tap", func(r echoRow) string { return r.Tap }),
	wordColumn("vlan", func(r echoRow) string { return r.VLAN }),
	wordColumn("tunnel", func(r echoRow) string { return r.Tunnel }),
	wordColumn("vni", func(r echoRow) string { return r.VNI }),
	wordColumn("outer_local", func(r echoRow) string { return r.OuterLocal }),
	wordColumn("outer_peer", func(r echoRow) string { return r.OuterPeer }),
	wordColumn("layout", func(r echoRow) string { return r.Layout }),
	countColumn("discriminator", func(r echoRow) schema.Opt { return r.Discriminator }),
	countColumn("sequence", func(r echoRow) schema.Opt { return r.Sequence }),
	{"interval_ratio", false, func(dst []byte, r echoRow) []byte {
		if r.IntervalRatio.Set {
			return strconv.AppendFloat(dst, r.IntervalRatio.F, 'f', 6, 64)
		}
		return dst
	}},
}

// seedColumns is how many columns the first parser wrote.
const seedColumns = 6

// newEchoCSV makes the format of some columns with a header and all echoes; without any, that of the first parser,
// which had those that were answered.
func newEchoCSV(names []string) (format, error) {
	columns, head, all := echoColumns[:seedColumns], "", len(names) > 0
	if all {
		var err error
		if columns, err = pickColumns(echoColumns, names); err != nil {
			return format{}, err
		}
		head = strings.Join(fieldNames(columns), ",") + "\n"
	}
	return format{head: head, row: func(dst []byte, _ *schema.Point, row schema.Row) ([]byte, error) {
		if r, ok := row.(echoRow); ok && (all || r.RTT.Set) {
			dst = appendCSVLine(dst, columns, r)
		}
		return dst, nil
	}}, nil
}
