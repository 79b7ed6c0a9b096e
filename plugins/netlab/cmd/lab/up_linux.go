package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"echogram/plugins/netlab"
)

// lab is what stands.
type lab struct {
	*netlab.Pair
	device interface{ Close() error } // delay line or links; nil: none
	truth  func() (string, error)     // what the lab knows of what it did
	world  *liveWorld                 // nil: all answer
}

// run builds what a person needs and has the lab stand; stood is true when it did.
func (o options) run(ctx context.Context) (stood bool, err error) {
	fmt.Println("building echogram and echogram-pipeline")
	if err := o.Build(ctx, "plugins/cmd/echogram", "pipeline/cmd/echogram-pipeline"); err != nil {
		return false, err
	}
	l, err := o.up()
	if err != nil {
		return false, err
	}
	if ctx.Err() == nil {
		stood = true
		o.describe(l)
		select {
		case <-ctx.Done():
		case <-time.After(o.duration):
		}
		said, truthErr := l.truth()
		fmt.Println("\n" + said)
		err = truthErr
	}
	err = errors.Join(err, l.close())
	if err == nil && stood {
		fmt.Println("everything was removed")
	}
	return stood, err
}

func (l *lab) close() (err error) {
	if l.device != nil {
		err = l.device.Close()
	}
	return errors.Join(err, l.Close())
}

// up makes the lab.
func (o options) up() (*lab, error) {
	pair := netlab.PairConfig{IPv6: true}
	switch o.kind {
	case bridges:
		pair.Bridges = o.count
	case links:
		pair.Bridges = o.count - 1
	case wan:
		pair.WAN = o.wan()
	case live:
		return o.upWorld()
	}
	sweep, err := netlab.SweepLab(netlab.SweepConfig{AllAnswering: true, Pair: pair})
	if err != nil {
		return nil, err
	}
	l := &lab{Pair: sweep.Pair, truth: func() (string, error) { return "", nil }}
	switch o.kind {
	case delay:
		err = l.delay(o.time)
	case links:
		err = l.serialise(o.rate)
	case wan:
		l.truth = l.wanTruth
	}
	if err != nil {
		return nil, errors.Join(err, sweep.Close())
	}
	return l, nil
}

// wan has half of the time each way; what is spoilt is spoilt on the way back.
func (o options) wan() *netlab.WANConfig {
	seed := uint64(time.Now().UnixNano())
	way := netlab.WANWay{Delay: o.time / 2, Jitter: o.jitter}
	back := way
	back.Rule = netlab.Spoiler{Seed: seed, Loss: float64(o.loss), Outliers: float64(o.outlier)}.Rule
	return &netlab.WANConfig{FromA: way, FromB: back, Seed: seed}
}

func (l *lab) delay(d time.Duration) error {
	line, err := netlab.Delay(l.Responder, netlab.ResponderLink, d)
	if err != nil {
		return err
	}
	l.device, l.truth = line, func() (string, error) {
		s, err := line.Stats()
		return fmt.Sprintf("the line held %d requests, for %v on average", s.Packets, s.Spent/time.Duration(max(s.Packets, 1))), err
	}
	return nil
}

func (l *lab) serialise(rate int64) error {
	links, err := l.Serialise(rate)
	if err != nil {
		return err
	}
	l.device, l.truth = links, func() (string, error) {
		ways, err := links.Stats()
		var frames uint64
		var wire, spent time.Duration
		for _, w := range ways {
			frames, wire, spent = frames+w.Packets, wire+w.Wire, spent+w.Spent
		}
		return fmt.Sprintf("the links passed frames %d times, %v by their bits, %v in fact", frames, wire, spent), err
	}
	return nil
}

func (l *lab) wanTruth() (string, error) {
	median, most := l.WAN.Lateness()
	return fmt.Sprintf("the link carried %d frames, later than due by %v in the median, %v at most", len(l.WAN.Passages()), median, most), nil
}

// what says what stands, in a line.
func (o options) what() string {
	switch o.kind {
	case bridges:
		return fmt.Sprintf("a chain of %d bridges", o.count)
	case delay:
		return fmt.Sprintf("a line that holds each request for %v", o.time)
	case links:
		return fmt.Sprintf("%d links of %g Mbit/s, both ways", o.count, float64(o.rate)/1e6)
	}
	return fmt.Sprintf("a link of %v there and back, jitter %v, loss %v, outliers %v", o.time, o.jitter, o.loss, o.outlier)
}

// pathSizes is what links are told by: the slope over the length of the frame.
func (o options) pathSizes() string {
	if o.kind == links {
		return "--sizes 12,400,800,1200,1440 "
	}
	return ""
}

// describe prints what stands, where, and what a person may want to type.
func (o options) describe(l *lab) {
	if l.world != nil {
		o.describeWorld(l)
		return
	}
	target, target6 := netlab.TargetNetwork.Addr().Next(), netlab.TargetNetwork6.Addr().Next()
	enter := "nsenter --net=" + l.Prober.Path() + " "
	sweep := enter + o.Path("echogram") + " sweep "
	for _, line := range []string{
		"",
		o.what() + ", for " + o.duration.String() + " or until Ctrl-C",
		"  prober     " + l.Prober.Name + "  " + netlab.ProberAddress.String() + " on " + netlab.ProberLink,
		"  responder  " + l.Responder.Name + "  " + netlab.ResponderAddress.String() + ", and all of " +
			netlab.TargetNetwork.String() + " and " + netlab.TargetNetwork6.String(),
		"",
		"one probe after the other, of several sizes, to one target:",
		"  " + sweep + "--count 200 --count-interval 5ms --sizes 12,256,512,1024,1400 " + target.String(),
		"  " + sweep + "--count 5 --count-interval 100ms " + target6.String(),
		"what stands between us and it:",
		"  " + enter + "env PATH=" + o.Work + ":$PATH echogram-pipeline path " + o.pathSizes() + target.String(),
		"a shell beside the prober:",
		"  " + enter + "env PATH=" + o.Work + ":$PATH $SHELL",
	} {
		fmt.Println(line)
	}
}
