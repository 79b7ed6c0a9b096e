// Package afpacket is the kernel edge of a capture: a TPACKET_V3 ring of an AF_PACKET socket that sees the frames
// of one interface in both directions, stamped by the kernel, or what is received by the adapter.
//
// Layers: this file (configuration and what a ring promises), ring_linux.go (socket, memory, the walk through a
// block), bind_linux.go (the interface, also one that comes back), stamp_linux.go (stamps), ring_other.go (what
// other systems say). It decodes nothing: filters come from package frame as BPF programs. It does not send.
package afpacket

import (
	"errors"
	"time"

	"golang.org/x/net/bpf"

	"echogram/plugins/internal/capture"
)

// Config is what a ring needs.
type Config struct {
	IfIndex     int
	Link        capture.LinkType
	Filter      []bpf.RawInstruction // what the kernel lets pass; set before the first frame can come
	BlockSize   int                  // bytes of a block, a multiple of the page size; default 256 KiB
	Blocks      int                  // default 128, 32 MiB with the default size
	Promiscuous bool                 // see what is for others, too, as on a mirror port
	// Hardware has the adapter stamp the frames that it receives, by its own clock. Frames sent keep the kernel's
	// stamps, for a capture sees them before the adapter does: a Packet's Kind tells.
	Hardware bool
}

// Errors that a caller decides on.
var (
	// ErrDown is Read's: the interface went down. The ring goes on once it is up again.
	ErrDown = errors.New("afpacket: the interface is down")
	// ErrGone is Read's: the interface does not exist any more. Rebind can give the ring another.
	ErrGone = errors.New("afpacket: the interface is gone")
	// ErrHardware is Open's and Rebind's: the adapter, or its driver, does not stamp every frame that it receives.
	ErrHardware = errors.New("afpacket: no hardware stamps")
)

// RetireDelay is how long the kernel may keep a block that has frames but is not full.
const RetireDelay = retireMillis * 1_000_000 // ns

const retireMillis = 10

func (c *Config) defaults() {
	if c.BlockSize == 0 {
		c.BlockSize = 256 << 10
	}
	if c.Blocks == 0 {
		c.Blocks = 128
	}
}

// Bounds of what RingFor gives.
const (
	minBlock = 64 << 10
	maxBlock = 1 << 20 // more must be found in one piece of memory
	maxRing  = 128 << 20
)

// frameOverhead is what stands before a frame in a ring: its header, an address and room for alignment.
const frameOverhead = 96

// RingFor gives the size of a ring that loses nothing while its reader is held up for window, when rate requests of
// frame bytes leave and are answered each second. Above 128 MiB it stays there.
func RingFor(rate, frame int, window time.Duration) (blockSize, blocks int) {
	bytes := int(2 * float64(rate) * float64(frame+frameOverhead) * window.Seconds())
	// However few frames they hold, blocks are closed one a RetireDelay.
	least := int(window/RetireDelay) + 2
	blockSize = minBlock
	for blockSize < maxBlock && blockSize*least < bytes {
		blockSize *= 2
	}
	blocks = max(least, (bytes+blockSize-1)/blockSize)
	return blockSize, min(blocks, maxRing/blockSize)
}
