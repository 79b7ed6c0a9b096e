package main

import (
	"fmt"
	"time"
)

// interval is that of the sweeps.
const interval = 10 * time.Second

// settleTime is when memory is expected to be what it will be: sweeps are kept for the late window of 60 s, and the
// heap reaches its size some collections later. Memory is judged if there is as much time again.
const settleTime = 2 * time.Minute

// flatShare is by how much of itself memory may grow, by its slope, over the time that is looked at.
const flatShare = 0.05

// report says in lines what came of a soak, and what was not as it should be.
func report(samples []sample, t tally, d time.Duration) (lines, problems []string) {
	say := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	expect := func(ok bool, format string, args ...any) {
		if !ok {
			problems = append(problems, fmt.Sprintf(format, args...))
		}
	}
	say("sweeps       %d, %d left out", t.sweeps, t.skipped)
	say("requests     %d, %d answered, %.0f a second on average", t.sent, t.received, float64(t.sent)/(float64(t.sweeps+int(t.skipped))*interval.Seconds()))
	say("points       %d wanted, %d got, %d dropped by telegraf", t.points, t.rows, t.dropped)
	expect(t.sweeps > 0, "there was no sweep")
	expect(t.skipped == 0, "%d sweeps were left out", t.skipped)
	expect(t.sent == t.received, "%d requests were not answered", t.sent-t.received)
	expect(t.points == t.rows, "%d points are missing", t.points-t.rows)
	expect(t.dropped == 0, "telegraf dropped %d points", t.dropped)
	expect(t.captureDrops == 0, "the capture dropped %d frames", t.captureDrops)
	expect(len(t.untrusted) == 0, "sweeps that cannot be trusted: %v", t.untrusted)

	seen := settled(samples, settleTime)
	if d < 2*settleTime || len(seen) < 2 {
		say("memory       cannot be judged: that takes %v", 2*settleTime)
		return lines, problems
	}
	begin, first, last, perSecond := samples[0], seen[0], seen[len(seen)-1], slope(seen)
	say("memory       RSS of echogram %s, %s, %s: %+.1f KiB a minute since it settled", begin, first, last, perSecond*60/1024)
	grown := perSecond * (last.at - first.at).Seconds()
	expect(grown < flatShare*float64(first.rss), "memory is not flat: it grows by %s in %v", mib(int64(grown)), (last.at - first.at).Round(time.Second))
	return lines, problems
}

func (s sample) String() string { return fmt.Sprintf("%s at %v", mib(s.rss), s.at.Round(time.Second)) }

func mib(n int64) string { return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20)) }
