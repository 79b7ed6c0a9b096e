package linkinfo

import (
	"io/fs"
	"os"
	"slices"
	"strings"
)

// Governors returns the frequency governors that the processors run under, each once, in order; none where the
// system does not tell, as in most virtual machines.
func Governors() []string { return governors(os.DirFS("/sys/devices/system/cpu")) }

func governors(cpus fs.FS) []string {
	files, err := fs.Glob(cpus, "cpu[0-9]*/cpufreq/scaling_governor")
	if err != nil {
		return nil
	}
	var names []string
	for _, f := range files {
		if b, err := fs.ReadFile(cpus, f); err == nil { // a processor may go offline meanwhile
			names = append(names, strings.TrimSpace(string(b)))
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
