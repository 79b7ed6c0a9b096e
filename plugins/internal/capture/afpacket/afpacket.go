// Package afpacket is the kernel edge of a capture: a TPACKET_V3 ring of an AF_PACKET socket that sees the frames
// of one interface in both directions, stamped by the kernel.
//
// Layers: this file (configuration and what a ring promises), ring_linux.go (socket, memory, the walk through a
// block), ring_other.go (what other systems say). It decodes nothing: filters come from package frame as BPF
// programs. Transmit rings, hardware stamps and promiscuous mode are not here yet.
package afpacket

import (
	"errors"

	"golang.org/x/net/bpf"

	"echogram/plugins/internal/capture"
)

// Config is what a ring needs.
type Config struct {
	IfIndex   int
	Link      capture.LinkType
	Filter    []bpf.RawInstruction // what the kernel lets pass; set before the first frame can come
	BlockSize int                  // bytes of a block, a multiple of the page size; default 256 KiB
	Blocks    int                  // default 128, 32 MiB with the default size
}

// Errors of Read that a caller decides on.
var (
	// ErrDown says that the interface went down. The ring goes on once it is up again.
	ErrDown = errors.New("afpacket: the interface is down")
	// ErrGone says that the interface does not exist any more. The ring is of no more use.
	ErrGone = errors.New("afpacket: the interface is gone")
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
