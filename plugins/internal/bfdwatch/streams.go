package bfdwatch

import (
	"encoding/binary"
	"hash/maphash"
	"net/netip"

	"echogram/plugins/internal/bfdwire"
	"echogram/plugins/internal/frame"
)

// streamKey is what a stream is known by. Source ports may change from packet to packet.
type streamKey struct {
	place     place
	lo, hi    netip.Addr
	length    uint16
	layout    bfdwire.Layout
	hasDiscr  bool
	discr     uint32
	initiator frame.MAC // where the link names both ends
	reflector frame.MAC // where the payload does not tell streams apart
}

type streams struct {
	list    []*stream
	byHash  map[uint64]*stream
	seed    uint64                // of the hashes, so that nobody can make them equal
	returns map[streamKey]*stream // echoes that come back with the TTL of sent ones, by the key that they have as such
}

func (t *streams) init() {
	t.byHash, t.returns = map[uint64]*stream{}, map[streamKey]*stream{}
	t.seed = maphash.Comparable(maphash.MakeSeed(), 0)
}

// hash is that of a key. Map keys as long as this one would cost several times as much memory to look at.
func (t *streams) hash(k *streamKey) uint64 {
	h := mixAddr(mixAddr(k.place.hash(t.seed), k.lo), k.hi)
	h = mix(h, uint64(k.discr)|uint64(k.length)<<32|uint64(k.layout)<<48)
	return mix(mix(h, number(k.initiator)), number(k.reflector))
}

func number(m frame.MAC) uint64 {
	return uint64(m[0])<<40 | uint64(m[1])<<32 | uint64(binary.BigEndian.Uint32(m[2:]))
}

func (t *streams) find(k *streamKey, hash uint64) *stream {
	st := t.byHash[hash]
	for st != nil && st.key != *k {
		st = st.next
	}
	return st
}

func (t *streams) add(st *stream) {
	h := t.hash(&st.key)
	st.next = t.byHash[h]
	t.byHash[h] = st
	t.list = append(t.list, st)
}

// remove takes st out of the index.
func (t *streams) remove(st *stream) {
	h := t.hash(&st.key)
	first := t.byHash[h]
	switch {
	case first != st:
		for first.next != st {
			first = first.next
		}
		first.next = st.next
	case st.next != nil:
		t.byHash[h] = st.next
	default:
		delete(t.byHash, h)
	}
}
