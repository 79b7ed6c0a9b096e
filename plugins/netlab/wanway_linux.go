package netlab

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// wanMargin is how long before a frame is due its thread wakes, to spin for the rest: more than most
// wake-ups take, on a busy virtual machine too.
const wanMargin = int64(250 * time.Microsecond)

// wanWay carries the frames of one direction. One goroutine owns it.
type wanWay struct {
	WANWay
	wan     *WAN
	from    Side
	in, out int // sockets
	random  *rand.Rand
	buf     []byte
	queue   []wanFrame // by due
	last    int64      // when the last frame that must not be overtaken is due
	refused int
}

// wanFrame is a frame on its way.
type wanFrame struct {
	data   []byte // with its vnet header
	index  int    // in the books
	due    int64
	copies int
}

// run carries until stop is readable. Its thread is never unlocked, so that it ends with its priority.
func (w *wanWay) run() {
	runtime.LockOSThread()
	// Without the right to it the WAN is less punctual, as its books show.
	_ = unix.SchedSetAttr(0, &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_FIFO, Priority: 1}, 0)
	for w.await() {
		w.read()
		w.fire()
	}
}

// await returns when there is something to read, or nearly to send; false means stop.
func (w *wanWay) await() bool {
	var timeout *unix.Timespec
	if len(w.queue) > 0 {
		t := unix.NsecToTimespec(max(w.queue[0].due-wanMargin-time.Now().UnixNano(), 0))
		timeout = &t
	}
	fds := []unix.PollFd{{Fd: int32(w.in), Events: unix.POLLIN}, {Fd: int32(w.wan.stop), Events: unix.POLLIN}}
	_, err := unix.Ppoll(fds, timeout, nil)
	return (err == nil || err == unix.EINTR) && fds[1].Revents == 0
}

// read takes what has come.
func (w *wanWay) read() {
	for range readsBetween {
		n, stamp, err := readStamped(w.in, w.buf, 0)
		if err != nil || n < vnetHeader { // EAGAIN: nothing more
			return
		}
		if stamp == 0 { // the kernel begins to stamp a moment after it is asked to
			stamp = time.Now().UnixNano()
		}
		w.take(w.buf[:n], stamp)
	}
}

// take books a frame and queues it unless it is to be dropped.
func (w *wanWay) take(data []byte, stamp int64) {
	p := ReadPassage(data[vnetHeader:])
	p.From, p.Received = w.from, stamp
	p, index := w.wan.books.enter(p)
	due, t := stamp, Treatment{}
	if p.Kind != FrameLocal {
		due, t = w.treat(p)
	}
	w.wan.books.decide(index, t, due)
	if t.Drop {
		return
	}
	f := wanFrame{slices.Clone(data), index, due, t.Copies}
	at := len(w.queue)
	for at > 0 && w.queue[at-1].due > due {
		at--
	}
	w.queue = slices.Insert(w.queue, at, f)
}

// treat asks the rule, and says when a frame is due.
func (w *wanWay) treat(p Passage) (due int64, t Treatment) {
	if w.Rule != nil {
		t = w.Rule(p)
	}
	due = p.Received + int64(w.Delay)
	if w.Jitter > 0 {
		due += w.random.Int64N(int64(w.Jitter))
	}
	due = max(due, w.last)
	if !t.Drop && t.Extra == 0 {
		w.last = due
	}
	return due + int64(t.Extra), t
}

// fire sends what is due, to the moment.
func (w *wanWay) fire() {
	for len(w.queue) > 0 {
		f := w.queue[0]
		now := time.Now().UnixNano()
		if f.due-now > wanMargin {
			return
		}
		for ; now < f.due; now = time.Now().UnixNano() {
		}
		w.queue = slices.Delete(w.queue, 0, 1)
		w.send(f)
	}
}

func (w *wanWay) send(f wanFrame) {
	w.wan.books.deliver(f.index)
	for i := range 1 + f.copies {
		_, err := unix.Write(w.out, f.data)
		if err != nil {
			w.refused++
			continue
		}
		_, at, err := readStamped(w.out, nil, unix.MSG_ERRQUEUE)
		if err != nil || at == 0 {
			at = time.Now().UnixNano() // the device stamps nothing
		}
		if i == 0 {
			w.wan.books.leave(f.index, at)
		}
	}
}

// close closes the sockets. What the port dropped, or would not take, is an error.
func (w *wanWay) close() error {
	s, err := unix.GetsockoptTpacketStats(w.in, unix.SOL_PACKET, unix.PACKET_STATISTICS)
	if err == nil && int(s.Drops)+w.refused > 0 {
		err = fmt.Errorf("netlab: the WAN missed %d frames and could not send %d", s.Drops, w.refused)
	}
	return errors.Join(err, unix.Close(w.in), unix.Close(w.out))
}
