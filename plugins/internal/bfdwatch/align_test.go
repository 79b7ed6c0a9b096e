package bfdwatch

import (
	"fmt"
	"testing"
	"time"
)

// TestAligned holds the pairs of echoes that are all the same bytes against the truth, on paths of many intervals and
// with loss.
func TestAligned(t *testing.T) {
	for name, c := range map[string]struct {
		rtt   time.Duration
		every time.Duration
		loss  int // percent
		n     int
	}{
		"long path":             {122 * ms, 50 * ms, 0, 200},
		"long path, loss":       {122 * ms, 50 * ms, 10, 200},
		"long path, much loss":  {122 * ms, 50 * ms, 30, 200},
		"short path":            {12 * ms, 50 * ms, 10, 200},
		"no path":               {13 * us, 50 * ms, 10, 200},
		"an interval":           {45 * ms, 50 * ms, 10, 200},
		"many, in several goes": {122 * ms, 50 * ms, 10, 1300},
	} {
		a, b := pair6()
		a.c, b.c = up(300*ms, 300*ms), up(300*ms, 300*ms)
		w := newWire()
		w.both(0, a, b, c.n*50/300, 300*ms)
		truth := map[int64]time.Duration{}
		start := 10 * ms
		lost := 0
		for i := range c.n {
			rtt := c.rtt + time.Duration(w.random.Int64N(int64(100*us)))
			w.echo(start, &frrZero, a, b, i, start, false)
			truth[epoch+int64(start)] = -1
			switch lose := w.random.IntN(100) < c.loss; {
			case lose:
				lost++
			default:
				w.echo(start+rtt, &frrZero, a, b, i, start, true)
				truth[epoch+int64(start)] = rtt
			}
			start += 50 * ms * time.Duration(75+w.random.IntN(26)) / 100 // whole percents, as FRR draws them
			start += time.Duration(w.random.Int64N(int64(200 * us)))
		}
		w.control(start+2*time.Second, a, b)
		w.sort()
		r := run(t, Config{Period: 10 * time.Second, PerEcho: true}, w.packets)
		wrong := 0
		for _, row := range r.rtts {
			switch want := truth[row.Time]; {
			case want >= 0 && row.RTT != some(want), want < 0 && row.RTT.Set:
				wrong++
			}
		}
		check(t, name+": rows", len(r.rtts), c.n)
		check(t, name+": wrong pairs", wrong, 0)
		var unanswered, unmatched int64
		for _, row := range r.echoes {
			unanswered += row.Unanswered
			unmatched += row.Unmatched
			if row.Pairing == "ambiguous" {
				t.Errorf("%s: %+v", name, row)
			}
		}
		check(t, name+": unanswered", unanswered, int64(lost))
		check(t, name+": unmatched", unmatched, 0)
	}
}

// TestAmbiguous: without jitter nothing tells equal echoes apart, and no RTT is given.
func TestAmbiguous(t *testing.T) {
	a, b := pair6()
	w := newWire()
	w.session(a, b, 50)
	for i := range 60 {
		sent := time.Duration(i) * 50 * ms
		w.echo(sent, &frrZero, a, b, i, sent, false)
		if i%10 != 3 {
			w.echo(sent+122*ms, &frrZero, a, b, i, sent, true)
		}
	}
	w.control(6*time.Second, a, b)
	w.sort()
	row := w.run(t).echo(t)
	check(t, "pairing", row.Pairing, "ambiguous")
	check(t, "RTT", row.RTTMean.Set, false)
	check(t, "returned", row.Returned, 54)
	check(t, "of these, ambiguous", row.Ambiguous, 54)
	check(t, "unanswered", row.Unanswered, 6)
	check(t, "unmatched", row.Unmatched, 0)
}

// TestNothingIsLost: whatever is lost, sent twice or late, each echo and each return is counted once.
func TestNothingIsLost(t *testing.T) {
	for seed := range 30 {
		a, b := pair6()
		s := &frrZero
		if seed%2 == 0 {
			s = &frr
		}
		w := newWire()
		for range seed {
			w.random.Uint64()
		}
		var sends, returns int64
		start := time.Duration(0)
		steady := w.random.IntN(2) == 0
		rtt := time.Duration(w.random.Int64N(int64(200 * ms)))
		for i := range 300 {
			if w.random.IntN(10) > 0 {
				w.echo(start, s, a, b, i, start, false)
				sends++
			}
			for copies := range w.random.IntN(3) {
				w.echo(start+rtt+time.Duration(copies)*2*ms+w.jittered(5*ms, 1, 100), s, a, b, i, start, true)
				returns++
			}
			start += 45 * ms
			if !steady {
				start += w.jittered(10*ms, 0, 100)
			}
		}
		w.sort()
		var sent, sums, back int64
		for _, row := range run(t, Config{Period: 2 * time.Second, MirrorWindow: -1}, w.packets).echoes {
			sent += row.Sent
			sums += row.Returned + row.Unanswered + row.InFlight
			back += row.Returned + row.Duplicates + row.Unmatched
		}
		name := fmt.Sprint("seed ", seed)
		check(t, name+": sent", sent, sends)
		check(t, name+": what became of them", sums, sends)
		check(t, name+": returns", back, returns)
	}
}

// TestHeldUp: a return that lies nearer to another echo is still its own's, by its place between others; what is too
// little to tell alone, at the end of the capture, is told by what was before it.
func TestHeldUp(t *testing.T) {
	for end := 4100 * ms; end < 4600*ms; end += 50 * ms { // the third period begins at 4 s
		a, b := pair6()
		w := newWire()
		w.session(a, b, 20)
		truth := map[int64]time.Duration{}
		start := 10 * ms
		for i := 0; start < end; i++ {
			rtt := 81*ms + w.jittered(ms, 0, 100)
			if i%20 == 7 {
				rtt += 20 * ms
			}
			w.echo(start, &frrZero, a, b, i, start, false)
			if i%9 == 4 || start+rtt > end {
				rtt = 0
			} else {
				w.echo(start+rtt, &frrZero, a, b, i, start, true)
			}
			truth[epoch+int64(start)] = rtt
			start += w.jittered(50*ms, 75, 100)
		}
		w.sort()
		r := run(t, Config{Period: 2 * time.Second, PerEcho: true}, w.packets)
		for _, row := range r.rtts {
			if want := truth[row.Time]; row.RTT != some(want) && (want > 0 || row.RTT.Set) {
				t.Errorf("until %v, %d: %v, want %v", end, row.Time-epoch, row.RTT, want)
			}
		}
		for _, row := range r.echoes {
			if row.Pairing != "aligned" || row.Unmatched > 0 {
				t.Errorf("until %v: %+v", end, row)
			}
		}
	}
}
