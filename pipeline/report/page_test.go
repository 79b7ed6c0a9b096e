package report

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"html"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	nethtml "golang.org/x/net/html"

	"echogram/plugins/schema"
)

func smallPage(t testing.TB) string {
	t.Helper()
	life := &pageLife{networks: []string{"198.18.0.0/22", "2001:db8:1::/122"}, sweeps: 48, every: 30 * time.Minute, location: time.UTC}
	return pageOf(t, life.collect(t), PageConfig{})
}

// between is what lies between the first begin and the end behind it.
func between(t testing.TB, text, begin, end string) string {
	t.Helper()
	_, rest, ok := strings.Cut(text, begin)
	if !ok {
		t.Fatalf("no %q in the page", begin)
	}
	inside, _, ok := strings.Cut(rest, end)
	if !ok {
		t.Fatalf("no %q behind %q in the page", end, begin)
	}
	return inside
}

func TestPagePolicyAllowsWhatThePageHoldsAndNoMore(t *testing.T) {
	text := smallPage(t)
	policy := html.UnescapeString(between(t, text, `http-equiv="Content-Security-Policy" content="`, `"`))
	hash := func(body string) string {
		sum := sha256.Sum256([]byte(body))
		return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}
	want := "default-src 'none'; base-uri 'none'; form-action 'none'; img-src data:; style-src " + hash(between(t, text, "<style>", "</style>")) +
		"; script-src " + hash(between(t, text, "<script>", "</script>"))
	if policy != want {
		t.Errorf("policy %q, want %q", policy, want)
	}
}

// TestPageLoadsNothing looks at every attribute by which a page asks for something.
func TestPageLoadsNothing(t *testing.T) {
	text := smallPage(t)
	var links int
	for z := nethtml.NewTokenizer(strings.NewReader(text)); z.Next() != nethtml.ErrorToken; {
		token := z.Token()
		for _, a := range token.Attr {
			switch {
			case slices.Contains([]string{"src", "srcset", "href", "action", "poster", "style"}, a.Key), strings.HasPrefix(a.Key, "on"):
				links++
				if !strings.HasPrefix(a.Val, "#") && !strings.HasPrefix(a.Val, "data:") {
					t.Errorf("the page has %v", token)
				}
			}
		}
	}
	if links < 10 {
		t.Errorf("only %d links were seen", links)
	}
	if strings.Contains(pageStyle, "@import") || strings.Contains(pageStyle, "url(") {
		t.Error("the style asks for something")
	}
}

func TestPageEscapes(t *testing.T) {
	c := NewCollection(CollectionConfig{})
	series := &schema.RTTSeries{HasCounts: true, Series: schema.Series{Network: hostile, Block: hostile, Target: "198.18.0.1", Name: hostile,
		Labels: []schema.Tag{{Key: hostile, Value: hostile}}}}
	c.Add(series, &schema.SweepRow{Series: series.Series, Time: pageStart.UnixNano(), Sent: 1, Received: 1, RTT: schema.Some(1e6)})
	s := schema.BlockSeries{Group: schema.GroupBlock, Network: hostile, Block: hostile, Labels: series.Labels}
	at := pageStart.UnixNano()
	c.Row(&schema.BlockStateRow{BlockSeries: s, Time: at, State: hostile, Class: hostile})
	c.Row(&schema.BlockOutageRow{BlockSeries: s, Time: at, Event: hostile, Prefix: hostile, To: hostile, Reason: hostile})
	c.Row(&schema.BlockChurnRow{BlockSeries: s, Time: at, Class: hostile})
	c.Row(&schema.BlockDailyRow{BlockSeries: s, Time: at, LatencyClass: hostile, AvailabilityClass: hostile, Timezone: hostile})
	s.Group = schema.GroupTarget
	c.Row(&schema.BlockDailyRow{BlockSeries: s, Target: "198.18.0.1", Time: at, LatencyClass: hostile, Amplitude: schema.Some(1e6)})
	s.Group = hostile
	c.Row(&schema.BlockStateRow{BlockSeries: s, Time: at, State: hostile, Class: hostile})
	c.Finish()
	text := pageOf(t, c, PageConfig{})
	if strings.Contains(text, hostile) || strings.Contains(text, "<img src=x") {
		t.Error("a label broke out")
	}
	if got := strings.Count(text, "</script>"); got != 2 {
		t.Errorf("%d scripts end, not 2", got)
	}
	if got := strings.Count(text, "</noscript>"); got != 1 {
		t.Errorf("%d parts without script end, not 1", got)
	}
	if got := strings.Count(text, html.EscapeString("<!--")); got < 10 {
		t.Errorf("the label is written %d times", got)
	}
}

