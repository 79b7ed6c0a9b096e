package targets

import "fmt"

// Shard returns part i of n, 1 <= i <= n: the blocks i-1, i-1+n, i-1+2n … The parts of one set share no target, and
// together they hold all.
func (s *Set) Shard(i, n int) (*Set, error) {
	if n < 1 || i < 1 || i > n {
		return nil, fmt.Errorf("shard %d/%d: give i/n with 1 <= i <= n", i, n)
	}
	if len(s.blocks) < i {
		return nil, fmt.Errorf("shard %d/%d gets no targets: there are %d blocks, so that at most %d shards have work", i, n, len(s.blocks), len(s.blocks))
	}
	part := &Set{}
	for k := i - 1; k < len(s.blocks); k += n {
		part.addPart(s, s.blocks[k].First, s.blocks[k].N)
	}
	part.findBlocks()
	return part, nil
}

// addPart appends n targets of another set, from first on.
func (s *Set) addPart(from *Set, first, n int) {
	for n > 0 {
		sp := &from.spans[from.spanOf(first)]
		some := min(n, sp.index+sp.n-first)
		s.add(span{first: from.At(first), network: sp.network, index: s.n, n: some})
		first, n = first+some, n-some
	}
}
