package main

import (
	"bufio"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"time"

	"echogram/plugins/internal/rtt"
	"echogram/plugins/schema"
)

// What the day is: a /16 every 5 minutes.
const (
	dayBlocks    = 256
	blockTargets = 256
	daySweeps    = int(24 * time.Hour / sweepEvery)
	sweepEvery   = 5 * time.Minute
	dayNetwork   = "198.18.0.0/16"
	dayProber    = "prober"
	dayInstance  = "site"
)

// dayStart lies in the past, or nobody would take its windows for over.
var dayStart = time.Date(2026, 1, 10, 0, 0, 0, 0, time.UTC)

// dayPopulation: how the targets of a day behave.
const (
	leastFloor   = 100 * time.Microsecond
	mostFloor    = 80 * time.Millisecond
	silentShare  = .05  // of the targets never answer
	shiftShare   = .01  // of them have another floor from some sweep on
	lostShare    = .001 // of the requests
	outlierShare = .01  // of the RTTs lie between leastOutlier and mostOutlier
	leastOutlier = 100 * time.Millisecond
	mostOutlier  = time.Second
)

// day makes the points of a day's sweeps over the first blocks of dayNetwork. The same seed makes the same points,
// and each sweep by itself: what came before it does not matter.
type day struct {
	seed    uint64
	blocks  []string
	targets []dayTarget // block after block
}

// dayTarget is one target's way to answer. Times are in ns.
type dayTarget struct {
	address string
	silent  bool
	ttl     int64
	floor   float64
	noise   float64 // the mean of what is above the floor
	shiftAt int     // the first sweep with the other floor
	shift   float64 // what that has more
}

func newDay(blocks int, seed uint64) *day {
	d := &day{seed: seed}
	random := rand.New(rand.NewPCG(seed, 0))
	for b := range blocks {
		d.blocks = append(d.blocks, fmt.Sprintf("198.18.%d.0/24", b))
		for t := range blockTargets {
			d.targets = append(d.targets, newDayTarget(random, fmt.Sprintf("198.18.%d.%d", b, t)))
		}
	}
	return d
}

func newDayTarget(random *rand.Rand, address string) dayTarget {
	hops := random.Int64N(20)
	t := dayTarget{
		address: address,
		silent:  random.Float64() < silentShare,
		ttl:     64 - hops,
		floor:   float64(leastFloor) * math.Pow(float64(mostFloor)/float64(leastFloor), random.Float64()),
		shiftAt: math.MaxInt,
	}
	t.noise = 2e3 + t.floor*.02*random.Float64()
	if random.Float64() < shiftShare {
		t.shiftAt, t.shift = 1+random.IntN(daySweeps-1), 20e3+t.floor*random.Float64()
	}
	return t
}

// points is how many points of targets a number of sweeps has.
func (d *day) points(sweeps int) int { return sweeps * len(d.targets) }

// sweep hands out the rows of one sweep in the order in which echogram writes them: the targets of a block, the block,
// the next block, and the manifest at the end. Blocks come as they get complete, which is not the order of their
// addresses. A row is valid until the next one.
func (d *day) sweep(n int, out func(schema.Row) error) error {
	random := rand.New(rand.NewPCG(d.seed, uint64(n)+1))
	s := daySweep{n: n, random: random, out: out, at: dayStart.Add(time.Duration(n) * sweepEvery).UnixNano()}
	for _, b := range random.Perm(len(d.blocks)) {
		if err := s.block(d.blocks[b], d.targets[b*blockTargets:(b+1)*blockTargets]); err != nil {
			return err
		}
	}
	return out(s.manifest(d.seed))
}

// daySweep is one sweep under way.
type daySweep struct {
	n        int
	at       int64
	random   *rand.Rand
	out      func(schema.Row) error
	row      schema.SweepRow
	rtts     []int64 // of the block
	sent     int64
	received int64
}

func (s *daySweep) block(name string, targets []dayTarget) error {
	s.rtts = s.rtts[:0]
	for i := range targets {
		s.target(name, &targets[i])
		if err := s.out(&s.row); err != nil {
			return err
		}
	}
	b := schema.SweepBlockRow{Host: dayProber, Instance: dayInstance, Network: dayNetwork, Block: name, Time: s.at,
		Targets: int64(len(targets)), Responding: int64(len(s.rtts)), Sent: int64(len(targets)), Received: int64(len(s.rtts))}
	b.PercentResponding = 100 * float64(b.Responding) / float64(b.Targets)
	rtt.Quantiles(&b, s.rtts)
	s.sent, s.received = s.sent+b.Sent, s.received+b.Received
	return s.out(&b)
}

// target fills s.row.
func (s *daySweep) target(block string, t *dayTarget) {
	s.row = schema.SweepRow{Time: s.at, Sent: 1, ResultCode: schema.ResultSilent,
		Series: schema.Series{Host: dayProber, Instance: dayInstance, Network: dayNetwork, Block: block, Target: t.address}}
	if lost := s.random.Float64() < lostShare; lost || t.silent {
		return
	}
	v := int64(t.rtt(s.n, s.random))
	s.rtts = append(s.rtts, v)
	s.row.Received, s.row.ResultCode, s.row.RTT, s.row.TTL = 1, schema.ResultAnswered, schema.Some(v), schema.Some(t.ttl)
}

func (t *dayTarget) rtt(sweep int, random *rand.Rand) float64 {
	if random.Float64() < outlierShare {
		return float64(leastOutlier) + random.Float64()*float64(mostOutlier-leastOutlier)
	}
	v := t.floor + t.noise*random.ExpFloat64()
	if sweep >= t.shiftAt {
		v += t.shift
	}
	return v
}

func (s *daySweep) manifest(seed uint64) *schema.SweepStatsRow {
	const rate = 10_000
	return &schema.SweepStatsRow{Host: dayProber, Instance: dayInstance, Time: s.at, Points: s.sent, Targets: s.sent, Sent: s.sent,
		Received: s.received, Trust: schema.TrustOK, Duration: s.sent * int64(time.Second) / rate, Rate: rate,
		StampKind: "software", Order: "permuted", Seed: schema.Some(int64(seed))}
}

// lines hands out sweeps from <= n < to as line protocol, a line at a time with its newline.
func (d *day) lines(from, to int, out func(line []byte) error) error {
	var point schema.Point
	var line []byte
	row := func(r schema.Row) (err error) {
		schema.Fill(&point, r)
		if line, err = point.AppendLine(line[:0]); err != nil {
			return err
		}
		return out(line)
	}
	for n := from; n < to; n++ {
		if err := d.sweep(n, row); err != nil {
			return err
		}
	}
	return nil
}

// writeFile makes a file of sweeps from <= n < to.
func (d *day) writeFile(name string, from, to int) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(f, 1<<20)
	err = d.lines(from, to, func(line []byte) error {
		_, err := out.Write(line)
		return err
	})
	return errors.Join(err, out.Flush(), f.Close())
}
