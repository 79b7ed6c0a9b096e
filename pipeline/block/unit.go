package block

import (
	"cmp"
	"math"
	"time"

	"echogram/pipeline/window"
	"echogram/plugins/schema"
)

// mood is where a unit stands.
type mood uint8

const (
	standing mood = iota // it answers
	silent               // it does not, and it is not decided why
	out                  // an outage is open
	empty                // nobody answers, and that is no outage
)

const (
	// recentCounts is how many counts a unit keeps.
	recentCounts = 9
	// sudden is within what time the same addresses must be back for a silence that looked usual to have been an outage.
	sudden = 8 * time.Hour
	// same is which share of them must be, of sameLeast or more.
	same      = 0.6
	sameLeast = 5
	// resettled is after what emptiness a unit's people are others, whose hours are not known: longer than a weekend.
	resettled = 72 * time.Hour
)

// unit is a block or a half of it, of which is said whether it is up.
type unit struct {
	First, Size int // its places; Size 0: all
	Belief      float64
	Mood        mood
	Ever        int                  // addresses that have answered within memory
	Recent      [recentCounts]uint16 // that answered in the last sweeps, the last one first
	Least       hourly               // of the most in three sweeps in a row: who is away for one sweep only has not left

	// Of its silence.
	Begin     int64   // start of the first sweep without an answer
	Uncertain int64   // ns, by how much it is not known when it began
	Low       float64 // least belief
	Sweeps    int     // that told something
	Ref       Set     // the addresses that answered before
	Falling   bool    // it was emptying before
	Noted     bool    // that it is empty is in Least
	Row       *schema.BlockOutageRow
	Ended     int64 // when the last outage did

	// Of the sweeps that tell nothing since the last one that did: the first that the unit's outage may have begun with, and
	// the first in which it answered though it is out; 0: none.
	Hushed, Heard int64

	// Of the sweep that is judged.
	count   int
	pending bool // it is to be decided why it is silent
	woke    bool // its silence ended
}

// span is a sweep that tells something, as it is judged.
type span struct {
	cfg    *Config
	time   int64
	before int64 // start of the one before
	hour   int64 // local, since 1970
	offset int64 // of local time, ns
	now    uint32
	cur    *sweep
	after  *sweep // the one after it; nil: there is none
	next   *sweep // the same, when it tells something
}

// hourOf is the local hour of a time near the sweep.
func (s *span) hourOf(t int64) int64 {
	return window.Floor(t+s.offset, int64(time.Hour)) / int64(time.Hour)
}

// in tells whether the unit holds place.
func (u *unit) in(place int) bool {
	return u.Size == 0 || place >= u.First && place < u.First+u.Size
}

// places are the unit's of those of its block.
func (u *unit) places(all []placeState) []placeState {
	if u.Size == 0 {
		return all
	}
	return all[min(u.First, len(all)):min(u.First+u.Size, len(all))]
}

// answers is how many of the unit's places are in set.
func (u *unit) answers(set Set) int {
	if u.Size == 0 {
		return set.Len()
	}
	return set[min(u.First/64, len(set)):min((u.First+u.Size)/64, len(set))].Len()
}

// believe takes a sweep into the belief, and follows the unit's silence as far as this needs no other block.
func (u *unit) believe(s *span, b *blockState, l *Look) {
	u.count, u.pending, u.woke = u.answers(l.Answered), false, false
	if u.Mood == standing && (u.count > 0 || u.Recent[0] == 0 || u.Ever < s.cfg.Responders) {
		u.Belief = update(u.Belief, 0, u.count)
		return
	}
	if u.Mood == standing {
		u.fallSilent(s, b)
	}
	if u.Mood == empty {
		return
	}
	u.Belief = update(u.Belief, u.silence(b, l), u.count)
	u.Low = min(u.Low, u.Belief)
	if u.Mood != silent {
		return
	}
	switch u.Sweeps++; {
	case u.count > 0 && u.Belief >= s.cfg.Up:
		u.Mood = standing
	case u.count == 0 && u.Belief <= s.cfg.Down:
		u.pending = true
	case u.count == 0 && u.Sweeps > fresh:
		u.rest()
	}
}

// fallSilent begins a silence. Missed are those who answered in the sweep before; where it is chance whose answers pass,
// those who did lately, too, for none of them is less likely than that none of the last few.
func (u *unit) fallSilent(s *span, b *blockState) {
	u.Mood, u.Begin, u.Low, u.Sweeps = silent, cmp.Or(u.Hushed, s.time), u.Belief, 0
	u.Uncertain = s.time - s.before
	u.Falling = u.emptying(math.Sqrt(b.Limit.Falls))
	u.Ref, u.Noted = nil, false
	lately := uint8(1)
	if b.Limit.Random >= oftenRandom {
		lately = fresh
	}
	for i, p := range u.places(b.Places) {
		if p.Seen != 0 && p.Quiet < lately {
			u.Ref.Add(u.First + i)
		}
	}
}

