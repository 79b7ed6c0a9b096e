package service

import (
	"fmt"
	"testing"
	"time"

	"echogram/pipeline/path"
)

// TestRecentFloors: the last ones of a series in the order of time, whatever was corrected.
func TestRecentFloors(t *testing.T) {
	m := recent{reach: shiftWindows * 60, series: map[string][]kept{}}
	at := func(hour int) *path.Floor {
		return &path.Floor{Start: int64(hour) * int64(time.Hour), N: 100_000, Floor: 2410.5, StdErr: 1.5, TTLMin: 63, TTLMax: 64, Facts: "rx_usecs 3", Error: "ok"}
	}
	put := func(key string, hour int) []path.Floor {
		m.put(key, at(hour))
		got := m.upTo(nil, key, at(hour).Start)
		m.trim(key)
		m.forget()
		return got
	}
	for hour := range 60 {
		got := put("a", hour)
		if want := min(hour+1, shiftWindows); len(got) != want || got[want-1].Start != at(hour).Start {
			t.Fatalf("hour %d: %d floors", hour, len(got))
		}
	}
	want := *at(58)
	want.N = 65535
	if got := put("a", 58); len(got) != shiftWindows-1 || got[len(got)-1] != want {
		t.Errorf("corrected: %d floors, the last %+v", len(got), got[len(got)-1])
	}
	if put("a", 5); len(m.series["a"]) != shiftWindows || m.series["a"][0].start != 12*60 {
		t.Errorf("too old: %d floors", len(m.series["a"]))
	}
	m.put("b", at(60)) // all of a job come before what is older is dropped
	for hour := range 2 * shiftWindows {
		m.put("b", at(61+hour))
	}
	if got := m.upTo(nil, "b", at(60).Start); len(got) != 1 {
		t.Errorf("dropped too soon: %d floors", len(got))
	}
	m.trim("b")
	m.forget()
	if _, ok := m.series["a"]; ok || len(m.series) != 1 {
		t.Errorf("series that went away are kept: %v", fmt.Sprint(len(m.series)))
	}
}
