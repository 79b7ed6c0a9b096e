//go:build !linux

package route

import (
	"errors"
	"net/netip"
)

// ErrUnsupported is what every call answers on other systems.
var ErrUnsupported = errors.New("route: route look-ups need Linux")

// Get fails.
func Get(netip.Addr, int) (Route, error) { return Route{}, ErrUnsupported }

// ByName fails.
func ByName(string) (Interface, error) { return Interface{}, ErrUnsupported }

// ByIndex fails.
func ByIndex(int) (Interface, error) { return Interface{}, ErrUnsupported }
