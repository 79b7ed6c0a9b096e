package targets

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// pass returns a group's targets in order, and where rounds begin.
func pass(s *Set, g Group, o Order) (order, rounds []int) {
	c := NewCursor(s, g, o)
	for {
		target, newRound, ok := c.Next()
		if !ok {
			return order, rounds
		}
		if newRound {
			rounds = append(rounds, len(order))
		}
		order = append(order, target)
	}
}

func TestGroups(t *testing.T) {
	s := mustSet(t, "10.0.0.0/22 10.0.4.0/25 10.0.5.0/26 2001:db8::/118 2001:db8:1::1", "")
	for n, want := range map[int]string{
		1:       "[{0 256 0 1} {256 256 1 1} {512 256 2 1} {768 256 3 1} {1024 128 4 1} {1152 64 5 1} {1216 1024 6 1} {2240 1 7 1}]",
		512:     "[{0 512 0 2} {512 512 2 2} {1024 192 4 2} {1216 1024 6 1} {2240 1 7 1}]",
		1 << 20: "[{0 2241 0 8}]",
	} {
		if got := fmt.Sprint(s.Groups(n)); got != want {
			t.Errorf("%d:\ngot  %s\nwant %s", n, got, want)
		}
	}
}

// TestCursorGivesEachTargetOnce walks random sets in groups of random size.
func TestCursorGivesEachTargetOnce(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		s, err := NewSet(randomRanges(rng, 1+rng.IntN(8)), randomRanges(rng, rng.IntN(3)))
		if err != nil {
			t.Fatal(err)
		}
		o := Order{Sequential: rng.IntN(4) == 0, Seed: rng.Uint64()}
		next := 0
		for _, g := range s.Groups(1 + rng.IntN(1000)) {
			order, _ := pass(s, g, o)
			slices.Sort(order)
			for i, target := range order {
				if target != g.First+i {
					t.Fatalf("%+v of %+v: place %d of the sorted order is %d", o, g, i, target)
				}
			}
			if g.First != next || len(order) != g.N {
				t.Fatalf("%+v gives %d targets and should begin with %d", g, len(order), next)
			}
			next += g.N
		}
		if next != s.Len() {
			t.Fatalf("the groups hold %d of %d", next, s.Len())
		}
	}
}

// TestRounds looks at each round: one target of each block that has any left, the blocks in one order.
func TestRounds(t *testing.T) {
	s := mustSet(t, "10.0.0.0/21 10.1.0.0-10.1.2.99 10.2.0.7 2001:db8::/115", "10.0.3.0/25")
	order, rounds := pass(s, s.Groups(1 << 20)[0], Order{Seed: 7})
	blockOf := func(target int) int {
		return slices.IndexFunc(s.Blocks(), func(b Block) bool { return target < b.First+b.N })
	}
	var before []int
	for k, begin := range rounds {
		end := len(order)
		if k+1 < len(rounds) {
			end = rounds[k+1]
		}
		var blocks []int
		for _, target := range order[begin:end] {
			blocks = append(blocks, blockOf(target))
		}
		left := slices.DeleteFunc(slices.Clone(before), func(b int) bool { return s.Blocks()[b].N <= k })
		if k == 0 {
			left = slices.Sorted(slices.Values(blocks))
			if slices.Equal(left, blocks) || len(slices.Compact(left)) != len(s.Blocks()) {
				t.Fatalf("the first round visits %v", blocks)
			}
			left = blocks
		}
		if !slices.Equal(blocks, left) {
			t.Fatalf("round %d visits %v, want %v", k, blocks, left)
		}
		before = blocks
	}
	if most := 8192; len(rounds) != most {
		t.Errorf("%d rounds, want as many as the largest block has targets, %d", len(rounds), most)
	}
}

func TestSequentialOrder(t *testing.T) {
	s := mustSet(t, "10.0.0.0/23 10.0.3.1-10.0.3.3", "")
	order, rounds := pass(s, s.Groups(1000)[0], Order{Sequential: true, Seed: 9})
	if !slices.IsSorted(order) || !slices.Equal(rounds, []int{0, 256, 512}) {
		t.Errorf("rounds begin at %v of %v", rounds, order)
	}
}

// TestOrderStaysTheSame pins the order: a seed in a log must repeat its sweep in every version.
func TestOrderStaysTheSame(t *testing.T) {
	s := mustSet(t, "192.0.2.0/28 198.51.100.0/30 203.0.113.9 2001:db8::/125", "")
	g := s.Groups(1000)[0]
	for seed, want := range map[uint64][]int{
		1:                  {19, 28, 20, 10, 17, 21, 11, 16, 24, 13, 18, 23, 9, 22, 4, 27, 5, 26, 2, 25, 6, 0, 1, 7, 3, 14, 15, 8, 12},
		0xfeedfacecafebeef: {17, 24, 5, 20, 16, 25, 11, 18, 28, 14, 19, 21, 13, 27, 2, 23, 6, 22, 1, 26, 8, 9, 15, 0, 3, 4, 10, 7, 12},
	} {
		if got, _ := pass(s, g, Order{Seed: seed}); !slices.Equal(got, want) {
			t.Errorf("seed %d:\ngot  %v\nwant %v", seed, got, want)
		}
	}
	wide := mustSet(t, "10.0.0.0/8", "")
	got, _ := pass(wide, wide.Groups(1 << 16)[200], Order{Seed: 42})
	if last := got[len(got)-1]; last != 13132973 {
		t.Errorf("the last target of group 200 of a /8 is %d, want 13132973", last)
	}
}

