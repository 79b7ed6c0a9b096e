package strict

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Duration is a length of time in a configuration: "10s", "1m30s", "250ms", "1d", "1d12h", or a plain number of
// seconds, with or without quotes. It is a struct so that TOML decoders hand it numbers as text, too.
type Duration struct{ time.Duration }

// Seconds makes a Duration of whole seconds.
func Seconds(n int) Duration { return Duration{time.Duration(n) * time.Second} }

// UnmarshalText implements encoding.TextUnmarshaler, which go-toml and Telegraf's TOML decoder use.
func (d *Duration) UnmarshalText(text []byte) error {
	s := strings.TrimSpace(string(text))
	if seconds, err := strconv.ParseFloat(strings.ReplaceAll(s, "_", ""), 64); err == nil {
		return d.setSeconds(s, seconds)
	}
	rest, days := s, time.Duration(0)
	if before, after, ok := strings.Cut(s, "d"); ok {
		n, err := strconv.ParseInt(before, 10, 32)
		if err != nil || n < 0 || n > math.MaxInt64/int64(24*time.Hour) {
			return durationError(s)
		}
		days, rest = time.Duration(n)*24*time.Hour, after
	}
	if rest == "" && s != "" {
		d.Duration = days
		return nil
	}
	v, err := time.ParseDuration(rest)
	if err != nil || days > 0 && (v < 0 || v > math.MaxInt64-days) {
		return durationError(s)
	}
	d.Duration = days + v
	return nil
}

func (d *Duration) setSeconds(s string, seconds float64) error {
	ns := seconds * float64(time.Second)
	if !(math.Abs(ns) < math.MaxInt64) { // also NaN
		return durationError(s)
	}
	d.Duration = time.Duration(math.Round(ns))
	return nil
}

func durationError(s string) error {
	return fmt.Errorf("%q is not a duration such as \"10s\", \"1m30s\", \"1d\" or a number of seconds", s)
}

// MarshalText gives the form of String.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// String leaves out the zero units that time.Duration writes: 1h, not 1h0m0s.
func (d Duration) String() string {
	s := d.Duration.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
