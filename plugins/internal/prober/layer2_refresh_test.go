package prober

import (
	"context"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"echogram/plugins/internal/icmpecho"
	"echogram/plugins/internal/route"
)

// waker is a raw socket whose messages change what a fake kernel knows, after a time.
type waker struct {
	kernel *fakeKernel
	after  time.Duration
	learns route.Neighbour
	msgs   []icmpecho.Datagram
	due    time.Time
}

func (w *waker) Send(msgs []icmpecho.Datagram) (int, error) {
	w.msgs = append(w.msgs, msgs...)
	w.due = time.Now().Add(w.after)
	return len(msgs), nil
}

// slowKernel knows the gateway once the waker's message has had its effect.
type slowKernel struct {
	*fakeKernel
	waker *waker
}

func (k slowKernel) Lookup(h route.Hop) (route.Neighbour, error) {
	if w := k.waker; !w.due.IsZero() && !time.Now().Before(w.due) {
		k.neighbours[h.Addr] = w.learns
		w.due = time.Time{}
	}
	return k.fakeKernel.Lookup(h)
}

func TestRefreshResolves(t *testing.T) {
	for _, c := range []struct {
		name   string
		before route.NeighbourState
		after  time.Duration
		learns route.Neighbour
		took   time.Duration
		known  bool
		woken  int
	}{
		{"reachable", route.Reachable, 0, route.Neighbour{}, 0, true, 0},
		{"stale: confirmed, not waited for", route.Stale, time.Second, route.Neighbour{}, 0, true, 1},
		{"answers", route.Unknown, 5 * time.Millisecond, route.Neighbour{MAC: theirs, State: route.Reachable}, 6 * time.Millisecond, true, 1},
		{"found dead", route.Unknown, 50 * time.Millisecond, route.Neighbour{State: route.Failed}, 50 * time.Millisecond, false, 1},
		{"silent", route.Resolving, time.Hour, route.Neighbour{}, gatewayTime, false, 1},
		{"dead: asked again, not waited for", route.Failed, time.Hour, route.Neighbour{}, 0, false, 1},
	} {
		synctest.Test(t, func(t *testing.T) {
			k := newFakeKernel()
			k.neighbours[gateway] = route.Neighbour{MAC: theirs, State: c.before}
			w := &waker{kernel: k, after: c.after, learns: c.learns}
			n := newHops(slowKernel{k, w}, w)
			var followed map[route.Hop]route.Neighbour
			n.follow = func(m map[route.Hop]route.Neighbour) { followed = m }
			began := time.Now()
			if err := n.refresh(context.Background(), parse(t, "198.18.0.0/28")); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(began); took != c.took {
				t.Errorf("%s: took %v, want %v", c.name, took, c.took)
			}
			if h := n.table.Load().hops[0]; h.known != c.known || c.known && h.to != theirs {
				t.Errorf("%s: %+v", c.name, h)
			}
			if len(w.msgs) != c.woken || c.woken > 0 && w.msgs[0].Dst != gateway {
				t.Errorf("%s: sent %v", c.name, w.msgs)
			}
			if _, ok := followed[route.Hop{IfIndex: 2, Addr: gateway}]; !ok || len(followed) != 1 {
				t.Errorf("%s: follows %v", c.name, followed)
			}
		})
	}
}

func TestArouse(t *testing.T) {
	w := &waker{kernel: newFakeKernel()}
	newHops(w.kernel, w).arouse(route.Hop{IfIndex: 2, Addr: gateway6})
	if got := w.msgs[0].Dst; got != netip.MustParseAddr("fe80::2%2") {
		t.Errorf("sent to %s", got)
	}
	if m, err := icmpecho.Parse(w.msgs[0].Data, source6, gateway6, true); err != nil || m.Kind != icmpecho.EchoRequest || m.ID != 0 {
		t.Errorf("%+v, %v", m, err)
	}
}

// TestUpkeep: a change makes a new table, neighbours are confirmed only while frames are sent, and many changes do
// not make many tables.
func TestUpkeep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newFakeKernel()
		w := &waker{kernel: k, after: time.Hour}
		n := newHops(k, w)
		ctx, cancel := context.WithCancel(context.Background())
		changed, done := make(chan struct{}, 1), make(chan struct{})
		go func() { n.upkeep(ctx, changed); close(done) }()
		changed <- struct{}{} // before there are targets
		synctest.Wait()
		time.Sleep(settleTime)
		if err := n.refresh(ctx, parse(t, "198.18.0.0/28")); err != nil {
			t.Fatal(err)
		}
		first := n.table.Load()

		k.neighbours[gateway] = route.Neighbour{MAC: onLinkHost, State: route.Reachable}
		changed <- struct{}{}
		synctest.Wait()
		second := n.table.Load()
		if second == first || second.hops[0].to != onLinkHost || first.hops[0].to != theirs {
			t.Error("the change is not in the table")
		}
		changed <- struct{}{}
		synctest.Wait()
		if n.table.Load() != second {
			t.Error("changes are not held back")
		}
		time.Sleep(settleTime)
		synctest.Wait()
		if n.table.Load() == second {
			t.Error("the second change is lost")
		}

		k.neighbours[gateway] = route.Neighbour{MAC: onLinkHost, State: route.Stale}
		time.Sleep(2 * confirmTime)
		synctest.Wait()
		if len(w.msgs) != 0 {
			t.Errorf("%d messages though nothing is sent", len(w.msgs))
		}
		n.use()
		time.Sleep(2 * confirmTime)
		synctest.Wait()
		if len(w.msgs) != 1 {
			t.Errorf("%d messages to confirm a stale neighbour", len(w.msgs))
		}
		k.neighbours[gateway] = route.Neighbour{State: route.Failed}
		n.use()
		time.Sleep(confirmTime)
		synctest.Wait()
		if n.table.Load().hops[0].known {
			t.Error("a dead neighbour is sent to")
		}
		cancel()
		<-done
	})
}
