//go:build integration

package report

import (
	"flag"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var pageShots = flag.String("page.shots", "", "write screenshots of the page into this `directory`")

// lifeOfPage is what the browser is shown: both families, a local time, labels that mean harm.
func lifeOfPage(t *testing.T) *pageLife {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	return &pageLife{networks: []string{"198.18.0.0/20", "203.0.112.0/21", "2001:db8:1::/121"}, sweeps: 4 * 48, every: 30 * time.Minute, location: zone}
}

func writePageOf(t *testing.T, c *Collection) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "page.html")
	if err := os.WriteFile(file, []byte(pageOf(t, c, PageConfig{})), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestPageInChromium loads the page in a real browser that can reach nothing.
func TestPageInChromium(t *testing.T) {
	file := writePageOf(t, lifeOfPage(t).collect(t))
	b := newBrowser(t)
	for _, width := range []int{360, 1440} {
		for _, scheme := range []string{"light", "dark"} {
			b.show(file, width, 900, scheme)
			b.await("!document.getElementById('atlas').hidden")
			if wide := b.eval("document.documentElement.scrollWidth"); wide != fmt.Sprint(width) {
				t.Errorf("at %d px the page is %s px wide", width, wide)
			}
			b.hovers()
			b.walks()
			b.sorts()
			b.filters()
			b.films()
			b.turns()
			if *pageShots != "" {
				b.show(file, width, 900, scheme)
				b.await("!document.getElementById('atlas').hidden")
				b.point("#cells", 0.43, 0.31)
				b.eval("scrollTo({top: 0, behavior: 'instant'})")
				b.shoot(filepath.Join(*pageShots, fmt.Sprintf("%d-%s.png", width, scheme)))
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

// TestPageWithoutScript looks for what stays when scripts are off.
func TestPageWithoutScript(t *testing.T) {
	file := writePageOf(t, lifeOfPage(t).collect(t))
	b := newBrowser(t)
	b.call("Emulation.setScriptExecutionDisabled", map[string]any{"value": true}, nil)
	b.show(file, 360, 900, "light")
	for what, expression := range map[string]string{
		"a row a block":          "document.querySelectorAll('#t-blocks tbody tr').length === 25",
		"a picture of each map":  "[...document.querySelectorAll('#map noscript img')].filter((i) => i.naturalWidth > 0 && i.offsetWidth > 0).length === 3",
		"no controls":            "[...document.querySelectorAll('.controls')].every((c) => c.offsetWidth === 0)",
		"no horizontal overflow": "document.documentElement.scrollWidth === 360",
	} {
		if b.eval(expression) != "true" {
			t.Errorf("missing: %s", what)
		}
	}
	for _, fault := range b.faults(file) {
		t.Error(fault)
	}
}

// TestPageOfHarm shows that the ear for faults hears, and that the policy keeps what breaks in from acting.
func TestPageOfHarm(t *testing.T) {
	text := pageOf(t, (&pageLife{networks: []string{"198.18.0.0/24"}, sweeps: 1, every: time.Hour, location: time.UTC}).collect(t), PageConfig{})
	text = strings.Replace(text, "<footer>", `<script>window.harmed = true</script><img src="http://192.0.2.1/pixel.png"><footer>`, 1)
	file := filepath.Join(t.TempDir(), "page.html")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	b := newBrowser(t)
	b.show(file, 360, 900, "light")
	if got := b.eval("window.harmed"); got != "undefined" {
		t.Errorf("a script that broke in ran: %s", got)
	}
	if faults := b.faults(file); len(faults) < 2 {
		t.Errorf("of a foreign script and a foreign picture only this was heard: %q", faults)
	}
}

func (b *browser) text(id string) string {
	b.t.Helper()
	return b.eval("document.getElementById('" + id + "').textContent")
}

// addressAt is what lies at a cell of a map of 198.18.0.0/20.
func addressAt(x, y int) string {
	h := hilbert{12}
	for i := range 1 << 12 {
		if hx, hy := h.cell(i); hx == x && hy == y {
			return netip.AddrFrom4([4]byte{198, 18, byte(i >> 8), byte(i)}).String()
		}
	}
	return "none"
}

// hovers points at cells of the map and at the enlarged block.
func (b *browser) hovers() {
	b.t.Helper()
	for _, cell := range [][2]int{{0, 0}, {32, 31}, {63, 63}, {5, 40}} {
		b.point("#cells", (float64(cell[0])+0.5)/64, (float64(cell[1])+0.5)/64)
		if got, want := b.text("r-address"), addressAt(cell[0], cell[1]); got != want {
			b.t.Errorf("the pointer at %v names %q, not %s", cell, got, want)
		}
	}
	b.point("#lens", 0.5/16, 15.5/16)
	if got, want := b.text("r-address"), addressAt(0, 47); got != want {
		b.t.Errorf("the pointer on the enlarged block names %q, not %s", got, want)
	}
	for _, id := range []string{"r-rtt", "r-class", "r-block"} {
		if got := b.text(id); got == "" || got == "–" {
			b.t.Errorf("the pointer says %q of %s", got, id)
		}
	}
}

// walks moves over the map by keys.
func (b *browser) walks() {
	b.t.Helper()
	b.eval("document.getElementById('plane').focus()")
	for _, key := range []string{"Home", "ArrowRight", "ArrowRight", "ArrowDown"} {
		b.press(key, "")
	}
	if got, want := b.text("r-address"), addressAt(2, 1); got != want {
		b.t.Errorf("the keys lead to %q, not %s", got, want)
	}
}

// sorts tabs from the filter into the table and presses Enter on a head.
func (b *browser) sorts() {
	b.t.Helper()
	b.eval("document.querySelector('[data-for=t-blocks] input').focus()")
	head := "document.activeElement.closest('#t-blocks th')"
	for range 12 {
		if b.eval(head+"?.textContent.startsWith('Answering')") == "true" {
			break
		}
		b.press("Tab", "")
	}
	if got := b.eval("getComputedStyle(document.activeElement).outlineStyle"); got == "none" {
		b.t.Error("the focus cannot be seen")
	}
	values := "(() => { const i = [...document.querySelector('#t-blocks tr').cells].findIndex((c) => c.ariaSort !== 'none'); " +
		"return [...document.querySelectorAll('#t-blocks tbody tr')].map((r) => Number(r.cells[i].dataset.s)); })()"
	for _, direction := range []struct{ name, sign string }{{"descending", ">="}, {"ascending", "<="}} {
		b.press("Enter", "\r")
		if got := b.eval(head + "?.ariaSort"); got != direction.name {
			b.t.Fatalf("Enter on the head of a table sorts it %q, not %s", got, direction.name)
		}
		if b.eval(values+".every((v, i, all) => i === 0 || all[i - 1] "+direction.sign+" v)") != "true" {
			b.t.Errorf("the table is not %s: %s", direction.name, b.eval(values))
		}
	}
}

// filters types a word, then takes it away.
func (b *browser) filters() {
	b.t.Helper()
	shown := "[...document.querySelectorAll('#t-blocks tbody tr')].filter((r) => r.offsetHeight > 0).length"
	all := b.eval(shown)
	b.eval("document.querySelector('[data-for=t-blocks] input').focus()")
	b.call("Input.insertText", map[string]any{"text": "dhcp CAMPUS"}, nil)
	if got := b.eval(shown); got != "6" {
		b.t.Errorf("%s of %s rows are shown, not the 6 pools of the campus", got, all)
	}
	b.eval("(() => { const i = document.activeElement; i.value = ''; i.dispatchEvent(new Event('input')); })()")
	if got := b.eval(shown); got != all {
		b.t.Errorf("%s of %s rows are back", got, all)
	}
}

// films turns to the first sweep.
func (b *browser) films() {
	b.t.Helper()
	picture := "document.getElementById('cells').toDataURL()"
	last, when := b.eval(picture), b.text("when")
	b.eval("document.getElementById('sweep').focus()")
	b.press("Home", "")
	if got := b.text("when"); !strings.HasPrefix(got, "2026-03-02 ") || got == when {
		b.t.Errorf("the first sweep is said to be of %q", got)
	}
	if b.eval(picture) == last {
		b.t.Error("the first sweep looks like the last")
	}
}

// turns shows a block of IPv6 by its link in the table.
func (b *browser) turns() {
	b.t.Helper()
	b.eval("[...document.querySelectorAll('#t-blocks a')].find((a) => a.textContent.includes(':')).click()")
	b.await("document.getElementById('r-address').textContent === '2001:db8:1::'")
	if got := b.text("r-block"); got != "2001:db8:1::/64" {
		b.t.Errorf("the link in the table leads to %q", got)
	}
}
