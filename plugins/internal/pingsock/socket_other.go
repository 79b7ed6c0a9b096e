//go:build !linux

package pingsock

import (
	"errors"
	"time"

	"echogram/plugins/internal/capture"
	"echogram/plugins/internal/icmpecho"
)

// Socket exists on Linux only.
type Socket struct{}

// ErrUnsupported is what every call answers on other systems.
var ErrUnsupported = errors.New("pingsock: ping sockets with the kernel's stamps need Linux")

// Open fails.
func Open(Config) (*Socket, error) { return nil, ErrUnsupported }

// Send fails.
func (*Socket) Send([]icmpecho.Datagram) (int, error) { return 0, ErrUnsupported }

// Read gives nothing.
func (*Socket) Read(time.Duration) []capture.Packet { return nil }

// Drained holds: there is nothing.
func (*Socket) Drained() bool { return true }

// Stats fails.
func (*Socket) Stats() (capture.Stats, error) { return capture.Stats{}, ErrUnsupported }

// Close does nothing.
func (*Socket) Close() error { return nil }
