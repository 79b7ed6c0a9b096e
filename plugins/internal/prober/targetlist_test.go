package prober

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"echogram/plugins/internal/resolve"
	"echogram/plugins/internal/targets"
)

// fakeNames answers from a map; what is not in it has no address.
type fakeNames struct {
	answers map[string]resolve.Answer
	asked   [][]string
}

func (f *fakeNames) Addrs(_ context.Context, names []string) []resolve.Answer {
	f.asked = append(f.asked, names)
	out := make([]resolve.Answer, len(names))
	for i, n := range names {
		a, ok := f.answers[n]
		if !ok {
			a.Err = fmt.Errorf("resolve: %s: %w", n, resolve.ErrNone)
		}
		out[i] = a
	}
	return out
}

func (f *fakeNames) set(name, addr string) {
	if f.answers == nil {
		f.answers = map[string]resolve.Answer{}
	}
	f.answers[name] = resolve.Answer{Addr: netip.MustParseAddr(addr)}
}

// put writes a file anew: another inode, as tools that replace files do.
func put(t *testing.T, path, text string) {
	t.Helper()
	if err := errors.Join(os.WriteFile(path+".new", []byte(text), 0o600), os.Rename(path+".new", path)); err != nil {
		t.Fatal(err)
	}
}

func mustList(t *testing.T, c TargetConfig, r nameResolver) *TargetList {
	t.Helper()
	l, err := newTargetList(c, r)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Load(); err != nil {
		t.Fatal(err)
	}
	return l
}

// describe lists the targets with their networks, names and tags.
func describe(c *Current) []string {
	var out []string
	for i := range c.Set.Len() {
		name, labels := c.Describe(i)
		s := c.Set.Network(i) + " " + c.Set.At(i).String()
		if name != "" {
			s += " " + name
		}
		for _, l := range labels {
			s += " " + l.Key + "=" + l.Value
		}
		out = append(out, s)
	}
	return out
}

func wantList(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\ngot  %q\nwant %q", what, got, want)
	}
}

