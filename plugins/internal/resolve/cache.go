package resolve

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"time"
)

// Answer is what is known of a name after a look-up.
type Answer struct {
	Addr netip.Addr    // not valid if the name has none
	Age  time.Duration // since DNS confirmed Addr
	Err  error         // why this look-up failed; Addr may be valid all the same, from an earlier one
}

// answer is what the cache keeps of a name.
type answer struct {
	addr netip.Addr
	at   time.Time // of the look-up that confirmed addr
}

// ErrNone says that DNS has answered, and that the name has no address of the family.
var ErrNone = errors.New("no such name, or no address of the wanted family")

// Addrs returns an answer for each name, in their order; a name keeps its address while DNS still gives that among
// others. Where a look-up fails, the last good answer holds, but for ErrNone, which ends it. Names that were in
// the call before and are not in this one are forgotten.
func (r *Resolver) Addrs(ctx context.Context, names []string) []Answer {
	out := make([]Answer, len(names))
	r.each(ctx, len(names), func(ctx context.Context, i int) {
		out[i] = r.lookup(ctx, names[i], r.cache[names[i]])
	})
	now := r.now()
	next := make(map[string]answer, len(names))
	for i, a := range out {
		if a.Addr.IsValid() {
			next[names[i]] = answer{a.Addr, now.Add(-a.Age)}
		}
	}
	r.cache = next
	return out
}

func (r *Resolver) lookup(ctx context.Context, name string, last answer) Answer {
	old := Answer{Addr: last.addr}
	if old.Addr.IsValid() {
		old.Age = r.now().Sub(last.at)
		if old.Age < r.config.Fresh {
			return old
		}
	}
	addrs, err := r.dns.LookupNetIP(ctx, string(r.config.Family), name)
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns) && dns.IsNotFound, err == nil && len(addrs) == 0:
		return Answer{Err: fmt.Errorf("resolve: %s: %w", name, ErrNone)}
	case err != nil:
		old.Err = fmt.Errorf("resolve: %w", err) // a DNSError names what was asked
		return old
	}
	for i := range addrs {
		addrs[i] = addrs[i].Unmap()
	}
	if slices.Contains(addrs, last.addr) {
		return Answer{Addr: last.addr}
	}
	return Answer{Addr: addrs[0]}
}
