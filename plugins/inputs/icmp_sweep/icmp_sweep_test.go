package icmp_sweep

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/influxdata/telegraf"
	"github.com/influxdata/telegraf/plugins/inputs"

	"echogram/plugins/internal/prober"
	"echogram/plugins/schema"
	"echogram/sampleconfig"
	"echogram/sampleconfig/strict"
)

var (
	_ telegraf.ServiceInput = &ICMPSweep{}
	_ telegraf.Initializer  = &ICMPSweep{}
)

func TestRegistered(t *testing.T) {
	if inputs.Inputs[Name] == nil {
		t.Error("telegraf does not know the plugin")
	}
}

func seconds(n int) strict.Duration { return strict.Seconds(n) }

// TestSampleConfig: the sample is valid as it stands, and every option in it is set to its default.
func TestSampleConfig(t *testing.T) {
	type file struct {
		Inputs struct {
			Sweep []ICMPSweep `toml:"icmp_sweep"`
		} `toml:"inputs"`
	}
	var plain, all file
	if _, err := strict.Decode("icmp_sweep.conf", []byte(sampleconfig.ICMPSweep), &plain); err != nil {
		t.Fatal(err)
	}
	uncommented := strings.ReplaceAll(sampleconfig.ICMPSweep, "\n  # ", "\n  ")
	if _, err := strict.Decode("icmp_sweep.conf", []byte(uncommented), &all); err != nil {
		t.Fatal(err)
	}
	a, b := &plain.Inputs.Sweep[0], &all.Inputs.Sweep[0]
	b.Exclude = nil // an example, not a default
	for _, s := range []*ICMPSweep{a, b} {
		if err := s.Init(); err != nil {
			t.Fatal(err)
		}
	}
	pa, pb := a.config.Plan, b.config.Plan
	if pa.Rate != pb.Rate || pa.Burst != pb.Burst || pa.Count != pb.Count || pa.CountInterval != pb.CountInterval || pa.Timeout != pb.Timeout ||
		pa.LateWindow != pb.LateWindow || pa.Size != pb.Size || pa.Instance != pb.Instance || pa.Targets.Len() != pb.Targets.Len() {
		t.Errorf("defaults are\n%+v, the sample's comments say\n%+v", pa, pb)
	}
}

func TestInitNamesTheKey(t *testing.T) {
	for key, change := range map[string]func(*ICMPSweep){
		"interval":    func(s *ICMPSweep) { s.Interval = strict.Duration{Duration: 1500 * time.Millisecond} },
		"networks":    func(s *ICMPSweep) { s.Networks = nil },
		"networks[1]": func(s *ICMPSweep) { s.Networks = []string{"192.0.2.1", "192.0.2.0/40"} },
		"exclude[0]":  func(s *ICMPSweep) { s.Exclude = []string{"x"} },
		"ttl":         func(s *ICMPSweep) { s.TTL = 256 },
		"source":      func(s *ICMPSweep) { s.Source = "eth0" },
		"size":        func(s *ICMPSweep) { s.Size = 4 },
		"late_window": func(s *ICMPSweep) { d := seconds(3600); s.LateWindow = &d },
	} {
		s := &ICMPSweep{Interval: seconds(60), Networks: []string{"192.0.2.0/24"}}
		change(s)
		var p *prober.Problem
		if err := s.Init(); !errors.As(err, &p) || p.Key != key {
			t.Errorf("%s: got %v", key, err)
		}
	}
}

func TestSweepThatCannotFitIsRefused(t *testing.T) {
	rate := 1000
	s := &ICMPSweep{Interval: seconds(60), Networks: []string{"10.0.0.0/16"}, Rate: &rate}
	if err := s.Init(); err == nil || !strings.Contains(err.Error(), "65536 targets at 1000/s and the timeout take 1m6.5s") {
		t.Errorf("got %v", err)
	}
	rate = 0 // as fast as it goes: nobody can say
	if err := s.Init(); err != nil {
		t.Error(err)
	}
}

func TestSkipped(t *testing.T) {
	s := &ICMPSweep{Interval: seconds(10)}
	if n := s.skipped(time.Unix(1000, 0)); n != 0 {
		t.Errorf("the first sweep skipped %d", n)
	}
	s.last = time.Unix(1000, 0)
	for at, want := range map[int64]int64{1010: 0, 1030: 2, 1000: 0} {
		if n := s.skipped(time.Unix(at, 0)); n != want {
			t.Errorf("at %d: skipped %d, want %d", at, n, want)
		}
	}
}

// TestReadme holds the plugin's README against the schema and the sample configuration.
func TestReadme(t *testing.T) {
	data, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	readme := string(data)
	if !strings.Contains(readme, sampleconfig.ICMPSweep) {
		t.Error("the README does not hold sampleconfig/icmp_sweep.conf as it is")
	}
	for _, r := range []schema.Row{&schema.SweepRow{}, &schema.LateRow{}, &schema.SweepBlockRow{}, &schema.SweepStatsRow{}} {
		tags, fields := schema.Names(r)
		for _, tag := range tags {
			if !strings.Contains(readme, "- "+tag+" ") && !strings.Contains(readme, "- "+tag+"\n") {
				t.Errorf("%T: tag %s is not documented", r, tag)
			}
		}
		for name, kind := range fields {
			want := map[schema.Kind]string{schema.KindInt: "integer", schema.KindFloat: "float", schema.KindBool: "boolean", schema.KindString: "string"}[kind]
			if !strings.Contains(readme, "- "+name+" ("+want) {
				t.Errorf("%T: field %s (%s) is not documented", r, name, want)
			}
		}
	}
}
