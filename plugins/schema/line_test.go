package schema

import (
	"math"
	"reflect"
	"strings"
	"testing"
)

func TestPointEscapes(t *testing.T) {
	p := Point{
		Measurement: "a b,c",
		Tags:        []Tag{{"k =,", `v\ =,x`}},
		Fields:      []Field{String("f =,", `say "hi" \ bye`), Float("x", -0.5), Bool("y", false)},
		Time:        -7, HasTime: true,
	}
	line, err := p.AppendLine(nil)
	if err != nil {
		t.Fatal(err)
	}
	const want = `a\ b\,c,k\ \=\,=v\\ \=\,x f\ \=\,="say \"hi\" \\ bye",x=-0.5,y=false -7` + "\n"
	if string(line) != want {
		t.Errorf("got  %swant %s", line, want)
	}
	var back Point
	if err := back.Parse(line); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(back, p) {
		t.Errorf("comes back as %+v, want %+v", back, p)
	}
}

func TestAppendLineRefuses(t *testing.T) {
	good := []Field{Int("f", 1)}
	for name, p := range map[string]Point{
		"no fields":            {Measurement: "m"},
		"no measurement":       {Fields: good},
		"line break in a tag":  {Measurement: "m", Tags: []Tag{{"k", "a\nb"}}, Fields: good},
		"backslash at the end": {Measurement: "m", Tags: []Tag{{"k", `a\`}}, Fields: good},
		"not a number":         {Measurement: "m", Fields: []Field{Float("f", math.NaN())}},
		"infinite":             {Measurement: "m", Fields: []Field{Float("f", math.Inf(-1))}},
		"line break in string": {Measurement: "m", Fields: []Field{String("f", "a\r\nb")}},
		"empty key":            {Measurement: "m", Fields: []Field{Int("", 1)}},
		"no value":             {Measurement: "m", Fields: []Field{{Key: "f"}}},
	} {
		if line, err := p.AppendLine([]byte("kept")); err == nil {
			t.Errorf("%s: written as %q", name, line)
		}
	}
}

func TestParseValues(t *testing.T) {
	var p Point
	if err := p.Parse([]byte("m a=1,b=2i,c=t,d=False,e=-1.5e3,g=\"\" \r\n")); err != nil {
		t.Fatal(err)
	}
	want := []Field{Float("a", 1), Int("b", 2), Bool("c", true), Bool("d", false), Float("e", -1500), String("g", "")}
	if !reflect.DeepEqual(p.Fields, want) || p.HasTime {
		t.Errorf("got %+v, time %v", p.Fields, p.HasTime)
	}
}

func TestParseRefuses(t *testing.T) {
	for line, want := range map[string]string{
		"":                         "empty name",
		"m":                        "no fields",
		"m ":                       "empty name",
		"m,k f=1":                  "has no value",
		"m,k= f=1":                 "empty name",
		"m f":                      "has no value",
		"m f=":                     "bad value",
		"m f=1x":                   "bad value",
		"m f=nan":                  "bad value",
		"m f=tru":                  "bad value",
		"m f=9223372036854775808i": "bad value",
		`m f="a`:                   "does not end",
		"m f=1 now":                "bad time",
		`m f="a"b 1`:               "unexpected",
		"m f=1 1 2":                "bad time",
		`m,k=a\ `:                  "no fields",
	} {
		var p Point
		if err := p.Parse([]byte(line)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want an error with %q", line, err, want)
		}
	}
}

// FuzzParse: what is read can be written, and reads the same again.
func FuzzParse(f *testing.F) {
	for _, c := range full() {
		f.Add([]byte(c.line))
	}
	f.Add([]byte(`m\ ,k\,=v\= f\ ="a\"\\",g=1e9 5`))
	f.Fuzz(func(t *testing.T, line []byte) {
		var p, again Point
		if p.Parse(line) != nil {
			return
		}
		p.HasTime = true
		out, err := p.AppendLine(nil)
		if err != nil {
			return // a name that line protocol can read and not write, such as one with a carriage return
		}
		if err := again.Parse(out); err != nil {
			t.Fatalf("%q was written as %q: %v", line, out, err)
		}
		if !reflect.DeepEqual(p, again) {
			t.Fatalf("%q: %+v comes back as %+v", line, p, again)
		}
	})
}
