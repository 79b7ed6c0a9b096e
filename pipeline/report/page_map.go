package report

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
	"strings"

	"echogram/plugins/schema"
)

// pageMaps is what page/page.js draws the maps from. A plane is a byte a cell, along the Hilbert curve: a code.
type pageMaps struct {
	Data struct {
		Zone         string      `json:"zone"`
		Shades       []string    `json:"shades"` // of the scale
		ClassNames   []string    `json:"classNames"`
		ClassColours []string    `json:"classColours"` // of classes from classAlways on; silence and absence have the page's own
		Nets         []packedNet `json:"nets"`
	}
	Stills []pageStill // without JavaScript
}

// Codes of cells. Those from codeRTT on are RTTs, by their logarithm from the network's least to its greatest.
const (
	codeNone    = iota // not probed
	codeSilent         //
	codeLate           //
	codeError          // an ICMP error
	codeUntimed        // answered, and the RTT is not known
	codeRTT            //
	codes       = 256
)

// packedNet is one network.
type packedNet struct {
	Name    string        `json:"name"`
	Order   int           `json:"order"`   // the map has 2^Order cells
	First   uint32        `json:"first"`   // IPv4: the first address, as a number
	Step    int           `json:"step"`    // addresses a cell
	Start   int           `json:"start"`   // cell that is chosen at first
	Low     float64       `json:"low"`     // ns, of codeRTT
	High    float64       `json:"high"`    // ns, of the last code
	Colours []string      `json:"colours"` // of codes from codeLate on
	Unit    string        `json:"unit"`    // of the ticks; "": there are no RTTs, and no scale
	Ticks   [][2]any      `json:"ticks"`   // of the scale: place from 0 to 1, and label
	Times   []int64       `json:"times"`   // Unix s, of the planes
	Planes  string        `json:"planes"`
	Classes string        `json:"classes,omitempty"`
	Names   string        `json:"names,omitempty"` // addresses by cell, a line each, where they follow no rule
	Blocks  []packedBlock `json:"blocks"`
	Note    string        `json:"note"`
}

// packedBlock is the first cell of a block, how many it has, its name, what is known of it, and its labels.
type packedBlock [5]any

const (
	maxOrder    = 18 // a map of more cells has several addresses in each
	maxPlanes   = 240
	jitterCodes = 2 // by which RTTs of one address may differ and are shown as one
	trialPlanes = 8 // from whose size follows how many fit
	mostTries   = 3
)

// pageAtlas is a network laid out in cells.
type pageAtlas struct {
	net   *Network
	order int
	step  int
	first uint32
	low   float64 // ns
	high  float64
	unit  float64 // codes for a factor of e
	cells []int   // of its targets
	scale *scale
}

func newPageAtlas(n *Network) *pageAtlas {
	a := &pageAtlas{net: n, step: 1, cells: make([]int, len(n.Targets))}
	if n.Prefix.IsValid() {
		host := 32 - n.Prefix.Bits()
		a.order = min(host, maxOrder)
		a.step = 1 << (host - a.order)
		a.first = number4(n.Prefix.Addr().As4())
		for i, t := range n.Targets {
			a.cells[i] = int(number4(t.Addr.As4())-a.first) / a.step
		}
	} else {
		host := bits.Len(uint(max(len(n.Targets)-1, 0)))
		a.order = min(host, maxOrder)
		a.step = 1 << (host - a.order)
		for i := range n.Targets {
			a.cells[i] = i / a.step
		}
	}
	a.span()
	a.scale = a.colours()
	return a
}

func number4(a [4]byte) uint32 { return binary.BigEndian.Uint32(a[:]) }

// colours is the scale of the latest answers and of some sweeps.
func (a *pageAtlas) colours() *scale {
	var rtts spread
	add := func(answer func(*Target) Answer) {
		for _, t := range a.net.Targets {
			if ns, ok := answer(t).RTT(); ok {
				rtts.add(int64(ns))
			}
		}
	}
	add(func(t *Target) Answer { return t.Last })
	n := len(a.net.Frames)
	for i := range min(n, trialPlanes) {
		add(a.net.Frames[i*n/min(n, trialPlanes)].Answer)
	}
	return scaleOf(&rtts, 0)
}

// span finds the least and the greatest RTT.
func (a *pageAtlas) span() {
	a.low, a.high = math.Inf(1), 0
	for i := range a.net.hours {
		if s := &a.net.hours[i]; s.n > 0 {
			a.low, a.high = min(a.low, float64(s.low)), max(a.high, float64(s.high))
		}
	}
	a.low = max(min(a.low, a.high), 1)
	a.high = max(a.high, 2*a.low)
	a.unit = (codes - 1 - codeRTT) / math.Log(a.high/a.low)
}

