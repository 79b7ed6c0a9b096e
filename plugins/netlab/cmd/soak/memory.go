package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// sample is the resident memory of a process at a time since the start.
type sample struct {
	at  time.Duration
	rss int64 // bytes
}

// readRSS returns the resident memory of a process.
func readRSS(pid int) (int64, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(data)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kib, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			return kib << 10, err
		}
	}
	return 0, fmt.Errorf("process %d has no memory", pid)
}

// settled leaves out what comes before d: rings and heap fill, and replies are matched for the late window.
func settled(all []sample, d time.Duration) []sample {
	for i := range all {
		if all[i].at >= d {
			return all[i:]
		}
	}
	return nil
}

// slope is the least-squares growth in bytes per second; 0 for less than two samples.
func slope(samples []sample) float64 {
	n := float64(len(samples))
	var t, m, tt, tm float64
	for _, s := range samples {
		x, y := s.at.Seconds(), float64(s.rss)
		t, m, tt, tm = t+x, m+y, tt+x*x, tm+x*y
	}
	if d := n*tt - t*t; d != 0 {
		return (n*tm - t*m) / d
	}
	return 0
}
