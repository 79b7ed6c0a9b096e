package config

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"echogram/sampleconfig"
)

const least = `[source]
url = "http://h:8086"
bucket = "a"
[sink]
bucket = "b"
`

func noEnv(string) (string, bool) { return "", false }

func TestSample(t *testing.T) {
	shown, err := Parse("pipeline.toml", []byte(sampleconfig.Pipeline), noEnv)
	if err != nil {
		t.Fatal(err)
	}
	// With every default written out it says the same, but for what is empty by default.
	text := regexp.MustCompile(`(?m)^# (\w+ = )`).ReplaceAllString(sampleconfig.Pipeline, "$1")
	full, err := Parse("pipeline.toml", []byte(text), noEnv)
	if err != nil {
		t.Fatal(err)
	}
	var a, b strings.Builder
	if err := shown.Print(&a); err != nil {
		t.Fatal(err)
	}
	full.Print(&b)
	if a.String() != b.String() {
		t.Errorf("the sample's defaults are not the real ones:\n%s\n%s", a.String(), b.String())
	}
	for _, key := range regexp.MustCompile(`(?m)^(\w+) =`).FindAllStringSubmatch(a.String(), -1) {
		if !regexp.MustCompile(`(?m)^#? ?` + key[1] + ` = `).MatchString(sampleconfig.Pipeline) {
			t.Errorf("the sample does not show %s", key[1])
		}
	}
}

func TestDefaults(t *testing.T) {
	c, err := Parse("p.toml", []byte("sweep_interval = '5m'\n"+least), noEnv)
	if err != nil {
		t.Fatal(err)
	}
	if c.Lateness.Duration != 7*time.Minute || c.Sink.URL != "http://h:8086" || c.Sink.Batch != 5000 || c.Source.Language != "auto" {
		t.Errorf("got %+v", c)
	}
	if got := c.Sink.Client(0, nil).Where; got.URL != "p.toml:3" || got.Bucket != "p.toml:6" {
		t.Errorf("where %+v", got)
	}
}

func TestErrors(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty")
	os.WriteFile(empty, []byte("\n"), 0o600)
	cases := map[string]struct{ text, want string }{
		"unknown":    {"intervall = 1\n" + least, `p.toml:1: key "intervall": unknown; did you mean "interval"?`},
		"table":      {least + "[surce]\n", `p.toml:6: key "surce": unknown; did you mean "source"?`},
		"type":       {"state_dir = 5\n" + least, `p.toml:1: key "state_dir": is an integer, want a string`},
		"short":      {"interval = '10ms'\n" + least, `p.toml:1: key "interval": 10ms is less than 1s`},
		"lateness":   {"lateness = 5\n" + least, `p.toml:1: key "lateness": 5s is less than sweep_interval, 10s: no window could ever be complete`},
		"revisit":    {"revisit = '1h'\n" + least, `p.toml:1: key "revisit": 1h is less than lateness and 2h, 2h2m10s`},
		"level":      {"log_level = 'loud'\n" + least, `p.toml:1: key "log_level": slog: level string "loud": unknown name`},
		"no url":     {"[source]\nbucket = 'a'\n[sink]\nbucket = 'b'", `p.toml:1: key "source.url": is missing`},
		"bad url":    {strings.Replace(least, "http://", "u:p4ss@", 1), `p.toml:2: key "source.url": is not a URL such as http://127.0.0.1:8086`},
		"no buckets": {"[source]\nurl = 'http://h'\n", "p.toml:1: key \"source.bucket\": is missing\np.toml: key \"sink.bucket\": is missing"},
		"language":   {strings.Replace(least, "[sink]", "language = 'sql'\n[sink]", 1), `p.toml:4: key "source.language": "sql" is not one of auto, influxql, flux`},
		"batch":      {least + "batch = 0", `p.toml:6: key "sink.batch": 0 is not between 1 and 100000`},
		"env":        {least + "token = '${NOPE}'", `p.toml:6: key "sink.token": the environment variable NOPE is not set`},
		"both":       {least + "token = 'a'\ntoken_file = 'b'", `p.toml:7: key "sink.token_file": and token are both set`},
		"no file":    {least + "token_file = '/does/not/exist'", `p.toml:6: key "sink.token_file": open /does/not/exist: no such file or directory`},
		"empty file": {least + "token_file = '" + empty + "'", `p.toml:6: key "sink.token_file": ` + empty + ` is empty`},
	}
	for name, k := range cases {
		_, err := Parse("p.toml", []byte(k.text), noEnv)
		if err == nil || err.Error() != k.want {
			t.Errorf("%s:\n got %v\nwant %s", name, err, k.want)
		}
	}
}

func TestSecretsAreNotPrinted(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	os.WriteFile(file, []byte("t0psecret\n"), 0o600)
	text := "[source]\nurl = 'http://user:p4ssword@h:8086'\nbucket = 'a'\ntoken_file = '" + file + "'\n" +
		"[sink]\nurl = 'http://other'\nbucket = 'b'\ntoken = '${T}'\n"
	c, err := Parse("p.toml", []byte(text), func(string) (string, bool) { return "sec-ret", true })
	if err != nil {
		t.Fatal(err)
	}
	if c.Source.Token != "t0psecret" || c.Sink.Token != "sec-ret" {
		t.Errorf("tokens %q %q", c.Source.Token, c.Sink.Token)
	}
	var out strings.Builder
	c.Print(&out)
	for _, secret := range []string{"t0psecret", "sec-ret", "p4ssword"} {
		if strings.Contains(out.String()+c.Source.Identity(), secret) {
			t.Errorf("%s is shown:\n%s", secret, out.String())
		}
	}
	if strings.Count(out.String(), `token = "(set)"`) != 2 {
		t.Errorf("printed\n%s", out.String())
	}
}

func TestLoginGoesOnlyToItsServer(t *testing.T) {
	own := strings.Replace(least, "[sink]", "token = 'x'\norg = 'o'\n[sink]", 1)
	c, err := Parse("p.toml", []byte(own), noEnv)
	if err != nil || c.Sink.Token != "x" || c.Sink.Org != "o" {
		t.Errorf("same server: %+v, %v", c, err)
	}
	c, err = Parse("p.toml", []byte(own+"url = 'http://elsewhere'\n"), noEnv)
	if err != nil || c.Sink.Token != "" || c.Sink.Org != "" {
		t.Errorf("another server: %+v, %v", c, err)
	}
}