func (a *pageAtlas) code(v Answer) byte {
	if ns, ok := v.RTT(); ok {
		return byte(codeRTT + min(max(math.Round(a.unit*math.Log(ns/a.low)), 0), codes-1-codeRTT))
	}
	switch v {
	case Silent:
		return codeSilent
	case Late:
		return codeLate
	case ICMPError:
		return codeError
	case Untimed:
		return codeUntimed
	}
	return codeNone
}

// rtt is the RTT that a code stands for, ns.
func (a *pageAtlas) rtt(code int) float64 {
	return a.low * math.Exp(float64(code-codeRTT)/a.unit)
}

// rounding is by how much an RTT may be wrong that is so many codes off, percent.
func (a *pageAtlas) rounding(off float64) float64 { return 100 * (math.Exp((off+0.5)/a.unit) - 1) }

// plane is a sweep. Of a cell with several targets the median of those that answered counts, else the first of the
// codes that they have.
func (a *pageAtlas) plane(answer func(*Target) Answer) []byte {
	out := make([]byte, 1<<a.order)
	if a.step == 1 {
		for i, t := range a.net.Targets {
			out[a.cells[i]] = a.code(answer(t))
		}
		return out
	}
	for i := 0; i < len(a.cells); {
		cell := a.cells[i]
		var seen [codes]int
		rtts := 0
		for ; i < len(a.cells) && a.cells[i] == cell; i++ {
			code := a.code(answer(a.net.Targets[i]))
			seen[code]++
			if code >= codeRTT {
				rtts++
			}
		}
		out[cell] = middleCode(&seen, rtts)
	}
	return out
}

func middleCode(seen *[codes]int, rtts int) byte {
	if rtts == 0 {
		for code := codeUntimed; code > codeNone; code-- {
			if seen[code] > 0 {
				return byte(code)
			}
		}
		return codeNone
	}
	code := codeRTT
	for below := seen[code]; 2*below < rtts; below += seen[code] {
		code++
	}
	return byte(code)
}

// packMaps packs the first networks within the bounds; nil: there is none.
func packMaps(c *Collection, config PageConfig) (*pageMaps, error) {
	m := &pageMaps{}
	for i := range shades {
		m.Data.Shades = append(m.Data.Shades, hexColour(shade(float64(i)/(shades-1))))
	}
	m.Data.Zone, m.Data.ClassNames, m.Data.ClassColours = c.config.Location.String(), classNames(), classColours()
	for _, n := range c.Networks {
		if len(n.Targets) == 0 || len(m.Data.Nets) == config.Maps {
			continue
		}
		a := newPageAtlas(n)
		packed, err := a.pack(config.Bytes / min(len(c.Networks), config.Maps))
		if err != nil {
			return nil, err
		}
		m.Data.Nets = append(m.Data.Nets, packed)
		if len(m.Stills) < maxStills {
			still, err := a.still()
			if err != nil {
				return nil, err
			}
			m.Stills = append(m.Stills, still)
		}
	}
	if len(m.Data.Nets) == 0 {
		return nil, nil
	}
	return m, nil
}

func (a *pageAtlas) pack(budget int) (packedNet, error) {
	n := a.net
	p := packedNet{Name: n.Name, Order: a.order, First: a.first, Step: a.step, Low: a.low, High: a.high, Start: a.start()}
	var err error
	if p.Planes, p.Times, err = a.packPlanes(budget); err != nil {
		return p, err
	}
	if classes := a.classes(); classes != nil {
		if p.Classes, err = packText(classes); err != nil {
			return p, err
		}
	}
	if !n.Prefix.IsValid() {
		if p.Names, err = packText([]byte(a.names())); err != nil {
			return p, err
		}
	}
	for _, c := range a.palette()[codeLate:] {
		p.Colours = append(p.Colours, hexColour(c))
	}
	p.Unit, p.Ticks = a.scale.label, a.ticks()
	p.Blocks = a.blocks()
	p.Note = a.note(len(p.Times) - 1)
	return p, nil
}

// ticks are those of the scale: place and label.
func (a *pageAtlas) ticks() (ticks [][2]any) {
	if a.scale.empty {
		return nil
	}
	for _, t := range a.scale.ticks(&a.scale.axis) {
		if t.Label != "" {
			ticks = append(ticks, [2]any{a.scale.part(t.Value), t.Label})
		}
	}
	return ticks
}

// start is the cell of the first target that answered.
func (a *pageAtlas) start() int {
	for i, t := range a.net.Targets {
		if t.Last.Answered() {
			return a.cells[i]
		}
	}
	return 0
}

// packPlanes packs as many sweeps as fit, thinned evenly, and behind them each target's latest answer. How much a sweep
// takes is known only when it is packed: it tries a few times.
func (a *pageAtlas) packPlanes(budget int) (text string, times []int64, err error) {
	most := min(len(a.net.Frames), maxPlanes)
	if len(a.net.Frames) < 2 {
		most = 0 // the latest answers are that sweep
	}
	keep := min(most, trialPlanes)
	for try := 1; ; try++ {
		if text, times, err = a.packSweeps(keep); err != nil || keep == 0 {
			return text, times, err
		}
		next := min(most, keep*budget/len(text))
		switch {
		case len(text) > budget:
			keep = min(next, keep-1)
		case try >= mostTries || next <= keep+keep/8:
			return text, times, nil
		default:
			keep = next
		}
	}
}

