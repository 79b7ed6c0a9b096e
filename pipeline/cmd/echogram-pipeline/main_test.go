package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestUntil(t *testing.T) {
	now := time.Date(2026, 1, 10, 12, 0, 0, 0, time.UTC)
	good := map[string]time.Time{
		"":                          now,
		"2026-01-10T11:00:00+01:00": now.Add(-2 * time.Hour),
		"1768046340":                now.Add(-time.Minute),
		"2030-01-01T00:00:00Z":      now,
	}
	for text, want := range good {
		f := runFlags{config: "c", once: true, until: text}
		if got, err := f.parse(now); err != nil || !got.Equal(want) {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	bad := map[string]runFlags{
		"--config is missing":  {once: true},
		"--until needs --once": {config: "c", until: "5"},
		`--until "noon" is neither an RFC 3339 time nor seconds since the epoch`: {config: "c", once: true, until: "noon"},
	}
	for want, f := range bad {
		if _, err := f.parse(now); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestExitCodes(t *testing.T) {
	dir := t.TempDir()
	config := filepath.Join(dir, "p.toml")
	text := "state_dir = '" + filepath.Join(dir, "state") + "'\n[source]\nurl = 'http://127.0.0.1:9'\nbucket = 'a'\ntoken = 'hush'\n[sink]\nbucket = 'b'\n"
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	for args, want := range map[string]int{
		"version": exitDone, "--help": exitDone, "run --help": exitDone, "completion bash": exitDone,
		"frobnicate": exitUsage, "run": exitUsage, "run --frob": exitUsage, "run x": exitUsage, "version x": exitUsage,
		"run --config " + filepath.Join(dir, "none"): exitUsage,
		"run --check --config " + config:             exitDone,
	} {
		root := newRoot()
		var out bytes.Buffer
		root.SetOut(&out)
		root.SetErr(&out)
		root.SetArgs(strings.Fields(args))
		err := root.ExecuteContext(context.Background())
		got := exitDone
		if usage := (usageError{}); errors.As(err, &usage) {
			got = exitUsage
		} else if err != nil {
			got = exitFailed
		}
		if got != want {
			t.Errorf("%s: %d, want %d: %v", args, got, want, err)
		}
		if strings.Contains(out.String(), "hush") {
			t.Errorf("%s shows a secret", args)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "state")); err == nil {
		t.Error("--check wrote something")
	}
}
