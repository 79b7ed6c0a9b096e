package netlab

import (
	"net/netip"
	"time"
)

// Side is an end of a WAN.
type Side uint8

// The sides.
const (
	SideA Side = iota
	SideB
)

// WANConfig says what a WAN does to frames. The zero value passes them on at once.
type WANConfig struct {
	FromA, FromB WANWay
	Seed         uint64 // of the jitter
}

// WANWay is one direction of a WAN.
type WANWay struct {
	Delay  time.Duration // from the kernel's stamp of a frame's coming to its leaving
	Jitter time.Duration // each frame is held back by up to so much more, drawn evenly; none overtakes another
	// Rule says what else happens to a frame; nil: nothing. It is called once a frame, in order, by one goroutine.
	Rule func(Passage) Treatment
}

// Treatment is what a rule does to a frame.
type Treatment struct {
	Drop   bool
	Extra  time.Duration // held back by so much more, so that later frames overtake it
	Copies int           // further copies, right behind the first
}

// Spoiler loses some frames and makes outliers of others, drawn by Seed, side and number of the frame. Its Rule is for
// the WANWay of one side, or else what a round trip meets is twice as much.
type Spoiler struct {
	Seed        uint64
	Loss        float64       // share of the frames
	Outliers    float64       // share of the frames
	Least, Most time.Duration // an outlier is held back by so much more, drawn evenly; default 100 ms to 1 s
}

// Rule is a WANWay's.
func (s Spoiler) Rule(p Passage) (t Treatment) {
	if s.Most == 0 {
		s.Least, s.Most = 100*time.Millisecond, time.Second
	}
	h := mix(mix(s.Seed^uint64(p.From)) ^ uint64(p.Kind)<<56 ^ uint64(p.N))
	switch at := unit(h); {
	case at < s.Loss:
		t.Drop = true
	case at < s.Loss+s.Outliers:
		t.Extra = s.Least + time.Duration(unit(mix(h))*float64(s.Most-s.Least))
	}
	return t
}

// FrameKind is what a WAN takes a frame for. It knows neither VLAN tags nor tunnels.
type FrameKind uint8

// The kinds.
const (
	FrameLocal   FrameKind = iota // not IP, or neighbour discovery: passed on at once, without a rule
	FrameIP                       // none of the others
	FrameControl                  // BFD control packets of all hop types
	FrameEcho                     // BFD echo packets
)

// EchoKey is what an echo keeps on its way there and back. Over IPv6 all of FRR's have one key, in which FRR turns the
// addresses round on the way back.
type EchoKey struct {
	Src, Dst netip.Addr
	SrcPort  uint16
	ID       uint16 // IPv4 identification
	Payload  uint64 // FNV-1a of the UDP payload
}

// Passage is what a WAN knows of a frame. Stamps are nanoseconds of CLOCK_REALTIME.
type Passage struct {
	From      Side
	Kind      FrameKind
	Returning bool    // an echo of the other side on its way back
	N         int     // counts the frames with the same three, from 0
	Key       EchoKey // of an echo
	TTL       uint8
	Bytes     int

	Received int64 // the kernel's stamp, as the frame came
	Due      int64 // when it was to leave
	Sent     int64 // the kernel's stamp, as it left for the other side; 0: not yet, or never
	Dropped  bool
	Copies   int

	out int // Returning: the index of its passage there
}

// Held is how long the WAN kept the frame.
func (p Passage) Held() time.Duration { return time.Duration(p.Sent - p.Received) }

// Late is how much later than it was due the frame left.
func (p Passage) Late() time.Duration { return time.Duration(p.Sent - p.Due) }

// EchoEnd is how an echo ended.
type EchoEnd uint8

// The ends.
const (
	EchoHeld      EchoEnd = iota // the WAN has it, there or back
	EchoAnswered                 // it came back
	EchoLostThere                // dropped on its way there
	EchoLostBack                 // dropped on its way back
	EchoSilent                   // delivered, and the other side has sent none back
)

// EchoTruth is the way of one echo. Back is zero unless the other side has sent it back; of several copies that did
// it is the first.
type EchoTruth struct {
	There, Back Passage
	Backs       int // copies that the other side has sent back
	End         EchoEnd
}

// Added is the delay that the WAN gave to an answered echo, there and back.
func (e EchoTruth) Added() time.Duration { return e.There.Held() + e.Back.Held() }

// Turnaround is how long an answered echo was with the other side.
func (e EchoTruth) Turnaround() time.Duration { return time.Duration(e.Back.Received - e.There.Sent) }

// RTT is the time between an answered echo's coming to the WAN and its leaving it for where it came from: what its
// sender sees, less two crossings of a veth.
func (e EchoTruth) RTT() time.Duration { return time.Duration(e.Back.Sent - e.There.Received) }
