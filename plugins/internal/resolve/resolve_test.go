package resolve

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// fakeDNS answers from maps; names without an entry hang until their time is over.
type fakeDNS struct {
	mu      sync.Mutex
	addrs   map[string][]netip.Addr
	errs    map[string]error
	names   map[string][]string
	network string
	asked   int
	now     int // look-ups under way
	most    int
	delay   time.Duration
}

func (f *fakeDNS) enter(ctx context.Context, network string) {
	f.mu.Lock()
	f.network = network
	f.asked++
	f.now++
	f.most = max(f.most, f.now)
	f.mu.Unlock()
	if f.delay > 0 {
		select {
		case <-time.After(f.delay):
		case <-ctx.Done():
		}
	}
	f.mu.Lock()
	f.now--
	f.mu.Unlock()
}

func (f *fakeDNS) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	f.enter(ctx, network)
	if err := f.errs[host]; err != nil {
		return nil, err
	}
	if a, ok := f.addrs[host]; ok {
		return slices.Clone(a), nil
	}
	<-ctx.Done()
	return nil, ctx.Err()
}

func (f *fakeDNS) LookupAddr(ctx context.Context, addr string) ([]string, error) {
	f.enter(ctx, "")
	if n, ok := f.names[addr]; ok {
		return n, nil
	}
	<-ctx.Done()
	return nil, ctx.Err()
}

func addrs(list ...string) []netip.Addr {
	var out []netip.Addr
	for _, s := range list {
		out = append(out, netip.MustParseAddr(s))
	}
	return out
}

// TestAddrs follows one name through look-ups that a minute lies between.
func TestAddrs(t *testing.T) {
	broken := errors.New("server misbehaving")
	one, two := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	steps := []struct {
		what  string
		addrs []netip.Addr
		err   error
		want  Answer
	}{
		{"fails before it was ever known", nil, broken, Answer{Err: broken}},
		{"the first of two", []netip.Addr{one, two}, nil, Answer{Addr: one}},
		{"turned round: stays", []netip.Addr{two, one}, nil, Answer{Addr: one}},
		{"fails: the last good one, a minute old", nil, broken, Answer{Addr: one, Age: time.Minute, Err: broken}},
		{"and two minutes old", nil, broken, Answer{Addr: one, Age: 2 * time.Minute, Err: broken}},
		{"gone from the answer: the next", addrs("::ffff:192.0.2.2"), nil, Answer{Addr: two}},
		{"no such name", nil, &net.DNSError{Err: "no such host", IsNotFound: true}, Answer{Err: ErrNone}},
		{"fails, with nothing to keep", nil, broken, Answer{Err: broken}},
		{"an answer without addresses", []netip.Addr{}, nil, Answer{Err: ErrNone}},
	}
	synctest.Test(t, func(t *testing.T) {
		dns := &fakeDNS{}
		r := newResolver(Config{}, dns, time.Now)
		for _, s := range steps {
			dns.addrs, dns.errs = map[string][]netip.Addr{"a.example": s.addrs}, map[string]error{"a.example": s.err}
			got := r.Addrs(t.Context(), []string{"a.example"})[0]
			if got.Addr != s.want.Addr || got.Age != s.want.Age || !errors.Is(got.Err, s.want.Err) || (got.Err == nil) != (s.want.Err == nil) {
				t.Errorf("%s: got %+v, want %+v", s.what, got, s.want)
			}
			time.Sleep(time.Minute)
		}
		if dns.network != "ip" {
			t.Errorf("asked for family %q", dns.network)
		}
	})
}

func TestFresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dns := &fakeDNS{addrs: map[string][]netip.Addr{"a.example": addrs("2001:db8::1")}}
		r := newResolver(Config{Family: IPv6, Fresh: 30 * time.Second}, dns, time.Now)
		for range 4 {
			if got := r.Addrs(t.Context(), []string{"a.example"})[0]; got.Err != nil || got.Addr != addrs("2001:db8::1")[0] {
				t.Errorf("got %+v", got)
			}
			time.Sleep(20 * time.Second)
		}
		if dns.asked != 2 || dns.network != "ip6" {
			t.Errorf("asked %d times in 80 s for family %s, want 2 for ip6", dns.asked, dns.network)
		}
		r.Addrs(t.Context(), nil)
		r.Addrs(t.Context(), []string{"a.example"})
		if dns.asked != 3 {
			t.Error("a name that was left out is remembered")
		}
	})
}

// TestBounds asks for names that never answer: time and parallel look-ups stay bounded, and the good ones come.
func TestBounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dns := &fakeDNS{addrs: map[string][]netip.Addr{"good.example": addrs("192.0.2.1")}, delay: 100 * time.Millisecond}
		r := newResolver(Config{Parallel: 4, Timeout: time.Second}, dns, time.Now)
		names := slices.Repeat([]string{"silent.example"}, 10)
		names = append(names, "good.example")
		began := time.Now()
		got := r.Addrs(t.Context(), names)
		if took := time.Since(began); took != 3*time.Second {
			t.Errorf("10 silent names, 4 at a time and 1 s each, took %s", took)
		}
		if dns.most != 4 || got[10].Addr != addrs("192.0.2.1")[0] || !errors.Is(got[0].Err, context.DeadlineExceeded) {
			t.Errorf("%d at a time, answers %+v", dns.most, got)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		began = time.Now()
		got = r.Addrs(ctx, names)
		if took := time.Since(began); took != 500*time.Millisecond || got[10].Addr != addrs("192.0.2.1")[0] {
			t.Errorf("cut after 500 ms it took %s and the good name is %+v", took, got[10])
		}
	})
}

func TestNames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dns := &fakeDNS{names: map[string][]string{"192.0.2.1": {"a.example.", "b.example."}, "192.0.2.2": {}}}
		r := newResolver(Config{Timeout: time.Second}, dns, time.Now)
		got := r.Names(t.Context(), addrs("192.0.2.1", "192.0.2.2", "2001:db8::1"))
		if !slices.Equal(got, []string{"a.example", "", ""}) {
			t.Errorf("got %q", got)
		}
	})
}

// TestSystem uses the machine's resolver for what needs no server.
func TestSystem(t *testing.T) {
	got := New(Config{Family: IPv4}).Addrs(t.Context(), []string{"192.0.2.1", "localhost"})
	if got[0].Addr != addrs("192.0.2.1")[0] || got[1].Addr != addrs("127.0.0.1")[0] {
		t.Errorf("got %+v", got)
	}
}
