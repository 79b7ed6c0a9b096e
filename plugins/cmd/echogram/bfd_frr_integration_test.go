//go:build integration && linux

package main

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"echogram/plugins/netlab"
	"echogram/plugins/schema"
)

// TestBFDEchoesOfFRR: both routers echo in both families over a WAN that takes some 80 ms there and back, more than the
// 50 ms between two echoes, and loses every seventh echo of a side on its way there and every ninth on its way back. Its
// books are the truth, by the kernel's stamps at its ports; FRR's own mean is the second opinion.
//
// What an end captures of its own echoes is the whole loop: what the WAN held them there and back and what the other end
// had them, which the books have too, and two crossings of a veth, some µs. Of the other's echoes it captures its own
// turning them round, which the books have too, those crossings included.
//
// A machine that stalls delays echoes by more than lies between two: then nothing, FRR least of all, can tell whose
// return is whose. The books say when that was so, and the measurement is made again.
func TestBFDEchoesOfFRR(t *testing.T) {
	m := measureFRR(t)
	for again := 0; again < 2 && (m.stall() > calm || !m.agree()); again++ {
		t.Logf("the machine held an echo up for %s, FRR's stamps by %v: once more", m.stall(), m.differences(netlab.SideA))
		m = measureFRR(t)
	}
	for side, rows := range m.rows {
		side := netlab.Side(side)
		for _, family := range []string{"ipv4", "ipv6"} {
			t.Run(fmt.Sprintf("%c, %s", 'a'+side, family), func(t *testing.T) {
				checkInitiated(t, echoesOf(rows, family, "initiator"), booked(m.wan, side, family))
				checkReflected(t, echoesOf(rows, family, "reflector"), booked(m.wan, 1-side, family))
			})
		}
		t.Run(fmt.Sprintf("%c, FRR's mean", 'a'+side), func(t *testing.T) {
			checkOpinions(t, m.differences(side))
		})
	}
}

// measurement is what both ends captured, what FRR said meanwhile, and the books.
type measurement struct {
	wan      *netlab.WAN
	rows     [2]bfdRows
	opinions [2][]opinion
}

// stall is the longest that an echo was held up by the machine, on the WAN or by the end that turned it round.
func (m *measurement) stall() time.Duration {
	_, most := m.wan.Lateness()
	for _, side := range []netlab.Side{netlab.SideA, netlab.SideB} {
		for _, e := range m.wan.Echoes(side) {
			if e.End == netlab.EchoAnswered {
				most = max(most, e.Turnaround())
			}
		}
	}
	return most
}

// differences are FRR's means less ours of the same echoes, at one side, in their order.
func (m *measurement) differences(side netlab.Side) (apart []time.Duration) {
	rtts := echoesOf(m.rows[side], "ipv4", "initiator").rtts
	for _, o := range m.opinions[side] {
		if ours, ok := meanAt(rtts, o); ok {
			apart = append(apart, o.mean-ours)
		}
	}
	slices.Sort(apart)
	return apart
}

// agree tells whether FRR, which stamps in user space, was let run in time often enough.
func (m *measurement) agree() bool {
	for _, side := range []netlab.Side{netlab.SideA, netlab.SideB} {
		if d := m.differences(side); len(d) < frrAgrees || d[frrAgrees-1] > frrNear {
			return false
		}
	}
	return true
}

func measureFRR(t *testing.T) *measurement {
	ctx := bfdContext(t)
	way := netlab.WANWay{Delay: wanDelay / 2, Jitter: time.Millisecond, Rule: func(p netlab.Passage) netlab.Treatment {
		echo := p.Kind == netlab.FrameEcho
		return netlab.Treatment{Drop: echo && (!p.Returning && p.N%7 == 3 || p.Returning && p.N%9 == 4)}
	}}
	lab := bfdLab(t, netlab.BFDConfig{WAN: &netlab.WANConfig{FromA: way, FromB: way, Seed: 1}})
	stopA := listen(ctx, t, lab.A.Namespace, lab.A.Link, "--per-echo", "--period", "2s")
	stopB := listen(ctx, t, lab.B.Namespace, lab.B.Link, "--per-echo", "--period", "2s")
	a, b := frrPair(ctx, t, lab, echoing)
	m := &measurement{wan: lab.WAN}
	for range frrReadings {
		pause(ctx, t, 250*time.Millisecond)
		m.opinions[netlab.SideA] = append(m.opinions[netlab.SideA], ask(t, a))
		m.opinions[netlab.SideB] = append(m.opinions[netlab.SideB], ask(t, b))
	}
	m.rows = [2]bfdRows{stopA(), stopB()}
	a.Close()
	b.Close()
	return m
}