func TestSeedsDiffer(t *testing.T) {
	s := mustSet(t, "10.0.0.0/20", "")
	g := s.Groups(1 << 16)[0]
	one, _ := pass(s, g, Order{Seed: 1})
	two, _ := pass(s, g, Order{Seed: 2})
	same := 0
	for i := range one {
		if one[i] == two[i] {
			same++
		}
	}
	if same > 20 { // chance gives 1
		t.Errorf("%d of %d places hold the same target under both seeds", same, len(one))
	}
}

// TestPermutationSpreads asks that neighbours in order are no neighbours in address, over many seeds.
func TestPermutationSpreads(t *testing.T) {
	for _, n := range []uint32{16, 64, 100, 254, 256, 1000, 65536} {
		next, sum, steps := 0, 0.0, 0
		for seed := range uint64(max(50, 20000/n)) {
			w := walk{n: n, key: mix(seed)}
			for i := range n - 1 {
				d := w.target(i+1) - w.target(i)
				if d == 1 {
					next++
				}
				sum += max(float64(d), float64(-d))
				steps++
			}
		}
		// Chance gives steps of one in 1/n of the cases, and a mean of a third of n.
		mean, ones := sum/float64(steps)/float64(n), float64(next)/float64(steps)*float64(n)
		if mean < 0.31 || mean > 0.36 || ones > 1.5 {
			t.Errorf("%d: mean step %.3f n, steps of one %.2f / n", n, mean, ones)
		}
	}
}

func TestShard(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for range 100 {
		s, err := NewSet(randomRanges(rng, 1+rng.IntN(8)), randomRanges(rng, rng.IntN(3)))
		if err != nil {
			t.Fatal(err)
		}
		n, held := 1+rng.IntN(5), 0
		for i := 1; i <= n; i++ {
			part, err := s.Shard(i, n)
			if (err != nil) != (i > len(s.Blocks())) {
				t.Fatalf("shard %d/%d of %d blocks: %v", i, n, len(s.Blocks()), err)
			}
			if err != nil {
				continue
			}
			held += part.Len()
			for k, b := range part.Blocks() {
				whole := s.Blocks()[i-1+k*n]
				if b.Prefix != whole.Prefix || b.N != whole.N {
					t.Fatalf("shard %d/%d: block %d is %v, want %v", i, n, k, b, whole)
				}
				for j := range b.N {
					if part.At(b.First+j) != s.At(whole.First+j) || part.Network(b.First+j) != s.Network(whole.First+j) {
						t.Fatalf("shard %d/%d: target %d of block %s differs", i, n, j, b.Prefix)
					}
				}
			}
		}
		if held != s.Len() {
			t.Fatalf("%d shards hold %d of %d", n, held, s.Len())
		}
	}
}

func TestShardRefuses(t *testing.T) {
	s := mustSet(t, "10.0.0.0/23", "")
	for _, c := range []struct {
		i, n int
		want string
	}{
		{0, 2, "shard 0/2: give i/n with 1 <= i <= n"},
		{3, 2, "shard 3/2: give i/n with 1 <= i <= n"},
		{1, 0, "shard 1/0: give i/n with 1 <= i <= n"},
		{3, 4, "shard 3/4 gets no targets: there are 2 blocks, so that at most 2 shards have work"},
	} {
		if _, err := s.Shard(c.i, c.n); err == nil || err.Error() != c.want {
			t.Errorf("%d/%d: got %v, want %s", c.i, c.n, err, c.want)
		}
	}
}

func TestCursorDoesNotAllocate(t *testing.T) {
	s := mustSet(t, "10.0.0.0/16", "")
	c := NewCursor(s, s.Groups(1 << 16)[0], Order{Seed: 1})
	if n := testing.AllocsPerRun(1000, func() { c.Next() }); n != 0 {
		t.Errorf("%v allocations a target", n)
	}
}

func benchmarkCursor(b *testing.B, networks string) {
	s := mustSet(b, networks, "")
	g := s.Groups(1 << 24)[0]
	c := NewCursor(s, g, Order{Seed: 1})
	for b.Loop() {
		if _, _, ok := c.Next(); !ok {
			c = NewCursor(s, g, Order{Seed: 1})
		}
	}
}

func BenchmarkCursorBlocks(b *testing.B) { benchmarkCursor(b, "10.0.0.0/12") }
func BenchmarkCursorWorst(b *testing.B)  { benchmarkCursor(b, "2001:db8::-2001:db8::10:0") } // 2^20 + 1: domain 2^22
func BenchmarkNewSetOfASlash8(b *testing.B) {
	in := mustRanges(b, "10.0.0.0/8")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := NewSet(in, nil); err != nil {
			b.Fatal(err)
		}
	}
}
