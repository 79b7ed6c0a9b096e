//go:build integration && linux

package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"echogram/plugins/netlab"
	"echogram/plugins/netlab/parts"
	"echogram/plugins/schema"
)

// fluxTable runs a shipped query, with the lab's values in the place of those that its head sets.
func fluxTable(ctx context.Context, t *testing.T, db *parts.Influx, name string, lab *netlab.BFDLab) []map[string]string {
	t.Helper()
	query, err := os.ReadFile("../../../sampleconfig/flux/" + name + ".flux")
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"tap": strconv.Quote(lab.A.Link), "period": fluxPeriod.String(),
		"ends": fmt.Sprintf("[%q, %q]", lab.A.Address.Addr(), lab.B.Address.Addr()),
	} {
		query = setFlux(query, name, value)
	}
	out, err := db.QueryFlux(ctx, string(query))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s:\n%s", name, out)
	return readFlux(out)
}

// readFlux reads the rows of all tables of annotated CSV without quotes.
func readFlux(text string) (rows []map[string]string) {
	var header []string
	for line := range strings.Lines(text) {
		cells := strings.Split(strings.TrimRight(line, "\r\n"), ",")
		switch {
		case len(cells) == 1 || strings.HasPrefix(line, "#"):
			header = nil
		case header == nil:
			header = cells
		default:
			row := map[string]string{}
			for i, c := range cells {
				row[header[i]] = c
			}
			rows = append(rows, row)
		}
	}
	return rows
}

// setFlux changes what a line "name = value" sets.
func setFlux(query []byte, name, value string) []byte {
	lines := bytes.SplitAfter(query, []byte("\n"))
	for i, l := range lines {
		if bytes.HasPrefix(l, []byte(name+" = ")) {
			lines[i] = []byte(name + " = " + value + "\n")
		}
	}
	return bytes.Join(lines, nil)
}

// fluxTime writes a time as Flux does.
func fluxTime(ns int64) string { return time.Unix(0, ns).UTC().Format(time.RFC3339Nano) }

// number is a number of a table; 0 where there is none.
func number(s string) float64 {
	n, _ := strconv.ParseFloat(s, 64)
	return n
}

// inNumber is the number of a field.
func inNumber(f schema.Field) float64 { return number(fmt.Sprint(f.Value())) }
