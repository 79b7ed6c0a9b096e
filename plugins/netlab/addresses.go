package netlab

import "net/netip"

// Addresses of a pair. IPv4: RFC 2544. IPv6: 2001:2::/48, which RFC 5180 sets aside for the same.
var (
	TargetNetwork     = netip.MustParsePrefix("198.18.0.0/16")
	ProberAddress     = netip.MustParseAddr("198.19.0.1")
	ResponderAddress  = netip.MustParseAddr("198.19.0.2")
	TargetNetwork6    = netip.MustParsePrefix("2001:2:0:1::/112")
	ProberAddress6    = netip.MustParseAddr("2001:2:0:ffff::1")
	ResponderAddress6 = netip.MustParseAddr("2001:2:0:ffff::2")
)