// silence is the logarithm of the probability that those who answered before the silence do not, as far as they are
// probed, while the unit is up. It need not be known where two answer: they outweigh it.
func (u *unit) silence(b *blockState, l *Look) (sum float64) {
	if u.count > 1 {
		return 0
	}
	around := b.Typical
	if i, half := b.other(u); half {
		around = around.joined(b.Halves[i].meanwhile(b, l))
	}
	u.Ref.All(func(place int) bool {
		if l.Probed.Has(place) && !l.Answered.Has(place) {
			sum += b.Places[place].silence(around)
		}
		return true
	})
	return sum
}

// meanwhile is what the addresses of the unit do in a sweep that is not learned yet. A half is judged beside the other
// one: an outage of a half leaves those of the other half alone, while a limit to the rate of answers is for both, and
// whose answers it lets through is chance. Few addresses say little, and are taken for quiet neighbours.
func (u *unit) meanwhile(b *blockState, l *Look) habits {
	was, falls, quiet, backs := 0, 0, 0, 0
	for place := u.First; place < min(u.First+u.Size, len(b.Places)); place++ {
		p := &b.Places[place]
		if p.Seen == 0 || p.Quiet >= fresh || !l.Probed.Has(place) {
			continue
		}
		switch answered := l.Answered.Has(place); {
		case p.Quiet == 0 && !answered:
			was, falls = was+1, falls+1
		case p.Quiet == 0:
			was++
		case answered:
			quiet, backs = quiet+1, backs+1
		default:
			quiet++
		}
	}
	return habits{Fall: float32(falls) / float32(was+2), Back: float32(backs+1) / float32(quiet+1)}
}

// rest is a silence in which nobody is missed.
func (u *unit) rest() { u.Mood, u.Belief = empty, 0.5 }

// follow is the rest of a half that fell silent with its block: it is not asked later whether that was an outage of its
// own.
func (u *unit) follow() {
	u.Ref = nil
	u.rest()
}

// emptying tells whether the unit lost addresses before it fell silent, as fast as it lost the last ones: two sweeps before,
// it had less than three quarters of the most of the hour before that, by more than chance; and it has lost half as many
// in a single sweep. A cut in the middle of a sweep makes one partial sweep at most; people leave in several. swing is by
// how much a count changes by chance from sweep to sweep.
func (u *unit) emptying(swing float64) bool {
	last := float64(u.Recent[1])
	peak, step := last, 0.0
	for i, c := range u.Recent[2:] {
		peak = max(peak, float64(c))
		step = max(step, float64(c)-float64(u.Recent[i+1]))
	}
	return last < 0.75*peak && peak-last > 3+4*swing && float64(u.Recent[0]) <= 2*step+2
}

// returned tells whether those who answered before the silence do again, and at once: then it was an outage, though it
// looked usual. It looks one sweep ahead, since the way may be mended in the middle of a sweep.
func (u *unit) returned(s *span, l, next *Look) bool {
	if s.time-u.Begin > int64(sudden) || u.Ref.Len() < sameLeast {
		return false
	}
	back := max(u.Ref.And(l.Answered).Len(), u.Ref.And(next.Answered).Len())
	return float64(back) >= same*float64(u.Ref.Len())
}

// overhear takes note of a sweep at t that tells nothing: whoever answers in it does, and an outage may begin in it unless
// the prober's own way was suspect.
func (u *unit) overhear(t int64, l *Look, ownWay bool) {
	switch n := u.answers(l.Answered); {
	case n == 0 && ownWay:
	case n == 0:
		u.Hushed, u.Heard = cmp.Or(u.Hushed, t), 0
	case n > 1:
		u.Hushed, u.Heard = 0, cmp.Or(u.Heard, t)
	}
}

// keep notes the count of a sweep when it has been judged.
func (u *unit) keep(s *span) {
	u.Hushed, u.Heard = 0, 0
	copy(u.Recent[1:], u.Recent[:])
	u.Recent[0] = uint16(min(u.count, math.MaxUint16))
	switch {
	case u.Mood == standing:
		u.Least.note(s.hour, int(max(u.Recent[0], u.Recent[1], u.Recent[2])))
	case u.Mood == empty && s.time-u.Begin > int64(sudden):
		u.noteEmpty(s)
	}
}

// noteEmpty notes that the unit has been empty since its silence began.
func (u *unit) noteEmpty(s *span) {
	from := s.hour
	if !u.Noted {
		from = max(s.hourOf(u.Begin), s.hour-int64(len(u.Least))+1)
	}
	for ; from <= s.hour; from++ {
		u.Least.note(from, 0)
	}
	u.Noted = true
}
