package netlab

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Serialiser makes frames that come in over a link pass one behind the other, each for as long as its bits take.
//
// A frame that arrived at A, while the link was busy until B, passes at max(A, B) + bits / rate, where bits are those
// of the frame, padded to 60 bytes, and of FCS, preamble and gap. The program sits at the link's ingress (TCX) and
// spins; A is the stamp that the kernel takes where the sender hands the frame over, so what the frames before cost
// the CPU delays nothing as long as it stays below bits / rate (about 3 µs a frame with a kernel that answers).
//
// All frames of the link are handled on SerialiserCPU. What sends must run on other CPUs (Pin, or a child under
// taskset -c with SenderCPUs), or it is held up with its own frames, sends more slowly, and no queue builds up. To
// interrupt the serialiser's CPU takes 2 µs, on a busy virtual machine 15: a frame that finds the link idle passes so
// late if its bits take less. Two serialisers that are busy at once hold each other up.
//
// The replies' receiver, too, gets to work on that CPU once the frames before have passed: rightly stamped but late,
// and a kernel that answers drops replies when about 130 KB of them wait. Steer, of the receiver's link, sends them to
// another CPU.
type Serialiser struct {
	program  *ebpf.Program
	state    *ebpf.Map
	attached link.Link
	stamping int      // a socket that keeps the kernel stamping what comes in
	awake    *os.File // while it is open, no CPU sleeps: to wake one takes longer than many a frame
}

// SerialiserStats say what a serialiser did since it began.
type SerialiserStats struct {
	Packets uint64
	Bytes   uint64        // with Ethernet headers, without padding, FCS, preamble and gap
	Wire    time.Duration // what the frames' bits take at the rate
	Spent   time.Duration // really spent in the program
	Longest time.Duration // most from a frame's arrival to its passing
	Cut     uint64        // frames that the program let go too early because its loop is bounded
}

const (
	minFrame      = 60 // without FCS
	frameOverhead = 24 // FCS 4, preamble 8, gap 12
	maxFrame      = 1514

	// spinRounds is as long as the verifier lets a loop be that can end in each round (8,192 pending branches). A round
	// takes 20 ns or more.
	spinRounds = 8000
	maxWire    = spinRounds * 20 * time.Nanosecond
)

// Serialise begins to serialise what comes in over a link of n, whose frames have Ethernet headers. At 1,514 bytes a
// frame the rate must be 77 Mbit/s at least; what is spun for longer than 160 µs may be cut.
func Serialise(n *Namespace, name string, bitsPerSecond int64) (*Serialiser, error) {
	if runtime.NumCPU() < 2 {
		return nil, errors.New("netlab: serialise: the link needs a CPU of its own beside the sender's")
	}
	s, err := serialise(n, name, ebpf.AttachTCXIngress, bitsPerSecond)
	if err != nil {
		return nil, err
	}
	if err := n.Steer(name, SerialiserCPU()); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// serialise begins to serialise on the CPU that brings the frames.
func serialise(n *Namespace, name string, at ebpf.AttachType, bitsPerSecond int64) (*Serialiser, error) {
	if bitsPerSecond <= 0 || wireTime(maxFrame, bitsPerSecond) > maxWire {
		return nil, fmt.Errorf("netlab: serialise %s: %d bit/s is too slow: %d bytes take more than %v", name, bitsPerSecond, maxFrame, maxWire)
	}
	s := &Serialiser{stamping: -1}
	err := s.load(bitsPerSecond)
	if err == nil {
		s.awake, err = StayAwake()
	}
	if err == nil {
		err = n.withLink(name, "serialise", func(l netlink.Link) error { return s.attach(l.Attrs().Index, at) })
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// wireTime is how long a frame of so many bytes, without FCS, keeps a link busy.
func wireTime(bytes int, bitsPerSecond int64) time.Duration {
	bits := (max(bytes, minFrame) + frameOverhead) * 8
	return time.Duration(float64(bits) / float64(bitsPerSecond) * 1e9)
}

func (s *Serialiser) load(bitsPerSecond int64) error {
	var err error
	s.state, err = ebpf.NewMap(&ebpf.MapSpec{Type: ebpf.Array, KeySize: 4, ValueSize: 8 * 7, MaxEntries: 1})
	if err != nil {
		return fmt.Errorf("netlab: serialiser: map: %w", err)
	}
	offset, err := taiOffset()
	if err != nil {
		return err
	}
	s.program, err = ebpf.NewProgram(&ebpf.ProgramSpec{
		Type: ebpf.SchedCLS, License: "GPL", Instructions: serialiseFrames(s.state.FD(), bitsPerSecond, offset),
	})
	if err != nil {
		return fmt.Errorf("netlab: serialiser: program: %w", err)
	}
	return nil
}

// attach puts the program on a link of the calling thread's namespace, and has the kernel stamp what comes in.
func (s *Serialiser) attach(ifindex int, at ebpf.AttachType) error {
	var err error
	s.attached, err = link.AttachTCX(link.TCXOptions{Interface: ifindex, Program: s.program, Attach: at})
	if err != nil {
		return err
	}
	if s.stamping, err = unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0); err != nil {
		return err
	}
	return unix.SetsockoptInt(s.stamping, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1)
}

// Stats reads what the serialiser did; not after Close.
func (s *Serialiser) Stats() (SerialiserStats, error) {
	var v serialiserState
	if err := s.state.Lookup(uint32(0), &v); err != nil {
		return SerialiserStats{}, fmt.Errorf("netlab: serialiser: %w", err)
	}
	return SerialiserStats{
		Packets: v.Packets, Bytes: v.Bytes, Cut: v.Cut,
		Wire: time.Duration(v.Wire), Spent: time.Duration(v.Spent), Longest: time.Duration(v.Longest),
	}, nil
}

// Close lets the link's frames pass as they come. Where they are handled stays.
func (s *Serialiser) Close() error {
	var errs []error
	if s.attached != nil {
		errs = append(errs, s.attached.Close())
	}
	if s.program != nil {
		errs = append(errs, s.program.Close())
	}
	if s.state != nil {
		errs = append(errs, s.state.Close())
	}
	if s.awake != nil {
		errs = append(errs, s.awake.Close())
	}
	if s.stamping >= 0 {
		errs = append(errs, unix.Close(s.stamping))
	}
	return errors.Join(errs...)
}
