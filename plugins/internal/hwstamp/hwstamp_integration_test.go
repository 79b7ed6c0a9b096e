//go:build integration

package hwstamp

import (
	"errors"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"echogram/plugins/netlab"
)

// TestVethIsRefused: a link without an adapter is refused by its name and for what it lacks, and is left alone.
func TestVethIsRefused(t *testing.T) {
	netlab.InPeers(t, func(*netlab.Peers) {
		info, err := Query(netlab.PeerLinkA)
		if err != nil || info.Send || info.Receive || info.Clock >= 0 {
			t.Errorf("%+v, %v", info, err)
		}
		if _, err := Enable(netlab.PeerLinkA); !errors.Is(err, ErrUnsupported) || !strings.Contains(err.Error(), netlab.PeerLinkA) {
			t.Errorf("got %v", err)
		}
		if _, err := Query("nowhere"); !errors.Is(err, unix.ENODEV) || !strings.Contains(err.Error(), "nowhere") {
			t.Errorf("no such interface: %v", err)
		}
	})
}
