package block

import (
	"math"
	"math/bits"
)

// sessions follows which places of a block are up.
//
// A place is up from the sweep in which it answers. It is down from the first of as many missed sweeps in a row as loss
// alone would not explain: tolerance says how many, by the loss that the block shows. The end of a session is set back to
// the first of those, so that waiting for the others makes no session longer; a shorter row of missed sweeps is loss, and
// the session goes on as if there had been answers. So loss neither chops sessions nor lowers what is counted by them; what
// it hides is a real absence of fewer sweeps than the tolerance, three at 5 % loss.
//
// Sweeps that say nothing about a place, because it has no row or may be part of an outage, are no missed sweeps.
type sessions struct {
	On             Set      // places that are up
	Missing        Set      // of these, that missed the last sweeps
	Since          []uint32 // s; by place: when it came up; that of Begun may have been up before
	Silent         []uint32 // s; by place: the first of the sweeps that it missed last
	Misses         []uint8  // by place: how many of those
	Begun, Last    uint32   // s; the first and the last sweep that told; 0: none
	Answers, Blips uint32   // answers, and answers behind a single missed sweep, lately

	// What the last sweep told.
	came    []int
	left    []ended
	unknown []int // places that are up as far as is known
}

// ended is a session that is over.
type ended struct {
	place        int
	since, until uint32 // s
	whole        bool   // its beginning was seen
	misses       uint8
}

const lately = 1 << 16 // answers after which what is older counts half

// observe tells whether the sweep says something of the block's places.
func (s *sessions) observe(cfg *Config, l *Look, v Verdict) bool {
	if v == Doubted || v == Down || v == Uncertain {
		return false
	}
	s.grow(max(len(l.Probed), len(l.Answered)))
	s.came, s.left, s.unknown = s.came[:0], s.left[:0], s.unknown[:0]
	now, tolerance := uint32(l.Time/1e9), s.tolerance(cfg)
	if s.Begun == 0 {
		s.Begun = now
	}
	for i := range s.On {
		answered, missed := l.Answered.at(i), s.On[i]&l.Probed.at(i)&^l.Answered.at(i)
		if v == Part {
			missed = 0
		}
		s.noteUnknown(i, s.On[i]&^answered&^missed)
		s.measure(i, answered)
		s.rise(i, answered&^s.On[i], now)
		s.miss(i, missed, now, tolerance)
		s.Missing[i] &^= answered
	}
	s.Last = now
	return true
}

func (s *sessions) grow(words int) {
	if more := words - len(s.On); more > 0 {
		s.On = append(s.On, make(Set, more)...)
		s.Missing = append(s.Missing, make(Set, more)...)
		s.Since = append(s.Since, make([]uint32, more*64)...)
		s.Silent = append(s.Silent, make([]uint32, more*64)...)
		s.Misses = append(s.Misses, make([]uint8, more*64)...)
	}
}

func (s *sessions) noteUnknown(i int, w uint64) {
	for ; w != 0; w &= w - 1 {
		s.unknown = append(s.unknown, i<<6+bits.TrailingZeros64(w))
	}
}

// measure counts the answers of word i, and those behind a single missed sweep, whether or not that ended a session.
func (s *sessions) measure(i int, answered uint64) {
	s.Answers += uint32(bits.OnesCount64(answered))
	for w := answered & (s.Missing[i] | ^s.On[i]); w != 0; w &= w - 1 {
		if s.Last != 0 && s.Silent[i<<6+bits.TrailingZeros64(w)] == s.Last {
			s.Blips++
		}
	}
	if s.Answers > lately {
		s.Answers, s.Blips = s.Answers/2, s.Blips/2
	}
}

// rise begins sessions.
func (s *sessions) rise(i int, came uint64, now uint32) {
	s.On[i] |= came
	for ; came != 0; came &= came - 1 {
		place := i<<6 + bits.TrailingZeros64(came)
		s.came = append(s.came, place)
		s.Since[place] = now
	}
}

// miss counts missed sweeps and ends the sessions of which they are too many.
func (s *sessions) miss(i int, missed uint64, now uint32, tolerance uint8) {
	for w := missed; w != 0; w &= w - 1 {
		bit, place := w&-w, i<<6+bits.TrailingZeros64(w)
		if s.Missing[i]&bit == 0 {
			s.Silent[place], s.Misses[place] = now, 0
		}
		if s.Misses[place]++; s.Misses[place] >= tolerance {
			s.On[i] &^= bit
			s.left = append(s.left, ended{place, s.Since[place], s.Silent[place], s.Since[place] > s.Begun, s.Misses[place]})
		}
	}
	s.Missing[i] = (s.Missing[i] | missed) & s.On[i]
}

// tolerance is how many sweeps an address misses in a row before its session is over: so many that loss makes a row of
// them in less than a 32nd of volatile of all sweeps. Of addresses that are up, a share p(1-p) of the answers lies
// behind a single missed sweep, if p is the loss. Before much is known, p is 5 %.
func (s *sessions) tolerance(cfg *Config) uint8 {
	share := min(float64(s.Blips+1)/float64(s.Answers+20), 0.25)
	loss := (1 - math.Sqrt(1-4*share)) / 2
	for m, row := uint8(1), loss; ; m, row = m+1, row*loss {
		if row <= cfg.Volatile/32 || int(m) >= min(cfg.Churn.MostMisses, math.MaxUint8) {
			return m
		}
	}
}