const (
	wanDelay    = 80 * time.Millisecond  // there and back
	truthNear   = 20 * time.Microsecond  // by which the mean may be apart from the WAN's
	frrNear     = 250 * time.Microsecond // FRR stamps in user space, when it is let run
	frrHistory  = 8                      // echoes that FRR's mean is of
	frrReadings = 24
	frrAgrees   = 3                    // readings, at least
	calm        = 5 * time.Millisecond // that the machine may hold an echo up
)

// opinion is FRR's mean RTT over IPv4 as it was read at some time between two.
type opinion struct {
	mean        time.Duration
	before, end int64
}

func ask(t *testing.T, f *netlab.FRR) opinion {
	t.Helper()
	o := opinion{before: time.Now().UnixNano()}
	peers, err := f.Peers()
	if err != nil {
		t.Fatal(err)
	}
	o.end = time.Now().UnixNano()
	for _, p := range peers {
		if p.Peer.Is4() {
			o.mean = time.Duration(p.RTTAvg) * time.Microsecond
		}
	}
	return o
}

// stream is what a run has written of one stream of echoes.
type stream struct {
	rtts []schema.BFDEchoRTTRow
	sum  schema.BFDEchoRow // the counts of all periods, and the weakest pairing
}

func echoesOf(rows bfdRows, family, role string) (s stream) {
	s.sum.Pairing = "identity"
	for _, r := range rows.rtts {
		if r.Family == family && r.TapRole == role {
			s.rtts = append(s.rtts, r)
		}
	}
	for _, r := range rows.echoes {
		if r.Family != family || r.TapRole != role {
			continue
		}
		s.sum.Sent, s.sum.Returned, s.sum.Unanswered = s.sum.Sent+r.Sent, s.sum.Returned+r.Returned, s.sum.Unanswered+r.Unanswered
		s.sum.InFlight, s.sum.Unmatched, s.sum.Ambiguous = s.sum.InFlight+r.InFlight, s.sum.Unmatched+r.Unmatched, s.sum.Ambiguous+r.Ambiguous
		s.sum.Duplicates, s.sum.Window = s.sum.Duplicates+r.Duplicates, r.Window
		if r.Pairing > "" && r.Pairing != "identity" {
			s.sum.Pairing = r.Pairing
		}
	}
	return s
}

func (s stream) String() string {
	c := &s.sum
	return fmt.Sprintf("%d sent, %d returned, %d unanswered, %d in flight, %d unmatched, %d ambiguous, %d twice, pairing %s",
		c.Sent, c.Returned, c.Unanswered, c.InFlight, c.Unmatched, c.Ambiguous, c.Duplicates, c.Pairing)
}

// booked are a side's echoes of a family.
func booked(w *netlab.WAN, side netlab.Side, family string) []netlab.EchoTruth {
	return slices.DeleteFunc(w.Echoes(side), func(e netlab.EchoTruth) bool { return e.There.Key.Src.Is4() != (family == "ipv4") })
}

// checkInitiated sets what was captured of an end's own echoes against the books: each echo and its fate, all counts,
// and the mean RTT. Echoes that were in flight at the end have no row.
func checkInitiated(t *testing.T, s stream, truth []netlab.EchoTruth) {
	t.Helper()
	if s.sum.Sent < 100 || len(truth) < int(s.sum.Sent) {
		t.Fatalf("%d echoes captured, %d in the books", s.sum.Sent, len(truth))
	}
	truth = truth[:s.sum.Sent]
	end := truth[len(truth)-1].There.Received
	var m beside
	var lost, answered, flying int64
	rows := s.rtts
	for i, e := range truth {
		if len(rows) == 0 || rows[0].Time > e.There.Received {
			if flying++; end-e.There.Received > s.sum.Window+int64(unsure) {
				t.Errorf("echo %d has no row: %+v", i, e)
			}
			continue
		}
		row := rows[0]
		rows = rows[1:]
		if late := e.There.Received - row.Time; late > int64(unsure) {
			t.Fatalf("echo %d was captured %d ns before it came to the WAN", i, late)
		}
		switch answers := e.End == netlab.EchoAnswered; {
		case row.RTT.Set != answers && !(answers && alike(e) && e.RTT() > wanDelay+heldUp):
			t.Errorf("echo %d: RTT %v; in the books %+v", i, row.RTT, e)
		case row.RTT.Set:
			answered++
			m.add(time.Duration(row.RTT.N), e.RTT())
		default:
			lost++
		}
	}
	c := s.sum
	if len(rows) > 0 || c.Unanswered != lost || c.Returned != answered || c.InFlight != flying {
		t.Errorf("rows say %v; of echoes %d unanswered, %d returned, %d in flight, %d of none", s, lost, answered, flying, len(rows))
	}
	if want := map[bool]string{false: "identity", true: "aligned"}[alike(truth[0])]; c.Pairing != want {
		t.Errorf("%v", s)
	}
	t.Logf("%v; RTT %v", s, &m)
	m.check(t)
}

