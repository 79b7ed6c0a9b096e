package netlab

import (
	"errors"
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// SerialiserCPU handles the frames of all serialisers.
func SerialiserCPU() int { return runtime.NumCPU() - 1 }

// SenderCPUs lists all other CPUs, as taskset -c takes them.
func SenderCPUs() string { return fmt.Sprintf("0-%d", max(0, SerialiserCPU()-1)) }

// Steer has one CPU handle what comes in over a link (receive packet steering).
func (n *Namespace) Steer(name string, cpu int) error {
	return n.Do(func() error {
		// A sysfs shows the network namespace of who mounted it, so this thread, which ends with Do, gets its own.
		err := unix.Unshare(unix.CLONE_NEWNS)
		if err == nil {
			err = unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, "")
		}
		if err == nil {
			err = unix.Mount("sysfs", "/sys", "sysfs", 0, "")
		}
		if err == nil {
			err = os.WriteFile("/sys/class/net/"+name+"/queues/rx-0/rps_cpus", []byte(cpuMask(cpu)), 0)
		}
		if err != nil {
			return fmt.Errorf("netlab: steer %s to CPU %d: %w", name, cpu, err)
		}
		return nil
	})
}

// cpuMask is the kernel's form of a mask with one CPU in it: 32-bit groups in hexadecimal, the highest first.
func cpuMask(cpu int) string {
	mask := fmt.Sprintf("%x", uint32(1)<<(cpu%32))
	for range cpu / 32 {
		mask += ",00000000"
	}
	return mask
}

// Pin keeps the calling goroutine, and the processes that it starts, on all CPUs but SerialiserCPU. The goroutine
// stays locked to its thread.
func Pin() error {
	runtime.LockOSThread()
	var cpus unix.CPUSet
	if err := unix.SchedGetaffinity(0, &cpus); err != nil {
		return fmt.Errorf("netlab: affinity: %w", err)
	}
	cpus.Clear(SerialiserCPU())
	if err := unix.SchedSetaffinity(0, &cpus); err != nil {
		return fmt.Errorf("netlab: affinity: %w", err)
	}
	return nil
}

// StayAwake keeps all CPUs out of idle states until the file is closed, by asking for a wake-up latency of 0 µs
// (Documentation/power/pm_qos_interface.rst): what waits for a CPU to wake is measured along with the network.
func StayAwake() (*os.File, error) {
	awake, err := os.OpenFile("/dev/cpu_dma_latency", os.O_WRONLY, 0)
	if err != nil {
		return nil, fmt.Errorf("netlab: stay awake: %w", err)
	}
	if _, err := awake.Write(make([]byte, 4)); err != nil {
		return nil, errors.Join(fmt.Errorf("netlab: stay awake: %w", err), awake.Close())
	}
	return awake, nil
}
