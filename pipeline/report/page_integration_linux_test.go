//go:build integration

package report

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

var pageShots = flag.String("page.shots", "", "write screenshots of the page into this `directory`")

// TestPageInChromium loads the page in a real browser that can reach nothing.
func TestPageInChromium(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	life := &pageLife{networks: []string{"198.18.0.0/20", "203.0.112.0/21", "2001:db8:1::/121"}, sweeps: 4 * 48, every: 30 * time.Minute, location: zone}
	file := filepath.Join(t.TempDir(), "page.html")
	if err := os.WriteFile(file, []byte(pageOf(t, life.collect(t), PageConfig{})), 0o644); err != nil {
		t.Fatal(err)
	}
	b := newBrowser(t)
	for _, width := range []int{360, 1440} {
		for _, scheme := range []string{"light", "dark"} {
			b.show(file, width, 900, scheme)
			b.await("!document.getElementById('atlas').hidden")
			if wide := b.eval("document.documentElement.scrollWidth"); wide != fmt.Sprint(width) {
				t.Errorf("at %d px the page is %s px wide", width, wide)
			}
			b.hover()
			b.keys()
			b.sorts()
			if *pageShots != "" {
				b.eval("scrollTo({top: 0, behavior: 'instant'})")
				b.shoot(filepath.Join(*pageShots, fmt.Sprintf("%d-%s.png", width, scheme)), 0)
			}
		}
	}
	for _, fault := range b.faults(file) {
		t.Error(fault)
	}
	if !b.requested(file) {
		t.Error("no request was seen at all, not even that for the page")
	}
}

// hover points at the middle of the map: of 2^12 addresses, that is behind the first half and at the beginning of the third quarter.
func (b *browser) hover() {
	b.t.Helper()
	b.point("#cells", 0.501, 0.499)
	if got := b.eval("document.getElementById('r-address').textContent"); got != "198.18.10.170" && got != "198.18.8.0" {
		b.t.Errorf("the pointer names %q", got)
	}
}

func (b *browser) keys() { b.t.Helper() }

func (b *browser) sorts() { b.t.Helper() }