// packSweeps packs some of the sweeps, and the latest answers. Each plane is written as what it differs by from the one
// before; RTTs that differ by little are shown as before, or jitter would fill the page.
func (a *pageAtlas) packSweeps(keep int) (text string, times []int64, err error) {
	var all []byte
	before := make([]byte, 1<<a.order)
	add := func(plane []byte, at int64) {
		for i := range plane {
			all = append(all, plane[i]-before[i])
		}
		before, times = plane, append(times, at/1e9)
	}
	for i := range keep {
		f := a.net.Frames[(i+1)*len(a.net.Frames)/keep-1]
		plane := a.plane(f.Answer)
		for i, was := range before {
			if code := plane[i]; min(was, code) >= codeRTT && max(was, code)-min(was, code) <= jitterCodes {
				plane[i] = was
			}
		}
		add(plane, f.Time)
	}
	add(a.plane(func(t *Target) Answer { return t.Last }), a.net.To)
	text, err = packText(all)
	return text, times, err
}

// packText compresses, as text.
func packText(data []byte) (string, error) {
	var out bytes.Buffer
	z, err := gzip.NewWriterLevel(&out, gzip.DefaultCompression)
	if err != nil {
		return "", err
	}
	if _, err := z.Write(data); err != nil {
		return "", err
	}
	if err := z.Close(); err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(out.Bytes()), nil
}

func (a *pageAtlas) names() string {
	names := make([]string, 1<<a.order)
	for i, t := range a.net.Targets {
		if names[a.cells[i]] == "" {
			names[a.cells[i]] = t.Addr.String()
		}
	}
	return strings.TrimRight(strings.Join(names, "\n"), "\n")
}

func (a *pageAtlas) blocks() []packedBlock {
	first, n := map[*Block]int{}, map[*Block]int{}
	for i, t := range a.net.Targets {
		if _, ok := first[t.Block]; !ok {
			first[t.Block] = a.cells[i]
		}
		n[t.Block] = a.cells[i] - first[t.Block] + 1
	}
	all := make([]packedBlock, 0, len(a.net.Blocks))
	for _, b := range a.net.Blocks {
		if n[b] == 0 {
			continue
		}
		from, cells := first[b], n[b]
		if a.net.Prefix.IsValid() && b.Prefix.IsValid() && a.net.Prefix.Bits() <= b.Prefix.Bits() {
			from = int(number4(b.Prefix.Addr().As4())-a.first) / a.step
			cells = max(1, 1<<(32-b.Prefix.Bits())/a.step)
		}
		all = append(all, packedBlock{from, cells, b.Name, b.words(), labelText(b.Labels)})
	}
	return all
}

// words is what block analytics say of a block, in short.
func (b *Block) words() string {
	var words []string
	say := func(what, class string) {
		if class != "" {
			words = append(words, what+" "+class)
		}
	}
	if r := lastRow(b.Churn); r != nil {
		say("block", r.Class)
	}
	if r := lastRow(b.States); r != nil {
		say("use", r.Class)
	}
	if r := swinging(b.Daily); r != nil {
		say("daily latency", r.LatencyClass)
	}
	return strings.Join(words, ", ")
}

func labelText(labels []schema.Tag) string {
	var words []string
	for _, l := range labels {
		words = append(words, l.Key+" "+l.Value)
	}
	return strings.Join(words, ", ")
}

// note says what the map leaves out.
func (a *pageAtlas) note(shown int) string {
	n := a.net
	notes := []string{fmt.Sprintf("RTTs on the map are rounded to ± %.1f %%, those of earlier sweeps to ± %.0f %%.", a.rounding(0), a.rounding(jitterCodes))}
	if shown == 0 {
		notes = []string{fmt.Sprintf("RTTs on the map are rounded to ± %.1f %%.", a.rounding(0))}
	}
	if a.step > 1 {
		notes = append(notes, fmt.Sprintf("A dot stands for %d addresses.", a.step))
	}
	switch {
	case n.Sweeps < 2:
	case shown == 0:
		notes = append(notes, fmt.Sprintf("Its %s are left out, but for each address's latest answer.", counted(int64(n.Sweeps), "sweep", "sweeps")))
	case shown < n.Sweeps:
		notes = append(notes, fmt.Sprintf("It has %s of %s, evenly spaced; the others are left out to keep the page small.",
			thousands(int64(shown)), counted(int64(n.Sweeps), "sweep", "sweeps")))
	}
	return strings.Join(notes, " ")
}
