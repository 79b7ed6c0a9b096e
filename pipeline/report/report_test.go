package report

import (
	"bytes"
	"fmt"
	"image/png"
	"math"
	"slices"
	"strings"
	"testing"

	"echogram/plugins/schema"
)

// layerOf finds a layer of a panel by its name.
func layerOf(t *testing.T, p *panel, name string) *layer {
	t.Helper()
	for i := range p.layers {
		if p.layers[i].name == name {
			return &p.layers[i]
		}
	}
	t.Fatalf("no layer %q", name)
	return nil
}

func TestRTTChart(t *testing.T) {
	rows := append(echoes(ends, 400),
		&schema.BFDEventRow{BFDSeries: swapped(ends), Event: schema.BFDEventFlap, Text: "x", Time: begin + 3e9},
		&schema.BFDEventRow{BFDSeries: schema.BFDSeries{Local: "other"}, Event: schema.BFDEventNearMiss, Text: "x", Time: begin})
	r := read(t, Config{}, encoded(t, rows...))
	s := r.echoes.list[0]
	c := rttChart(s, r.events[s.session])
	if len(c.panels) != 2 {
		t.Fatalf("%d panels: one of all echoes, one without the outlier", len(c.panels))
	}
	if n := len(layerOf(t, &c.panels[0], "echo").xys); n != 360 {
		t.Errorf("%d echoes, want 360", n)
	}
	lost := layerOf(t, &c.panels[0], "unanswered").xys
	if len(lost) != 40 || lost[0].Y <= c.panels[0].y.min || lost[0].Y >= 1_000_000 {
		t.Errorf("%d unanswered at %v", len(lost), lost[0].Y)
	}
	if flap := layerOf(t, &c.panels[0], "flap").xys; len(flap) != 1 || math.Abs(flap[0].X-(3-float64(s.rtt.samples()[0].at-begin)/1e9)) > 1e-6 {
		t.Errorf("flap at %v", flap)
	}
	most := layerOf(t, &c.panels[1], "echo").xys
	if len(most) != 359 || c.panels[1].y.max > 2_000_000 {
		t.Errorf("%d of most echoes up to %v", len(most), c.panels[1].y.max)
	}
	facts := strings.Join(c.facts, " · ")
	for _, want := range []string{"tap eth1", "captured at the initiator: RTT of the loop beyond the capture point", "400 echoes", "360 returned", "40 unanswered", "greatest 9 ms"} {
		if !strings.Contains(facts, want) {
			t.Errorf("%q is not in %q", want, facts)
		}
	}
}

func swapped(s schema.BFDSeries) schema.BFDSeries {
	s.Local, s.Peer = s.Peer, s.Local
	return s
}

func TestDistributionChart(t *testing.T) {
	r := read(t, Config{}, encoded(t, echoes(ends, 400)...))
	c := distributionChart(r.echoes.list[0])
	stair := c.panels[1].layers[len(marked)].runs[0]
	last := stair[len(stair)-1]
	if math.Abs(last.Y-359./360) > 1e-9 || !strings.Contains(strings.Join(c.facts, ","), "not shown: 1 above") {
		t.Errorf("the curve ends at %v; %v", last, c.facts)
	}
	for i := range stair[1:] {
		if stair[i+1].X < stair[i].X || stair[i+1].Y < stair[i].Y {
			t.Fatalf("the curve goes back at %v", stair[i])
		}
	}
}

func TestEchoIntervalChart(t *testing.T) {
	rows := echoes(ends, 400)
	mark := func(i int, interval int64) {
		r := rows[i].(*schema.BFDEchoRTTRow)
		r.Interval, r.IntervalRatio.F = schema.Some(interval), float64(interval)/50e6
	}
	mark(10, 80e6)
	mark(20, 30e6)
	mark(30, 50.9e6) // within the tolerance
	s := read(t, Config{}, encoded(t, rows...)).echoes.list[0]
	p := echoIntervalChart(s, nil).panels[0]
	if late := layerOf(t, &p, "late").xys; len(late) != 1 || late[0].Y != 80e6 {
		t.Errorf("late: %v", late)
	}
	if early := layerOf(t, &p, "early").xys; len(early) != 1 || early[0].Y != 30e6 {
		t.Errorf("early: %v", early)
	}
	shade := layerOf(t, &p, "window: 0.75 to 1 T").runs
	if len(shade) != 1 || shade[0][0].Y != 37.5e6 || shade[0][1].Y != 50e6 || shade[0][0].X != 0 {
		t.Errorf("window: %v", shade)
	}
}

