package main

import (
	"fmt"
	"os"
	"regexp"
	"runtime"
	"strings"
)

// machine is what the figures depend on besides the programs.
type machine struct {
	Cores    int    `json:"cores"`
	CPU      string `json:"cpu"`
	MemoryGB string `json:"memory_gb"`
	Kernel   string `json:"kernel"`
	Governor string `json:"governor"`
	Load     string `json:"load"` // of the last minute before the start: other work bends every figure
}

func (m machine) String() string {
	return fmt.Sprintf("%d cores (%s), %s GB, Linux %s, governor %s, load %s", m.Cores, m.CPU, m.MemoryGB, m.Kernel, m.Governor, m.Load)
}

// thisMachine reads what the kernel tells of it; what it does not tell is "unknown".
func thisMachine() machine {
	m := machine{
		Cores:    runtime.NumCPU(),
		CPU:      match("/proc/cpuinfo", `(?m)^model name\s*: (.+)$`),
		MemoryGB: "unknown",
		Kernel:   match("/proc/sys/kernel/osrelease", `(.+)`),
		Governor: match("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", `(.+)`),
		Load:     match("/proc/loadavg", `(\S+)`),
	}
	var kb float64
	if _, err := fmt.Sscan(match("/proc/meminfo", `MemTotal:\s+(\d+)`), &kb); err == nil {
		m.MemoryGB = fmt.Sprintf("%.1f", kb/1e6)
	}
	return m
}

func match(file, pattern string) string {
	text, _ := os.ReadFile(file) // absent: nothing matches
	if m := regexp.MustCompile(pattern).FindSubmatch(text); m != nil {
		return strings.TrimSpace(string(m[1]))
	}
	return "unknown"
}
