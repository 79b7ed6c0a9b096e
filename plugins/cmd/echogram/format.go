package main

import (
	"errors"
	"fmt"

	"echogram/plugins/schema"
)

// appendRow appends one row in some format; rows that the format has no place for append nothing. p is scratch.
type appendRow func(dst []byte, p *schema.Point, row schema.Row) ([]byte, error)

// format is one way to write rows.
type format struct {
	head string // stands before the first row
	row  appendRow
}

// formatOptions are what formats can be told.
type formatOptions struct {
	columns []string // of csv, "all" for all; none: the two of the first ping scanners, without a header
	names   bool     // some targets are known by host name: a table gets a column for it
}

// formatNames are the formats that newFormat knows.
var formatNames = []string{"table", "csv", "json", "influx"}

// newFormat makes a format by its name.
func newFormat(name string, o formatOptions) (format, error) {
	if len(o.columns) > 0 && name != "csv" {
		return format{}, errors.New("--columns goes with --format csv")
	}
	switch name {
	case "csv":
		return newCSV(o.columns)
	case "json":
		return format{row: appendJSON}, nil
	case "table":
		return newTable(o.names), nil
	case "influx":
		return format{row: appendInflux}, nil
	}
	return format{}, fmt.Errorf("--format %q: must be table, csv, json or influx", name)
}

// appendInflux writes line protocol.
func appendInflux(dst []byte, p *schema.Point, row schema.Row) ([]byte, error) {
	schema.Fill(p, row)
	return p.AppendLine(dst)
}
