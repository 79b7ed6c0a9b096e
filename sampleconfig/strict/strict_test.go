package strict_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"echogram/sampleconfig/strict"
)

type stanza struct {
	Interval strict.Duration   `toml:"interval"`
	Networks []string          `toml:"networks"`
	Rate     int               `toml:"rate"`
	Tags     map[string]string `toml:"tags"`
	Deep     struct {
		URL string `toml:"url"`
	} `toml:"deep"`
}

type file struct {
	Inputs struct {
		Sweep []stanza `toml:"icmp_sweep"`
	} `toml:"inputs"`
	Name string `toml:"name"`
}

func decode(t *testing.T, text string, opts ...strict.Option) (*file, *strict.Document, error) {
	t.Helper()
	var f file
	doc, err := strict.Decode("x.toml", []byte(text), &f, opts...)
	return &f, doc, err
}

func TestDecodeErrors(t *testing.T) {
	hint := strict.Hint(func(key string) string {
		switch {
		case strings.HasSuffix(key, ".namepass"), strings.HasSuffix(key, ".tagpass"):
			return "set this on [[inputs.execd]]"
		case key == "agent":
			return "this is Telegraf's own"
		}
		return ""
	})
	cases := map[string]struct{ text, want string }{
		"unknown":         {"[[inputs.icmp_sweep]]\nintervall = 1", `x.toml:2: key "inputs.icmp_sweep.intervall": unknown; did you mean "interval"?`},
		"far":             {"[[inputs.icmp_sweep]]\nbanana = 1", `x.toml:2: key "inputs.icmp_sweep.banana": unknown`},
		"unknown table":   {"name='a'\n[input]\na=1", `x.toml:2: key "input": unknown; did you mean "inputs"?`},
		"several":         {"nam = 1\n\nnmae = 2", "x.toml:1: key \"nam\": unknown; did you mean \"name\"?\nx.toml:3: key \"nmae\": unknown; did you mean \"name\"?"},
		"hint":            {"[[inputs.icmp_sweep]]\n\nnamepass = ['a']", `x.toml:3: key "inputs.icmp_sweep.namepass": not read here: set this on [[inputs.execd]]`},
		"hint table":      {"[[inputs.icmp_sweep]]\n\n[inputs.icmp_sweep.tagpass]\na = ['a']", `x.toml:3: key "inputs.icmp_sweep.tagpass": not read here: set this on [[inputs.execd]]`},
		"hint root":       {"[agent]\ninterval = 1", `x.toml:1: key "agent": not read here: this is Telegraf's own`},
		"dotted":          {"inputs.foo.bar = 1", `x.toml:1: key "inputs.foo": unknown`},
		"inline":          {"[[inputs.icmp_sweep]]\ndeep = { ulr = 'x' }", `x.toml:2: key "inputs.icmp_sweep.deep.ulr": unknown; did you mean "url"?`},
		"type":            {"[[inputs.icmp_sweep]]\nrate = 1\n[[inputs.icmp_sweep]]\nrate = 'fast'", `x.toml:4: key "inputs.icmp_sweep.rate": is a string, want an integer`},
		"type in array":   {"[[inputs.icmp_sweep]]\nnetworks = [\n 'a',\n 5 ]", `x.toml:4: key "inputs.icmp_sweep.networks[1]": is an integer, want a string`},
		"array":           {"[[inputs.icmp_sweep]]\nnetworks = 'a'", `x.toml:2: key "inputs.icmp_sweep.networks": is a string, want an array`},
		"table":           {"name = 'a'\ninputs = 3", `x.toml:2: key "inputs": is an integer, want a table`},
		"not array table": {"[inputs.icmp_sweep]\nrate = 1", `x.toml:1: key "inputs.icmp_sweep": is a table, want an array of tables: [[inputs.icmp_sweep]]`},
		"duration":        {"[[inputs.icmp_sweep]]\n\ninterval = '10 parsecs'", `x.toml:3: key "inputs.icmp_sweep.interval": "10 parsecs" is not a duration such as "10s", "1m30s", "1d" or a number of seconds`},
		"duration number": {"[[inputs.icmp_sweep]]\n\ninterval = nan", `x.toml:3: key "inputs.icmp_sweep.interval": "nan" is not a duration such as "10s", "1m30s", "1d" or a number of seconds`},
		"overflow":        {"[[inputs.icmp_sweep]]\n\nrate = 99999999999999999999", `x.toml:3: key "inputs.icmp_sweep.rate": decimal number is too large to fit in a 64-bit signed integer`},
		"syntax":          {"name = 'a'\nfoo = = 1", `x.toml:2: unexpected character U+003D '=' at start of value`},
		"open string":     {"\n\nname = 'a\n", `x.toml:3: literal strings cannot have new lines`},
		"twice":           {"name = 'a'\nname = 'b'", `x.toml:2: key "name": key name is already defined`},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, _, err := decode(t, c.text, hint)
			if err == nil || err.Error() != c.want {
				t.Fatalf("got  %v\nwant %s", err, c.want)
			}
			var e *strict.Error
			if !errors.As(err, &e) || e.File != "x.toml" || e.Line == 0 {
				t.Errorf("%v is no *Error with a line", err)
			}
		})
	}
}