func TestPageOfNothing(t *testing.T) {
	c := NewCollection(CollectionConfig{})
	c.Finish()
	if text := pageOf(t, c, PageConfig{}); !strings.Contains(text, "No networks") {
		t.Error("the page of nothing does not say so")
	}
}

func TestPageIsTheSameForTheSameRows(t *testing.T) {
	if first := smallPage(t); smallPage(t) != first {
		t.Error("two pages of the same rows differ")
	}
}

// TestPageOfASixteen holds the size of a page of 65,536 addresses, and what it leaves out.
func TestPageOfASixteen(t *testing.T) {
	life := &pageLife{networks: []string{"198.18.0.0/16"}, sweeps: 24, every: time.Hour, location: time.UTC}
	c := life.collect(t)
	if text := pageOf(t, c, PageConfig{}); len(text) > 1_000_000 {
		t.Errorf("the page has %d bytes", len(text))
	}
	if text := pageOf(t, c, PageConfig{Bytes: 200_000}); !strings.Contains(text, "of 24 sweeps, evenly spaced; the others are left out to keep the page small.") {
		t.Errorf("the page of %d bytes does not say that it leaves sweeps out", len(text))
	}
}

func unpack(t *testing.T, text string) []byte {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestPageMapHoldsEveryAnswer unpacks the sweeps that the page holds and compares them with the rows.
func TestPageMapHoldsEveryAnswer(t *testing.T) {
	life := &pageLife{networks: []string{"198.18.0.0/21", "2001:db8:1::/122"}, sweeps: 12, every: time.Hour, location: time.UTC}
	c := life.collect(t)
	var maps struct {
		Nets []packedNet
	}
	if err := json.Unmarshal([]byte(between(t, pageOf(t, c, PageConfig{}), `id="maps">`, "</script>")), &maps); err != nil {
		t.Fatal(err)
	}
	for i, n := range c.Networks {
		p := &maps.Nets[i]
		planes := unpack(t, p.Planes)
		size := 1 << p.Order
		if len(planes) != size*13 || len(p.Times) != 13 {
			t.Fatalf("%s: %d bytes and %d times, want 13 planes of %d", n.Name, len(planes), len(p.Times), size)
		}
		for at := size; at < len(planes); at++ {
			planes[at] += planes[at-size]
		}
		a := newPageAtlas(n)
		for j, f := range append(slices.Clone(n.Frames), nil) {
			for k, target := range n.Targets {
				want, off := target.Last, 0.0
				if f != nil {
					want, off = f.Answer(target), jitterCodes
				}
				holds(t, a, int(planes[j*size+a.cells[k]]), want, a.rounding(off))
			}
		}
	}
}

// holds compares a code with the answer that it stands for, within some percent.
func holds(t *testing.T, a *pageAtlas, code int, want Answer, within float64) {
	t.Helper()
	ns, timed := want.RTT()
	if timed != (code >= codeRTT) {
		t.Fatalf("code %d stands for %v", code, want)
	}
	if got := a.rtt(code); timed && (math.Abs(math.Log(got/ns)) > math.Log(1+within/100)*1.001) {
		t.Fatalf("code %d stands for %g ns, not %g, which is more than %g %% off", code, got, ns, within)
	}
}

func TestPageCellsOfManyAddresses(t *testing.T) {
	c := NewCollection(CollectionConfig{})
	for i, rtt := range []int64{3e6, 1e6, 2e6, 0, 0} {
		target := []string{"10.0.0.0", "10.0.0.3", "10.0.0.60", "10.0.0.61", "10.0.1.0"}[i]
		series := &schema.RTTSeries{HasCounts: true, Series: schema.Series{Network: "10.0.0.0/8", Target: target}}
		row := &schema.SweepRow{Series: series.Series, Time: pageStart.UnixNano(), Sent: 1, ResultCode: schema.ResultSilent}
		if rtt > 0 {
			row.Received, row.RTT = 1, schema.Some(rtt)
		}
		c.Add(series, row)
	}
	c.Finish()
	a := newPageAtlas(c.Networks[0])
	if a.order != maxOrder || a.step != 64 {
		t.Fatalf("2^%d cells of %d addresses", a.order, a.step)
	}
	plane := a.plane(func(t *Target) Answer { return t.Last })
	if got := a.rtt(int(plane[0])); got < 1.95e6 || got > 2.05e6 {
		t.Errorf("the cell of 3, 1 and 2 ms has %g ns", got)
	}
	if plane[4] != codeSilent || plane[1] != codeNone {
		t.Errorf("a silent cell has code %d, one without targets %d", plane[4], plane[1])
	}
}

func TestPageClasses(t *testing.T) {
	const sweeps = 48 // half an hour apart
	for _, of := range []struct {
		name   string
		answer func(n int) bool
		want   byte
	}{
		{"silent", func(int) bool { return false }, classNever},
		{"always", func(n int) bool { return n != 7 }, classAlways},
		{"twelve hours of a day", func(n int) bool { return n >= 24 }, classSometimes},
		{"every other hour", func(n int) bool { return n/2%2 == 0 }, classIntermittent},
		{"once", func(n int) bool { return n < 3 }, classUnderused},
	} {
		target := &Target{}
		var frames []*Frame
		for n := range sweeps {
			answer := Silent
			if of.answer(n) {
				answer = 1e6
			}
			frames = append(frames, &Frame{Time: int64(n) * int64(30*time.Minute), answers: []Answer{answer}})
		}
		if got, _ := classOf(target, frames, 13, nil); got != of.want {
			t.Errorf("%s: %s, want %s", of.name, classNames()[got], classNames()[of.want])
		}
	}
	if got, _ := classOf(&Target{place: 5}, []*Frame{{answers: []Answer{Silent}}}, 13, nil); got != classNone {
		t.Errorf("an address without rows is %s", classNames()[got])
	}
}

func TestPageTablesHaveBounds(t *testing.T) {
	life := &pageLife{networks: []string{"198.18.0.0/20"}, sweeps: 2, every: time.Hour, location: time.UTC}
	text := pageOf(t, life.collect(t), PageConfig{Blocks: 5, Events: 2, Targets: 1})
	for _, want := range []string{"11 blocks are left out", "4 earlier events are left out.", "3 targets with smaller swings are left out."} {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if got := strings.Count(between(t, text, `id="t-blocks"`, "</table>"), "<tr>"); got != 6 {
		t.Errorf("%d rows of blocks, head included, not 6", got)
	}
}

func TestPageNumbers(t *testing.T) {
	for got, want := range map[string]string{
		millis(123456):              "0.12",
		millis(12_345):              "0.012",
		millis(9_994_000):           "9.99",
		millis(99_949_000):          "99.9",
		millis(99_951_000):          "100",
		lastingText(90e9):           "1 min 30 s",
		lastingText(500e6):          "0.5 s",
		lastingText(3 * 3600 * 1e9): "3 h 00 min",
		lastingText(49 * 3600e9):    "2 d 1 h",
		clockHour(20.5):             "20:30",
		clockHour(23.999):           "00:00",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