// TestSlowSender: an initiator that chose a longer interval than the peer's minimum is never late.
func TestSlowSender(t *testing.T) {
	rows := echoes(ends, 100)
	for _, r := range rows {
		r.(*schema.BFDEchoRTTRow).IntervalRatio.F *= 10
	}
	s := read(t, Config{}, encoded(t, rows...)).echoes.list[0]
	c := echoIntervalChart(s, nil)
	if s.late.n == 0 || slices.ContainsFunc(c.panels[0].layers, func(l layer) bool { return l.name == "late" }) {
		t.Error("it is called late")
	}
}

func TestControlChart(t *testing.T) {
	r := read(t, Config{}, encoded(t, periods(ends, 30)...))
	c := controlChart(r.controls.list[0], nil)
	if len(c.panels) != 2 {
		t.Fatalf("%d panels", len(c.panels))
	}
	band := layerOf(t, &c.panels[0], "least to greatest").runs
	if len(band) != 1 || len(band[0]) != 4*30 || band[0][0].Y != 299e6 || band[0][len(band[0])-1].Y != 226e6 {
		t.Errorf("band: %d runs, %v", len(band), band[0][:2])
	}
	if end := band[0][2*30-1]; end.X != 300 || end.Y != 700e6 {
		t.Errorf("the last period ends at %v", end)
	}
	if late := layerOf(t, &c.panels[0], "late").xys; len(late) != 1 || late[0].X != 295 || late[0].Y != 700e6 {
		t.Errorf("late: %v", late)
	}
	margin := layerOf(t, &c.panels[1], "detection margin").runs[0]
	if math.Abs(margin[len(margin)-1].Y-2./9) > 1e-9 {
		t.Errorf("margin: %v", margin[len(margin)-1])
	}
}

func TestDetectMultiplierOfOne(t *testing.T) {
	rows := periods(ends, 3)
	for _, r := range rows {
		r.(*schema.BFDSessionRow).DetectMult = 1
	}
	c := controlChart(read(t, Config{}, encoded(t, rows...)).controls.list[0], nil)
	if shade := layerOf(t, &c.panels[0], "window: 0.75 to 0.9 T").runs[0]; shade[1].Y != 270e6 {
		t.Errorf("window: %v", shade)
	}
}

// TestPeriodsStandIn: without rows of single echoes, bfd_echo is drawn.
func TestPeriodsStandIn(t *testing.T) {
	var rows []schema.Row
	for i := range int64(6) {
		r := &schema.BFDEchoRow{BFDEchoSeries: echoSeries(ends), Time: begin + i*10e9, Sent: 200, Returned: 198, Unanswered: i % 2,
			RTTMin: schema.Some(100 + i), RTTP50: schema.Some(200), RTTP95: schema.Some(250), RTTMax: schema.Some(300)}
		r.Min, r.Mean, r.Max = schema.Some(38e6), schema.Some(44e6), schema.Some(50e6)
		r.RatioMax = schema.OptFloat{F: 1, Set: true}
		rows = append(rows, r)
	}
	r := read(t, Config{}, encoded(t, rows...))
	pictures := r.Pictures()
	if len(pictures) != 2 || pictures[0].Name != "rtt_10.0.0.1_10.0.0.2_eth1" || pictures[1].Name != "echo_interval_10.0.0.1_10.0.0.2_eth1" {
		t.Fatalf("%v", pictures)
	}
	p := &pictures[0].chart.panels[0]
	if band := layerOf(t, p, "least to greatest").runs; len(band) != 1 || band[0][0].Y != 300 || band[0][len(band[0])-1].Y != 100 {
		t.Errorf("band: %v", band)
	}
	if lost := layerOf(t, p, "period with unanswered echoes").xys; len(lost) != 3 || lost[0].X != 15 {
		t.Errorf("unanswered: %v", lost)
	}
}

func TestNamesAreUniqueAndLimited(t *testing.T) {
	v6 := ends
	v6.Local, v6.Peer, v6.VLAN, v6.Tap = "fe80::1%eth0", "2001:db8::2", "200.7", "mirror/1"
	twin := ends
	twin.Hop = "multi"
	text := encoded(t, slices.Concat(echoes(ends, 3), echoes(v6, 3), echoes(twin, 3))...)
	var names []string
	for _, p := range read(t, Config{}, text).Pictures() {
		names = append(names, p.Name)
	}
	want := []string{
		"rtt_10.0.0.1_10.0.0.2_eth1", "rtt_distribution_10.0.0.1_10.0.0.2_eth1", "echo_interval_10.0.0.1_10.0.0.2_eth1",
		"rtt_10.0.0.1_10.0.0.2_eth1_2", "rtt_distribution_10.0.0.1_10.0.0.2_eth1_2", "echo_interval_10.0.0.1_10.0.0.2_eth1_2",
		"rtt_fe80--1-eth0_2001-db8--2_vlan200.7_mirror-1", "rtt_distribution_fe80--1-eth0_2001-db8--2_vlan200.7_mirror-1", "echo_interval_fe80--1-eth0_2001-db8--2_vlan200.7_mirror-1",
	}
	if !slices.Equal(names, want) {
		t.Errorf("names:\n%s", strings.Join(names, "\n"))
	}
	r := read(t, Config{Streams: 1}, text)
	if left, _ := r.LeftOut(); left != 2 || len(r.Pictures()) != 3 {
		t.Errorf("%d left out, %d pictures", left, len(r.Pictures()))
	}
}

