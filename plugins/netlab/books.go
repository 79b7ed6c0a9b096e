package netlab

import (
	"encoding/binary"
	"fmt"
	"iter"
	"net/netip"
	"strings"
	"sync/atomic"
	"time"
)

// Deed is something that the wild network counts. Once no reply is held back any more, Asked = Replied + Lost.
type Deed uint8

// The deeds. Flipped to Elsewhere say of replies (not of their copies) what was wrong with them.
const (
	Asked         Deed = iota // echo requests that came
	Replied                   // first replies sent
	Lost                      // requests that were given no reply
	Repeated                  // further copies of replies
	Flipped                   // replies with a bit turned over behind the cookie, none in it
	FlippedCookie             // replies with a bit turned over in the first 12 bytes
	BrokenSum                 // replies whose ICMP checksum is wrong
	Elsewhere                 // replies from another address than was asked
	Forged                    // forgeries
	Failed                    // ICMP errors
	deeds
)

// Tally counts deeds: tally[Asked].
type Tally [deeds]uint32

// String names the deeds that were done at all.
func (t Tally) String() string {
	names := [deeds]string{"asked", "replied", "lost", "repeated", "flipped", "cookie flipped", "sum broken",
		"elsewhere", "forged", "failed"}
	var b strings.Builder
	for d, n := range t {
		if n > 0 {
			fmt.Fprintf(&b, "%s %d, ", names[d], n)
		}
	}
	return strings.TrimSuffix(b.String(), ", ")
}

// Record is what the books hold of one target or of all.
type Record struct {
	Tally
	Held time.Duration // sum, over first replies, of the time from the request's being read to the reply's being written
}

// account is the record of a target while it is written, by several goroutines.
type account struct {
	count [deeds]atomic.Uint32
	held  atomic.Int64
}

func (a *account) record() Record {
	r := Record{Held: time.Duration(a.held.Load())}
	for d := range a.count {
		r.Tally[d] = a.count[d].Load()
	}
	return r
}

// ask counts a request and says how many came before it.
func (a *account) ask() int { return int(a.count[Asked].Add(1)) - 1 }

// reply counts a reply of fate f that was sent held after its request.
func (a *account) reply(f Fate, held time.Duration) {
	a.count[Replied].Add(1)
	a.held.Add(int64(held))
	a.count[Repeated].Add(uint32(f.Copies))
	switch inCookie, behind := f.flips(); {
	case inCookie:
		a.count[FlippedCookie].Add(1)
	case behind:
		a.count[Flipped].Add(1)
	}
	if f.BreakSum {
		a.count[BrokenSum].Add(1)
	}
	if f.From.IsValid() {
		a.count[Elsewhere].Add(1)
	}
}

// cookieBits is the part of a payload that carries the cookie: 8 bytes of MAC and 4 of probe index.
const cookieBits = 12 * 8

func (f Fate) flips() (inCookie, behind bool) {
	for _, bit := range f.Flip {
		inCookie = inCookie || bit < cookieBits
		behind = behind || bit >= cookieBits
	}
	return inCookie, behind
}

// books holds an account for each address of the networks.
type books struct {
	networks []netip.Prefix
	accounts [][]account // by network
}

// maxNetwork bounds the memory of the books: 48 bytes for each of 2^20 addresses.
const maxNetwork = 20

func newBooks(networks []netip.Prefix) (*books, error) {
	b := &books{}
	for _, n := range networks {
		if !n.IsValid() || n.Addr().BitLen()-n.Bits() > maxNetwork {
			return nil, fmt.Errorf("netlab: wild network %v has more than 2^%d addresses", n, maxNetwork)
		}
		b.networks = append(b.networks, n.Masked())
		b.accounts = append(b.accounts, make([]account, 1<<(n.Addr().BitLen()-n.Bits())))
	}
	return b, nil
}

// account is nil for what is in none of the networks.
func (b *books) account(target netip.Addr) *account {
	for i, n := range b.networks {
		if n.Contains(target) {
			return &b.accounts[i][low64(target)-low64(n.Addr())]
		}
	}
	return nil
}

// all goes over the accounts in order.
func (b *books) all() iter.Seq2[netip.Addr, *account] {
	return func(yield func(netip.Addr, *account) bool) {
		for i, n := range b.networks {
			target := n.Addr()
			for k := range b.accounts[i] {
				if !yield(target, &b.accounts[i][k]) {
					return
				}
				target = target.Next()
			}
		}
	}
}

func (b *books) sum() Record {
	var sum Record
	for _, a := range b.all() {
		r := a.record()
		sum.Held += r.Held
		for d, n := range r.Tally {
			sum.Tally[d] += n
		}
	}
	return sum
}

func low64(a netip.Addr) uint64 {
	b := a.As16()
	return binary.BigEndian.Uint64(b[8:])
}
