package prober

import (
	"context"
	"errors"
	"net/netip"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"echogram/plugins/internal/frame"
	"echogram/plugins/internal/icmpecho"
	"echogram/plugins/internal/icmpsock"
	"echogram/plugins/internal/packetsock"
	"echogram/plugins/internal/route"
	"echogram/plugins/internal/sweep"
	"echogram/plugins/internal/targets"
)

// nextHops keeps the next hops of a prober's targets as the kernel would choose them, while routes, links and
// neighbours change. Sending threads read them without waiting.
//
// Frames do not tell the kernel that its neighbours are still there, so it would forget them, or keep one that has
// moved. Whenever an entry in use is not freshly confirmed, one echo request goes to that neighbour by the raw
// socket: the kernel then resolves or confirms it, and tells if it is elsewhere.
type nextHops struct {
	kernel             kernel
	query              route.Query
	source4, source6   netip.Addr
	options4, options6 frame.IPOptions

	table atomic.Pointer[hopTable]
	macs  atomic.Pointer[func(target int) (frame.MAC, bool)]
	used  atomic.Bool // frames were sent since the neighbours were confirmed last

	mu     sync.Mutex // guards all below, and the making of tables
	set    *targets.Set
	wake   sweep.Sender
	follow func(map[route.Hop]route.Neighbour)

	close func() // ends what open began
}

// Times of the upkeep.
const (
	gatewayTime = 300 * time.Millisecond // how long a sweep waits for gateways to be resolved
	gatewayPoll = 2 * time.Millisecond
	confirmTime = 10 * time.Second       // between looks at the neighbours, while frames are sent
	settleTime  = 200 * time.Millisecond // between tables at the least, however fast routes change
)

// openNextHops opens what next hops need and starts their upkeep; refresh fills them. c is what the raw sockets of
// the same prober are opened with. It needs CAP_NET_RAW, and is closed by close.
func openNextHops(c icmpsock.Config) (*nextHops, error) {
	n := &nextHops{query: route.Query{Mark: c.Mark}, source4: c.Source4, source6: c.Source6}
	n.table.Store(&hopTable{})
	client, err := route.NewClient()
	if err != nil {
		return nil, err
	}
	n.kernel, n.close = client, client.Close
	if err := n.open(c, client); err != nil {
		n.close()
		return nil, err
	}
	return n, nil
}

func (n *nextHops) open(c icmpsock.Config, client *route.Client) error {
	if c.Interface != "" {
		i, err := client.ByName(c.Interface)
		if i.Index == 0 { // one of a type that cannot be captured has a number
			return err
		}
		n.query.OutIndex = i.Index
	}
	wake, err := icmpsock.Open(c)
	if err != nil {
		return err
	}
	n.wake, n.close = sendSocket{wake}, func() { wake.Close(); client.Close() }
	ttl4, ttl6, err := wake.TTL()
	if err != nil {
		return err
	}
	n.options4 = frame.IPOptions{TTL: uint8(ttl4), TrafficClass: uint8(c.DSCP << 2), DontFragment: c.DontFragment}
	n.options6 = frame.IPOptions{TTL: uint8(ttl6), TrafficClass: uint8(c.DSCP << 2)}
	watch, err := route.NewWatch()
	if err != nil {
		return err
	}
	n.follow = watch.Follow
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { watch.Run(ctx) }) // should it fail, each sweep's own refresh is left
	wg.Go(func() { n.upkeep(ctx, watch.Changed) })
	n.close = func() {
		cancel()
		wg.Wait()
		watch.Close()
		wake.Close()
		client.Close()
	}
	return nil
}

// sender opens a sending thread's sockets for frames: one for each interface in use, and a spare one for a route
// that moves to another, since none can be opened any more when the privileges are gone.
func (n *nextHops) sender(fallback sweep.Sender) (*layer2, error) {
	var sockets []frameSocket
	for range len(n.table.Load().interfaces) + 1 {
		s, err := packetsock.Open(packetsock.Config{})
		if err != nil {
			for _, s := range sockets {
				s.Close()
			}
			return nil, err
		}
		sockets = append(sockets, s)
	}
	return newLayer2(n, fallback, sockets), nil
}

