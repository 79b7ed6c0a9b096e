package prober

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"echogram/plugins/internal/resolve"
	"echogram/plugins/internal/targets"
)

// namedTarget is a name with the address that it stands for.
type namedTarget struct {
	targets.Name
	addr netip.Addr
}

func (n namedTarget) same(m namedTarget) bool { return n.Name.Name == m.Name.Name && n.addr == m.addr }

// allNames returns the names of the configuration and of the files, each once, first ones first.
func (l *TargetList) allNames() []targets.Name {
	var out []targets.Name
	seen := map[string]bool{}
	add := func(list []targets.Name) {
		for _, n := range list {
			if key := strings.TrimSuffix(n.Name, "."); !seen[key] {
				seen[key] = true
				out = append(out, n)
			}
		}
	}
	add(l.names)
	for _, f := range l.files {
		if f.content != nil {
			add(f.content.Names)
		}
	}
	return out
}

// resolve returns the names that have an address, first configured first, and how many have none. Of two names for
// one address the first holds it.
func (l *TargetList) resolve(ctx context.Context, news *news) (named []namedTarget, unresolved int) {
	names := l.allNames()
	if len(names) == 0 {
		return nil, 0
	}
	texts := make([]string, len(names))
	for i, n := range names {
		texts[i] = n.Name
	}
	limited, cancel := context.WithTimeout(ctx, resolveTime+time.Duration(len(names))*resolveExtra)
	defer cancel()
	holder := map[netip.Addr]string{}
	for i, a := range l.resolver.Addrs(limited, texts) {
		if a.Err != nil {
			news.failsName(texts[i], a)
		}
		first, taken := holder[a.Addr]
		switch {
		case !a.Addr.IsValid():
			unresolved++
		case !targets.Probeable(a.Addr): // one such would spoil the set; filters answer so for names they block
			unresolved++
			news.fails("the address of "+texts[i], "unfit", fmt.Sprintf("%s has the address %s, which is not swept", texts[i], a.Addr))
		case taken:
			news.fails("the address of "+texts[i], first, fmt.Sprintf("%s has the address %s of %s, which was configured first and names the target", texts[i], a.Addr, first))
		default:
			holder[a.Addr] = texts[i]
			named = append(named, namedTarget{names[i], a.Addr})
		}
	}
	return named, unresolved
}

// news collects what fails at a Refresh, and tells of it when that was not so, or was otherwise, the time before.
type news struct {
	before, failing map[string]string // what fails -> in which way
	warnings        []string
}

func newNews(before map[string]string) *news {
	return &news{before: before, failing: map[string]string{}}
}

// fails notes that a thing fails in a way; warning is told if that is new.
func (n *news) fails(thing, way, warning string) {
	n.failing[thing] = way
	if n.before[thing] != way {
		n.warnings = append(n.warnings, warning)
	}
}

// failsName tells of a name once until it is well again: the texts of DNS errors hold ports that change.
func (n *news) failsName(name string, a resolve.Answer) {
	if a.Addr.IsValid() {
		n.fails(name, "kept", fmt.Sprintf("%v; %s keeps its address %s, confirmed %s ago", a.Err, name, a.Addr, a.Age.Round(time.Second)))
		return
	}
	n.fails(name, "none", fmt.Sprintf("%v; %s is not swept", a.Err, name))
}

// recovered returns, sorted, what failed before and does not now.
func (n *news) recovered() []string {
	var out []string
	for thing := range n.before {
		if _, failing := n.failing[thing]; !failing {
			out = append(out, thing+" is well again")
		}
	}
	slices.Sort(out)
	return out
}
