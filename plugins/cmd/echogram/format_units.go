package main

import (
	"math"
	"strconv"
)

// thousands writes 65536 as 65,536.
func thousands(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// micros writes nanoseconds with four digits in the unit that fits them: 3.142 µs, 29.50 ms, 1.500 s.
func micros(ns int64) string {
	v, unit := float64(ns)/1e3, "µs"
	for _, larger := range []string{"ms", "s"} {
		if math.Abs(v) < 999.95 { // else it would be rounded to 1000.0
			break
		}
		v, unit = v/1e3, larger
	}
	decimals := 3
	for limit := 9.9995; decimals > 0 && math.Abs(v) >= limit; limit *= 10 {
		decimals--
	}
	return strconv.FormatFloat(v, 'f', decimals, 64) + " " + unit
}
