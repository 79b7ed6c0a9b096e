package netlab

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// The WAN's ports in its namespace, where a capture sees what comes and goes.
const (
	WANPortA = "wan-a"
	WANPortB = "wan-b"
)

// WAN is a link with delay and loss: a namespace of its own between two ends, where a goroutine for each direction,
// on a real-time thread, carries frames from port to port and keeps books of them. Frames stay as they are to the bit,
// with checksums that the sender has left to a device still left.
type WAN struct {
	Namespace *Namespace
	books     *wanBooks
	ways      [2]*wanWay
	stop      int // an eventfd, readable once the WAN is to end; -1: ended
	wg        sync.WaitGroup
}

// NewWAN joins two ends of a lab by a WAN, which the lab's Close ends.
func NewWAN(l *Lab, a, b End, cfg WANConfig) (*WAN, error) {
	n, err := l.Namespace("wan")
	if err != nil {
		return nil, err
	}
	// The WAN's kernel must not speak for itself.
	if err := n.Sysctl("ipv6/conf/default/disable_ipv6", "1"); err != nil {
		return nil, err
	}
	if err := errors.Join(Connect(a, End{Namespace: n, Link: WANPortA}), Connect(b, End{Namespace: n, Link: WANPortB})); err != nil {
		return nil, err
	}
	w := &WAN{Namespace: n, books: newWANBooks()}
	if w.stop, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		return nil, fmt.Errorf("netlab: eventfd: %w", err)
	}
	l.onClose(w.end)
	return w, n.Do(func() error { return w.open(cfg) })
}

// open opens the ports in the calling thread's namespace and begins to carry.
func (w *WAN) open(cfg WANConfig) error {
	ports := [2]string{WANPortA, WANPortB}
	for from, c := range [2]WANWay{cfg.FromA, cfg.FromB} {
		in, err := openWANIn(ports[from])
		if err != nil {
			return err
		}
		out, err := openWANOut(ports[1-from])
		if err != nil {
			return errors.Join(err, unix.Close(in))
		}
		w.ways[from] = &wanWay{
			WANWay: c, wan: w, from: Side(from), in: in, out: out,
			random: rand.New(rand.NewPCG(cfg.Seed, uint64(from))), buf: make([]byte, vnetHeader+64<<10),
		}
	}
	for _, way := range w.ways {
		w.wg.Go(way.run)
	}
	return nil
}

// end stops the WAN; frames that it still holds are lost. What it missed or could not send is an error.
func (w *WAN) end() error {
	if w.stop < 0 {
		return nil
	}
	_, err := unix.Write(w.stop, []byte{1, 0, 0, 0, 0, 0, 0, 0})
	w.wg.Wait()
	for _, way := range w.ways {
		if way != nil {
			err = errors.Join(err, way.close())
		}
	}
	err = errors.Join(err, unix.Close(w.stop))
	w.stop = -1
	return err
}

// Passages lists all frames so far, in the order in which the WAN read them.
func (w *WAN) Passages() []Passage {
	w.books.mu.Lock()
	defer w.books.mu.Unlock()
	return slices.Clone(w.books.passages)
}

// Echoes lists the truth of the echoes that a side has sent so far, in order.
func (w *WAN) Echoes(from Side) []EchoTruth { return w.books.echoes(from) }

// Lateness is the median and the most by which frames have left after they were due.
func (w *WAN) Lateness() (median, most time.Duration) {
	var late []time.Duration
	for _, p := range w.Passages() {
		if p.Sent != 0 {
			late = append(late, p.Late())
		}
	}
	if len(late) == 0 {
		return 0, 0
	}
	slices.Sort(late)
	return late[len(late)/2], late[len(late)-1]
}
