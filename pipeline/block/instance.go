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
	numbers    map[[2]string]int // of blocks, by network and block
	order      []*blockState     // of their rows; nil: some came in since
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
	key := [2]string{network, block}
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
	in.numbers[[2]string{b.Network, b.Block}] = number
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

// tells tells whether a sweep says something of the blocks: it is whole, and its loss is the network's.
func (in *instance) tells(w *sweep) bool {
	if !w.Manifest {
		return !in.Manifests
	}
	return w.Rows >= w.Promised && !w.Partial && w.Trust == schema.TrustOK
}

// judge says what a sweep tells of each block. next is the sweep after it, or nil.
func (in *instance) judge(w, next *sweep) {
	in.advance(w.Time)
	if in.DayBegin < in.Day {
		in.DayBegin = w.Time
	}
	in.Manifests = in.Manifests || w.Manifest
	interval := in.pace(w.Time)
	s := in.span(w, next)
	told := in.tells(w)
	ownWay := in.ownWay(s, told)
	doubted := ownWay || !told
	if !doubted {
		in.settleAll(s)
		in.Told = w.Time
	}
	for _, b := range in.Blocks {
		if b == nil {
			continue
		}
		l := w.look(b.number)
		if l.Probed.Len() == 0 {
			continue
		}
		l.Time, l.Interval, b.LastSeen = w.Time, interval, w.Time
		in.tally(b, l, doubted)
		if doubted {
			for _, u := range b.units {
				u.overhear(w.Time, l, ownWay)
			}
			b.observe(&in.cfg, l, Doubted)
		} else {
			in.conclude(s, b, l)
		}
	}
	in.tallyGroups(doubted)
}

// pace returns the time since the sweep before, and follows what it is as a rule.
func (in *instance) pace(t int64) (interval int64) {
	if in.Last != 0 {
		interval = t - in.Last
		if in.Step == 0 || interval < in.Step {
			in.Step = interval
		} else {
			in.Step += min(interval-in.Step, in.Step) / 8
		}
	}
	in.Last = t
	return interval
}

func (in *instance) span(w, next *sweep) *span {
	if next != nil && !in.tells(next) {
		next = nil
	}
	_, zone := time.Unix(0, w.Time).In(in.cfg.Location).Zone()
	s := &span{cfg: &in.cfg, time: w.Time, before: cmp.Or(in.Told, w.Time), offset: int64(zone) * int64(time.Second),
		now: minutes(w.Time), cur: w, next: next}
	s.hour = s.hourOf(w.Time)
	for _, b := range in.Blocks {
		if b == nil || s.hour == in.Hour {
			continue
		}
		for _, u := range b.units {
			u.Least.forget(in.Hour, s.hour)
		}
	}
	in.Hour = s.hour
	return s
}

// settleAll follows the beliefs of all blocks and decides why those are silent that are.
func (in *instance) settleAll(s *span) {
	in.eachProbed(s.cur, func(b *blockState, l *Look) {
		for _, u := range b.units {
			u.believe(s, b, l)
		}
	})
	in.eachProbed(s.cur, func(b *blockState, _ *Look) { in.settle(s, b) })
	in.emitBegun(s)
}

func (in *instance) eachProbed(w *sweep, f func(*blockState, *Look)) {
	for _, b := range in.sorted() {
		if l := w.look(b.number); l.Probed.Len() > 0 {
			f(b, l)
		}
	}
}

// conclude learns from a sweep what its verdict allows, and hands it to the analysers.
func (in *instance) conclude(s *span, b *blockState, l *Look) {
	falls := b.learn(s, l)
	b.Verdict = b.verdict(s.cfg)
	if b.Whole.Mood == standing {
		in.limit(s, b, falls)
	}
	for _, u := range b.units {
		u.keep(s)
	}
	switch b.Verdict {
	case Down:
		l.Out = l.Probed
	case Part:
		l.Out = b.outPlaces(l.Probed)
	}
	b.observe(s.cfg, l, b.Verdict)
}

// observe hands a sweep to the analysers.
func (b *blockState) observe(cfg *Config, l *Look, v Verdict) {
	b.Use.observe(cfg, l, v)
	b.Daily.observe(cfg, l, v)
	if b.Limit.rationed() {
		v = Doubted
	}
	b.Churn.observe(cfg, l, v)
}

// learn takes a sweep into what is known of the addresses. It returns how many of those that had answered before do not.
func (b *blockState) learn(s *span, l *Look) (falls int) {
	if n := len(l.Probed) * 64; n > len(b.Places) {
		b.Places = append(b.Places, make([]placeState, n-len(b.Places))...)
	}
	was, quiet, backs := 0, 0, 0
	ever := [2]int{}
	for place := range b.Places {
		p, half := &b.Places[place], place/halfBlock&1
		if l.Probed.Has(place) {
			answered := l.Answered.Has(place)
			standing := b.Whole.Mood == standing && b.Halves[half].Mood == standing
			switch {
			case p.Seen == 0 || !standing:
			case p.Quiet == 0:
				was++
				if !answered {
					falls++
				}
			case p.Quiet < fresh:
				quiet++
				if answered {
					backs++
				}
			}
			if standing {
				p.observe(answered, s.now, &b.Typical)
			} else {
				p.note(answered, s.now)
			}
		}
		if p.ever(s.now) {
			ever[half]++
		}
	}
	b.Halves[0].Ever, b.Halves[1].Ever, b.Whole.Ever = ever[0], ever[1], ever[0]+ever[1]
	if b.Whole.Mood == standing {
		b.Typical.learn(was, falls, quiet, backs)
	}
	return falls
}

// verdict is what the sweep says of the block.
func (b *blockState) verdict(cfg *Config) Verdict {
	w, low, high := &b.Whole, b.Halves[0].Mood, b.Halves[1].Mood
	switch {
	case w.Mood == out:
		return Down
	case w.Mood == silent:
		return Uncertain
	case w.Mood == empty:
		return Unmeasured
	case low == out || high == out:
		return Part
	case w.Ever < cfg.Responders:
		return Unmeasured
	case low == silent || high == silent || w.Belief < cfg.Up:
		return Uncertain
	}
	return Up
}

// outPlaces are those of the halves that are out.
func (b *blockState) outPlaces(probed Set) (places Set) {
	for i := range b.Halves {
		if h := &b.Halves[i]; h.Mood == out {
			probed.All(func(place int) bool {
				if h.in(place) {
					places.Add(place)
				}
				return true
			})
		}
	}
	return places
}

// forget drops the blocks that have not been probed for long.
func (in *instance) forget(t int64) {
	for n, b := range in.Blocks {
		if b != nil && b.LastSeen != 0 && b.LastSeen < t-int64(forgotten) {
			in.Blocks[n] = nil
			delete(in.numbers, [2]string{b.Network, b.Block})
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

func floorTo(t, length int64) int64 {
	if r := t % length; r < 0 {
		return t - r - length
	} else {
		return t - r
	}
}
