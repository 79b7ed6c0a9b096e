//go:build !linux

package afpacket

import (
	"errors"
	"time"

	"echogram/plugins/internal/capture"
)

// Ring exists on Linux only.
type Ring struct{}

// ErrUnsupported is what every call answers on other systems.
var ErrUnsupported = errors.New("afpacket: packet rings need Linux")

// Open fails.
func Open(Config) (*Ring, error) { return nil, ErrUnsupported }

// Read fails.
func (*Ring) Read(time.Duration) ([]capture.Packet, error) { return nil, ErrUnsupported }

// Rebind fails.
func (*Ring) Rebind(int) error { return ErrUnsupported }

// Stats fails.
func (*Ring) Stats() (capture.Stats, error) { return capture.Stats{}, ErrUnsupported }

// Carrier is false.
func (*Ring) Carrier(string) bool { return false }

// Close does nothing.
func (*Ring) Close() error { return nil }
