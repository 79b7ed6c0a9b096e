package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"echogram/plugins/internal/execd"
)

func load(t *testing.T, text string) ([]*execd.Input, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "echogram.conf")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return loadInputs(file, execd.NewLogger(io.Discard))
}

const sweepText = `
[[inputs.icmp_sweep]]
  interval = "60s"
  networks = ["192.0.2.0/24"]
`

const bfdText = `
[[inputs.bfd]]
  interval = "10s"
  interfaces = ["eth0"]
`

// TestStanzasOfAllInputs are read from one file in any order, and instances are an input's own.
func TestStanzasOfAllInputs(t *testing.T) {
	other := strings.Replace(bfdText, "interval", "instance = \"files\"\n  alias = \"a\"\n  interval", 1)
	for _, text := range []string{sweepText + bfdText + other, bfdText + other + sweepText} {
		inputs, err := load(t, text)
		if err != nil || len(inputs) != 3 {
			t.Fatalf("%d inputs, %v", len(inputs), err)
		}
	}
	for _, text := range []string{sweepText, bfdText} {
		if inputs, err := load(t, text); err != nil || len(inputs) != 1 {
			t.Errorf("%d inputs, %v", len(inputs), err)
		}
	}
}

func TestWrongStanzasAreNamed(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"none":                {"[agent]\n", `:1: key "agent": unknown`},
		"no stanza":           {"", ": no stanza: it needs an [[inputs.icmp_sweep]] or an [[inputs.bfd]]"},
		"unknown key":         {bfdText + "  interface = \"eth0\"\n", `:5: key "inputs.bfd.interface": unknown; did you mean "interfaces"?`},
		"key of another":      {sweepText + bfdText + "  networks = []\n", `key "inputs.bfd.networks": unknown`},
		"key elsewhere":       {bfdText + "  namepass = []\n", "set this on [[inputs.execd]]"},
		"what it means":       {sweepText + bfdText + "  period = \"0.5s\"\n", `:9: key "inputs.bfd[0].period": 500ms is not a whole number of seconds`},
		"of the second":       {bfdText + strings.Replace(bfdText, "eth0", "eth1", 1), `:6: key "inputs.bfd[1].instance": stanzas 1 and 2 have the same instance, "default"`},
		"what Telegraf gives": {bfdText + "  log_level = \"loud\"\n", `:5: key "inputs.bfd[0].log_level": "loud" is none of`},
	} {
		if _, err := load(t, c.text); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; want %q in it", name, err, c.want)
		}
	}
}
