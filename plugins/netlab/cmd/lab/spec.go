package main

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// The kinds of lab.
const (
	bridges = "bridges"
	delay   = "delay"
	links   = "links"
	wan     = "wan"
	live    = "world"
)

const (
	maxBridges = 64
	maxLinks   = 16
	maxWAN     = 10 * time.Second
	worldSpeed = 600
	maxDays    = 60 // that pass in a world
)

// spec is the lab that is wanted.
type spec struct {
	kind          string
	count         int           // of bridges or links
	rate          int64         // of each link, bits a second
	time          time.Duration // of the delay line for each request, or of the WAN for there and back
	jitter        time.Duration // of the WAN, each way
	loss, outlier share         // of the replies that pass the WAN
	seed          uint64        // of the world
	speed         float64       // by which time passes faster in the world
}

// parse reads a kind and what belongs to it.
func (s *spec) parse(args []string) (err error) {
	if len(args) == 0 {
		return errors.New("no lab: there are bridges, delay, links, wan and world")
	}
	wants := map[string]int{bridges: 1, delay: 1, links: 2, wan: 1, live: 0}
	s.kind, args = args[0], args[1:]
	n, known := wants[s.kind]
	switch {
	case !known:
		return fmt.Errorf("unknown lab %q: there are bridges, delay, links, wan and world", s.kind)
	case len(args) != n:
		return fmt.Errorf("%s takes %d arguments, not %d", s.kind, n, len(args))
	case s.kind != wan && (s.jitter != 0 || s.loss != 0 || s.outlier != 0):
		return fmt.Errorf("--jitter, --loss and --outliers belong to wan, not to %s", s.kind)
	case s.kind != live && (s.seed != 0 || s.speed != 0):
		return fmt.Errorf("--seed and --speed belong to world, not to %s", s.kind)
	}
	switch s.kind {
	case bridges:
		s.count, err = parseCount(args[0], maxBridges)
	case delay:
		s.time, err = time.ParseDuration(args[0])
	case links:
		if s.count, err = parseCount(args[0], maxLinks); err == nil {
			s.rate, err = parseRate(args[1])
		}
	case wan:
		if s.time, err = time.ParseDuration(args[0]); err == nil && (s.time < 0 || s.time > maxWAN || s.jitter < 0 || s.jitter > maxWAN) {
			err = fmt.Errorf("%v and a jitter of %v are not in 0 to %v", s.time, s.jitter, maxWAN)
		}
	case live:
		if s.speed = cmp.Or(s.speed, worldSpeed); !(s.speed > 0 && s.speed <= 1e5) {
			err = fmt.Errorf("a speed of %v is not in 0 to 100,000", s.speed)
		}
	}
	if err != nil {
		return fmt.Errorf("%s: %w", s.kind, err)
	}
	return nil
}

// days is how many pass in the world until so much time has passed here.
func (s *spec) days(duration time.Duration) float64 { return duration.Hours() / 24 * s.speed }

func parseCount(text string, most int) (int, error) {
	n, err := strconv.Atoi(text)
	if err == nil && (n < 1 || n > most) {
		err = fmt.Errorf("%d is not in 1 to %d", n, most)
	}
	return n, err
}

// parseRate reads bits a second: 100M, 2.5G, 100000000.
func parseRate(text string) (int64, error) {
	number, unit := text, 1.0
	for suffix, u := range map[string]float64{"M": 1e6, "G": 1e9} {
		if n, ok := strings.CutSuffix(text, suffix); ok {
			number, unit = n, u
		}
	}
	rate, err := strconv.ParseFloat(number, 64)
	if rate *= unit; err != nil || !(rate >= 1 && rate <= 1e12) {
		return 0, fmt.Errorf("%q is no rate of 1 bit/s to 1 Tbit/s: 100M, 2.5G, 100000000", text)
	}
	return int64(rate), nil
}

// share is a flag: 1% or 0.01.
type share float64

func (s share) String() string { return strconv.FormatFloat(float64(s)*100, 'g', -1, 64) + "%" }

// Type is what the help calls it.
func (s share) Type() string { return "share" }

// Set implements pflag.Value.
func (s *share) Set(text string) error {
	number, percent := strings.CutSuffix(text, "%")
	v, err := strconv.ParseFloat(number, 64)
	if percent {
		v /= 100
	}
	if err != nil || !(v >= 0 && v <= 1) {
		return fmt.Errorf("%q is no share: 1%% or 0.01", text)
	}
	*s = share(v)
	return nil
}