func TestDocument(t *testing.T) {
	text := `name = "a"
[[inputs.icmp_sweep]]
networks = ["10.0.0.0/8"]

[[inputs.icmp_sweep]]
rate = 5
networks = [
  "a", # one
  "b",
]
deep = { url = "x" }
[inputs.icmp_sweep.tags]
site = "here"
"a.b" = "there"
`
	_, doc, err := decode(t, text)
	if err != nil {
		t.Fatal(err)
	}
	lines := map[string]int{
		"name": 1, "Name": 1, "inputs.icmp_sweep": 2, "inputs.icmp_sweep[0]": 2, "inputs.icmp_sweep[0].networks[0]": 3,
		"inputs.icmp_sweep[1]": 5, "inputs.icmp_sweep[1].rate": 6, "inputs.icmp_sweep[1].networks": 7,
		"inputs.icmp_sweep[1].networks[0]": 8, "inputs.icmp_sweep[1].networks[1]": 9, "inputs.icmp_sweep[1].networks[7]": 7,
		"inputs.icmp_sweep[1].deep.url": 11, "inputs.icmp_sweep[1].tags.site": 13, `inputs.icmp_sweep[1].tags."a.b"`: 14,
		"inputs.icmp_sweep[1].interval": 5, `inputs.icmp_sweep[1].tags."c.d"`: 12, "source.url": 0,
	}
	for key, want := range lines {
		if got := doc.Line(key); got != want {
			t.Errorf("Line(%s) = %d, want %d", key, got, want)
		}
	}
	if doc.Has("inputs.icmp_sweep[1].interval") || !doc.Has("inputs.icmp_sweep[1].rate") {
		t.Error("Has is wrong")
	}
	got := doc.Errorf("inputs.icmp_sweep[1].rate", "%d is too slow", 5).Error()
	if want := `x.toml:6: key "inputs.icmp_sweep[1].rate": 5 is too slow`; got != want {
		t.Errorf("got %s", got)
	}
	if got := doc.Errorf("source.url", "is missing").Error(); got != `x.toml: key "source.url": is missing` {
		t.Errorf("got %s", got)
	}
}

