// Package resolve asks DNS, and the hosts file, for the addresses of names and for the names of addresses: many at a
// time, each within a time limit. It remembers the last good answer of each name, so that DNS that fails does not
// take targets away. It resolves with Go's own resolver, which needs no cgo and obeys cancellation.
//
// Layers: resolve.go (many look-ups within bounds), cache.go (what a name's look-up means for its last answer).
// When to look up, and what to do with names that have no address, is the caller's.
package resolve

import (
	"cmp"
	"context"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Family is the kind of address that names are resolved to.
type Family string

// Families. Any takes what the system would use first (RFC 6724).
const (
	Any  Family = "ip"
	IPv4 Family = "ip4"
	IPv6 Family = "ip6"
)

// Config is how a Resolver works.
type Config struct {
	Family   Family        // default Any
	Parallel int           // look-ups under way at a time; default 32
	Timeout  time.Duration // of one look-up; default 3 s
	Fresh    time.Duration // a good answer is not asked for again while it is younger; default 0, always
}

// lookups are what a Resolver needs of net.Resolver.
type lookups interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
	LookupAddr(ctx context.Context, addr string) ([]string, error)
}

// Resolver resolves names and addresses. It is for one goroutine at a time.
type Resolver struct {
	config Config
	dns    lookups
	now    func() time.Time
	cache  map[string]answer
}

// New makes a Resolver. It sends nothing yet.
func New(c Config) *Resolver {
	return newResolver(c, &net.Resolver{PreferGo: true}, time.Now)
}

func newResolver(c Config, dns lookups, now func() time.Time) *Resolver {
	c.Family = cmp.Or(c.Family, Any)
	c.Parallel = cmp.Or(c.Parallel, 32)
	c.Timeout = cmp.Or(c.Timeout, 3*time.Second)
	return &Resolver{config: c, dns: dns, now: now, cache: map[string]answer{}}
}

// Names returns the first name of each address, without the last dot; "" where there is none in time.
func (r *Resolver) Names(ctx context.Context, addrs []netip.Addr) []string {
	out := make([]string, len(addrs))
	r.each(ctx, len(addrs), func(ctx context.Context, i int) {
		if names, err := r.dns.LookupAddr(ctx, addrs[i].String()); err == nil && len(names) > 0 {
			out[i] = strings.TrimSuffix(names[0], ".")
		}
	})
	return out
}

// each calls f for 0 to n-1, some at a time, with a context that ends with the time limit, and returns when all
// have returned. After the end of ctx f is called all the same, to fail at once.
func (r *Resolver) each(ctx context.Context, n int, f func(ctx context.Context, i int)) {
	var next atomic.Int64
	var working sync.WaitGroup
	for range min(n, r.config.Parallel) {
		working.Go(func() {
			for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
				limited, cancel := context.WithTimeout(ctx, r.config.Timeout)
				f(limited, int(i))
				cancel()
			}
		})
	}
	working.Wait()
}
