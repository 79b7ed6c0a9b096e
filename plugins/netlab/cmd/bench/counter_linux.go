package main

import (
	"fmt"
	"os"
	"time"

	"echogram/plugins/netlab"
)

// counter reads how many frames a link of a namespace has sent.
type counter struct {
	dev  *os.File // /proc/net/dev as the namespace has it; it stays in the namespace in which it was opened
	link string
}

func openCounter(n *netlab.Namespace, link string) (*counter, error) {
	c := &counter{link: link}
	err := n.Do(func() (err error) {
		c.dev, err = os.Open("/proc/thread-self/net/dev")
		return err
	})
	return c, err
}

func (c *counter) close() error { return c.dev.Close() }

func (c *counter) sent() (int64, error) {
	var buf [4096]byte
	n, err := c.dev.ReadAt(buf[:], 0)
	if n == 0 {
		return 0, fmt.Errorf("read counters: %w", err)
	}
	return sentFrames(string(buf[:n]), c.link)
}

// surest is how long a reading may take. A longer one was interrupted, and nobody knows when it was taken.
const surest = 500 * time.Microsecond

// read is a reading, with its time after begin; ok is false when that is not sure.
func (c *counter) read(begin time.Time) (r reading, ok bool, err error) {
	before := time.Since(begin)
	sent, err := c.sent()
	after := time.Since(begin)
	return reading{after, sent}, after-before <= surest, err
}
