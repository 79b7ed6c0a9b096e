//go:build integration

package prober

import (
	"errors"
	"strings"
	"testing"

	"echogram/plugins/internal/hwstamp"
	"echogram/plugins/internal/pingsock"
	"echogram/plugins/netlab"
)

// TestHardwareIsRefused: a link without an adapter's clock is refused by name, before anything is opened.
func TestHardwareIsRefused(t *testing.T) {
	inProber(t, func(t *testing.T, _ *netlab.Sweep) {
		_, err := openHardware(pingsock.Config{ID: 7, V4: true, Interface: netlab.ProberLink}, 0, &fakeEngine{})
		if !errors.Is(err, hwstamp.ErrUnsupported) || !strings.Contains(err.Error(), netlab.ProberLink) {
			t.Errorf("got %v", err)
		}
		t.Log(err)
	})
}
