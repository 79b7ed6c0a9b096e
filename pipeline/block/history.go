package block

import "math"

// hourly keeps the least count of each hour of the last 14 days, by the number of the local hour since 1970: the count
// plus 1, or 0 where there is none.
type hourly [14 * 24]uint8

func (h *hourly) slot(hour int64) *uint8 { return &h[hour%int64(len(h))] }

// note takes a count.
func (h *hourly) note(hour int64, count int) {
	if s, v := h.slot(hour), uint8(min(count+1, math.MaxUint8)); *s == 0 || v < *s {
		*s = v
	}
}

// forget drops the records of hours that come round again: those behind from, up to to.
func (h *hourly) forget(from, to int64) {
	for hour := max(from+1, to-int64(len(h))+1); hour <= to; hour++ {
		*h.slot(hour) = 0
	}
}

// of tells whether the hour is on record, and whether nobody but one was there.
func (h *hourly) of(hour int64) (known, empty bool) {
	v := *h.slot(hour)
	return v > 0, v > 0 && v <= 2
}

// usual tells whether it is usual that a unit falls silent in an hour: on another day on which it was not empty before, it
// was at this hour or in the two that follow; or no such day is on record, and it has been empty at some other time.
func (h *hourly) usual(hour int64) bool {
	days := 0
	for d := int64(24); d < int64(len(h))-awake; d += 24 {
		if !h.awake(hour - d) {
			continue
		}
		days++
		for later := range int64(3) {
			if _, empty := h.of(hour - d + later); empty {
				return true
			}
		}
	}
	return days == 0 && h.everEmpty()
}

// awake is how many hours before the one in question a unit must have been empty to be so all along, as on a weekend.
const awake = 6

func (h *hourly) awake(hour int64) bool {
	for before := hour - awake; before < hour; before++ {
		if known, empty := h.of(before); known && !empty {
			return true
		}
	}
	return false
}

func (h *hourly) everEmpty() bool {
	for i := range h {
		if _, empty := h.of(int64(i)); empty {
			return true
		}
	}
	return false
}
