package main

import (
	"bytes"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var finders = map[string]finder{
	"echogram.lp": echogramFound,
	"fping.txt":   fpingFound,
	"limit.txt":   limitFound,
	"masscan.txt": masscanFound,
	"nmap.txt":    nmapFound,
	"telegraf.lp": telegrafFound,
	"zmap.csv":    zmapFound,
}

// TestFound reads what the real programs wrote, cut short and with a loss here and there.
func TestFound(t *testing.T) {
	want := map[string]findings{
		"echogram.lp": {1, "its trust is capture_drops, its ring dropped 3 frames"}, // and a silent target
		"fping.txt":   {65534, ""},
		"limit.txt":   {65530, "its ring dropped 6 frames"},
		"masscan.txt": {3, ""},
		"nmap.txt":    {2, ""},
		"telegraf.lp": {2, ""}, // and one without an answer
		"zmap.csv":    {3, ""}, // one of them twice
	}
	for name, found := range finders {
		got, err := found(bytes.NewReader(golden(t, name)))
		if err != nil || got != want[name] {
			t.Errorf("%s: %+v, %v; want %+v", name, got, err, want[name])
		}
	}
}

func golden(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// A contender that broke off has found nothing that counts.
func TestFoundWantsTheSummary(t *testing.T) {
	for _, name := range []string{"echogram.lp", "fping.txt", "limit.txt"} {
		if got, err := finders[name](strings.NewReader("\n")); !errors.Is(err, errNoSummary) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	if got, err := echogramFound(strings.NewReader("icmp_sweep sent=1i\nnonsense\n")); err == nil {
		t.Errorf("took nonsense for line protocol: %+v", got)
	}
}

func TestSweepRTTs(t *testing.T) {
	late := "icmp_sweep,target=198.18.0.9 late=1i,late_rtt_ns=5i 1795246169000000000\n"
	got, err := sweepRTTs(strings.NewReader(late + string(golden(t, "echogram.lp"))))
	if err != nil || len(got) != 1 || got[netip.MustParseAddr("198.18.0.0")] != 18257 {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestHosts(t *testing.T) {
	var h hosts
	for _, text := range []string{"", "nobody", "198.17.255.255", "198.19.0.0", "::1"} {
		h.add(text)
	}
	if h.n != 0 {
		t.Errorf("%d addresses that are no targets", h.n)
	}
	for range 2 {
		for a := netip.MustParseAddr("198.18.0.0"); a.Less(netip.MustParseAddr("198.19.0.0")); a = a.Next() {
			h.add(a.String())
		}
	}
	if h.n != all {
		t.Errorf("%d of %d", h.n, all)
	}
}

func FuzzFound(f *testing.F) {
	for name := range finders {
		f.Add(golden(f, name))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for name, found := range finders {
			got, err := found(bytes.NewReader(data))
			if counts := name != "fping.txt" && name != "limit.txt"; counts && err == nil && (got.found < 0 || got.found > all) {
				t.Errorf("%s: found %d of %d", name, got.found, all)
			}
		}
	})
}
