package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// reading is a link's count of sent frames at a time after the start.
type reading struct {
	at   time.Duration
	sent int64
}

// rate is the frames a second between the first and the last hundredth of what was sent, so that neither the
// start of a program nor its wait for late answers counts. It is 0 when fewer than two readings lie in between.
func rate(readings []reading) float64 {
	if len(readings) == 0 {
		return 0
	}
	first, last := readings[0].sent, readings[len(readings)-1].sent
	margin := (last - first) / 100
	var begin, end *reading
	for i := range readings {
		r := &readings[i]
		if r.sent > first+margin && begin == nil {
			begin = r
		}
		if r.sent >= last-margin {
			end = r
			break
		}
	}
	if begin == nil || end.at <= begin.at {
		return 0
	}
	return float64(end.sent-begin.sent) / (end.at - begin.at).Seconds()
}

// sentFrames finds a link's count of sent frames in /proc/net/dev: the tenth number behind its name.
func sentFrames(dev, link string) (int64, error) {
	for line := range strings.Lines(dev) {
		name, numbers, ok := strings.Cut(strings.TrimSpace(line), ":")
		if fields := strings.Fields(numbers); ok && name == link && len(fields) >= 10 {
			return strconv.ParseInt(fields[9], 10, 64)
		}
	}
	return 0, fmt.Errorf("link %s is not in /proc/net/dev", link)
}
