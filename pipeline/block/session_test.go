package block

import (
	"slices"
	"testing"
)

func TestTolerance(t *testing.T) {
	for _, c := range []struct {
		name           string
		answers, blips uint32
		want           uint8
	}{
		{"nothing known", 0, 0, 4},
		{"no loss", 60000, 0, 1},
		{"0.5 %", 60000, 298, 2},
		{"1 %", 60000, 594, 3},
		{"2 %", 60000, 1176, 3},
		{"5 %", 60000, 2850, 4},
		{"10 %", 60000, 5400, 5},
		{"half of all", 60000, 15000, 8},
		{"more than there can be", 60000, 60000, 8},
	} {
		s := sessions{Answers: c.answers, Blips: c.blips}
		if got := s.tolerance(defaults); got != c.want {
			t.Errorf("%s: %d sweeps, want %d", c.name, got, c.want)
		}
	}
}

// At 5 % loss four missed sweeps end a session. Each letter is a sweep: + answered, - missed, . no row, d down, p a half down, u uncertain, x doubted.
func TestSessions(t *testing.T) {
	for _, c := range []struct {
		name, sweeps string
		want         []ended // since and until in sweeps
	}{
		{"up", "++++++", nil},
		{"lost twice", "++---++-++--+", nil},
		{"gone", "+++----", []ended{{since: 0, until: 3}}},
		{"gone after losses", "-+-+--+----", []ended{{since: 1, until: 7, whole: true}}},
		{"twice", "--+++----+----", []ended{{since: 2, until: 5, whole: true}, {since: 9, until: 10, whole: true}}},
		{"no rows", "-++......", nil},
		{"gone, as far as the rows say", "-++-.-.---", []ended{{since: 1, until: 3, whole: true}}},
		{"an outage", "-++ddddpppuuuxxx+", nil},
		{"gone in an outage", "-++ddddpppuuuxxx----", []ended{{since: 1, until: 16, whole: true}}},
		{"an outage between losses", "-+---dddx+", nil},
	} {
		if got := play(c.sweeps); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %+v, want %+v", c.name, got, c.want)
		}
	}
}

func play(script string) (out []ended) {
	const place = 70
	s, first := sessions{Answers: 60000, Blips: 2850}, uint32(look(0).Time/1e9)
	verdicts := map[byte]Verdict{'d': Down, 'p': Part, 'u': Uncertain, 'x': Doubted}
	for n := range len(script) {
		l := look(n)
		switch script[n] {
		case '+':
			l.Answered.Add(place)
		case '.':
			l.Probed = l.Probed[:1]
		}
		if !s.observe(defaults, l, verdicts[script[n]]) {
			continue
		}
		for _, e := range s.left {
			out = append(out, ended{since: (e.since - first) / 600, until: (e.until - first) / 600, whole: e.whole})
		}
	}
	return out
}

// Loss is measured whatever it does to sessions.
func TestLossIsMeasured(t *testing.T) {
	for _, loss := range []float64{0, 0.01, 0.05, 0.2} {
		s, sc := sessions{}, newScene(1, 1)
		sc.loss = loss
		for n := range 500 {
			l := look(n)
			l.Answered = sc.lose(slices.Clone(whole))
			s.observe(defaults, l, Up)
		}
		got := float64(s.Blips) / float64(s.Answers)
		if want := loss * (1 - loss); got < 0.9*want || got > 1.1*want {
			t.Errorf("loss %v: share of answers behind a single missed sweep %v, want %v", loss, got, want)
		}
		if s.On.Len() != 256 && loss < 0.2 {
			t.Errorf("loss %v: %d are up", loss, s.On.Len())
		}
	}
}

func TestSessionsOfAGrowingBlock(t *testing.T) {
	s := sessions{Answers: 60000, Blips: 2850}
	for n := range 300 {
		l := look(n, n) // place n answers in sweep n alone
		for len(l.Probed) <= n/64 {
			l.Probed = append(l.Probed, ^uint64(0))
		}
		s.observe(defaults, l, Up)
	}
	if got := s.On.Len(); got != 4 { // the last one, and three that missed too few sweeps since
		t.Errorf("%d are up", got)
	}
}
