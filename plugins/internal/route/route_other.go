//go:build !linux

package route

import (
	"errors"
	"net/netip"
)

// ErrUnsupported is what every call answers on other systems.
var ErrUnsupported = errors.New("route: route look-ups need Linux")

// Get fails.
func Get(netip.Addr, int, netip.Addr) (Route, error) { return Route{}, ErrUnsupported }

// Specifics fails.
func Specifics(int) ([]Specific, error) { return nil, ErrUnsupported }

// ByName fails.
func ByName(string) (Interface, error) { return Interface{}, ErrUnsupported }

// ByIndex fails.
func ByIndex(int) (Interface, error) { return Interface{}, ErrUnsupported }
