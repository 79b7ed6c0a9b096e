package targets

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"echogram/plugins/schema"
)

func tagText(tags []schema.Tag) string {
	var out []string
	for _, t := range tags {
		out = append(out, t.Key+"="+t.Value)
	}
	return strings.Join(out, " ")
}

func TestParseFile(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want []string // ranges, then names, with their tags
	}{
		"empty":         {"", nil},
		"comments only": {"\ufeff# nothing\r\n\r\n   # here\r\n", nil},
		"one a line": {"\ufeff192.0.2.1\r\n\r\n  198.51.100.0/24\t# the lab\n2001:db8::1-2001:db8::9#end\nfe80::1%eth0\nRouter.example\n", []string{
			"192.0.2.1/32", "198.51.100.0/24", "2001:db8::1-2001:db8::9", "fe80::1%eth0/128", "router.example"}},
		"columns without a header": {"192.0.2.1,alice,lab\nrouter.example,bob\n", []string{"192.0.2.1/32", "router.example"}},
		"header alone":             {"ip\n192.0.2.1\n", []string{"192.0.2.1/32"}},
		"columns": {"# list\nHost , site,owner\n192.0.2.0/24,\"Zürich, \"\"HB\"\"\",alice # core\n192.0.2.7,,\nrouter.example,lab #2\n192.0.2.9,lab,bob#1\n\"192.0.2.8\" , \"x\" # y\n", []string{
			`192.0.2.0/24 owner=alice site=Zürich, "HB"`, "192.0.2.7/32", "192.0.2.9/32 owner=bob#1 site=lab", "192.0.2.8/32 site=x", "router.example site=lab"}},
	} {
		f, err := ParseFile("f", strings.NewReader(c.text), Limits{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var got []string
		for _, r := range f.Ranges {
			got = append(got, strings.TrimSpace(r.String()+" "+tagText(f.Labels.Of(r.Last))))
		}
		for _, n := range f.Names {
			got = append(got, strings.TrimSpace(n.Name+" "+tagText(n.Tags)))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s:\ngot  %q\nwant %q", name, got, c.want)
		}
	}
}

func TestParseFileRefuses(t *testing.T) {
	nine := "a,b,c,d,e,f,g,h,i"
	for text, want := range map[string]string{
		"192.0.2.1\n192.0.2.300\n":            `list.txt:2: "192.0.2.300" is no network, range or address: write 192.0.2.0/24`,
		"# x\n\n10.0.0.1/24":                  `list.txt:3: "10.0.0.1/24" has host bits set: did you mean 10.0.0.0/24?`,
		"192.0.2.1 router":                    `list.txt:1: "192.0.2.1 router" is no network, range, address or host name: ' ' cannot stand in a name`,
		"ip," + nine:                          "list.txt:1: the header names 9 label columns, at most 8 are taken",
		"ip,owner,owner":                      `list.txt:1: the header names column "owner" twice`,
		"ip,network":                          `list.txt:1: the header's column "network" has the name of a tag or field that is written anyway`,
		"ip,rtt_ns":                           `list.txt:1: the header's column "rtt_ns" has the name of a tag or field`,
		"ip,time":                             `list.txt:1: the header's column "time" has the name of a tag or field`,
		"ip,_field":                           `list.txt:1: the header's column "_field" has the name of a tag or field`,
		"ip,,a":                               `list.txt:1: the header's column "" cannot be a tag`,
		"ip,a\n192.0.2.1,x,y":                 "list.txt:2: the line has 3 fields, the header 2: quote fields that hold commas",
		"ip,a\n192.0.2.1,x\\":                 `list.txt:2: column "a": "x\\" cannot be a tag's value`,
		"ip,a\n10.0.0.1,1\n10.0.0.2,2\n::1,3": `list.txt:4: column "a" has more than 2 different values`,
		"\"192.0.2.1\nx\"":                    "list.txt:1: a quoted field has no closing quote in its line",
		"\"192.0.2.1\"x":                      `list.txt:1: "x" follows a quoted field: a comma must`,
		"r\xe9seau.example":                   "list.txt:1: the line is no UTF-8 text",
		"\xff\xfe1\x000\x00":                  "list.txt:1: the line is no UTF-8 text",
		"192.0.2.1\n" + strings.Repeat("x", 70000): "list.txt:2: the line is longer than 65536 bytes",
	} {
		_, err := ParseFile("list.txt", strings.NewReader(text), Limits{Values: 2})
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%.40q:\ngot  %v\nwant %s", text, err, want)
		}
	}
	broken := errors.New("disk gone")
	if _, err := ParseFile("f", iotest.ErrReader(broken), Limits{}); !errors.Is(err, broken) {
		t.Errorf("a reader's error comes back as %v", err)
	}
}

