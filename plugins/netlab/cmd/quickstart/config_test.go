package main

import (
	"strings"
	"testing"

	"echogram/sampleconfig"
)

const sample = `# top
first = 1
[a]
  ## key = "not this one"
  key = "x"
[[b]]
  # key = ["y"]
  other = 2
`

func TestRender(t *testing.T) {
	got, err := render(sample,
		setting{"", "first", 7}, setting{"[a]", "key", "new"}, setting{"[[b]]", "key", []string{"p", "q"}})
	if err != nil {
		t.Fatal(err)
	}
	want := `# top
first = 7
[a]
  ## key = "not this one"
  key = "new"
[[b]]
  key = ["p", "q"]
  other = 2
`
	if got != want {
		t.Errorf("got\n%s", got)
	}
}

func TestRenderRefuses(t *testing.T) {
	for _, s := range []setting{{"[c]", "key", 1}, {"[a]", "other", 1}, {"[a]", "first", 1}} {
		if _, err := render(sample, s); err == nil {
			t.Errorf("%+v: no error", s)
		}
	}
}

func TestSamplesTakeOurSettings(t *testing.T) {
	for name, c := range map[string]struct {
		sample   string
		settings []setting
	}{
		"icmp_sweep.conf": {sampleconfig.ICMPSweep, sweepSettings("198.18.0.0/16")},
		"bfd.conf":        {sampleconfig.BFD, bfdSettings("prober0")},
		"telegraf.conf":   {sampleconfig.Telegraf, telegrafSettings([]string{"echogram"}, "http://127.0.0.1:1")},
		"pipeline.toml":   {sampleconfig.Pipeline, pipelineSettings("http://127.0.0.1:1", "/tmp/state")},
	} {
		text, err := render(c.sample, c.settings...)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if strings.Contains(text, "8086") {
			t.Errorf("%s: an address of the sample is left:\n%s", name, text)
		}
	}
}
