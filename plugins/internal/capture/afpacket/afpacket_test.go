package afpacket

import (
	"testing"
	"time"
)

func TestRingFor(t *testing.T) {
	for _, c := range []struct {
		rate, frame   int
		window        time.Duration
		block, blocks int
	}{
		{10, 60, time.Second, 64 << 10, 102}, // a block a RetireDelay
		{10_000, 60, 500 * time.Millisecond, 64 << 10, 52},
		{100_000, 60, 500 * time.Millisecond, 512 << 10, 52},
		{300_000, 60, 200 * time.Millisecond, 1 << 20, 22},
		{300_000, 1514, time.Second, 1 << 20, 128}, // what would need 921 MiB
	} {
		block, blocks := RingFor(c.rate, c.frame, c.window)
		if block != c.block || blocks != c.blocks {
			t.Errorf("%d/s of %d bytes, %v: %d x %d KiB, want %d x %d", c.rate, c.frame, c.window, blocks, block>>10, c.blocks, c.block>>10)
		}
	}
}
