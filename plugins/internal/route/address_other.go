//go:build !linux

package route

import "net/netip"

// Addresses fails.
func (*Client) Addresses(int) ([]netip.Prefix, error) { return nil, ErrUnsupported }
