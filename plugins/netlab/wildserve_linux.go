package netlab

import (
	"net/netip"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// wildQueue serves one queue of the wild network's device. One goroutine owns it with its wheel.
type wildQueue struct {
	wild  *wildDevice
	fd    int
	wheel wheel
	in    []byte
	out   []byte
	spare [][]byte     // buffers of replies that have left the wheel
	lag   atomic.Int64 // the longest time by which a held reply left after it was due; written by the owner
}

// wildDevice is what the queues share.
type wildDevice struct {
	books     *books
	behaviour Behaviour
	router4   netip.Addr
	router6   netip.Addr
	start     time.Time
	stop      int // an eventfd, readable once the device is to end
	ignored   atomic.Int64
	refused   atomic.Int64
}

// readsBetween is how many requests are read before the wheel is looked at again.
const readsBetween = 64

// run serves until stop is readable.
func (q *wildQueue) run() {
	for q.await() {
		q.wheel.fire(q.now(), q.release)
		q.read()
	}
}

func (q *wildQueue) now() time.Duration { return time.Since(q.wild.start) }

// await returns when there is something to read or to release; false means stop.
func (q *wildQueue) await() bool {
	var timeout *unix.Timespec
	if d, ok := q.wheel.wait(q.now()); ok {
		t := unix.NsecToTimespec(int64(d))
		timeout = &t
	}
	fds := []unix.PollFd{{Fd: int32(q.fd), Events: unix.POLLIN}, {Fd: int32(q.wild.stop), Events: unix.POLLIN}}
	_, err := unix.Ppoll(fds, timeout, nil)
	return (err == nil || err == unix.EINTR) && fds[1].Revents == 0
}

func (q *wildQueue) read() {
	for range readsBetween {
		n, err := unix.Read(q.fd, q.in)
		if err != nil { // EAGAIN: nothing more
			return
		}
		r, ok := parseRequest(q.in[:n])
		account := q.wild.books.account(r.dst)
		if !ok || account == nil {
			q.wild.ignored.Add(1)
			continue
		}
		q.serve(r, account)
	}
}

// serve does to a request what its fate says.
func (q *wildQueue) serve(r echoRequest, a *account) {
	asked := q.now()
	f := q.wild.behaviour(Probe{r.dst, a.ask()})
	if f.Error.Type != 0 {
		a.count[Failed].Add(1)
		q.write(r.appendFailure(q.out[:0], f.Error, q.wild.router(r.dst)))
	}
	if f.Forge != NoForgery {
		a.count[Forged].Add(1)
		q.write(r.appendForgery(q.out[:0], f.Forge))
	}
	switch {
	case f.Lose:
		a.count[Lost].Add(1)
	case f.Delay > 0:
		due := asked + min(f.Delay, MaxDelay)
		q.wheel.add(held{r.appendFated(q.buffer(), f), f, a, asked, due})
	default:
		q.out = r.appendFated(q.out[:0], f)
		q.reply(held{q.out, f, a, asked, asked})
	}
}

// release sends what has come off the wheel and keeps its buffer.
func (q *wildQueue) release(h held) {
	q.reply(h)
	q.lag.Store(max(q.lag.Load(), int64(q.now()-h.due)))
	q.spare = append(q.spare, h.packet)
}

func (q *wildQueue) reply(h held) {
	h.account.reply(h.fate, q.now()-h.asked) // before the prober can have it
	for range 1 + h.fate.Copies {
		q.write(h.packet)
	}
}

func (q *wildQueue) write(packet []byte) {
	if _, err := unix.Write(q.fd, packet); err != nil {
		q.wild.refused.Add(1)
	}
}

// buffer is an empty buffer that nobody uses.
func (q *wildQueue) buffer() []byte {
	if len(q.spare) == 0 {
		return make([]byte, 0, 128)
	}
	last := len(q.spare) - 1
	b := q.spare[last]
	q.spare = q.spare[:last]
	return b[:0]
}

func (d *wildDevice) router(target netip.Addr) netip.Addr {
	if target.Is6() {
		return d.router6
	}
	return d.router4
}
