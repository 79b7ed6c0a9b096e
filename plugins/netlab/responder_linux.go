package netlab

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// responder answers the echo requests that routes send to its TUN device. A kernel sends only about one ICMP
// error a second to one prober, this one an error for each request.
type responder struct {
	tun     *os.File
	from    [4]byte // source of its errors
	kind    func(netip.Addr) (Kind, bool)
	delay   time.Duration
	late    chan delayed // in order of due, because the delay is always the same
	dropped atomic.Int64 // late replies that found the queue full
	wg      sync.WaitGroup
	stop    chan struct{}
}

type delayed struct {
	due    time.Time
	packet []byte
}

// lateQueue holds more than a delay's worth of requests at any rate that the device takes.
const lateQueue = 1 << 18

// startResponder makes the TUN device link in n, brings it up and serves it until close.
func startResponder(n *Namespace, link string, from netip.Addr, pop Population, delay time.Duration) (*responder, error) {
	r := &responder{
		from: from.As4(), kind: pop.Kind, delay: delay,
		late: make(chan delayed, lateQueue), stop: make(chan struct{}),
	}
	err := n.Do(func() error {
		fd, err := openTUN(link, 0)
		if err != nil {
			return err
		}
		r.tun = os.NewFile(uintptr(fd), "tun "+link) // after TUNSETIFF, or the poller would not take it
		return linkUp(link)
	})
	if err != nil {
		if r.tun != nil {
			r.tun.Close()
		}
		return nil, err
	}
	r.wg.Go(r.read)
	r.wg.Go(r.writeLate)
	return r, nil
}

// read answers what can be answered at once. It ends when the device is closed.
func (r *responder) read() {
	buf := make([]byte, 64<<10)
	out := make([]byte, 0, 64<<10)
	for {
		n, err := r.tun.Read(buf)
		if err != nil {
			return
		}
		packet := buf[:n]
		payload, ok := isEchoRequest(packet)
		if !ok {
			continue
		}
		kind, _ := r.kind(netip.AddrFrom4([4]byte(packet[16:20])))
		switch kind {
		case Unreachable:
			r.write(appendError(out[:0], packet, r.from, codeHostUnreachable))
		case Prohibited:
			r.write(appendError(out[:0], packet, r.from, codeProhibited))
		case Late:
			r.postpone(packet, payload)
		}
	}
}

func (r *responder) postpone(packet []byte, payload int) {
	reply := append([]byte(nil), packet...)
	makeReply(reply, payload)
	select {
	case r.late <- delayed{time.Now().Add(r.delay), reply}:
	default:
		r.dropped.Add(1)
	}
}

// writeLate sends each late reply when it is due.
func (r *responder) writeLate() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		var d delayed
		select {
		case <-r.stop:
			return
		case d = <-r.late:
		}
		timer.Reset(time.Until(d.due))
		select {
		case <-r.stop:
			return
		case <-timer.C:
		}
		r.write(d.packet)
	}
}

// write hands a packet to the kernel, which may refuse it: what is lost shows in what the prober counts.
func (r *responder) write(packet []byte) {
	if _, err := r.tun.Write(packet); err != nil {
		r.dropped.Add(1)
	}
}

// close ends the responder and removes its device.
func (r *responder) close() error {
	close(r.stop)
	err := r.tun.Close()
	r.wg.Wait()
	if n := r.dropped.Load(); n > 0 {
		err = errors.Join(err, fmt.Errorf("netlab: the responder lost %d answers", n))
	}
	return err
}
