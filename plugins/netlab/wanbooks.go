package netlab

import (
	"slices"
	"sync"
)

// wanBooks hold all passages, in the order in which the WAN read them.
type wanBooks struct {
	mu       sync.Mutex
	passages []Passage
	counts   map[passageClass]int
	away     map[EchoKey][]int // echoes that were delivered and have not come back, by index
}

type passageClass struct {
	from      Side
	kind      FrameKind
	returning bool
}

func newWANBooks() *wanBooks {
	return &wanBooks{counts: map[passageClass]int{}, away: map[EchoKey][]int{}}
}

// enter books a frame and completes what is known of it.
func (b *wanBooks) enter(p Passage) (Passage, int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if p.Kind == FrameEcho {
		p.out, p.Returning = b.takeAway(p)
	}
	class := passageClass{p.From, p.Kind, p.Returning}
	p.N = b.counts[class]
	b.counts[class]++
	b.passages = append(b.passages, p)
	return p, len(b.passages) - 1
}

// takeAway finds the echo that p is, on its way back: the other side has lowered its TTL by one. Of several that are
// alike it is the last: right as long as the other side sends one back before the next comes.
func (b *wanBooks) takeAway(p Passage) (out int, ok bool) {
	turned := p.Key
	turned.Src, turned.Dst = p.Key.Dst, p.Key.Src
	for _, key := range []EchoKey{p.Key, turned} {
		away := b.away[key]
		for i := len(away) - 1; i >= 0; i-- {
			if o := b.passages[away[i]]; o.From != p.From && o.TTL == p.TTL+1 {
				out := away[i]
				b.away[key] = slices.Delete(away, i, i+1)
				return out, true
			}
		}
	}
	return 0, false
}

// decide books what is to happen to a frame.
func (b *wanBooks) decide(i int, t Treatment, due int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p := &b.passages[i]
	p.Dropped, p.Copies, p.Due = t.Drop, t.Copies, due
}

// deliver books an echo as away before it is delivered, so that its coming back finds it.
func (b *wanBooks) deliver(i int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if p := b.passages[i]; p.Kind == FrameEcho && !p.Returning {
		b.away[p.Key] = append(b.away[p.Key], slices.Repeat([]int{i}, 1+p.Copies)...)
	}
}

// leave books a frame as sent.
func (b *wanBooks) leave(i int, at int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.passages[i].Sent = at
}

// echoes lists the truth of the echoes that a side sent, in order.
func (b *wanBooks) echoes(from Side) []EchoTruth {
	b.mu.Lock()
	defer b.mu.Unlock()
	var list []EchoTruth
	at := map[int]int{} // passage there -> list
	for i, p := range b.passages {
		switch {
		case p.Kind != FrameEcho:
		case p.From == from && !p.Returning:
			at[i] = len(list)
			list = append(list, EchoTruth{There: p, End: p.there()})
		case p.From != from && p.Returning:
			e := &list[at[p.out]]
			if e.Backs++; e.Backs == 1 {
				e.Back, e.End = p, p.back()
			}
		}
	}
	return list
}

func (p Passage) there() EchoEnd {
	switch {
	case p.Dropped:
		return EchoLostThere
	case p.Sent == 0:
		return EchoHeld
	}
	return EchoSilent
}

func (p Passage) back() EchoEnd {
	switch {
	case p.Dropped:
		return EchoLostBack
	case p.Sent == 0:
		return EchoHeld
	}
	return EchoAnswered
}
