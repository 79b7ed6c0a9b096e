package prober

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/net/bpf"

	"echogram/plugins/internal/capture"
	"echogram/plugins/internal/capture/afpacket"
	"echogram/plugins/internal/frame"
	"echogram/plugins/internal/neighbour"
	"echogram/plugins/internal/packetsock"
	"echogram/plugins/internal/route"
	"echogram/plugins/internal/targets"
)

// onLink finds the hosts on an interface's own link, sweep for sweep. Its capture and its socket are open for a
// prober's life: once privileges are dropped neither can be opened.
type onLink struct {
	name   string
	ring   *afpacket.Ring
	socket sharedSocket

	stop chan struct{}
	done chan struct{}

	mu     sync.Mutex
	engine *neighbour.Engine // of the discovery in use; nil between sweeps
	err    error             // why the capture has ended by itself
}

// discoverOptions limits a discovery. The zero value is the engine's defaults: neighbour.Config has them.
type discoverOptions struct {
	Rate  int // requests a second
	Tries int // to a silent target
	Wait  time.Duration
}

// The ring holds seconds of the frames that a discovery makes.
const (
	neighbourBlock  = 64 << 10
	neighbourBlocks = 64
)

// openOnLink opens what discoveries on an Ethernet link need. The caller must close it.
func openOnLink(l route.Interface) (*onLink, error) {
	filter, err := bpf.Assemble(frame.NeighbourFilter())
	if err != nil {
		return nil, err
	}
	o := &onLink{name: l.Name, stop: make(chan struct{}), done: make(chan struct{})}
	o.ring, err = afpacket.Open(afpacket.Config{
		IfIndex: l.Index, Link: capture.LinkEthernet, Filter: filter, BlockSize: neighbourBlock, Blocks: neighbourBlocks,
	})
	if err != nil {
		return nil, err
	}
	if o.socket.Socket, err = packetsock.Open(packetsock.Config{IfIndex: l.Index}); err != nil {
		o.ring.Close()
		return nil, err
	}
	go o.run()
	return o, nil
}

// close ends the capture. No discovery may be under way.
func (o *onLink) close() {
	close(o.stop)
	<-o.done
	o.ring.Close()
	o.socket.Close()
}

func (o *onLink) run() {
	defer close(o.done)
	for {
		select {
		case <-o.stop:
			return
		default:
		}
		if err := o.step(); err != nil {
			o.fail(err)
			return
		}
	}
}

// step shows one block to the engine, and sends what it answers for us. An answer for which there is no room is
// asked for again.
func (o *onLink) step() error {
	before := clock{}.Mono()
	batch, err := o.ring.Read(pollTime)
	if err != nil && !errors.Is(err, afpacket.ErrDown) {
		return err
	}
	if e := o.current(); e != nil {
		if answers := e.Observe(batch, shownThrough(batch, before)); len(answers) > 0 {
			_, _ = o.socket.Send(answers)
		}
	}
	return nil
}

// shownThrough is the monotonic time up to which a ring has shown everything, when a Read that was called at
// before returned batch: after a block everything up to its last stamp, after a wait in vain all that is older than
// what the kernel may still hold back.
func shownThrough(batch []capture.Packet, before int64) int64 {
	if len(batch) == 0 {
		return before - int64(retireSlack)
	}
	return min(clock{}.Mono(), batch[len(batch)-1].Stamp-clock{}.Offset()) // a clock set back would show the future
}

func (o *onLink) fail(err error) {
	o.mu.Lock()
	o.err = err
	o.mu.Unlock()
	if e := o.current(); e != nil {
		e.Observe(nil, math.MaxInt64) // nobody must wait for what will not come
	}
}

func (o *onLink) current() *neighbour.Engine {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.engine
}

// serve has the capture shown to e, if the capture has not ended.
func (o *onLink) serve(e *neighbour.Engine) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.engine = e
	return o.err
}

// progress is how far the discovery under way has come, or the last one if its sweep is on; zero between sweeps.
func (o *onLink) progress() neighbour.Stats {
	if e := o.current(); e != nil {
		return e.Stats()
	}
	return neighbour.Stats{}
}

// discover asks for the targets that pieces hold, in the order of the targets, and returns what was found when all
// have answered or had their time. From its start on we are answered for: the caller must end what it returns when
// the sweep is over.
func (o *onLink) discover(ctx context.Context, own neighbour.Own, set *targets.Set, pieces []piece, opt discoverOptions) (*neighbours, error) {
	n := &neighbours{link: o, targets: newLinkTargets(set, pieces)}
	n.engine = neighbour.New(neighbour.Config{
		Own: own, Targets: n.targets, Rate: opt.Rate, Tries: opt.Tries, Wait: opt.Wait, Clock: clock{},
	})
	err := o.serve(n.engine)
	if err != nil {
		err = fmt.Errorf("the capture has ended, restart to open it again: %w", err)
	} else {
		err = n.engine.Run(ctx, &o.socket)
	}
	if err == nil {
		n.lost, err = o.ring.Stats()
	}
	if err != nil {
		n.end()
		return nil, fmt.Errorf("prober: find the neighbours on %s: %w", o.name, err)
	}
	return n, nil
}

// neighbours is what a discovery has found.
type neighbours struct {
	link    *onLink
	engine  *neighbour.Engine
	targets *linkTargets
	lost    capture.Stats // what the capture has lost since the discovery before: with drops, a host may be missing
}

// of returns what is known of a target; asked is false for those that are not on this link.
func (n *neighbours) of(target int) (found neighbour.Neighbour, asked bool) {
	i, ok := n.targets.place(target)
	if !ok {
		return neighbour.Neighbour{}, false
	}
	return n.engine.Lookup(i), true
}

// end ends the answers for ourselves.
func (n *neighbours) end() { _ = n.link.serve(nil) }

// ownOn is who we are on a link: its MAC and addresses, and the sources that were chosen, as far as they are valid,
// which may be other interfaces'.
func ownOn(c *route.Client, l route.Interface, sources ...netip.Addr) (neighbour.Own, error) {
	if l.MAC == (frame.MAC{}) {
		return neighbour.Own{}, fmt.Errorf("prober: interface %s has no Ethernet address", l.Name)
	}
	addrs, err := c.Addresses(l.Index)
	if err != nil {
		return neighbour.Own{}, err
	}
	own := neighbour.Own{MAC: l.MAC}
	for _, s := range sources {
		if s.IsValid() {
			own.Addrs = append(own.Addrs, netip.PrefixFrom(s.WithZone(""), s.BitLen()))
		}
	}
	own.Addrs = append(own.Addrs, addrs...)
	return own, nil
}

// sharedSocket is a socket as the engine wants it, for the discovery and the answers for ourselves at once.
type sharedSocket struct {
	mu sync.Mutex
	*packetsock.Socket
}

func (s *sharedSocket) Send(frames [][]byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, err := s.Socket.Send(frames)
	if errors.Is(err, packetsock.ErrNoRoom) {
		err = neighbour.ErrNoRoom
	}
	return n, err
}