func TestTargetList(t *testing.T) {
	dir := t.TempDir()
	hosts, more, exclude, labels := filepath.Join(dir, "hosts"), filepath.Join(dir, "more"), filepath.Join(dir, "exclude"), filepath.Join(dir, "labels")
	put(t, hosts, "host,site,owner\n198.51.100.7,lyon,\nweb.example,paris,bob\n")
	put(t, more, "203.0.113.1\nROUTER.example. # again\n")
	put(t, exclude, "192.0.2.2\n")
	put(t, labels, "cidr,owner,as\n198.51.100.0/24,alice,64500\n203.0.113.0/24,carol,\n")
	names := &fakeNames{}
	names.set("router.example", "203.0.113.9")
	names.set("web.example", "198.51.100.8")
	l := mustList(t, TargetConfig{
		Networks: []string{"192.0.2.0/30", "router.example"}, Exclude: []string{"192.0.2.0"},
		TargetFiles: []string{hosts, more}, ExcludeFiles: []string{exclude}, LabelsFile: labels,
	}, names)
	c := l.Refresh(t.Context())
	wantList(t, "targets", describe(c), []string{
		"192.0.2.0/30 192.0.2.1", "192.0.2.0/30 192.0.2.3",
		"198.51.100.7/32 198.51.100.7 as=64500 owner=alice site=lyon",
		"198.51.100.8/32 198.51.100.8 web.example as=64500 owner=bob site=paris",
		"203.0.113.1/32 203.0.113.1 owner=carol",
		"203.0.113.9/32 203.0.113.9 router.example owner=carol",
	})
	if !c.Changed || c.Unresolved != 0 || len(c.Warnings)+len(c.Recovered) > 0 {
		t.Errorf("%+v", c)
	}
	if again := l.Refresh(t.Context()); again.Set != c.Set || again.Changed {
		t.Error("nothing has changed, and yet the set has")
	}
	if err := os.Chtimes(hosts, time.Time{}, time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if again := l.Refresh(t.Context()); again.Set != c.Set || again.Changed {
		t.Error("a file that was touched changes the set")
	}
	wantList(t, "names asked for at a time", names.asked[2], []string{"router.example", "web.example"})

	put(t, labels, "cidr,owner\n192.0.2.0/24,dave\n")
	labelled := l.Refresh(t.Context())
	if labelled.Set != c.Set || !labelled.Changed {
		t.Error("other labels are a change, but not of the set")
	}
	wantList(t, "other labels", describe(labelled)[:3], []string{
		"192.0.2.0/30 192.0.2.1 owner=dave", "192.0.2.0/30 192.0.2.3 owner=dave", "198.51.100.7/32 198.51.100.7 site=lyon"})
	wantList(t, "what was returned before", describe(c)[:1], []string{"192.0.2.0/30 192.0.2.1"})

	put(t, exclude, "192.0.2.0/24\n198.51.100.7\n")
	wantList(t, "more exclusions", describe(l.Refresh(t.Context()))[:1], []string{"198.51.100.8/32 198.51.100.8 web.example owner=bob site=paris"})
}

// TestTargetListWarnsOnce breaks and mends a file and a name.
func TestTargetListWarnsOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hosts")
	put(t, path, "192.0.2.1\n")
	names := &fakeNames{}
	names.set("a.example", "192.0.2.7")
	l := mustList(t, TargetConfig{Networks: []string{"a.example", "b.example", "c.example"}, TargetFiles: []string{path}}, names)
	kept := resolve.Answer{Addr: netip.MustParseAddr("192.0.2.7"), Age: 90 * time.Second, Err: errors.New("resolve: lookup a.example on 192.0.2.53:53: timeout")}
	good := "192.0.2.1/32 192.0.2.1"
	named := "192.0.2.7/32 192.0.2.7 a.example"
	steps := []struct {
		what                string
		do                  func()
		targets             []string
		unresolved          int
		warnings, recovered []string
	}{
		{"start", func() {}, []string{good, named}, 2, []string{
			"resolve: b.example: no such name, or no address of the wanted family; b.example is not swept",
			"resolve: c.example: no such name, or no address of the wanted family; c.example is not swept"}, nil},
		{"nothing", func() {}, []string{good, named}, 2, nil, nil},
		{"a file breaks, a name comes", func() {
			put(t, path, "192.0.2.1\n192.0.2.300\n")
			names.set("c.example", "192.0.2.9")
		}, []string{good, named, "192.0.2.9/32 192.0.2.9 c.example"}, 1, []string{
			"target_files: " + path + `:2: "192.0.2.300" is no network, range or address: write 192.0.2.0/24, 192.0.2.1-192.0.2.9 or 192.0.2.1; its last good content stays`},
			[]string{"c.example is well again"}},
		{"nothing", func() {}, []string{good, named, "192.0.2.9/32 192.0.2.9 c.example"}, 1, nil, nil},
		{"the file is gone, DNS fails, two names share an address", func() {
			os.Remove(path)
			names.answers["a.example"] = kept
			names.set("c.example", "192.0.2.7")
		}, []string{good, named}, 1, []string{
			"target_files: stat " + path + ": no such file or directory; its last good content stays",
			"resolve: lookup a.example on 192.0.2.53:53: timeout; a.example keeps its address 192.0.2.7, confirmed 1m30s ago",
			"c.example has the address 192.0.2.7 of a.example, which was configured first and names the target"}, nil},
		{"nothing", func() {}, []string{good, named}, 1, nil, nil},
		{"an empty file", func() { put(t, path, "# soon\n") }, []string{good, named}, 1,
			[]string{"target_files: " + path + ": the file holds no targets; its last good content stays"}, nil},
		{"all is well but b", func() {
			put(t, path, "192.0.2.1\n")
			names.set("a.example", "192.0.2.8")
		}, []string{good, "192.0.2.7/32 192.0.2.7 c.example", "192.0.2.8/32 192.0.2.8 a.example"}, 1, nil,
			[]string{path + " is well again", "a.example is well again", "the address of c.example is well again"}},
		{"an address that is none", func() { names.set("c.example", "0.0.0.0") }, []string{good, "192.0.2.8/32 192.0.2.8 a.example"}, 2,
			[]string{"c.example has the address 0.0.0.0, which is not swept"}, nil},
		{"all is well but b", func() { names.set("c.example", "192.0.2.7") }, []string{good, "192.0.2.7/32 192.0.2.7 c.example", "192.0.2.8/32 192.0.2.8 a.example"}, 1, nil,
			[]string{"the address of c.example is well again"}},
		{"too many", func() { put(t, path, "10.0.0.0/8\n192.0.2.1\n") }, []string{good, "192.0.2.7/32 192.0.2.7 c.example", "192.0.2.8/32 192.0.2.8 a.example"}, 1,
			[]string{"target_files: there are 16777219 targets in all; a sweep takes at most 16777216 (2^24): give fewer or narrower networks, or exclude more; the targets stay as they were"}, nil},
		{"nothing", func() {}, []string{good, "192.0.2.7/32 192.0.2.7 c.example", "192.0.2.8/32 192.0.2.8 a.example"}, 1, nil, nil},
	}
	for _, s := range steps {
		s.do()
		c := l.Refresh(t.Context())
		wantList(t, s.what, describe(c), s.targets)
		wantList(t, s.what+": warnings", c.Warnings, s.warnings)
		wantList(t, s.what+": recovered", c.Recovered, s.recovered)
		if c.Unresolved != s.unresolved {
			t.Errorf("%s: %d unresolved, want %d", s.what, c.Unresolved, s.unresolved)
		}
	}
}

