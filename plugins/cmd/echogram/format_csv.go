package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"echogram/plugins/schema"
)

// column is one column of csv. Empty is what was not measured.
type column struct {
	name   string
	append func(dst []byte, r *schema.SweepRow) []byte
}

// csvColumns are all columns, in the order of "all". Times are in seconds.
var csvColumns = []column{
	textColumn("target", func(r *schema.SweepRow) string { return r.Target }),
	textColumn("name", func(r *schema.SweepRow) string { return r.Name }),
	textColumn("result", func(r *schema.SweepRow) string { return resultName(r.ResultCode) }),
	secondsColumn("rtt", func(r *schema.SweepRow) schema.Opt { return r.RTT }),
	secondsColumn("min", func(r *schema.SweepRow) schema.Opt { return r.RTTMin }),
	secondsColumn("max", func(r *schema.SweepRow) schema.Opt { return r.RTTMax }),
	secondsColumn("stddev", func(r *schema.SweepRow) schema.Opt { return r.RTTStddev }),
	numberColumn("sent", func(r *schema.SweepRow) schema.Opt { return schema.Some(r.Sent) }),
	numberColumn("received", func(r *schema.SweepRow) schema.Opt { return schema.Some(r.Received) }),
	numberColumn("lost", func(r *schema.SweepRow) schema.Opt { return schema.Some(lost(r)) }),
	numberColumn("late", func(r *schema.SweepRow) schema.Opt { return schema.Some(r.Late) }),
	numberColumn("duplicates", func(r *schema.SweepRow) schema.Opt { return schema.Some(r.Duplicates) }),
	numberColumn("corrupt", func(r *schema.SweepRow) schema.Opt { return schema.Some(r.Corrupt) }),
	numberColumn("flipped_bits", func(r *schema.SweepRow) schema.Opt { return schema.Some(r.Flipped) }),
	numberColumn("first_flip", func(r *schema.SweepRow) schema.Opt { return r.FirstFlip }),
	numberColumn("ttl", func(r *schema.SweepRow) schema.Opt { return r.TTL }),
	numberColumn("icmp_type", func(r *schema.SweepRow) schema.Opt { return r.ICMPType }),
	numberColumn("icmp_code", func(r *schema.SweepRow) schema.Opt { return r.ICMPCode }),
	textColumn("error_from", func(r *schema.SweepRow) string { return r.ErrorFrom }),
	numberColumn("mtu", func(r *schema.SweepRow) schema.Opt { return r.MTU }),
	textColumn("network", func(r *schema.SweepRow) string { return r.Network }),
	textColumn("block", func(r *schema.SweepRow) string { return r.Block }),
	textColumn("size", func(r *schema.SweepRow) string { return r.Size }),
	textColumn("mac", func(r *schema.SweepRow) string { return r.MAC }),
	secondsColumn("arp_rtt", func(r *schema.SweepRow) schema.Opt { return r.ARPRTT }),
	textColumn("hostname", func(r *schema.SweepRow) string { return r.HostName }),
}

// lost counts the requests without any reply.
func lost(r *schema.SweepRow) int64 { return r.Sent - r.Received - r.Late }

// newCSV makes the format of some columns with a header; without any, that of the first ping scanners.
func newCSV(names []string) (format, error) {
	if len(names) == 0 {
		return format{row: appendCSV}, nil
	}
	columns := csvColumns
	if !slices.Equal(names, []string{"all"}) {
		columns = nil
		for _, name := range names {
			i := slices.IndexFunc(csvColumns, func(c column) bool { return c.name == name })
			if i < 0 {
				return format{}, fmt.Errorf("--columns %q: must be all, or of %s", name, columnNames(csvColumns))
			}
			columns = append(columns, csvColumns[i])
		}
	}
	return format{head: columnNames(columns) + "\n", row: func(dst []byte, _ *schema.Point, row schema.Row) ([]byte, error) {
		r, ok := row.(*schema.SweepRow)
		if !ok {
			return dst, nil
		}
		for i, c := range columns {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = c.append(dst, r)
		}
		return append(dst, '\n'), nil
	}}, nil
}

func columnNames(list []column) string {
	names := make([]string, len(list))
	for i, c := range list {
		names[i] = c.name
	}
	return strings.Join(names, ",")
}

// appendCSV is the format of the first ping scanners: ip,seconds with nine decimals, or ip,unreachable.
func appendCSV(dst []byte, _ *schema.Point, row schema.Row) ([]byte, error) {
	r, ok := row.(*schema.SweepRow)
	if !ok {
		return dst, nil
	}
	dst = append(append(dst, r.Target...), ',')
	if !r.RTT.Set {
		return append(dst, "unreachable\n"...), nil
	}
	return append(appendSeconds(dst, r.RTT.N), '\n'), nil
}

func appendSeconds(dst []byte, ns int64) []byte {
	return strconv.AppendFloat(dst, float64(ns)/1e9, 'f', 9, 64)
}

func secondsColumn(name string, of func(*schema.SweepRow) schema.Opt) column {
	return column{name, func(dst []byte, r *schema.SweepRow) []byte {
		if v := of(r); v.Set {
			return appendSeconds(dst, v.N)
		}
		return dst
	}}
}

func numberColumn(name string, of func(*schema.SweepRow) schema.Opt) column {
	return column{name, func(dst []byte, r *schema.SweepRow) []byte {
		if v := of(r); v.Set {
			return strconv.AppendInt(dst, v.N, 10)
		}
		return dst
	}}
}

// textColumn quotes what would break a line of csv (RFC 4180).
func textColumn(name string, of func(*schema.SweepRow) string) column {
	return column{name, func(dst []byte, r *schema.SweepRow) []byte {
		s := of(r)
		if strings.ContainsAny(s, "\",\r\n") {
			s = `"` + strings.ReplaceAll(s, `"`, `""`) + `"`
		}
		return append(dst, s...)
	}}
}

// resultName is a word for a result code.
func resultName(code int64) string {
	switch code {
	case schema.ResultAnswered:
		return "answered"
	case schema.ResultSilent:
		return "silent"
	case schema.ResultICMPError:
		return "icmp_error"
	case schema.ResultNotSent:
		return "not_sent"
	case schema.ResultNoHost:
		return "no_host"
	}
	return strconv.FormatInt(code, 10)
}