// use returns the table to send by.
func (n *nextHops) use() *hopTable {
	if !n.used.Load() {
		n.used.Store(true)
	}
	return n.table.Load()
}

// setMACs gives the MACs of targets on the link; f is called by all sending threads.
func (n *nextHops) setMACs(f func(target int) (frame.MAC, bool)) { n.macs.Store(&f) }

func (n *nextHops) mac(target int) (frame.MAC, bool) {
	f := n.macs.Load()
	if f == nil {
		return frame.MAC{}, false
	}
	return (*f)(target)
}

// refresh makes the table for a set of targets: before each sweep. It waits a while for gateways that must be
// resolved first; those that do not answer stay the kernel's. If it fails, all targets do.
func (n *nextHops) refresh(ctx context.Context, set *targets.Set) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.set = set
	return n.rebuild(ctx, gatewayTime)
}

// rebuild makes the table anew.
func (n *nextHops) rebuild(ctx context.Context, patience time.Duration) error {
	hops, err := n.findHops(n.set)
	if err != nil {
		n.table.Store(&hopTable{})
		return err
	}
	n.follow(gateways(hops)) // as unknown ones: none that is resolved from here on escapes the watch
	known := gateways(hops)
	err = n.resolve(ctx, known, patience)
	n.follow(known)
	n.table.Store(newTable(hops, known))
	return err
}

// resolve fills in what the kernel knows of neighbours, and has it find out what it does not.
func (n *nextHops) resolve(ctx context.Context, neighbours map[route.Hop]route.Neighbour, patience time.Duration) error {
	var errs []error
	pending := false
	for h := range neighbours {
		found, err := n.kernel.Lookup(h)
		if err != nil {
			errs = append(errs, err)
		}
		neighbours[h] = found
		if found.State != route.Reachable {
			n.arouse(h)
		}
		pending = pending || found.State == route.Unknown || found.State == route.Resolving
	}
	for ; pending && patience > 0 && ctx.Err() == nil; patience -= gatewayPoll {
		sleep(ctx, gatewayPoll)
		pending = false
		for h, before := range neighbours {
			if before.Known() || before.State == route.Failed {
				continue
			}
			if found, err := n.kernel.Lookup(h); err == nil {
				neighbours[h] = found
				pending = pending || !found.Known() && found.State != route.Failed
			}
		}
	}
	return errors.Join(errs...)
}

// arouse sends a neighbour an echo request that no sweep takes for its own: their identifiers are not 0.
func (n *nextHops) arouse(h route.Hop) {
	dst := h.Addr
	if dst.IsLinkLocalUnicast() && dst.Is6() {
		dst = dst.WithZone(strconv.Itoa(h.IfIndex))
	}
	n.wake.Send([]icmpecho.Datagram{{Dst: dst, Data: icmpecho.AppendRequest(nil, dst.Is6(), 0, 0, nil)}})
}

// upkeep makes a new table whenever something has changed, and confirms the neighbours while frames are sent.
func (n *nextHops) upkeep(ctx context.Context, changed <-chan struct{}) {
	tick := time.NewTicker(confirmTime)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-changed:
			began := time.Now()
			n.locked(func() { n.rebuild(ctx, 0) })
			sleep(ctx, max(settleTime, 9*time.Since(began))) // at most a tenth of a processor
		case <-tick.C:
			if n.used.Swap(false) {
				n.locked(func() { n.confirm(ctx) })
			}
		}
	}
}

// locked calls f, if there are targets.
func (n *nextHops) locked(f func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.set != nil {
		f()
	}
}

// confirm looks at the gateways, and makes a new table if one is not what it was.
func (n *nextHops) confirm(ctx context.Context) {
	was := n.table.Load().gateways
	is := make(map[route.Hop]route.Neighbour, len(was))
	for h := range was {
		is[h] = route.Neighbour{}
	}
	n.resolve(ctx, is, 0)
	for h := range was {
		if is[h].Known() != was[h].Known() || is[h].MAC != was[h].MAC {
			n.rebuild(ctx, 0)
			return
		}
	}
}
