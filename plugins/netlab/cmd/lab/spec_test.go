package main

import (
	"math"
	"strings"
	"testing"
	"time"
)

func TestParse(t *testing.T) {
	for args, want := range map[string]spec{
		"bridges 5":         {kind: bridges, count: 5},
		"delay 250ns":       {kind: delay, time: 250},
		"links 3 100M":      {kind: links, count: 3, rate: 100_000_000},
		"links 1 2.5G":      {kind: links, count: 1, rate: 2_500_000_000},
		"links 1 123456789": {kind: links, count: 1, rate: 123_456_789},
		"wan 20ms":          {kind: wan, time: 20 * time.Millisecond},
		"world":             {kind: live, speed: worldSpeed},
	} {
		var s spec
		if err := s.parse(strings.Fields(args)); err != nil || s != want {
			t.Errorf("%s: %+v, %v", args, s, err)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, args := range []string{
		"", "bridge 5", "bridges", "bridges 0", "bridges 65", "bridges five", "bridges 5 6", "delay", "delay 250", "delay x",
		"links 3", "links 0 100M", "links 17 100M", "links 3 100m", "links 3 0", "links 3 NaN", "links 3 M", "wan -1ms", "wan 11s", "world 5",
	} {
		var s spec
		if err := s.parse(strings.Fields(args)); err == nil {
			t.Errorf("%q is taken: %+v", args, s)
		}
	}
	for _, s := range []spec{{jitter: 1}, {loss: .1}, {outlier: .1}, {seed: 1}, {speed: 1}} {
		if err := s.parse([]string{bridges, "5"}); err == nil {
			t.Errorf("%+v is taken", s)
		}
	}
}

func TestWorldSpeed(t *testing.T) {
	for _, speed := range []float64{-1, 1e6, math.NaN()} {
		if s := (spec{speed: speed}); s.parse([]string{live}) == nil {
			t.Errorf("a speed of %v is taken", speed)
		}
	}
	if s := (spec{speed: 600}); s.days(36*time.Hour) != 900 {
		t.Errorf("%v days", s.days(36*time.Hour))
	}
}

func TestShare(t *testing.T) {
	for text, want := range map[string]share{"1%": .01, "0.01": .01, "0": 0, "100%": 1, "1": 1, "2.5%": .025} {
		var s share
		if err := s.Set(text); err != nil || s != want {
			t.Errorf("%s: %v, %v", text, s, err)
		}
	}
	for _, text := range []string{"", "%", "101%", "-1%", "1.1", "NaN", "one"} {
		if s := new(share); s.Set(text) == nil {
			t.Errorf("%q is taken: %v", text, s)
		}
	}
	if got := share(.025).String(); got != "2.5%" {
		t.Error(got)
	}
}
