package prober

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"echogram/plugins/schema"
)

var target = netip.MustParseAddr("198.19.0.2")

const rows = `icmp_sample,host=lab,instance=path,size=12,target=198.19.0.2 sweep=5i,probe=0i,rtt_ns=5100i,ttl=64i,result_code=0i 1768046400000000000
icmp_sample,host=lab,instance=path,size=800,target=198.19.0.2 sweep=5i,probe=1i,result_code=1i 1768046400010000000
icmp_sweep,host=lab,instance=path,target=198.19.0.2 sent=2i,received=1i,result_code=0i 1768046400000000000
icmp_sweep_stats,host=lab,instance=path points=1i,sent=2i,trust="ok",stamp_kind="software",rx_usecs=3i 1768046400000000000
icmp_sweep_stats,host=lab,instance=path late=1i 1768046400000000000
`

// script makes a program that stands in for echogram.
func script(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), Command)
	if err := os.WriteFile(name, []byte("#!/bin/sh\n"+text), 0o755); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestRun(t *testing.T) {
	c := Config{Program: script(t, "echo \"$@\" > \"$0.args\"\ncat <<'END'\n"+rows+"END\n"), Interval: 10 * time.Millisecond,
		Timeout: time.Second / 2, Sizes: []int{12, 800}, Interface: "eth1", Source: []string{"198.19.0.1"}}
	r, err := c.Run(t.Context(), target, 2)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Samples) != 2 || r.Samples[0].RTT != schema.Some(5100) || r.Samples[1].Size != "800" || r.Samples[1].RTT.Set {
		t.Errorf("samples: %+v", r.Samples)
	}
	if r.Stats.Sent != 2 || r.Stats.Link.RXUsecs != schema.Some(3) {
		t.Errorf("stats: %+v", r.Stats)
	}
	args, _ := os.ReadFile(c.Program + ".args")
	want := "sweep --burst 1 --order sequential --samples --format influx --instance path --count 2 --count-interval 10ms" +
		" --timeout 500ms --sizes 12,800 --interface eth1 --source 198.19.0.1 198.19.0.2\n"
	if string(args) != want {
		t.Errorf("arguments: %s", args)
	}
}

func TestChildsWords(t *testing.T) {
	for text, want := range map[string]string{
		"echo 'echogram sweep: no permission to open sockets' >&2; exit 1":    "prober: echogram sweep: no permission to open sockets (exit status 1)",
		"echo '1 target' >&2; echo 'echogram sweep: refused' >&2; exit 1":     "prober: echogram sweep: refused (exit status 1)",
		"echo 'sh: what?' >&2; exit 2":                                        "prober: sh: what? (exit status 2)",
		"echo 'icmp_sample,target=a rtt_ns=x 5'":                              `prober: echogram wrote 1 malformed lines: line 1: schema: line protocol, byte 30: field "rtt_ns" has the bad value "x": "icmp_sample,target=a rtt_ns=x 5"`,
		"echo 'icmp_sample,target=a rtt_ns=5i'; echo 'icmp_sample'; echo cpu": `prober: echogram wrote 1 malformed lines: line 1: no time: "icmp_sample,target=a rtt_ns=5i"`,
	} {
		c := Config{Program: script(t, text), Sizes: []int{12}}
		if _, err := c.Run(t.Context(), target, 1); err == nil || err.Error() != want {
			t.Errorf("%s:\n%v, want\n%s", text, err, want)
		}
	}
	c := Config{Program: filepath.Join(t.TempDir(), "none"), Sizes: []int{12}}
	if _, err := c.Run(t.Context(), target, 1); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no program: %v", err)
	}
}

// TestInterrupt: a child that is told to stop writes what it has, and its failure is none.
func TestInterrupt(t *testing.T) {
	program := script(t, "trap 'cat \"$0.rows\"; exit 1' INT\n: > \"$0.ready\"\nwhile :; do sleep 0.01; done\n")
	if err := os.WriteFile(program+".rows", []byte(rows), 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		for ctx.Err() == nil {
			if _, err := os.Stat(program + ".ready"); err == nil {
				cancel()
			}
		}
	}()
	r, err := (&Config{Program: program, Sizes: []int{12}, Interval: time.Minute}).Run(ctx, target, 1)
	if err != nil || len(r.Samples) != 2 {
		t.Errorf("%v, %+v", err, r)
	}
}

func TestFind(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	if _, err := Find(); !errors.Is(err, ErrNone) {
		t.Errorf("found one: %v", err)
	}
	program := script(t, "")
	t.Setenv("PATH", filepath.Dir(program))
	if found, err := Find(); err != nil || found != program {
		t.Errorf("%s, %v", found, err)
	}
}

func TestHold(t *testing.T) {
	name := filepath.Join(t.TempDir(), "latency")
	if _, err := hold(name); err == nil {
		t.Error("held by a file that is not there")
	}
	if err := os.WriteFile(name, []byte("abcd"), 0o600); err != nil {
		t.Fatal(err)
	}
	h, err := hold(name)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	if text, _ := os.ReadFile(name); !slices.Equal(text, []byte{0, 0, 0, 0}) {
		t.Errorf("wrote %q", text)
	}
}

func FuzzReader(f *testing.F) {
	f.Add(rows)
	f.Add("# c\n\nicmp_sample x\nicmp_sample,target=b rtt_ns=1i\nicmp_sweep_stats points=\"x\" 1\n\xff")
	f.Fuzz(func(t *testing.T, text string) {
		var r Reader
		n := int64(0)
		err := r.Read(strings.NewReader(text), func(schema.Row) { n++ })
		if err == nil && n+r.Malformed > r.Lines || (r.Malformed > 0) != (r.First != nil) {
			t.Errorf("%d rows and %d malformed of %d lines, first %v", n, r.Malformed, r.Lines, r.First)
		}
	})
}
