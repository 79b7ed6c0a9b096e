// Package world is a population to sweep.
package world

import (
	"net/netip"
	"time"
)

// Config says how large a world is and how long. The zero value is a /16 for 14 days, swept every 10 minutes.
type Config struct {
	Seed     uint64
	Network  netip.Prefix   // IPv4: a part of 198.18.0.0/15 of blocks of 256; IPv6: a part of 2001:2::/48 of /64s; 198.18.0.0/16, or 2001:2:0:100::/56
	Start    time.Time      // floored to Interval; 2026-01-12, a Monday
	Days     int            // 14
	Interval time.Duration  // of the sweeps; 10 min
	Location *time.Location // of its people's days and hours; UTC
	IPv6     bool           // the default network is one of IPv6
}

// Use is what a block is used for.
type Use string

// The uses of blocks.
const (
	Unused      Use = "unused"
	Sparse      Use = "sparse"      // fewer than 15 servers
	Servers     Use = "servers"     // static, always on
	Office      Use = "office"      // static; part always on, part on weekdays in office hours
	Wireless    Use = "wireless"    // DHCP; short sessions, addresses go from hand to hand
	Residential Use = "residential" // DHCP; a client keeps its address as long as its lease lasts
	Access      Use = "access"      // DHCP; gateways always on that get other addresses every k · 24 h
	Mixed       Use = "mixed"       // servers in the lower half, DHCP in the upper
)

// World is a population. One goroutine at a time may use AppendSweep; all else may be used by several.
type World struct{}

// New makes the world of a configuration.
func New(cfg Config) *World { return new(World) }

// Sweeps is how many there are.
func (w *World) Sweeps() int { return 0 }

// AppendSweep appends sweep n, 0 <= n < Sweeps, as line protocol.
func (w *World) AppendSweep(dst []byte, n int) []byte { return dst }

// Truth is what the world knows of itself.
func (w *World) Truth() *Truth { return new(Truth) }

// Reply says what a request to target that leaves at the time at brings back.
func (w *World) Reply(target netip.Addr, at time.Time) (rtt time.Duration, ok bool) { return 0, false }
