package targets

import (
	"strings"
	"testing"
)

func TestParseEntry(t *testing.T) {
	for in, want := range map[string]Entry{
		"example.net":               {Name: "example.net"},
		" Router-1.Example.NET. ":   {Name: "router-1.example.net."},
		"_probe.example.net":        {Name: "_probe.example.net"},
		"localhost":                 {Name: "localhost"},
		"3com":                      {Name: "3com"},
		"192-0-2-1.example.net":     {Name: "192-0-2-1.example.net"},
		"192.0.2.1-pool.example":    {Name: "192.0.2.1-pool.example"},
		"xn--bcher-kva.example":     {Name: "xn--bcher-kva.example"},
		strings.Repeat("a", 63):     {Name: strings.Repeat("a", 63)},
		"192.0.2.0/24":              {Range: mustRanges(t, "192.0.2.0/24")[0]},
		"192.0.2.1-9":               {Range: mustRanges(t, "192.0.2.1-192.0.2.9")[0]},
		"fe80::1%eth0":              {Range: mustRanges(t, "fe80::1%eth0")[0]},
		"2001:db8::1 - 2001:db8::5": {Range: mustRanges(t, "2001:db8::1-2001:db8::5")[0]},
	} {
		if got, err := ParseEntry(in); err != nil || got != want {
			t.Errorf("%q: got %+v, %v, want %+v", in, got, err, want)
		}
	}
}

func TestParseEntryRefuses(t *testing.T) {
	for in, want := range map[string]string{
		"":                        "is no network, range or address: write",
		"192.0.2.300":             "is no network, range or address: write",
		"10.0.0":                  "is no network, range or address: write",
		"10.0.0.":                 "is no network, range or address: write",
		"1":                       "is no network, range or address: write",
		"192.0.2.1-300":           "the range's end is no address",
		"192.0.2.1-9a":            "the range's end is no address",
		"192.0.2.1-192.0.2.300":   "the range's end is no address",
		"example.net/24":          "is no network",
		"example.net:80":          "is no network, range or address: write",
		"example.net%eth0":        "is no network, range or address: write",
		"-a.example":              `"-a" begins or ends with a hyphen`,
		"a-.example":              `"a-" begins or ends with a hyphen`,
		"a..example":              "a part between two dots is empty",
		".":                       "is no network",
		"a b":                     `' ' cannot stand in a name`,
		"bücher.example":          `'ü' cannot stand in a name: letters, digits, hyphens and dots can (other scripts as xn--)`,
		strings.Repeat("a", 64):   "longer than the 63 bytes",
		strings.Repeat("a.", 128): "at most 253 bytes, this one 255",
	} {
		if got, err := ParseEntry(in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %+v, %v, want an error with %q", in, got, err, want)
		}
	}
}

func FuzzParseEntry(f *testing.F) {
	for _, s := range []string{"example.net", "a.b-c_d.", "192.0.2.300", "192.0.2.1-a", "fe80::1%a-b", "."} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		e, err := ParseEntry(s)
		if err != nil {
			return
		}
		text := e.Name
		if text == "" {
			text = e.Range.String()
		}
		if again, err := ParseEntry(text); err != nil || again != e {
			t.Errorf("%q: its text %q reads as %+v, %v", s, text, again, err)
		}
	})
}
