package prober

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"echogram/plugins/internal/resolve"
	"echogram/plugins/internal/targets"
	"echogram/plugins/schema"
)

// TargetConfig says what is swept, as configurations and flags spell it.
type TargetConfig struct {
	Networks     []string // networks, ranges, addresses and host names
	Exclude      []string // networks, ranges and addresses that are left out
	TargetFiles  []string // further targets: targets.ParseFile has the format
	ExcludeFiles []string // further exclusions: targets.ParseExclusions has the format
	LabelsFile   string   // tags by network: targets.ParseLabels has the format
	LabelValues  int      // different values that a column of a file may have; default 1,000
	Family       string   // what host names are resolved to: any (default), ipv4, ipv6
	Shard        string   // i/n: sweep part i of n; default all
}

// TargetList is the targets of one stanza through time: files change, and names move. It reads and resolves when it
// is asked to and keeps what was good last. It is for one goroutine at a time.
type TargetList struct {
	ranges, exclude, leaveOut []targets.Range
	names                     []targets.Name // of Networks
	shard, shards             int

	files    []*file[*targets.File]
	excludes []*file[[]targets.Range]
	labels   *file[*targets.Labels] // nil: no labels file

	resolver nameResolver
	failing  map[string]string // what the last call told of each name or other thing that fails
	named    []namedTarget     // the names that have an address of their own, first configured first
	stale    bool              // the set is to be made again
	setErr   error             // why that failed the last time
	current  Current
}

// nameResolver is what a TargetList needs of resolve.Resolver.
type nameResolver interface {
	Addrs(ctx context.Context, names []string) []resolve.Answer
}

// Current is what a TargetList holds at a time. It does not change; the next Refresh returns another.
type Current struct {
	Set        *targets.Set
	Changed    bool     // Set or descriptions differ from those of the last Refresh
	Unresolved int      // names without any address, not in Set
	Warnings   []string // names and files that fail since this Refresh, or otherwise than before; those fail that are not named again
	Recovered  []string // those that do not fail any more

	labels *targets.Labels
	named  map[netip.Addr]description
}

// description is what a name and its line say of its target.
type description struct {
	name   string
	labels []schema.Tag
}

// Describe returns the host name of a target of c.Set, if it was configured by one, and its tags from files, sorted
// by key. The tags are shared: do not change them.
func (c *Current) Describe(target int) (name string, labels []schema.Tag) {
	return c.DescribeAddr(c.Set.At(target))
}

// DescribeAddr is Describe for an address.
func (c *Current) DescribeAddr(a netip.Addr) (name string, labels []schema.Tag) {
	if d, ok := c.named[a]; ok {
		return d.name, d.labels
	}
	return "", c.labels.Of(a)
}

// Bounds of resolving names before a sweep.
const (
	freshAnswer  = 30 * time.Second // a good answer that is younger is not asked for again
	resolveTime  = 10 * time.Second // that all names may take, and
	resolveExtra = time.Millisecond // that more for each of them
)

// NewTargetList checks what can be checked without files and DNS. Its errors are *Problem.
func NewTargetList(c TargetConfig) (*TargetList, error) {
	family, ok := map[string]resolve.Family{"": resolve.Any, "any": resolve.Any, "ipv4": resolve.IPv4, "ipv6": resolve.IPv6}[c.Family]
	if !ok {
		return nil, &Problem{Key: "family", Text: fmt.Sprintf("%q is not any, ipv4 or ipv6", c.Family)}
	}
	return newTargetList(c, resolve.New(resolve.Config{Family: family, Fresh: freshAnswer}))
}

func newTargetList(c TargetConfig, r nameResolver) (*TargetList, error) {
	l := &TargetList{resolver: r, failing: map[string]string{}, stale: true}
	if len(c.Networks)+len(c.TargetFiles) == 0 {
		return nil, &Problem{Key: "networks", Text: "no targets: give at least one network, range, address, host name or target file"}
	}
	for i, s := range c.Networks {
		e, err := targets.ParseEntry(s)
		switch {
		case err != nil:
			return nil, entryProblem("networks", &targets.EntryError{Index: i, Err: err})
		case e.Name != "":
			l.names = append(l.names, targets.Name{Name: e.Name})
		default:
			l.ranges = append(l.ranges, e.Range)
		}
	}
	var err error
	if l.exclude, err = targets.ParseRanges(c.Exclude); err != nil {
		return nil, entryProblem("exclude", err)
	}
	if l.shard, l.shards, err = parseShard(c.Shard); err != nil {
		return nil, err
	}
	l.addFiles(c)
	if _, err := l.Static(); err != nil {
		return nil, err
	}
	return l, nil
}

