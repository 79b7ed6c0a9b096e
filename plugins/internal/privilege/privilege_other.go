//go:build !linux

package privilege

// Drop does nothing: there are no capabilities to drop.
func Drop() error { return nil }
