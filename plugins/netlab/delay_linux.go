package netlab

import (
	"errors"
	"fmt"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"github.com/vishvananda/netlink"
)

const (
	// MaxDelayLine is the longest that a DelayLine holds a frame: its loop is bounded (spinRounds).
	MaxDelayLine = 100 * time.Microsecond
	// DelaysKept is how many of the latest delays a DelayLine remembers one by one.
	DelaysKept = 1 << 16
)

// DelayLine holds back the echo requests that come in over a link by a time that it measures itself.
//
// An XDP program at the link's ingress reads the clock, spins until the delay has passed, and notes how long it really
// took, from its first instruction to the end of the spinning: more than was asked for, by up to some tens of
// nanoseconds, because a look at the clock takes so long. What the program costs besides, the noting included, is the
// same for every delay. So what the RTT at a delay has over the RTT at 0 is, within 10 ns, what was spent over that at
// 0: compare with the same line after Set(0), not with the link without it, and StayAwake while measuring.
//
// Echo requests of IPv4 without options and of IPv6 are held and noted; all else passes at once.
type DelayLine struct {
	program  *ebpf.Program
	delay    *ebpf.Map // nanoseconds
	state    *ebpf.Map
	attached link.Link
	since    DelayStats // when Reset was called last
}

// DelayStats say what a delay line did since the last Reset.
type DelayStats struct {
	Packets uint64
	Spent   time.Duration // by all of them
}

// Delay begins to delay what comes in over a link of n, whose frames have Ethernet headers.
func Delay(n *Namespace, name string, d time.Duration) (*DelayLine, error) {
	l := &DelayLine{}
	err := l.load()
	if err == nil {
		err = l.Set(d)
	}
	if err == nil {
		err = n.withLink(name, "delay", func(nl netlink.Link) error {
			// Generic: in the same softirq on the same CPU as without the program. A veth's native mode is 0.3 µs slower.
			l.attached, err = link.AttachXDP(link.XDPOptions{
				Program: l.program, Interface: nl.Attrs().Index, Flags: link.XDPGenericMode,
			})
			return err
		})
	}
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

func (l *DelayLine) load() error {
	var err error
	for _, m := range []struct {
		at   **ebpf.Map
		size uint32
	}{{&l.delay, 8}, {&l.state, offRing + 4*DelaysKept}} {
		if *m.at, err = ebpf.NewMap(&ebpf.MapSpec{Type: ebpf.Array, KeySize: 4, ValueSize: m.size, MaxEntries: 1}); err != nil {
			return fmt.Errorf("netlab: delay line: map: %w", err)
		}
	}
	l.program, err = ebpf.NewProgram(&ebpf.ProgramSpec{
		Type: ebpf.XDP, License: "GPL", Instructions: delayEchoes(l.delay.FD(), l.state.FD()),
	})
	if err != nil {
		return fmt.Errorf("netlab: delay line: program: %w", err)
	}
	return nil
}

// Set changes the delay, 0 to MaxDelayLine, for the frames to come.
func (l *DelayLine) Set(d time.Duration) error {
	if d < 0 || d > MaxDelayLine {
		return fmt.Errorf("netlab: delay line: %v is not in 0 to %v", d, MaxDelayLine)
	}
	if err := l.delay.Put(uint32(0), uint64(d)); err != nil {
		return fmt.Errorf("netlab: delay line: %w", err)
	}
	return nil
}

// Reset forgets what was spent so far. The line must be quiet, here and in Spent, for the numbers to be exact.
func (l *DelayLine) Reset() error {
	v, err := l.read()
	if err == nil {
		l.since = v.stats()
	}
	return err
}

// Stats reads the count and the sum; not after Close.
func (l *DelayLine) Stats() (DelayStats, error) {
	v, err := l.read()
	s := v.stats()
	return DelayStats{s.Packets - l.since.Packets, s.Spent - l.since.Spent}, err
}

// Spent lists what the line has spent on each frame since the last Reset, in order; of more than DelaysKept frames on
// the latest. Not after Close.
func (l *DelayLine) Spent() ([]time.Duration, error) {
	v, err := l.read()
	if err != nil {
		return nil, err
	}
	n := min(v.Packets-l.since.Packets, DelaysKept)
	spent := make([]time.Duration, 0, n)
	for i := v.Packets - n; i < v.Packets; i++ {
		spent = append(spent, time.Duration(v.Ring[i%DelaysKept]))
	}
	return spent, nil
}

func (l *DelayLine) read() (*delayState, error) {
	v := new(delayState)
	if err := l.state.Lookup(uint32(0), v); err != nil {
		return v, fmt.Errorf("netlab: delay line: %w", err)
	}
	return v, nil
}

// Close lets the link's frames pass as they come.
func (l *DelayLine) Close() error {
	var errs []error
	if l.attached != nil {
		errs = append(errs, l.attached.Close())
	}
	if l.program != nil {
		errs = append(errs, l.program.Close())
	}
	for _, m := range []*ebpf.Map{l.delay, l.state} {
		if m != nil {
			errs = append(errs, m.Close())
		}
	}
	return errors.Join(errs...)
}
