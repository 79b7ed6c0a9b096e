package world

import (
	"math"
	"time"
)

// calendar turns times into local ones faster than a time.Location.
type calendar struct {
	location *time.Location
	steps    []step
}

// step is an offset from UTC, from a time on, both s.
type step struct{ from, offset int64 }

func newCalendar(location *time.Location, ns span) calendar {
	c := calendar{location: location}
	for t := time.Unix(0, ns.from).In(location).AddDate(0, 0, -4); ; {
		_, offset := t.Zone()
		c.steps = append(c.steps, step{t.Unix(), int64(offset)})
		_, end := t.ZoneBounds()
		if end.IsZero() || end.UnixNano() > ns.to {
			return c
		}
		t = end
	}
}

// local is the day since 1970-01-01 and the hour at the time t, in s.
func (c *calendar) local(t int64) (day int, hour float64) {
	i := len(c.steps) - 1
	for i > 0 && t < c.steps[i].from {
		i--
	}
	t += c.steps[i].offset
	return int(t / 86400), float64(t%86400) / 3600
}

// unix is the time, in s, of an hour of a local day. Hours beyond the day are those of the next or last.
func (c *calendar) unix(day int, hour float64) int64 {
	return time.Date(1970, 1, 1+day, 0, 0, int(math.Round(hour*3600)), 0, c.location).Unix()
}

// weekend tells whether a day since 1970-01-01, a Thursday, is a Saturday or Sunday.
func weekend(day int) bool { return (day+4)%7 == 6 || (day+4)%7 == 0 }
