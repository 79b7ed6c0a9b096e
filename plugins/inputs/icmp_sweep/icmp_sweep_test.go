package icmp_sweep

import (
	"errors"
	"fmt"
	"os"
	"reflect"
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
	b.Exclude, b.ExcludeFiles, b.TargetFiles, b.LabelsFile, b.Seed = nil, nil, nil, "", nil // examples, not defaults
	for _, s := range []*ICMPSweep{a, b} {
		if err := s.Init(); err != nil {
			t.Fatal(err)
		}
		s.config.Plan.Order.Seed, s.config.Plan.History, s.config.Targets, s.config.Warn = 0, nil, nil, nil
	}
	if fmt.Sprintf("%+v", a.config.Plan) != fmt.Sprintf("%+v", b.config.Plan) { // an empty list is as good as none
		t.Errorf("defaults are\n%+v, the sample's comments say\n%+v", a.config.Plan, b.config.Plan)
	}
	a.config.Plan, b.config.Plan = nil, nil
	for _, o := range []struct{ ours, samples *string }{{&a.config.Send, &b.config.Send}, {&a.config.Stamps, &b.config.Stamps}} {
		if *o.samples == "auto" || *o.samples == "software" { // what "" means
			*o.samples = *o.ours
		}
	}
	if fmt.Sprintf("%+v", a.config) != fmt.Sprintf("%+v", b.config) {
		t.Errorf("defaults are\n%+v, the sample's comments say\n%+v", a.config, b.config)
	}
}

// TestSampleConfigHasEveryOption holds the sample against the stanza's keys.
func TestSampleConfigHasEveryOption(t *testing.T) {
	stanza := reflect.TypeFor[ICMPSweep]()
	for i := range stanza.NumField() {
		key := stanza.Field(i).Tag.Get("toml")
		if key == "" || key == "-" {
			continue
		}
		if !strings.Contains(sampleconfig.ICMPSweep, "\n  "+key+" = ") && !strings.Contains(sampleconfig.ICMPSweep, "\n  # "+key+" = ") {
			t.Errorf("the sample does not show %s", key)
		}
	}
}

func TestInitNamesTheKey(t *testing.T) {
	for key, change := range map[string]func(*ICMPSweep){
		"interval":              func(s *ICMPSweep) { s.Interval = strict.Duration{Duration: 1500 * time.Millisecond} },
		"networks":              func(s *ICMPSweep) { s.Networks = nil },
		"networks[1]":           func(s *ICMPSweep) { s.Networks = []string{"192.0.2.1", "192.0.2.0/40"} },
		"exclude[0]":            func(s *ICMPSweep) { s.Exclude = []string{"x"} },
		"ttl":                   func(s *ICMPSweep) { s.TTL = 256 },
		"source":                func(s *ICMPSweep) { s.Source = "eth0" },
		"size":                  func(s *ICMPSweep) { s.Sizes = []int{65508} },
		"fields":                func(s *ICMPSweep) { s.Fields = "float" },
		"per_target":            func(s *ICMPSweep) { s.PerTarget = "some" },
		"order":                 func(s *ICMPSweep) { s.Order = "random" },
		"seed":                  func(s *ICMPSweep) { n := int64(-1); s.Seed = &n },
		"pattern":               func(s *ICMPSweep) { s.Pattern = "xyz" },
		"shard":                 func(s *ICMPSweep) { s.Shard = "3/2" },
		"family":                func(s *ICMPSweep) { s.Family = "ipx" },
		"dscp":                  func(s *ICMPSweep) { s.DSCP = 64 },
		"fragment":              func(s *ICMPSweep) { s.DF, s.Fragment = true, true },
		"send":                  func(s *ICMPSweep) { s.Send = "fast" },
		"threads":               func(s *ICMPSweep) { s.Threads = 65 },
		"ring_mib":              func(s *ICMPSweep) { s.RingMiB = -1 },
		"stamps":                func(s *ICMPSweep) { s.Stamps = "mine" },
		"interface":             func(s *ICMPSweep) { s.Stamps = "hardware" },
		"on_link":               func(s *ICMPSweep) { s.Stamps, s.Interface, s.OnLink = "hardware", "eth0", true },
		"reverse_dns":           func(s *ICMPSweep) { s.ReverseDNS = true },
		"source_ipv6":           func(s *ICMPSweep) { s.SourceIPv6 = "x" },
		"late_window":           func(s *ICMPSweep) { d := seconds(3600); s.LateWindow = &d },
		"fields: beside a size": func(s *ICMPSweep) { n := 56; s.Size, s.Fields = &n, "float" },
	} {
		key, _, _ := strings.Cut(key, ":")
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
	for _, r := range []schema.Row{
		&schema.SweepRow{}, &schema.LateRow{}, &schema.SweepBlockRow{}, &schema.SweepStatsRow{}, &schema.SampleRow{},
	} {
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
