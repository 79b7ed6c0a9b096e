package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"echogram/plugins/internal/floor"
	"echogram/plugins/internal/prober"
)

// floorWindow is how many of a target's last RTTs its floor is made of.
const floorWindow = 1 << 14

// pinged is what is known of one target.
type pinged struct {
	name                                               string
	received, late, duplicates, corrupt, errs, refused int64
	strayed                                            int64
	timed, least, most, sum                            int64 // of the RTTs, ns
	squares                                            float64
	rtts                                               []int64  // the last floorWindow of them, a ring
	settled                                            []uint64 // a bit a probe: a reply or an error has come, or it never left
	checked                                            int      // probes that were looked at for being overdue
	due                                                int64    // requests whose timeout has passed
}

// settle notes that it is known what has become of a probe; it returns false if that was known before.
func (t *pinged) settle(probe int) bool {
	for len(t.settled) <= probe/64 {
		t.settled = append(t.settled, 0)
	}
	if t.isSettled(probe) {
		return false
	}
	t.settled[probe/64] |= 1 << (probe % 64)
	return true
}

func (t *pinged) isSettled(probe int) bool {
	return probe/64 < len(t.settled) && t.settled[probe/64]>>(probe%64)&1 != 0
}

// book counts an event.
func (t *pinged) book(e *prober.Event, timeout int64) {
	switch e.Kind {
	case prober.Duplicated:
		t.duplicates++
		return
	case prober.Errored:
		t.errs++
		return
	case prober.Refused:
		t.refused++
		return
	case prober.Strayed:
		t.strayed++
		return
	}
	if e.Corrupt {
		t.corrupt++
	}
	rtt, timed := rttOf(e)
	if timed && rtt > timeout {
		t.late++
		return
	}
	t.received++
	if timed {
		t.addRTT(rtt)
	}
}

// rttOf returns an event's RTT; ok is false where the request was not captured or the clock was set back.
func rttOf(e *prober.Event) (ns int64, ok bool) { return e.RTT.N, e.RTT.Set && e.RTT.N >= 0 }

func (t *pinged) addRTT(rtt int64) {
	if t.timed == 0 || rtt < t.least {
		t.least = rtt
	}
	t.most = max(t.most, rtt)
	t.sum += rtt
	t.squares += float64(rtt) * float64(rtt)
	if len(t.rtts) < floorWindow {
		t.rtts = append(t.rtts, rtt)
	} else {
		t.rtts[t.timed%floorWindow] = rtt
	}
	t.timed++
}

// fate is what has become of the requests to a target.
type fate struct{ sent, lost, awaited int64 }

// fate sums up after so many attempts at sending. A request that is younger than the timeout and has brought nothing
// is awaited, not lost.
func (t *pinged) fate(attempts int64) fate {
	f := fate{sent: attempts - t.refused}
	for k := t.due + t.refused; k < attempts; k++ {
		if !t.isSettled(int(k)) {
			f.awaited++
		}
	}
	f.lost = max(0, f.sent-t.received-t.late-f.awaited)
	return f
}

// loss is the share of the lost in percent, to three decimals at most.
func (f fate) loss() string {
	share := 100 * float64(f.lost) / float64(max(1, f.sent-f.awaited))
	return strconv.FormatFloat(math.Round(share*1000)/1000, 'f', -1, 64) + "% packet loss"
}

// counts is the line of the statistics that counts packets, in the order that ping has them.
func (t *pinged) counts(f fate) string {
	parts := []string{fmt.Sprintf("%d packets transmitted, %d received", f.sent, t.received)}
	for _, c := range []struct {
		n    int64
		text string
	}{
		{t.late, "%d late"}, {t.duplicates, "+%d duplicates"}, {t.corrupt, "+%d corrupt"}, {t.errs, "+%d errors"},
		{t.strayed, "+%d from another address"},
		{t.refused, "%d refused by our own kernel"}, {f.awaited, "%d still awaited"},
	} {
		if c.n > 0 {
			parts = append(parts, fmt.Sprintf(c.text, c.n))
		}
	}
	if f.sent > f.awaited {
		parts = append(parts, f.loss())
	}
	return strings.Join(parts, ", ")
}

// writeTimes writes what the RTTs were, if there are any.
func (t *pinged) writeTimes(w io.Writer) {
	if t.timed == 0 {
		return
	}
	mean := float64(t.sum) / float64(t.timed)
	deviation := math.Sqrt(max(0, t.squares/float64(t.timed)-mean*mean))
	sorted := slices.Clone(t.rtts)
	slices.Sort(sorted)
	fmt.Fprintf(w, "rtt min/avg/max/mdev = %s/%s/%s/%s ms\nmedian %s, %s\n",
		millis(t.least), millis(int64(mean)), millis(t.most), millis(int64(deviation)), micros(sorted[(len(sorted)-1)/2]), t.floor())
}

// floor says what the RTTs are without what stands in the way.
func (t *pinged) floor() string {
	if len(t.rtts) == 0 {
		return ""
	}
	e := floor.Of(t.rtts)
	if math.IsInf(e.Error, 1) {
		return "floor " + micros(int64(e.Floor))
	}
	return fmt.Sprintf("floor %s (%d of %d RTTs)", withError(e.Floor, e.Error), e.Kept, len(t.rtts))
}

// withError writes a time in nanoseconds with its error, to the error's second digit: 29.5004 ± 0.0012 ms. Stamps
// are whole nanoseconds, and so is the least error that is told.
func withError(ns, err float64) string {
	err = max(err, 1)
	scale, unit, decimals := 1e3, "µs", 3
	for _, larger := range []string{"ms", "s"} {
		if ns < 1e3*scale {
			break
		}
		scale, unit, decimals = scale*1e3, larger, decimals+3
	}
	decimals = min(decimals, max(0, 1-int(math.Floor(math.Log10(err/scale)))))
	return fmt.Sprintf("%.*f ± %.*f %s", decimals, ns/scale, decimals, err/scale, unit)
}

// millis writes nanoseconds as milliseconds, to the nanosecond.
func millis(ns int64) string { return fmt.Sprintf("%.6f", float64(ns)/1e6) }
