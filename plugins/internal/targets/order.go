package targets

import "math/bits"

// Group is a run of whole blocks that are probed together.
type Group struct {
	First, N           int // targets
	FirstBlock, Blocks int
}

// Groups cuts the set into runs of whole blocks with at most n targets each; a block with more is a group of its own.
func (s *Set) Groups(n int) []Group {
	var out []Group
	for k, b := range s.blocks {
		if last := len(out) - 1; last >= 0 && out[last].N+b.N <= n {
			out[last].N += b.N
			out[last].Blocks++
			continue
		}
		out = append(out, Group{First: b.First, N: b.N, FirstBlock: k, Blocks: 1})
	}
	return out
}

// Order is how a group's targets follow one another. A permuted order depends on the seed and the blocks of the
// group alone: the same on every machine and in every version.
type Order struct {
	Sequential bool   // by address; else permuted
	Seed       uint64 // of the permutation
}

// Cursor walks a group once. It holds 16 bytes a block and no table of targets.
type Cursor struct {
	sequential bool
	walks      []walk // of the blocks that have targets left, in the order that they are visited in
	at         int    // index of the next walk
	round      uint32 // targets that each walk has given; sequential: that walks[at] has given
}

// NewCursor starts a pass over group g. Permuted, it visits the blocks in rounds, in an order that stays the same
// from round to round, and takes one target of each block that has any left: two targets of a block lie a round
// apart, until shorter blocks have run out.
func NewCursor(s *Set, g Group, o Order) *Cursor {
	c := &Cursor{sequential: o.Sequential, walks: make([]walk, g.Blocks)}
	for k := range c.walks {
		b := s.blocks[g.FirstBlock+k]
		w := walk{first: uint32(b.First), n: uint32(b.N)}
		if o.Sequential {
			c.walks[k] = w
			continue
		}
		w.key = blockKey(s, g.FirstBlock+k, o.Seed)
		other, _ := bits.Mul64(mix(w.key), uint64(k+1)) // Fisher-Yates: evenly one of 0 to k
		c.walks[k] = c.walks[other]
		c.walks[other] = w
	}
	return c
}

// blockKey depends on the block's address, not on its place in the set, so that a shard keeps the order of hosts
// that the whole set has.
func blockKey(s *Set, k int, seed uint64) uint64 {
	u := fromAddr(s.blocks[k].Prefix.Addr())
	return mix(mix(mix(seed)^u.hi) ^ u.lo)
}

// Next returns the next target; ok is false when each has been given once. newRound says that the target is the
// first of a round; sequential, of a block.
func (c *Cursor) Next() (target int, newRound, ok bool) {
	if c.sequential {
		return c.nextByAddress()
	}
	if c.at == len(c.walks) {
		c.endRound()
	}
	if len(c.walks) == 0 {
		return 0, false, false
	}
	w := &c.walks[c.at]
	c.at++
	return w.target(c.round), c.at == 1, true
}

func (c *Cursor) nextByAddress() (target int, newRound, ok bool) {
	if c.at == len(c.walks) {
		return 0, false, false
	}
	w := &c.walks[c.at]
	target, newRound = int(w.first+c.round), c.round == 0
	if c.round++; c.round == w.n {
		c.at, c.round = c.at+1, 0
	}
	return target, newRound, true
}

// endRound drops the blocks that have no target left, and keeps the order of the others.
func (c *Cursor) endRound() {
	c.at = 0
	c.round++
	left := c.walks[:0]
	for _, w := range c.walks {
		if w.n > c.round {
			left = append(left, w)
		}
	}
	c.walks = left
}

// walk is a full-cycle permutation of the n targets from first: a Feistel network over the smallest domain of an
// even number of bits that holds them. What falls beyond n walks on until it is inside (Black and Rogaway,
// "Ciphers with arbitrary finite domains"), four steps on average at worst.
type walk struct {
	first, n uint32
	key      uint64
}

func (w *walk) target(i uint32) int {
	half := max(1, (bits.Len32(w.n-1)+1)/2)
	for i = feistel(i, half, w.key); i >= w.n; {
		i = feistel(i, half, w.key)
	}
	return int(w.first + i)
}

const feistelRounds = 4

// feistel permutes the numbers of 2*half bits. Its round function has to make an order look random, not to keep a
// secret.
func feistel(x uint32, half int, key uint64) uint32 {
	mask := uint32(1)<<half - 1
	left, right := x>>half, x&mask
	for range feistelRounds {
		h := (key ^ uint64(right)) * 0xd6e8feb86659fd93
		h = (h ^ h>>32) * 0xd6e8feb86659fd93
		left, right = right, left^uint32(h>>(64-half))
		key = bits.RotateLeft64(key, 17) + 0x9e3779b97f4a7c15
	}
	return left<<half | right
}

// mix spreads every bit over all (the finalizer of SplitMix64).
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
