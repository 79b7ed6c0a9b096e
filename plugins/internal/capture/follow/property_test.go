package follow

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"
)

// writer writes one capture into files as a capture program does: in pieces, with rotation.
type writer struct {
	p       *place
	r       *rand.Rand
	name    string
	pending []byte // of the present file, not yet written
	next    int64  // stamp of the next packet
	files   int
}

// put writes some bytes of the present file.
func (w *writer) put(most int) {
	n := min(len(w.pending), w.r.IntN(most))
	w.p.append(w.name, w.pending[:n])
	w.pending = w.pending[n:]
}

func (w *writer) packets(n int) (stamps []int64) {
	for range n {
		stamps = append(stamps, w.next)
		w.next++
	}
	return stamps
}

// rotate completes the present file and begins the next one: under a name of its own, or under the same name, the
// former file renamed such that the pattern has it still or no more, which nobody can do to what is not delivered.
func (w *writer) rotate(drain func()) {
	if w.files++; w.files > 1 {
		w.p.append(w.name, w.pending)
		switch w.r.IntN(3) {
		case 0:
			w.p.rename(w.name, fmt.Sprintf("old.pcap.%d", w.files))
		case 1:
			drain()
			w.p.rename(w.name, fmt.Sprintf("gone.%d", w.files))
		default:
			w.name = fmt.Sprintf("%d.pcap", w.files)
		}
	}
	w.pending = pcap(w.p.T, w.packets(w.r.IntN(8))...)
}

// consumer is an engine that only remembers which packets it has evaluated. What it has seen is delivered up to any
// place behind that; a restart loses the rest.
type consumer struct {
	p         *place
	file      *File
	evaluated int64 // stamps
	delivered int64
	saved     int64
	files     map[int64]*File
}

// take reads until n items have come or nothing does.
func (c *consumer) take(n int) {
	for range n {
		i, err := c.p.files.Next(context.Background())
		c.p.must(err)
		switch i.Event {
		case Idle:
			return
		case Begin:
			c.file = i.File
		case End:
			if i.File.Err != nil {
				c.p.Fatalf("%s: %v", i.File.Path, i.File.Err)
			}
		case Packet:
			c.evaluate(i)
		}
	}
}

// evaluate checks that packets come in order, each once unless it was not delivered before a restart.
func (c *consumer) evaluate(i Item) {
	c.files[i.Packet.Stamp] = i.File
	switch {
	case i.Skip && i.Packet.Stamp > c.evaluated:
		c.p.Fatalf("packet %d is to be skipped, %d was the last that was evaluated", i.Packet.Stamp, c.evaluated)
	case i.Skip:
	case i.Packet.Stamp != c.evaluated+1:
		c.p.Fatalf("packet %d after %d", i.Packet.Stamp, c.evaluated)
	default:
		c.evaluated = i.Packet.Stamp
	}
}

// deliver reports some of what was evaluated, as of the file that it is of.
func (c *consumer) deliver(r *rand.Rand) {
	if c.evaluated > c.delivered {
		c.delivered += 1 + r.Int64N(c.evaluated-c.delivered)
		c.p.files.Emitted(c.files[c.delivered], c.delivered)
	}
}

func (c *consumer) save() {
	c.p.must(c.p.files.Save())
	c.saved = c.delivered
}

// drain reads, delivers and saves all that is there.
func (c *consumer) drain() {
	for quiet := 0; quiet < 3; {
		before := c.evaluated
		c.take(math.MaxInt)
		if quiet++; c.evaluated > before {
			quiet = 0
		}
		<-time.After(2 * DefaultIdle)
	}
	if c.evaluated > c.delivered {
		c.delivered = c.evaluated
		c.p.files.Emitted(c.files[c.delivered], c.delivered)
	}
	c.save()
}

func (c *consumer) restart(r *rand.Rand) {
	if r.IntN(2) == 0 {
		c.save()
	}
	c.p.must(c.p.files.Close())
	c.p.open()
	c.evaluated, c.delivered = c.saved, c.saved
	clear(c.files)
}

// TestNothingLostNothingTwice: a capture grows by random pieces through rotated files and is read meanwhile, with
// restarts that forget what was not delivered. Each packet is evaluated exactly once more than it was forgotten.
func TestNothingLostNothingTwice(t *testing.T) {
	for seed := range uint64(40) {
		synctest.Test(t, func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 4))
			p := newPlace(t, Config{Follow: true, FromBeginning: true, StateFile: "state"})
			w := &writer{p: p, r: r, name: "0.pcap", next: 1}
			c := &consumer{p: p, files: map[int64]*File{}}
			w.rotate(nil)
			p.open()
			for range 200 {
				switch r.IntN(12) {
				case 0:
					<-time.After(time.Duration(r.Int64N(int64(2 * DefaultIdle))))
				case 1:
					w.rotate(c.drain)
				case 2, 3:
					w.pending = append(w.pending, records(t, w.packets(r.IntN(4))...)...)
				case 4, 5, 6:
					w.put(200)
				case 7, 8:
					c.deliver(r)
				case 9:
					c.restart(r)
				default:
					c.take(1 + r.IntN(20))
				}
			}
			p.append(w.name, w.pending)
			c.drain()
			if c.evaluated != w.next-1 {
				t.Errorf("seed %d: evaluated up to %d of %d", seed, c.evaluated, w.next-1)
			}
			if t.Failed() {
				t.Logf("seed %d: warnings %q", seed, p.warns)
			}
		})
	}
}
