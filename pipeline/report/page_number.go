package report

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// Numbers as the page writes them.

// millis writes ns in ms with three significant digits, without the unit.
func millis(ns float64) string {
	ms := ns / 1e6
	switch {
	case ms >= 99.95:
		return strconv.FormatFloat(ms, 'f', 0, 64)
	case ms >= 9.995:
		return strconv.FormatFloat(ms, 'f', 1, 64)
	case ms >= 0.1:
		return strconv.FormatFloat(ms, 'f', 2, 64)
	}
	return strconv.FormatFloat(ms, 'g', 2, 64)
}

// lastingText writes a duration in its two greatest units.
func lastingText(ns int64) string {
	d := time.Duration(ns)
	switch {
	case d >= day:
		return fmt.Sprintf("%d d %d h", d/day, d%day/time.Hour)
	case d >= time.Hour:
		return fmt.Sprintf("%d h %02d min", d/time.Hour, d%time.Hour/time.Minute)
	case d >= time.Minute:
		return fmt.Sprintf("%d min %02d s", d/time.Minute, d%time.Minute/time.Second)
	}
	return strconv.FormatFloat(d.Seconds(), 'g', 3, 64) + " s"
}

// clockHour writes an hour of the day: 20.5 is 20:30.
func clockHour(h float64) string {
	minutes := int(math.Round(h*60)) % (24 * 60)
	return fmt.Sprintf("%02d:%02d", minutes/60, minutes%60)
}

const minuteFormat = "2006-01-02 15:04"

// utcMinute writes a time, ns, to the minute.
func utcMinute(ns int64) string { return time.Unix(0, ns).UTC().Format(minuteFormat) }
