//go:build !linux

package packetsock

import "errors"

// Socket exists on Linux only.
type Socket struct{}

// ErrUnsupported is what every call answers on other systems.
var ErrUnsupported = errors.New("packetsock: packet sockets need Linux")

// Open fails.
func Open(Config) (*Socket, error) { return nil, ErrUnsupported }

// Bind fails.
func (*Socket) Bind(int) error { return ErrUnsupported }

// Send fails.
func (*Socket) Send([][]byte) (int, error) { return 0, ErrUnsupported }

// Close does nothing.
func (*Socket) Close() error { return nil }
