package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"
)

func TestContenders(t *testing.T) {
	s := scene{echogram: "echogram", limit: "limit", telegraf: "telegraf", config: func(int) string { return "telegraf.conf" }}
	list := append(s.contenders(), s.idle())
	names := map[string]int{}
	for _, c := range list {
		names[c.name]++
		if c.program == "" || c.targets <= 0 || c.targets > all || c.found == nil || len(c.args("FILE")) == 0 {
			t.Errorf("%+v", c)
		}
		if writes := slices.Contains(c.args("FILE"), "FILE"); writes == c.says && c.program != "telegraf" {
			t.Errorf("%s: its arguments %q, says %v", c.name, c.args("FILE"), c.says)
		}
	}
	if names[nameLimit] != 1 || names[nameFping] != 1 {
		t.Errorf("no %q or no %q: %v", nameLimit, nameFping, names)
	}
	if idle := list[len(list)-1]; idle.targets != 4096 || !strings.Contains(strings.Join(idle.args("FILE"), " "), "--rate 1000 --burst 1 198.18.0.0/20") {
		t.Errorf("idle: %d targets, %q", idle.targets, idle.args("FILE"))
	}
}

func TestTelegrafConfig(t *testing.T) {
	var c struct {
		Inputs struct {
			Ping []struct{ URLs []string }
		}
		Outputs struct {
			File []struct{ Files []string }
		}
	}
	if err := toml.Unmarshal([]byte(telegrafConfig(1000, "/some/where")), &c); err != nil {
		t.Fatal(err)
	}
	urls := c.Inputs.Ping[0].URLs
	if len(urls) != 1000 || urls[0] != "198.18.0.0" || urls[999] != "198.18.3.231" || c.Outputs.File[0].Files[0] != "/some/where" {
		t.Errorf("%d URLs, output %v", len(urls), c.Outputs)
	}
}

func TestLacks(t *testing.T) {
	help := "      --send string   how\n      --sender-threads int\n"
	if got := lacks(help, []string{"--send", "--threads", "--sender"}); !slices.Equal(got, []string{"--threads", "--sender"}) {
		t.Errorf("got %v", got)
	}
}
