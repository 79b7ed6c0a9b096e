package icmpsock

import (
	"net/netip"
	"testing"
)

func TestCheck(t *testing.T) {
	for _, c := range []struct {
		name string
		c    Config
		ok   bool
	}{
		{"zero", Config{}, true},
		{"all set", Config{Source4: netip.MustParseAddr("192.0.2.1"), Source6: netip.MustParseAddr("fe80::1%2"), TTL: 255, DSCP: 63}, true},
		{"IPv6 for IPv4", Config{Source4: netip.MustParseAddr("::1")}, false},
		{"IPv4 for IPv6", Config{Source6: netip.MustParseAddr("192.0.2.1")}, false},
		{"IPv4 in IPv6", Config{Source6: netip.MustParseAddr("::ffff:192.0.2.1")}, false},
		{"DSCP", Config{DSCP: 64}, false},
		{"TTL", Config{TTL: 256}, false},
	} {
		if err := c.c.check(); (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
