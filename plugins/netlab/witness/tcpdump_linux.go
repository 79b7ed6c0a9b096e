package witness

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"sync"
	"syscall"
	"time"

	"echogram/plugins/netlab"
	"echogram/plugins/netlab/process"
)

const (
	startTime = 5 * time.Second
	stopTime  = 5 * time.Second
	// drainTime is more than the second after which libpcap gets a block of its ring that is not full; what is in
	// the ring when tcpdump ends is lost.
	drainTime = 1200 * time.Millisecond
)

// Tcpdump is a tcpdump that captures with nanosecond stamps of the kernel.
type Tcpdump struct {
	process *process.Process
	said    *said
}

// Start captures the ICMP of both families on a link of a namespace into file and returns once tcpdump listens. The
// caller must call Stop, or cancel ctx.
func Start(ctx context.Context, n *netlab.Namespace, link, file string) (*Tcpdump, error) {
	return StartFilter(ctx, n, link, file, snap, "icmp or icmp6")
}

// StartFilter is Start for what a filter of pcap-filter(7) lets pass, cut behind snap bytes; 0: whole.
func StartFilter(ctx context.Context, n *netlab.Namespace, link, file string, snap int, filter string) (*Tcpdump, error) {
	cmd := n.Command(ctx, "tcpdump", "-n", "-i", link, "-j", "host", "--time-stamp-precision", "nano",
		"-B", "65536", "-s", strconv.Itoa(snap), "-Z", "root", "-w", file, filter)
	t := &Tcpdump{said: &said{listens: make(chan struct{})}}
	cmd.Stderr = t.said
	if _, err := exec.LookPath("tcpdump"); err != nil {
		return nil, errors.New("witness: tcpdump is not here: apt-get install tcpdump")
	}
	var err error
	if t.process, err = process.Start(cmd); err != nil {
		return nil, err
	}
	timer := time.NewTimer(startTime)
	defer timer.Stop()
	select {
	case <-t.said.listens:
		return t, nil
	case <-t.process.Done():
	case <-timer.C:
		_ = t.process.Stop(stopTime) // it has failed already
	}
	return nil, fmt.Errorf("witness: tcpdump does not listen: %s", t.said)
}

var dropped = regexp.MustCompile(`(?m)^(\d+) packets? dropped by kernel`)

// Stop ends the capture when all that has passed is in the file, and tells how many packets tcpdump dropped.
func (t *Tcpdump) Stop() (drops int, err error) {
	timer := time.NewTimer(drainTime)
	defer timer.Stop()
	select {
	case <-t.process.Done():
	case <-timer.C:
	}
	if err := t.process.Signal(syscall.SIGINT); err != nil {
		return 0, fmt.Errorf("witness: tcpdump: %w", err)
	}
	timer.Reset(stopTime)
	select {
	case <-t.process.Done():
	case <-timer.C:
	}
	if err := t.process.Stop(0); err != nil {
		return 0, err
	}
	m := dropped.FindStringSubmatch(t.said.String())
	if m == nil {
		return 0, fmt.Errorf("witness: tcpdump does not say what it dropped: %s", t.said)
	}
	return strconv.Atoi(m[1])
}

// said is what tcpdump wrote to STDERR.
type said struct {
	listens chan struct{} // closed when tcpdump has said that it listens

	mu   sync.Mutex
	text bytes.Buffer
}

func (s *said) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	phrase := []byte("listening on ")
	before := bytes.Contains(s.text.Bytes(), phrase)
	s.text.Write(p)
	if !before && bytes.Contains(s.text.Bytes(), phrase) {
		close(s.listens)
	}
	return len(p), nil
}

func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return string(bytes.TrimSpace(s.text.Bytes()))
}