func TestEnv(t *testing.T) {
	env := strict.Env(func(name string) (string, bool) {
		v, ok := map[string]string{"A": "al\"pha\nrate = 9", "B": "${A}", "EMPTY": ""}[name]
		return v, ok
	})
	f, _, err := decode(t, `name = "x${A}y${EMPTY}$${A}$$1"
[[inputs.icmp_sweep]]
networks = ["${B}"]
[inputs.icmp_sweep.tags]
site = "${B}-${B}"
`, env)
	if err != nil {
		t.Fatal(err)
	}
	if want := "xal\"pha\nrate = 9y${A}$$1"; f.Name != want {
		t.Errorf("name %q, want %q", f.Name, want)
	}
	if s := f.Inputs.Sweep[0]; s.Networks[0] != "${A}" || s.Tags["site"] != "${A}-${A}" || s.Rate != 0 {
		t.Errorf("got %+v", s)
	}
	_, _, err = decode(t, "name = 'a'\n[[inputs.icmp_sweep]]\nnetworks = ['a',\n'${NOPE}']\ndeep.url = '${'", env)
	want := `x.toml:4: key "inputs.icmp_sweep[0].networks[1]": the environment variable NOPE is not set
x.toml:5: key "inputs.icmp_sweep[0].deep.url": ${ without a name and a }; write $${ for the two characters themselves`
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestDuration(t *testing.T) {
	good := map[string]time.Duration{
		"10s": 10 * time.Second, "1m30s": 90 * time.Second, "1d": 24 * time.Hour, "2d12h": 60 * time.Hour,
		"15": 15 * time.Second, "0.25": 250 * time.Millisecond, "0": 0, "-1s": -time.Second, "1_000": 1000 * time.Second,
	}
	for text, want := range good {
		var d strict.Duration
		if err := d.UnmarshalText([]byte(text)); err != nil || d.Duration != want {
			t.Errorf("%s: %v, %v", text, d, err)
		}
		var again strict.Duration
		form, _ := d.MarshalText()
		if err := again.UnmarshalText(form); err != nil || again != d {
			t.Errorf("%s: %s comes back as %v, %v", text, form, again, err)
		}
	}
	for _, text := range []string{"", "d", "1dd", "x", "1", "1e300", "inf", "-1d", "1d-1h", "999999999d", "106751d23h48m"} {
		var d strict.Duration
		if err := d.UnmarshalText([]byte(text)); err == nil && text != "1" {
			t.Errorf("%q: accepted as %v", text, d)
		}
	}
	for d, want := range map[time.Duration]string{time.Hour: "1h", time.Minute: "1m", 90 * time.Second: "1m30s", 0: "0s", 10 * time.Minute: "10m", 10 * time.Hour: "10h", time.Hour + time.Second: "1h0m1s"} {
		if got := (strict.Duration{Duration: d}).String(); got != want {
			t.Errorf("%v: %s, want %s", d, got, want)
		}
	}
	var v struct {
		A, B, C strict.Duration
		D       *strict.Duration
		E       []strict.Duration
	}
	if _, err := strict.Decode("d", []byte("A = 10\nB = 1.5\nC = '1m'\nD = '1s'\nE = [1, '2s']"), &v); err != nil {
		t.Fatal(err)
	}
	if v.A != strict.Seconds(10) || v.B.Duration != 1500*time.Millisecond || v.C != strict.Seconds(60) || v.D.Duration != time.Second || v.E[1] != strict.Seconds(2) {
		t.Errorf("got %+v", v)
	}
}

func FuzzDecode(f *testing.F) {
	for _, s := range []string{"", "a", "name='${A}'", "[[inputs.icmp_sweep]]\ninterval=1\nnetworks=['a',['b']]", "inputs = [1,{a=2}]",
		"[inputs]\nicmp_sweep=[{rate=1},{deep={url=''}}]", "[[a]]\n[[a.b]]\n[a.b.c]\nx.y=1", "\"\" = 1", "name=1979-05-27", "\r\n[[inputs.icmp_sweep]]\r\nx"} {
		f.Add([]byte(s))
	}
	env := strict.Env(func(string) (string, bool) { return "v", true })
	f.Fuzz(func(t *testing.T, data []byte) {
		var v file
		doc, err := strict.Decode("f", data, &v, env)
		if err == nil {
			doc.Line("inputs.icmp_sweep[0].networks[0]")
			return
		}
		var e *strict.Error
		if !errors.As(err, &e) || e.Problem == "" || e.Line < 0 {
			t.Fatalf("%T %v", err, err)
		}
	})
}
