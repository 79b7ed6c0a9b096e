package block

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"echogram/plugins/schema"
)

// forgotten is for how long a block is remembered that is not probed.
const forgotten = 30 * 24 * time.Hour

// blockState is what is known of one block.
type blockState struct {
	Network, Block string
	V4             bool
	Targets        []string // of IPv6, by place
	Labels         []schema.Tag
	Labelled       bool
	Places         []placeState
	Whole          unit
	Halves         [2]unit // of IPv4
	Typical        habits
	Limit          limiter
	Verdict        Verdict // of the last sweep that told something
	LastSeen       int64

	Use   use
	Churn churn
	Daily daily
	Tally windowTally
	RTTs  rttHistogram

	number  int
	units   []*unit        // the block and, of IPv4, its halves
	placeOf map[string]int // of Targets
	groups  []*group
}

// blockKey names a block of an instance: its network and itself.
type blockKey [2]string

// other is the number of the other half, when u is one.
func (b *blockState) other(u *unit) (i int, half bool) {
	switch u {
	case &b.Halves[0]:
		return 1, true
	case &b.Halves[1]:
		return 0, true
	}
	return 0, false
}

// prefix is what a unit of the block is.
func (b *blockState) prefix(u *unit) string {
	if i, half := b.other(u); half {
		return b.half(1 - i)
	}
	return b.Block
}

// at is what is known of a place.
func (b *blockState) at(place int) *placeState {
	if place < len(b.Places) {
		return &b.Places[place]
	}
	return &placeState{}
}

// instance is one configured stanza of one host: what its sweeps are and what is known of its blocks.
type instance struct {
	Host, Instance string
	Blocks         []*blockState // by number; nil: forgotten
	Groups         []*group
	Held           *sweep // is closed, and judged when the next one is
	Last           int64  // start of the last sweep that was judged; 0: there was none
	Told           int64  // and of the last one that told something
	Step           int64  // ns from sweep to sweep, as a rule
	Manifests      bool   // sweeps of it have a manifest
	Hour           int64
	Opened         bool  // Window and Day are
	Window, Day    int64 // start of the open ones
	DayBegin       int64 // first sweep of the day
	References     float64
	Vantage        *schema.BlockOutageRow
	VantageLast    bool

	cfg        Config
	open       []*sweep // by time
	recent     *sweep   // that got a row last
	spare      []*sweep
	numbers    map[blockKey]int // of blocks
	order      []*blockState    // of their rows; nil: some came in since
	references []reference
	dropped    bool // some blocks, and seats with them
	begun      []*unit
	rising     []riser
	risersOf   int64
	rows       []schema.Row // to be emitted
}

// reference is a target by which the prober's own way is known.
type reference struct {
	block *blockState
	place int
}

func (in *instance) emit(row schema.Row) { in.rows = append(in.rows, row) }

// emitEvent emits a row that may change later.
func (in *instance) emitEvent(row *schema.BlockOutageRow) {
	c := *row
	in.emit(&c)
}

// block finds or makes a block and returns its number.
func (in *instance) block(network, block string) int {
	key := blockKey{network, block}
	if n, ok := in.numbers[key]; ok {
		return n
	}
	b := &blockState{Network: strings.Clone(network), Block: strings.Clone(block)}
	if b.half(0) != "" {
		b.Halves[0].Size, b.Halves[1].First, b.Halves[1].Size = halfBlock, halfBlock, halfBlock
	}
	b.Typical = habits{Fall: 0.1, Back: 0.5}
	in.Blocks = append(in.Blocks, b)
	in.enter(len(in.Blocks) - 1)
	for _, u := range b.units {
		u.Belief = in.cfg.Belief
	}
	return b.number
}

// enter makes a block known by its number.
func (in *instance) enter(number int) {
	b := in.Blocks[number]
	b.number = number
	b.units = []*unit{&b.Whole}
	if b.Halves[0].Size > 0 {
		b.units = append(b.units, &b.Halves[0], &b.Halves[1])
	}
	in.numbers[blockKey{b.Network, b.Block}] = number
	in.order = nil
}

// meet takes note of a target that may be a reference.
func (in *instance) meet(b *blockState, target string, place int) {
	if r := (reference{b, place}); slices.Contains(in.cfg.References, target) && !slices.Contains(in.references, r) {
		in.references = append(in.references, r)
	}
}

// sorted are the blocks in the order of their rows.
func (in *instance) sorted() []*blockState {
	if in.order == nil {
		for _, b := range in.Blocks {
			if b != nil {
				in.order = append(in.order, b)
			}
		}
		slices.SortFunc(in.order, func(a, b *blockState) int {
			return cmp.Or(cmp.Compare(a.Network, b.Network), cmp.Compare(a.Block, b.Block))
		})
	}
	return in.order
}

func (in *instance) seriesOf(b *blockState) schema.BlockSeries {
	return schema.BlockSeries{Host: in.Host, Instance: in.Instance, Group: schema.GroupBlock, Network: b.Network, Block: b.Block,
		Labels: slices.Clone(b.Labels)}
}

// patience is how long the next sweep is awaited.
func (in *instance) patience() int64 { return 3 * cmp.Or(in.Step, int64(20*time.Minute)) }

// due tells whether a sweep can be judged of those that started before, and which comes first.
func (in *instance) due(before int64) (start int64, ok bool) {
	ahead := len(in.open) > 0 && in.open[0].Time < before
	if in.Held != nil {
		return in.Held.Time, ahead || in.Held.Time < before-in.patience()
	}
	if ahead {
		return in.open[0].Time, true
	}
	return 0, false
}

// turn judges the sweep that is held, if there is one, and holds the next one that started before.
func (in *instance) turn(before int64) {
	if held := in.Held; held != nil {
		var next *sweep
		if len(in.open) > 0 && in.open[0].Time < before && in.open[0].Time <= held.Time+in.patience() {
			next = in.open[0]
		}
		in.judge(held, next)
		in.done(held)
		in.Held = nil
	}
	if len(in.open) > 0 && in.open[0].Time < before {
		in.Held = in.open[0]
		in.open = slices.Delete(in.open, 0, 1)
	}
}

// forget drops the blocks that have not been probed for long.
func (in *instance) forget(t int64) {
	for n, b := range in.Blocks {
		if b != nil && b.LastSeen != 0 && b.LastSeen < t-int64(forgotten) {
			in.Blocks[n] = nil
			delete(in.numbers, blockKey{b.Network, b.Block})
			in.order, in.dropped = nil, true
		}
	}
}

// finish emits what is open, as it stands.
func (in *instance) finish() {
	if !in.Opened {
		return
	}
	in.closeWindow()
	if in.DayBegin >= in.Day && in.Last-in.DayBegin >= int64(20*time.Hour) {
		in.closeDay()
	}
	rows := []*schema.BlockOutageRow{in.Vantage}
	for _, b := range in.sorted() {
		for _, u := range b.units {
			rows = append(rows, u.Row)
		}
		rows = append(rows, b.Limit.Row)
	}
	for _, row := range rows {
		if row != nil {
			row.Duration = in.Last - row.Time
			in.emitEvent(row)
		}
	}
	in.Opened = false
}
