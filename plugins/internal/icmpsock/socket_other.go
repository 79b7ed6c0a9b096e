//go:build !linux

package icmpsock

import (
	"errors"

	"echogram/plugins/internal/icmpecho"
)

// Socket exists on Linux only.
type Socket struct{}

// ErrUnsupported is what every call answers on other systems.
var ErrUnsupported = errors.New("icmpsock: batched raw sockets need Linux")

// Open fails.
func Open(Config) (*Socket, error) { return nil, ErrUnsupported }

// Send fails.
func (*Socket) Send([]icmpecho.Datagram) (int, error) { return 0, ErrUnsupported }

// TTL fails.
func (*Socket) TTL() (v4, v6 int, err error) { return 0, 0, ErrUnsupported }

// Close does nothing.
func (*Socket) Close() error { return nil }
