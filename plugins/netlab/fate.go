package netlab

import (
	"encoding/binary"
	"net/netip"
	"time"
)

// Probe names an echo request as the wild network sees it: the Nth, counted from 0, that came for Target.
type Probe struct {
	Target netip.Addr
	N      int
}

// Behaviour says what happens to a request. It must be pure, so that a test can ask it again afterwards, and it is
// called by several goroutines at once.
type Behaviour func(Probe) Fate

// Fate is what happens to one request. The zero value is one exact answer at once. What several fields ask for all
// happens: first the error, then the forgery, both at once, then the reply after its delay.
type Fate struct {
	Lose     bool          // no reply; an error or a forgery comes all the same
	Delay    time.Duration // by which the reply and its copies are held back, at most MaxDelay
	Copies   int           // further replies, right behind the first
	Flip     []int         // bits to turn over in the reply's payload; bit 0 is the highest of the first byte
	BreakSum bool          // the ICMP checksum does not fit; with Flip it is that of the payload before
	From     netip.Addr    // source of the reply; the zero value: the target
	Forge    Forgery
	Error    Failure
}

// Forgery is a reply to something that was not asked so. Its checksums are right.
type Forgery uint8

// The forgeries.
const (
	NoForgery   Forgery = iota
	ForgedMAC           // id, seq and probe index as asked, the first 8 bytes of the payload turned over
	ForgedID            // another ICMP id
	ForgedShort         // id and seq as asked, the payload cut to 4 bytes
	UnsentProbe         // seq and probe index of a probe 4,096 further on
)

// Failure is an ICMP error in place of a reply, or before it. The zero value is none.
type Failure struct {
	Type, Code uint8      // RFC 792, RFC 4443; Type 0 is no error in either family
	Info       uint32     // MTU of "fragmentation needed" and "packet too big"; pointer of "parameter problem"
	Quote      int        // bytes of the request quoted behind its IP header; 0: as many as the RFCs allow
	From       netip.Addr // the router that sends it; the zero value: the wild network's own
}

// Failures lists the ICMP errors of a family that a request can bring back, each as its RFC words it.
func Failures(v6 bool) []Failure {
	if v6 {
		return []Failure{
			{Type: 1, Code: 0}, {Type: 1, Code: 1}, {Type: 1, Code: 2}, {Type: 1, Code: 3}, {Type: 1, Code: 4},
			{Type: 2, Code: 0, Info: 1280},
			{Type: 3, Code: 0},
			{Type: 4, Code: 0, Info: 6},
		}
	}
	return []Failure{
		{Type: 3, Code: 0}, {Type: 3, Code: 1}, {Type: 3, Code: 3}, {Type: 3, Code: 4, Info: 1400}, {Type: 3, Code: 13},
		{Type: 4, Code: 0},
		{Type: 11, Code: 0}, {Type: 11, Code: 1},
		{Type: 12, Code: 0, Info: 8},
	}
}

// Always gives every request the same fate.
func Always(f Fate) Behaviour { return func(Probe) Fate { return f } }

// Delayed answers each request after a delay drawn evenly from [least, most).
func Delayed(seed uint64, least, most time.Duration) Behaviour {
	return func(p Probe) Fate {
		return Fate{Delay: least + time.Duration(draw(seed, p)*float64(most-least))}
	}
}

// Lossy loses a share, drawn by address and probe number, of what next would answer.
func Lossy(seed uint64, share float64, next Behaviour) Behaviour {
	return func(p Probe) Fate {
		f := next(p)
		f.Lose = f.Lose || draw(^seed, p) < share
		return f
	}
}

// Swapped holds back each even reply of a target, so that the odd one, sent less than hold after it, overtakes it.
func Swapped(hold time.Duration) Behaviour {
	return func(p Probe) Fate { return Fate{Delay: hold * time.Duration(1-p.N%2)} }
}

// Zone is a part of the wild network with a behaviour of its own.
type Zone struct {
	Network   netip.Prefix
	Behaviour Behaviour
}

// Zoned gives each request to the first zone that has its target, or else to rest.
func Zoned(rest Behaviour, zones ...Zone) Behaviour {
	return func(p Probe) Fate {
		for _, z := range zones {
			if z.Network.Contains(p.Target) {
				return z.Behaviour(p)
			}
		}
		return rest(p)
	}
}

// draw gives a number from [0, 1) that hangs on seed, address and probe number alone.
func draw(seed uint64, p Probe) float64 {
	a := p.Target.As16()
	h := mix(seed ^ binary.BigEndian.Uint64(a[:8]))
	h = mix(h ^ binary.BigEndian.Uint64(a[8:]))
	h = mix(h ^ uint64(p.N))
	return unit(h)
}

// unit maps a draw to [0, 1).
func unit(h uint64) float64 { return float64(h>>11) / (1 << 53) }

// mix is the finaliser of SplitMix64 (Steele, Lea and Flood 2014) behind its increment.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
