package main

import (
	"fmt"
	"math"
	"net/netip"
	"strings"
	"time"

	"echogram/plugins/netlab"
	"echogram/plugins/netlab/world"
)

// eventsShown is how many of the coming events are printed.
const eventsShown = 12

// liveWorld is a world whose time passes faster than ours.
type liveWorld struct {
	*world.World
	*world.Truth
	began time.Time
	speed float64
}

// time is what it is in the world.
func (v *liveWorld) time() time.Time {
	return v.Start.Add(time.Duration(float64(time.Since(v.began)) * v.speed))
}

// fate answers a request as the world does at its moment, so that, other than a Behaviour should, it says something else
// when it is asked again.
func (v *liveWorld) fate(p netlab.Probe) netlab.Fate {
	rtt, ok := v.Reply(p.Target, v.time())
	return netlab.Fate{Lose: !ok, Delay: rtt}
}

// upWorld makes a lab whose targets are a world's.
func (o options) upWorld() (*lab, error) {
	w := world.New(world.Config{Seed: o.seed, Network: netlab.TargetNetwork, Days: int(math.Ceil(o.days(o.duration))) + 1})
	v := &liveWorld{World: w, Truth: w.Truth(), began: time.Now(), speed: o.speed}
	wild, err := netlab.WildLab(netlab.WildConfig{Networks: []netip.Prefix{netlab.TargetNetwork}, Behaviour: v.fate})
	if err != nil {
		return nil, err
	}
	return &lab{Pair: wild.Pair, world: v, truth: func() (string, error) {
		sum := wild.Sum()
		return fmt.Sprintf("it is %s in the world; of %d requests %d were answered", v.time().Format("Monday 15:04"),
			sum.Tally[netlab.Asked], sum.Tally[netlab.Replied]), nil
	}}, nil
}

// describeWorld prints who lives there, what will happen, and what a person may want to type.
func (o options) describeWorld(l *lab) {
	enter := "nsenter --net=" + l.Prober.Path() + " "
	sweep := enter + o.Path("echogram") + " sweep "
	lines := []string{
		"",
		fmt.Sprintf("a world of seed %d, for %v or until Ctrl-C; it is %s there, and a day takes %v", o.seed, o.duration,
			l.world.time().Format("Monday 15:04"), time.Duration(float64(24*time.Hour)/o.speed).Round(time.Second/10)),
		"  prober     " + l.Prober.Name + "  " + netlab.ProberAddress.String() + " on " + netlab.ProberLink,
		"  responder  " + l.Responder.Name + "  " + netlab.ResponderAddress.String() + ", before all of " + netlab.TargetNetwork.String(),
		"  blocks     " + l.world.uses(),
		"",
	}
	lines = append(lines, l.world.coming()...)
	lines = append(lines,
		"16 blocks, and all of them:",
		"  "+sweep+"--rate 20000 --format csv --output "+o.Path("sweep.csv")+" 198.18.0.0/20",
		"  "+sweep+"--rate 20000 --format csv --output "+o.Path("sweep.csv")+" "+netlab.TargetNetwork.String(),
		"a shell beside the prober:",
		"  "+enter+"env PATH="+o.Work+":$PATH $SHELL",
	)
	fmt.Println(strings.Join(lines, "\n"))
}

// uses says how many blocks are used for what.
func (v *liveWorld) uses() string {
	count := map[world.Use]int{}
	for _, b := range v.Blocks {
		count[b.Use]++
	}
	var said []string
	for _, u := range []world.Use{world.Servers, world.Office, world.Wireless, world.Residential, world.Access, world.Mixed, world.Sparse, world.Unused} {
		said = append(said, fmt.Sprintf("%d %s", count[u], u))
	}
	return strings.Join(said, ", ")
}

// coming says what will happen next, and when for who watches.
func (v *liveWorld) coming() []string {
	lines := []string{"what will happen, from now:"}
	for _, e := range v.Events {
		if e.Kind == world.HostOutage || len(lines) > eventsShown {
			continue
		}
		line := fmt.Sprintf("  in %-8v %-11s of %-18v for %v", v.ours(e.Begin.Sub(v.time())), e.Kind, e.Prefix, v.ours(e.End.Sub(e.Begin)))
		if e.Kind == world.Renumbering {
			line = fmt.Sprintf("  in %-8v the hosts of %v move to %v", v.ours(e.Begin.Sub(v.time())), e.Prefix, e.To)
		}
		lines = append(lines, line)
	}
	return append(lines, "")
}

// ours is how long for us something lasts that lasts d in the world.
func (v *liveWorld) ours(d time.Duration) time.Duration {
	return time.Duration(float64(d) / v.speed).Round(100 * time.Millisecond)
}
