package main

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"echogram/plugins/internal/prober"
)

// TestProblemsNameTheirFlags: each wrong value is refused in the words of the command line.
func TestProblemsNameTheirFlags(t *testing.T) {
	for args, want := range map[string]string{
		"--count-interval -1s":       "--count-interval -1s: must be",
		"--retries 101":              "--retries 101: must be 0 to 100",
		"--retries 1 -s 12,100":      "--retries: cannot be told apart from loss of one size",
		"--late-window 181s":         `--late-window 3m1s: must be "0s" to "180s"`,
		"--rate -1":                  "--rate -1: must be 0 (as fast as it goes)",
		"--block-rate -1":            "--block-rate -1: must be 0 (no cap)",
		"--burst 2000":               "--burst 2000: must be 0",
		"--block-wait 2m":            "--block-wait 2m0s: must be",
		"--timeout 2m":               "--timeout 2m0s: must be",
		"--size 70000":               "--size: 70000 is not",
		"--percentiles 101":          "--percentiles: 101 is not",
		"--ttl 256":                  "--ttl: 256 is not",
		"--dscp 64":                  "--dscp: 64 is not",
		"--df --fragment":            "--fragment: contradicts --df",
		"--send pigeon":              `--send: "pigeon" is not auto, raw or packet`,
		"--threads 65":               "--threads: 65 is not",
		"--ring 5000":                "--ring: 5000 is not",
		"--stamps wet":               `--stamps: "wet" is neither`,
		"--arp-rate -1":              "--arp-rate: -1 is not",
		"--reverse-dns":              "--reverse-dns: goes with --on-link",
		"--source x":                 `--source: "x" is no address`,
		"--family inet":              `--family: "inet" is not`,
		"--shard 3/2":                `--shard: "3/2" is not`,
		"--exclude x":                `--exclude: "x" is no network`,
		"--targets-file /none":       "--targets-file: ",
		"--exclude-file /none":       "--exclude-file: ",
		"--labels /none":             "--labels: ",
		"--order random":             `--order: "random" is neither`,
		"--seed -1":                  "--seed: -1 is negative",
		"--pattern x":                `--pattern: "x" is neither`,
		"--count 1 --sizes 12,100":   "--count 1: must be at least 2",
		"--exclude 127.0.0.1":        "no targets are left",
		"192.0.2.999":                `"192.0.2.999"`,
		"--count 1000000 10.0.0.0/9": "--count: 8388609 targets",
	} {
		t.Run(args, func(t *testing.T) {
			cmd := newSweep()
			cmd.SilenceErrors, cmd.SilenceUsage = true, true
			cmd.SetArgs(append(strings.Fields(args), "127.0.0.1"))
			err := cmd.ExecuteContext(t.Context())
			var p *prober.Problem
			if !errors.As(err, &p) {
				t.Fatalf("got %v", err)
			}
			if got := flagProblem(cmd.Flags(), p); !strings.HasPrefix(got, want) || strings.Contains(got, "_") {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

// TestHelpHasEveryFlag, under a heading, without the marks of a flag's value.
func TestHelpHasEveryFlag(t *testing.T) {
	for cmd, headings := range map[string]string{"sweep": "Targets Pace Probes Ways Results", "ping": "Run Requests Lines"} {
		root := newRoot()
		var out bytes.Buffer
		root.SetOut(&out)
		root.SetArgs([]string{cmd, "--help"})
		if err := root.Execute(); err != nil {
			t.Fatal(err)
		}
		help := out.String()
		for heading := range strings.FieldsSeq(headings) {
			if !strings.Contains(help, "\n"+heading+":\n") {
				t.Errorf("%s: no heading %s", cmd, heading)
			}
		}
		sub, _, _ := root.Find([]string{cmd})
		sub.Flags().VisitAll(func(f *pflag.Flag) {
			if f.Name != "help" && !strings.Contains(help, "--"+f.Name+" ") || strings.Contains(f.Usage, "`") {
				t.Errorf("%s: --%s: %s", cmd, f.Name, f.Usage)
			}
		})
	}
}

func TestCompletion(t *testing.T) {
	for args, want := range map[string]string{
		"sweep --format ":       "table csv json influx :4",
		"sweep --order ":        "permuted sequential :4",
		"sweep --stamps ":       "software hardware :4",
		"sweep ":                ":4", // a target is no file
		"ping ":                 ":4",
		"sweep --targets-file ": ":0", // a file
	} {
		root := newRoot()
		var out bytes.Buffer
		root.SetOut(&out)
		root.SetErr(&bytes.Buffer{})
		root.SetArgs(append([]string{"__complete"}, strings.Split(args, " ")...))
		if err := root.Execute(); err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(strings.Join(strings.Fields(out.String()), " ")); got != want {
			t.Errorf("%s: got %s, want %s", args, got, want)
		}
	}
}