func TestBadLines(t *testing.T) {
	r := New(Config{})
	for _, k := range []struct {
		line, err string
		ours      bool
	}{
		{"cpu,host=a usage=1 1", "", false},
		{"\xff\x00", "", false},
		{"", "", false},
		{"bfd_echo,broken", `schema: line protocol, byte 16: tag "broken" has no value`, true},
		{"bfd_echo_rtt,local=a rtt_ns=1i", "no time", true},
		{`bfd_echo_rtt,local=a rtt_ns="x" 5`, "schema: bfd_echo_rtt field rtt_ns has another type than the schema's", true},
	} {
		ours, err := r.Line([]byte(k.line))
		if ours != k.ours || (err == nil) != (k.err == "") || err != nil && err.Error() != k.err {
			t.Errorf("%q: %v, %v", k.line, ours, err)
		}
	}
	if !r.Empty() {
		t.Error("nothing is something")
	}
}

// everything makes rows for all kinds of picture.
func everything(t *testing.T) []byte {
	rows := append(echoes(ends, 3000), periods(ends, 40)...)
	for i, event := range []string{schema.BFDEventFlap, schema.BFDEventNearMiss, schema.BFDEventSilent, schema.BFDEventAdminDown} {
		rows = append(rows, &schema.BFDEventRow{BFDSeries: ends, Event: event, Text: "x", Time: begin + int64(i)*17e9})
	}
	return encoded(t, rows...)
}

func TestPicturesAreDrawn(t *testing.T) {
	for _, p := range read(t, Config{}, everything(t)).Pictures() {
		var b bytes.Buffer
		if err := p.Write(&b, PNG); err != nil {
			t.Fatal(err)
		}
		img, err := png.Decode(&b)
		if err != nil {
			t.Fatal(err)
		}
		if size := img.Bounds().Size(); size.X != 2*int(width) || size.Y != 2*int(p.chart.height()) {
			t.Errorf("%s: %v", p.Name, size)
		}
		colors := map[string]int{}
		for x := 0; x < img.Bounds().Dx(); x += 2 {
			for y := 0; y < img.Bounds().Dy(); y += 2 {
				r, g, b, _ := img.At(x, y).RGBA()
				colors[fmt.Sprint(r>>8, g>>8, b>>8)]++
			}
		}
		if colors["255 255 255"] == 0 || len(colors) < 50 {
			t.Errorf("%s has %d colours", p.Name, len(colors))
		}
	}
}

func TestSameInputSameBytes(t *testing.T) {
	text := everything(t)
	a, b := read(t, Config{}, text).Pictures(), read(t, Config{}, text).Pictures()
	if len(a) != 4 || len(b) != 4 {
		t.Fatalf("%d and %d pictures", len(a), len(b))
	}
	for i := range a {
		for _, f := range []Format{PNG, SVG} {
			var x, y bytes.Buffer
			if err := a[i].Write(&x, f); err != nil {
				t.Fatal(err)
			}
			if err := b[i].Write(&y, f); err != nil {
				t.Fatal(err)
			}
			if x.Len() == 0 || !bytes.Equal(x.Bytes(), y.Bytes()) {
				t.Errorf("%s.%s differs", a[i].Name, f)
			}
		}
	}
}

func TestNoFormat(t *testing.T) {
	p := read(t, Config{}, everything(t)).Pictures()[0]
	if err := p.Write(new(bytes.Buffer), "gif"); err == nil {
		t.Error("gif is drawn")
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte("bfd_echo_rtt,local=10.0.0.1,peer=10.0.0.2 rtt_ns=5i,interval_ns=7i,interval_ratio=0.5,answered=true 9\n"))
	f.Add([]byte("bfd_echo,local=a rtt_min_ns=-5i,rtt_p50_ns=7i,rtt_max_ns=9223372036854775807i 1\nbfd_session,local=b interval_mean_ns=1i,interval_ns=0i -9\n"))
	f.Add([]byte("bfd_event,event=flap,local=a text=\"x\" 9223372036854775807\nbfd_echo_rtt,local=a rtt_ns=1i -9223372036854775808\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		r := New(Config{Streams: 2})
		for line := range bytes.Lines(text) {
			r.Line(line)
		}
		for _, p := range r.Pictures() {
			if err := p.Write(new(bytes.Buffer), SVG); err != nil {
				t.Fatal(err)
			}
		}
	})
}
