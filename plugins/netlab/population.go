package netlab

import (
	"fmt"
	"net/netip"
)

// Kind is how the targets of a block behave.
type Kind uint8

// The kinds of block.
const (
	Answering   Kind = iota // the kernel answers every request
	Silent                  // requests vanish
	Unreachable             // ICMP 3/1, host unreachable, from the responder's own address
	Prohibited              // ICMP 3/13, communication administratively prohibited (RFC 1812 section 5.2.7.1)
	Late                    // every request is answered after a delay
	kinds
)

// Kinds lists all kinds.
func Kinds() []Kind { return []Kind{Answering, Silent, Unreachable, Prohibited, Late} }

func (k Kind) String() string {
	names := [kinds]string{"answering", "silent", "unreachable", "prohibited", "late"}
	if k >= kinds {
		return fmt.Sprintf("kind %d", k)
	}
	return names[k]
}

// Population says of what kind each block of a network is. Blocks that are not named are answering.
type Population struct {
	Network netip.Prefix          // IPv4, /24 or shorter
	Special map[netip.Prefix]Kind // by /24
}

// SamplePopulation has all kinds in network, whose prefix must not be longer than a /20: of each 16 blocks the
// fourth, eighth, twelfth and last are silent, and one block each of the network is unreachable, prohibited and
// late. Of a /16 that leaves 189 answering and 64 silent blocks.
func SamplePopulation(network netip.Prefix) Population {
	p := Population{Network: network.Masked(), Special: map[netip.Prefix]Kind{}}
	for i, block := range p.Blocks() {
		if i%4 == 3 {
			p.Special[block] = Silent
		}
	}
	blocks := p.Blocks()
	p.Special[blocks[5]] = Unreachable
	p.Special[blocks[9]] = Prohibited
	p.Special[blocks[12]] = Late
	return p
}

// Blocks lists the /24 blocks of the network, in order.
func (p Population) Blocks() []netip.Prefix {
	first := p.Network.Masked().Addr().As4()
	n := 1 << (24 - p.Network.Bits())
	start := uint32(first[0])<<16 | uint32(first[1])<<8 | uint32(first[2])
	blocks := make([]netip.Prefix, n)
	for i := range blocks {
		b := start + uint32(i)
		blocks[i] = netip.PrefixFrom(netip.AddrFrom4([4]byte{byte(b >> 16), byte(b >> 8), byte(b)}), 24)
	}
	return blocks
}

// BlocksOf lists the blocks of one kind, in order.
func (p Population) BlocksOf(k Kind) []netip.Prefix {
	var blocks []netip.Prefix
	for _, b := range p.Blocks() {
		if p.Special[b] == k {
			blocks = append(blocks, b)
		}
	}
	return blocks
}

// Kind is the kind of a target's block. ok is false for what is not in the network.
func (p Population) Kind(target netip.Addr) (k Kind, ok bool) {
	if !p.Network.Contains(target) {
		return 0, false
	}
	block, err := target.Prefix(24)
	if err != nil {
		return 0, false
	}
	return p.Special[block], true
}

// Count is the number of targets of one kind.
func (p Population) Count(k Kind) int { return 256 * len(p.BlocksOf(k)) }

// Targets is the number of all targets.
func (p Population) Targets() int { return 256 * len(p.Blocks()) }

func (p Population) check() error {
	if !p.Network.IsValid() || !p.Network.Addr().Is4() || p.Network.Bits() > 24 {
		return fmt.Errorf("netlab: population network %v is not an IPv4 network of at least one /24", p.Network)
	}
	for block, k := range p.Special {
		if block != block.Masked() || block.Bits() != 24 || !p.Network.Overlaps(block) || k >= kinds {
			return fmt.Errorf("netlab: population: %v (%v) is no block of %v", block, k, p.Network)
		}
	}
	return nil
}
