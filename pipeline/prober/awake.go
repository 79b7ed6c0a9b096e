package prober

import (
	"fmt"
	"io"
	"os"
)

// latencyFile takes, as a 32-bit number of µs, how long a CPU may need to wake. It holds for as long as the file is
// open (Linux, Documentation/power/pm_qos_interface.rst).
const latencyFile = "/dev/cpu_dma_latency"

// StayAwake holds all CPUs out of deep idle states, which move RTTs by 10 to 100 µs, until the result is closed.
func StayAwake() (io.Closer, error) { return hold(latencyFile) }

func hold(name string) (io.Closer, error) {
	f, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		return nil, fmt.Errorf("prober: idle states: %w", err)
	}
	if _, err := f.Write([]byte{0, 0, 0, 0}); err != nil {
		f.Close()
		return nil, fmt.Errorf("prober: idle states: %w", err)
	}
	return f, nil
}