func TestTargetListRefuses(t *testing.T) {
	dir := t.TempDir()
	path := func(text string) string {
		p := filepath.Join(dir, fmt.Sprintf("%x", text[:min(8, len(text))]))
		put(t, p, text)
		return p
	}
	net := []string{"192.0.2.0/24"}
	for key, c := range map[string]struct {
		config TargetConfig
		want   string
	}{
		"networks":      {TargetConfig{}, "no targets: give at least one"},
		"networks[1]":   {TargetConfig{Networks: []string{"192.0.2.1", "10.0.0"}}, `"10.0.0" is no network`},
		"networks ":     {TargetConfig{Networks: []string{"2001:db8::/64"}}, "2001:db8::/64 holds 18446744073709551616 addresses"},
		"exclude[0]":    {TargetConfig{Networks: net, Exclude: []string{"a.example"}}, `"a.example" is no network`},
		"family":        {TargetConfig{Networks: net, Family: "4"}, `"4" is not any, ipv4 or ipv6`},
		"shard":         {TargetConfig{Networks: net, Shard: "3/2"}, `"3/2" is not i/n`},
		"shard ":        {TargetConfig{Networks: net, Shard: "1/2x"}, `"1/2x" is not i/n`},
		"shard  ":       {TargetConfig{Networks: net, Shard: "2/2"}, "shard 2/2 gets no targets"},
		"target_files":  {TargetConfig{TargetFiles: []string{filepath.Join(dir, "none")}}, "no such file"},
		"target_files ": {TargetConfig{TargetFiles: []string{path("10.0.0.0/7")}}, "10.0.0.0/7 holds 33554432 addresses"},
		"exclude_files": {TargetConfig{Networks: net, ExcludeFiles: []string{path("a.example")}}, `:1: "a.example" is no network`},
		"labels_file":   {TargetConfig{Networks: net, LabelsFile: path("ip,host\n")}, `:1: the header's column "host"`},
		"labels_file ":  {TargetConfig{Networks: net, LabelsFile: path("cidr,a\n10.0.0.1,x\n10.0.0.2,y\n"), LabelValues: 1}, `column "a" has more than 1 different values`},
	} {
		l, err := NewTargetList(c.config)
		if err == nil {
			err = l.Load()
		}
		var p *Problem
		if !errors.As(err, &p) || p.Key != strings.TrimSpace(key) || !strings.Contains(p.Text, c.want) {
			t.Errorf("%+v: got %v, want %s: %s", c.config, err, key, c.want)
		}
	}
}

func TestTargetListShardAndLeaveOut(t *testing.T) {
	l := mustList(t, TargetConfig{Networks: []string{"198.51.100.0/24", "203.0.113.0/30", "192.0.2.255", "late.example"}, Shard: "2/3"}, &fakeNames{})
	if s, err := l.Static(); s != nil || err != nil {
		t.Errorf("a list with names is known before they are resolved: %v, %v", s, err)
	}
	c := l.Refresh(t.Context())
	if c.Set.Len() != 256 || c.Set.Network(0) != "198.51.100.0/24" {
		t.Errorf("shard 2/3 holds %d of %s", c.Set.Len(), c.Set.Network(0))
	}
	broadcast := targets.Range{First: netip.MustParseAddr("198.51.100.255"), Last: netip.MustParseAddr("198.51.100.255")}
	l.LeaveOut([]targets.Range{broadcast})
	less := l.Refresh(t.Context())
	if _, found := less.Set.Index(broadcast.First); found || less.Set.Len() != 255 || !less.Changed {
		t.Errorf("%d targets are left", less.Set.Len())
	}
	l.LeaveOut([]targets.Range{broadcast})
	if again := l.Refresh(t.Context()); again.Set != less.Set {
		t.Error("leaving out the same makes another set")
	}
}

func TestTargetListStatic(t *testing.T) {
	l := mustList(t, TargetConfig{Networks: []string{"192.0.2.0/24", "2001:db8::/120"}, Shard: "1/2", LabelsFile: os.DevNull}, nil)
	if s, err := l.Static(); err != nil || s.Len() != 256 {
		t.Errorf("%v, %v", s, err)
	}
}

// TestTargetListCutShort ends the context while names are asked for.
func TestTargetListCutShort(t *testing.T) {
	names := &fakeNames{}
	names.set("a.example", "192.0.2.7")
	l := mustList(t, TargetConfig{Networks: []string{"a.example"}}, names)
	c := l.Refresh(t.Context())
	names.answers["a.example"] = resolve.Answer{Addr: netip.MustParseAddr("192.0.2.7"), Err: context.Canceled}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if cut := l.Refresh(ctx); cut.Set != c.Set || len(cut.Warnings) > 0 {
		t.Errorf("%+v", cut)
	}
}