// parseShard reads i/n; nothing is all, 1/1.
func parseShard(s string) (i, n int, err error) {
	if s == "" {
		return 1, 1, nil
	}
	var rest string
	if k, _ := fmt.Sscanf(s, "%d/%d%s", &i, &n, &rest); k != 2 || i < 1 || i > n {
		return 0, 0, &Problem{Key: "shard", Text: fmt.Sprintf("%q is not i/n with 1 <= i <= n, as in 2/3", s)}
	}
	return i, n, nil
}

// Static returns the set of targets if it depends on neither files nor names, so that it is known before Load; else
// nil.
func (l *TargetList) Static() (*targets.Set, error) {
	if len(l.files)+len(l.excludes)+len(l.names) > 0 {
		return nil, nil
	}
	return l.makeSet(nil)
}

// Named tells whether targets may have host names.
func (l *TargetList) Named() bool { return len(l.names)+len(l.files) > 0 }

// LeaveOut takes addresses out of the set from the next Refresh on, such as the broadcast addresses of this host's
// links. They are taken out of the shard: shards of other hosts, where others are left out, stay the same.
func (l *TargetList) LeaveOut(ranges []targets.Range) {
	if !slices.Equal(l.leaveOut, ranges) {
		l.leaveOut, l.stale = slices.Clone(ranges), true
	}
}

// Load reads the files. Whatever is wrong with them, or with the targets that they bring, is a *Problem.
func (l *TargetList) Load() error {
	for _, f := range l.watched() {
		if f.refresh(); f.failure() != nil {
			return &Problem{Key: f.key(), Text: f.failure().Error()}
		}
	}
	_, err := l.makeSet(nil)
	var p *Problem
	if errors.As(err, &p) && p.Key == "shard" && len(l.allNames()) > 0 {
		return nil // names may bring targets to the shard
	}
	return err
}

// Refresh reads files that have changed and resolves names, once each at most, and returns the targets as they are
// then. What fails keeps its last good content; so does the set as a whole.
func (l *TargetList) Refresh(ctx context.Context) *Current {
	next := Current{Set: l.current.Set, labels: l.current.labels, named: l.current.named}
	news := newNews(l.failing)
	setStale, labelsStale := l.readFiles(news)
	named, unresolved := l.resolve(ctx, news)
	next.Unresolved = unresolved
	if !slices.EqualFunc(named, l.named, namedTarget.same) {
		setStale = true
	}
	l.named = named
	if l.stale || setStale {
		l.rebuild(&next)
	}
	if err := l.setErr; err != nil {
		news.fails("the list of targets", err.Error(), err.Error()+"; the targets stay as they were")
	}
	if next.Changed || labelsStale {
		next.Changed = true
		l.describe(&next)
	}
	if ctx.Err() == nil { // a call cut short fails of itself
		next.Warnings, next.Recovered = news.warnings, news.recovered()
		l.failing = news.failing
	}
	l.current = next
	return &next
}

// rebuild makes the set again; one that cannot be made leaves the last one, or an empty one.
func (l *TargetList) rebuild(next *Current) {
	l.stale = false
	var set *targets.Set
	if set, l.setErr = l.makeSet(l.named); l.setErr != nil {
		set = cmp.Or(next.Set, &targets.Set{})
	}
	next.Changed = set != next.Set
	next.Set = set
}

// makeSet makes the set of all ranges and named addresses, less what is excluded: this prober's part of it.
func (l *TargetList) makeSet(named []namedTarget) (*targets.Set, error) {
	in, out := slices.Clone(l.ranges), slices.Clone(l.exclude)
	for _, f := range l.files {
		if f.content != nil {
			in = append(in, f.content.Ranges...)
		}
	}
	for _, f := range l.excludes {
		out = append(out, f.content...)
	}
	for _, n := range named {
		in = append(in, targets.Range{First: n.addr, Last: n.addr})
	}
	set, err := targets.NewSet(in, out)
	if err != nil {
		key := "networks"
		if len(l.files) > 0 {
			key = "target_files"
		}
		return nil, &Problem{Key: key, Text: err.Error()}
	}
	if l.shards > 1 {
		if set, err = set.Shard(l.shard, l.shards); err != nil {
			return nil, &Problem{Key: "shard", Text: err.Error()}
		}
	}
	if len(l.leaveOut) > 0 {
		return set.Without(l.leaveOut)
	}
	return set, nil
}

// describe lays the tags of target files, first ones on top, over those of the labels file, and notes what the
// names' lines say.
func (l *TargetList) describe(c *Current) {
	c.labels = nil
	for _, f := range l.files {
		if f.content != nil {
			c.labels = c.labels.Over(f.content.Labels)
		}
	}
	if l.labels != nil {
		c.labels = c.labels.Over(l.labels.content)
	}
	c.named = make(map[netip.Addr]description, len(l.named))
	for _, n := range l.named {
		c.named[n.addr] = description{strings.TrimSuffix(n.Name.Name, "."), targets.MergeTags(n.Tags, c.labels.Of(n.addr))}
	}
}
