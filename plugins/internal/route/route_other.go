//go:build !linux

package route

import (
	"context"
	"errors"
	"net/netip"
)

// ErrUnsupported is what every call answers on other systems.
var ErrUnsupported = errors.New("route: route look-ups need Linux")

// Client exists on Linux only.
type Client struct{}

// NewClient fails.
func NewClient() (*Client, error) { return nil, ErrUnsupported }

// Close does nothing.
func (*Client) Close() {}

// Get fails.
func (*Client) Get(Query, netip.Addr) (Route, error) { return Route{}, ErrUnsupported }

// Specifics4 fails.
func (*Client) Specifics4(int) ([]Specific, error) { return nil, ErrUnsupported }

// Specifics6 fails.
func (*Client) Specifics6(int) ([]Specific, error) { return nil, ErrUnsupported }

// ByName fails.
func (*Client) ByName(string) (Interface, error) { return Interface{}, ErrUnsupported }

// ByIndex fails.
func (*Client) ByIndex(int) (Interface, error) { return Interface{}, ErrUnsupported }

// Lookup fails.
func (*Client) Lookup(Hop) (Neighbour, error) { return Neighbour{}, ErrUnsupported }

// Watch exists on Linux only.
type Watch struct{ Changed <-chan struct{} }

// NewWatch fails.
func NewWatch() (*Watch, error) { return nil, ErrUnsupported }

// Follow does nothing.
func (*Watch) Follow(map[Hop]Neighbour) {}

// Run fails.
func (*Watch) Run(context.Context) error { return ErrUnsupported }

// Close does nothing.
func (*Watch) Close() error { return nil }
