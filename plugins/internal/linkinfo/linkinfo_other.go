//go:build !linux

package linkinfo

// Read tells nothing.
func Read(int) (Settings, error) { return Settings{}, nil }

// Count tells nothing.
func Count(int) (Counters, error) { return Counters{}, nil }

// Governors tells nothing.
func Governors() []string { return nil }
