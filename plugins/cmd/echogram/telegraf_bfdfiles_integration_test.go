//go:build integration && linux

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"echogram/plugins/netlab/parts"
	"echogram/plugins/schema"
)

// lossyCapture has echoes that a link lost, and two routers' first words.
const lossyCapture = "../../internal/bfdwatch/testdata/s06_wan_loss.a/capture.pcap"

// fileStanza reads a file. The arguments are its path and further options.
const fileStanza = `
[[inputs.bfd]]
  interval = "1s"
  files = [%q]
  period = "1s"
  log_events = []
  %s
`

// book is points by measurement, tags without host, and time.
type book map[string]map[string]string

func (b book) add(measurement string, tags map[string]string, at int64, fields map[string]string) {
	delete(tags, "host")
	maps.DeleteFunc(tags, func(_, value string) bool { return value == "" })
	b[fmt.Sprint(measurement, tags, " ", at)] = fields
}

// readBook reads line protocol; "> " before a line is Telegraf's --test.
func readBook(t *testing.T, lines string) book {
	t.Helper()
	b := book{}
	for _, p := range parsePoints(t, []byte(strings.ReplaceAll("\n"+lines, "\n> ", "\n")[1:])) {
		fields := map[string]string{}
		for key, v := range p.FieldMap() {
			fields[key] = fmt.Sprint(v)
		}
		b.add(p.Measurement, p.TagMap(), p.Time, fields)
	}
	return b
}

// differ says how a book differs from what is wanted.
func (b book) differ(want book) string {
	var why []string
	for key := range b {
		if want[key] == nil {
			why = append(why, "not wanted: "+key)
		}
	}
	for key, w := range want {
		if !maps.EqualFunc(b[key], w, func(x, y string) bool { return x == y || number(x) == number(y) && number(x) != 0 }) {
			why = append(why, fmt.Sprintf("%s has %v, want %v", key, b[key], w))
		}
	}
	slices.Sort(why)
	return strings.Join(why[:min(len(why), 5)], "\n")
}

// cut takes out what is of a time or later.
func (b book) cut(at int64) {
	maps.DeleteFunc(b, func(key string, _ map[string]string) bool {
		n, err := strconv.ParseInt(key[strings.LastIndexByte(key, ' ')+1:], 10, 64)
		return err != nil || n >= at
	})
}

// wantedBook is what the command makes of a capture.
func wantedBook(t *testing.T, capture string) book {
	t.Helper()
	o := finish(t, exec.CommandContext(t.Context(), program, "bfd", "--format", "influx", "--period", "1s", "--instance", "default", capture))
	want := readBook(t, o.stdout)
	if len(want) < 20 {
		t.Fatalf("%d points of %s: %s", len(want), capture, o.stderr)
	}
	return want
}

// TestBFDFilesInTest: telegraf --test prints the points of a capture.
func TestBFDFilesInTest(t *testing.T) {
	capture, err := filepath.Abs(lossyCapture)
	if err != nil {
		t.Fatal(err)
	}
	want := wantedBook(t, capture)
	for name, inside := range map[string]bool{"execd": false, "compiled in": true} {
		t.Run(name, func(t *testing.T) {
			r := routerRig(t, nil, agentConfig, fmt.Sprintf(fileStanza, capture, "follow = false"), inside)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			o := finish(t, r.command(ctx, "--test"))
			wantQuiet(t, o)
			if why := readBook(t, o.stdout).differ(want); why != "" {
				t.Error(why)
			}
		})
	}
}

// TestBFDFilesAcrossRestarts: a file grows while Telegraf runs and while it does not; InfluxDB has the points of all of
// it in the end, but for what is open.
func TestBFDFilesAcrossRestarts(t *testing.T) {
	data, err := os.ReadFile(lossyCapture)
	if err != nil {
		t.Fatal(err)
	}
	for name, inside := range map[string]bool{"execd": false, "compiled in": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			db := startInflux(ctx, t)
			dir := t.TempDir()
			path := filepath.Join(dir, "bfd.pcap")
			options := fmt.Sprintf("from_beginning = true\n  state_file = %q", filepath.Join(dir, "state.json"))
			r := routerRig(t, nil, fmt.Sprintf(storingAgent, "lo", db.URL), fmt.Sprintf(fileStanza, path, options), inside)
			const pieces = 6
			for i := range pieces / 2 {
				grow(t, path, data[2*i*len(data)/pieces:(2*i+1)*len(data)/pieces])
				wantQuiet(t, r.live(t, func(signal func(os.Signal)) {
					defer signal(syscall.SIGTERM)
					time.Sleep(1500 * time.Millisecond)
					grow(t, path, data[(2*i+1)*len(data)/pieces:(2*i+2)*len(data)/pieces])
					time.Sleep(2500 * time.Millisecond)
				}))
			}
			got, open := storedBook(ctx, t, db)
			want := wantedBook(t, path)
			got.cut(open)
			want.cut(open)
			if why := got.differ(want); why != "" || len(got) < 40 {
				t.Errorf("%d points: %s", len(got), why)
			}
		})
	}
}

// grow adds to a file.
func grow(t *testing.T, path string, data []byte) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Write(data); err != nil {
		t.Fatal(err)
	}
}

// storedBook is all that InfluxDB has of BFD. open is the start of the first period whose echoes are not among it.
func storedBook(ctx context.Context, t *testing.T, db *parts.Influx) (b book, open int64) {
	t.Helper()
	b = book{}
	for _, m := range []string{schema.BFDSession, schema.BFDEcho, schema.BFDEvent, schema.BFDStats} {
		series, err := db.Query(ctx, "telegraf", "SELECT * FROM "+m+" GROUP BY *")
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range series {
			for row := range s.Values {
				fields := map[string]string{}
				for _, column := range s.Columns[1:] {
					if v := s.Value(row, column); v != nil {
						fields[column] = fmt.Sprint(v)
					}
				}
				at, err := s.Value(row, "time").(json.Number).Int64()
				if err != nil {
					t.Fatal(err)
				}
				b.add(m, maps.Clone(s.Tags), at, fields)
				if m == schema.BFDEcho {
					open = max(open, at+int64(time.Second))
				}
			}
		}
	}
	return b, open
}