// alike tells whether an echo's bytes are those of all others. Then one that a busy machine held up for long cannot always
// be told, and is counted as unanswered: not beside one that was lost.
func alike(e netlab.EchoTruth) bool { return e.There.Key.Src.Is6() }

// heldUp is less than the engine's reach, a third of the 37 to 50 ms between two echoes.
const heldUp = 12 * time.Millisecond

// unsure is less than the time between two echoes, and more than stamps of one echo at two places are apart.
const unsure = 20 * time.Millisecond

// checkReflected sets how long an end had the other's echoes against the books. None of them is lost beyond it.
func checkReflected(t *testing.T, s stream, truth []netlab.EchoTruth) {
	t.Helper()
	var m beside
	var held int64
	for _, row := range s.rtts {
		i := slices.IndexFunc(truth, func(e netlab.EchoTruth) bool {
			return e.There.Sent != 0 && e.There.Sent <= row.Time && row.Time-e.There.Sent < int64(unsure)
		})
		switch {
		case i < 0 || truth[i].Backs == 0:
			t.Errorf("%+v has no echo in the books", row)
		case row.RTT.Set:
			m.add(truth[i].Turnaround(), time.Duration(row.RTT.N))
		case alike(truth[i]) && truth[i].Turnaround() > heldUp:
			held++
		default:
			t.Errorf("%+v has none in the rows, %+v", truth[i], row)
		}
	}
	if s.sum.Unanswered != held || s.sum.Returned < 80 || int64(len(s.rtts)) != s.sum.Returned+held {
		t.Errorf("%d rows of an echo; %v", len(s.rtts), s)
	}
	t.Logf("%v; turned round %v", s, &m)
	m.check(t)
}

// beside compares times that hold two crossings of a veth with times that do not.
type beside struct {
	more, less []time.Duration
}

func (m *beside) add(more, less time.Duration) {
	m.more, m.less = append(m.more, more), append(m.less, less)
}

func (m *beside) of() (more, less, least, most time.Duration) {
	least = time.Hour
	for i := range m.more {
		more, less = more+m.more[i], less+m.less[i]
		least, most = min(least, m.more[i]-m.less[i]), max(most, m.more[i]-m.less[i])
	}
	n := time.Duration(max(1, len(m.more)))
	return more / n, less / n, least, most
}

func (m *beside) String() string {
	more, less, least, most := m.of()
	return fmt.Sprintf("means of %d: %v and %v, %v apart (%v to %v)", len(m.more), more, less, more-less, least, most)
}

func (m *beside) check(t *testing.T) {
	t.Helper()
	more, less, least, _ := m.of()
	if more-less > truthNear || least < 0 {
		t.Errorf("beyond %v: %v", truthNear, m)
	}
}

// checkOpinions compares FRR's means with that of the same eight echoes. FRR stamps in user space: its mean is never
// below ours, but for the microsecond that it rounds off, and above it by what FRR waited for a processor. One echo for
// which it waited long is in the means of several readings, so that there are many readings, of which some must agree.
func checkOpinions(t *testing.T, apart []time.Duration) {
	t.Helper()
	if len(apart) < frrReadings/3 {
		t.Fatalf("%d readings", len(apart))
	}
	t.Logf("FRR's mean less ours, %d readings: %v to %v, median %v", len(apart), apart[0], apart[len(apart)-1], apart[len(apart)/2])
	if apart[0] < -frrNear/100 || apart[frrAgrees-1] > frrNear {
		t.Errorf("FRR's mean less ours: %v", apart)
	}
}

// meanAt is the mean RTT of the echoes that FRR had when it was asked; ok is false if one came back about then, or there
// are too few.
func meanAt(rtts []schema.BFDEchoRTTRow, o opinion) (mean time.Duration, ok bool) {
	var had []schema.BFDEchoRTTRow
	for _, r := range rtts {
		back := r.Time + r.RTT.N
		if r.RTT.Set && back < o.before {
			had = append(had, r)
		}
		if r.RTT.Set && back > o.before-int64(5*time.Millisecond) && back < o.end {
			return 0, false
		}
	}
	if len(had) < frrHistory {
		return 0, false
	}
	for _, r := range had[len(had)-frrHistory:] {
		mean += time.Duration(r.RTT.N)
	}
	return mean / frrHistory, true
}
