package report

import (
	"bytes"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

// probed makes n probes 10 ms apart: RTTs above 5 µs, of which one in forty is noise.
func probed(n int) *Path {
	rng := rand.New(rand.NewPCG(1, uint64(n)))
	p := &Path{Target: "2001:db8::7", Facts: []string{"2000 probes"}, Limit: 5600, Mean: 5100, Floor: 5005}
	for i := range n {
		rtt := 5000 + int64(100*rng.ExpFloat64())
		if i%40 == 7 {
			rtt += 1000 * (1 + rng.Int64N(100))
		}
		p.Probes = append(p.Probes, Probe{At: int64(begin) + int64(i)*10e6, RTT: rtt, Cut: float64(rtt) > p.Limit})
	}
	return p
}

func sloped(p *Path) *Path {
	p.Fit = &SlopeFit{Lines: []Line{{"fit: 480 ns a byte", 0, 480}, {"next best", 1000, 640}}}
	for _, wire := range []int{60, 442, 842, 1482} {
		v := 480 * float64(wire)
		p.Fit.Floors = append(p.Fit.Floors, SizedFloor{wire, Reading{v, v - 9000, v + 9000}})
	}
	return p
}

func offset(p *Path) *Path {
	p.Offset = &OffsetFit{Target: Reading{9400, 9390, 9410}, Hops: 3, RunnerUp: 2, Line: &Line{"2.2 µs a switch", 2800, 2200},
		Known: []KnownFloor{{1, Reading{5005, 4995, 5015}}, {4, Reading{11600, 11590, 11610}}}}
	return p
}

func TestPathPicture(t *testing.T) {
	picture := sloped(probed(2000)).Picture()
	if picture.Name != "path_2001-db8--7" || len(picture.chart.panels) != 3 {
		t.Fatalf("%s with %d panels", picture.Name, len(picture.chart.panels))
	}
	if facts := strings.Join(picture.chart.facts, " · "); !strings.Contains(facts, "2000 probes · not shown: ") || !strings.Contains(facts, " RTTs above 6.") {
		t.Errorf("facts: %s", facts)
	}
	spread, time, fit := &picture.chart.panels[0], &picture.chart.panels[1], &picture.chart.panels[2]
	if top := highest(layerOf(t, spread, "kept")); top < 50 || top > spread.y.max {
		t.Errorf("the highest bar has %v", top)
	}
	if at := layerOf(t, spread, "cut above").xys[0].X; at != 5600 {
		t.Errorf("cut above %v", at)
	}
	kept, near, far := len(layerOf(t, time, "kept").xys), 0, len(layerOf(t, time, "cut, farther up").xys)
	for _, l := range time.layers {
		if l.name == "cut as noise" {
			near = len(l.xys)
		}
	}
	if kept+near+far != 2000 || near == 0 || far < 40 {
		t.Errorf("%d kept, %d cut, %d farther up", kept, near, far)
	}
	if line := layerOf(t, fit, "next best").runs[0]; math.Abs(line[1].Y-line[0].Y-640*(line[1].X-line[0].X)) > 1e-6 {
		t.Errorf("runner-up: %v", line)
	}
	if fit.y.log {
		t.Error("a fit is straight on straight axes only")
	}
}

func highest(l *layer) (y float64) {
	for _, run := range l.runs {
		for _, p := range run {
			y = max(y, p.Y)
		}
	}
	return y
}

func TestOffsetPanel(t *testing.T) {
	p := offset(probed(200)).Picture().chart.panels[2]
	if at := layerOf(t, &p, "the target").xys[0]; at.X != 3 || at.Y != 9400 {
		t.Errorf("the target at %v", at)
	}
	if got := labels(p.x.Ticks(0, 0)); got != "0 1 2 3 4" {
		t.Errorf("ticks: %s", got)
	}
	unknown := offset(probed(200))
	unknown.Offset.Hops, unknown.Offset.Line = -1, nil
	for _, l := range unknown.Picture().chart.panels[2].layers {
		if l.name == "the target" || l.name == "next best number" {
			t.Errorf("%s is drawn, though nobody knows", l.name)
		}
	}
}

// TestPathBytes: the same values give the same bytes, also of odd ones.
func TestPathBytes(t *testing.T) {
	same := probed(0)
	for range 5 {
		same.Probes = append(same.Probes, Probe{At: begin, RTT: 5000})
	}
	all := probed(100)
	for i := range all.Probes {
		all.Probes[i].Cut = true
	}
	endless := probed(100)
	endless.Limit = math.Inf(1)
	for name, p := range map[string]*Path{"none": probed(0), "one": probed(1), "same": same, "all cut": all, "no limit": endless, "slope": sloped(probed(5000)), "offset": offset(probed(300))} {
		for _, f := range []Format{PNG, SVG} {
			var a, b bytes.Buffer
			first, second := p.Picture(), p.Picture()
			if err := first.Write(&a, f); err != nil {
				t.Fatal(err)
			}
			if err := second.Write(&b, f); err != nil {
				t.Fatal(err)
			}
			if a.Len() == 0 || !bytes.Equal(a.Bytes(), b.Bytes()) {
				t.Errorf("%s, %s: bytes differ", name, f)
			}
		}
	}
}

func TestLogCountAxis(t *testing.T) {
	for hi, want := range map[float64]string{0: "1 2", 7: "1 2 5 10", 1500: "1 2 5 10 20 50 100 200 500 1,000"} {
		a := logCountAxis("RTTs", hi)
		if got := labels(a.Ticks(0, 0)); got != want {
			t.Errorf("%v: %s, want %s", hi, got, want)
		}
	}
}