func TestParseExclusions(t *testing.T) {
	text := "# From IANA\n0.0.0.0/8           # RFC1122: \"This host\"\n10.0.0.0/8, 192.168.0.0/16 ,203.0.113.7,\n\n198.18.0.0-198.19.255.255\r\n2001:db8::/32\n"
	list, err := ParseExclusions("f", strings.NewReader(text))
	want := "[0.0.0.0/8 10.0.0.0/8 192.168.0.0/16 203.0.113.7/32 198.18.0.0-198.19.255.255 2001:db8::/32]"
	if got := fmt.Sprint(list); err != nil || got != want {
		t.Errorf("got  %s, %v\nwant %s", got, err, want)
	}
	for text, want := range map[string]string{
		"10.0.0.0/8\nexample.net":    `f:2: "example.net" is no network, range or address`,
		"10.0.0.0/8, 10.0.0.256 # x": `f:1: "10.0.0.256" is no network, range or address`,
	} {
		if _, err := ParseExclusions("f", strings.NewReader(text)); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
}

const labelsFile = `cidr,site,owner
10.0.0.0/8,,corp
10.1.0.0/16,paris,net
10.1.2.0/24,,
10.1.2.7,lyon,ops
2001:db8::/32,paris,corp
fe80::/10,link,
fe80::1%eth0,link,me
192.0.2.8-192.0.2.9,spare,ops
255.255.255.255,last,
ffff::/16,end,
`

func TestLabels(t *testing.T) {
	l, err := ParseLabels("f", strings.NewReader(labelsFile), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	for a, want := range map[string]string{
		"9.255.255.255": "", "10.0.0.0": "owner=corp", "10.255.255.255": "owner=corp", "11.0.0.0": "", "10.1.1.1": "owner=net site=paris",
		"10.1.2.6": "", "10.1.2.7": "owner=ops site=lyon", "10.1.2.8": "", "10.1.3.0": "owner=net site=paris",
		"192.0.2.7": "", "192.0.2.9": "owner=ops site=spare", "192.0.2.10": "", "255.255.255.255": "site=last", "::a01:207": "",
		"2001:db8:ffff::1": "owner=corp site=paris", "fe80::1": "site=link", "fe80::1%eth0": "owner=me site=link",
		"fe80::2%eth0": "site=link", "fe80::1%eth1": "site=link", "ffff::": "site=end", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff": "site=end",
	} {
		if got := tagText(l.Of(netip.MustParseAddr(a))); got != want {
			t.Errorf("%s: %q, want %q", a, got, want)
		}
	}
	one, two := l.Of(netip.MustParseAddr("10.0.0.1")), l.Of(netip.MustParseAddr("10.9.0.1"))
	if &one[0] != &two[0] {
		t.Error("two addresses of one line do not share their tags")
	}
	if n := testing.AllocsPerRun(100, func() { l.Of(netip.AddrFrom4([4]byte{10, 1, 2, 7})) }); n != 0 {
		t.Errorf("%v allocations a lookup", n)
	}
}

func TestParseLabelsRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"10.0.0.0/8,corp\n":                  `f:1: "10.0.0.0/8,corp" is no header: the first line must name the columns, as in cidr,owner,site`,
		"cidr\n10.0.0.0/8":                   `f:1: "cidr" is no header`,
		"cidr,a\n10.0.0.0/8,x\n10.0.0.0/8,x": "f:3: 10.0.0.0/8 has its labels from a line above",
		"cidr,a\nexample.net,x":              `f:2: "example.net" is no network, range or address`,
		"cidr,host\n":                        `f:1: the header's column "host"`,
		"cidr,a\n10.0.0.1,x\n10.0.0.2,y":     `f:3: column "a" has more than 1 different values, of which each makes series of its own: leave the column out or raise the limit`,
	} {
		if _, err := ParseLabels("f", strings.NewReader(text), Limits{Values: 1}); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
	if l, err := ParseLabels("f", strings.NewReader("# empty\n"), Limits{}); err != nil || l.Of(netip.MustParseAddr("::1")) != nil {
		t.Errorf("an empty file gives %v, %v", l, err)
	}
}

func TestLabelsOver(t *testing.T) {
	parse := func(s string) *Labels {
		l, err := ParseLabels("f", strings.NewReader(s), Limits{})
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	base := parse(labelsFile)
	top := parse("ip,site,zone\n10.1.0.0/17,rome,b\nfe80::1%eth1,wall,c\n203.0.113.0/24,far,d")
	both := top.Over(base)
	for a, want := range map[string]string{
		"10.0.0.1": "owner=corp", "10.1.2.7": "owner=ops site=rome zone=b", "10.1.2.8": "site=rome zone=b", "10.1.128.0": "owner=net site=paris",
		"fe80::1%eth1": "site=wall zone=c", "fe80::1%eth0": "owner=me site=link", "fe80::9%eth1": "site=link", "fe80::9%eth7": "site=link",
		"203.0.113.1": "site=far zone=d", "203.0.114.1": "", "2001:db8::1": "owner=corp site=paris",
	} {
		if got := tagText(both.Of(netip.MustParseAddr(a))); got != want {
			t.Errorf("%s: %q, want %q", a, got, want)
		}
	}
	var none *Labels
	if none.Over(base) != base || base.Over(none) != base {
		t.Error("labels over none are not the labels themselves")
	}
}

func fuzzText(f *testing.F) {
	for _, s := range []string{"192.0.2.1\nhost.example # x\n", "ip,a,b\n10.0.0.0/8,\"x,\"\"y\",z\nr.example,,q\n", labelsFile, "10.0.0.0/8, 10.1.0.0/16,\n", "\"", "a,\"\""} {
		f.Add(s)
	}
}

func FuzzParseFile(f *testing.F) {
	fuzzText(f)
	f.Fuzz(func(t *testing.T, s string) {
		file, err := ParseFile("f", strings.NewReader(s), Limits{})
		if err != nil {
			return
		}
		for _, r := range file.Ranges {
			checkTags(t, file.Labels.Of(r.First))
		}
		for _, n := range file.Names {
			checkTags(t, n.Tags)
		}
	})
}

func FuzzParseExclusions(f *testing.F) {
	fuzzText(f)
	f.Fuzz(func(t *testing.T, s string) {
		list, err := ParseExclusions("f", strings.NewReader(s))
		if err == nil && len(list) > len(s)/2+1 {
			t.Errorf("%d ranges in %d bytes", len(list), len(s))
		}
	})
}

func FuzzParseLabels(f *testing.F) {
	fuzzText(f)
	f.Fuzz(func(t *testing.T, s string) {
		l, err := ParseLabels("f", strings.NewReader(s), Limits{})
		if err != nil {
			return
		}
		for _, a := range []string{"0.0.0.0", "10.1.2.7", "255.255.255.255", "::", "fe80::1", "fe80::1%eth0"} {
			checkTags(t, l.Over(l).Of(netip.MustParseAddr(a)))
		}
	})
}

func checkTags(t *testing.T, tags []schema.Tag) {
	t.Helper()
	for i, tag := range tags {
		if schema.CheckName(tag.Key) != nil || schema.CheckName(tag.Value) != nil || i > 0 && tags[i-1].Key >= tag.Key {
			t.Errorf("tags %q", tags)
		}
	}
}
