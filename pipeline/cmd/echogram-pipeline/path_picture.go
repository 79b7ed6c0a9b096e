package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"gonum.org/v1/gonum/stat"

	"echogram/pipeline/path"
	"echogram/pipeline/report"
)

// pictureFormat is the format that a file's name asks for, or "".
func pictureFormat(name string) report.Format {
	switch f := report.Format(strings.TrimPrefix(strings.ToLower(filepath.Ext(name)), ".")); f {
	case report.PNG, report.SVG:
		return f
	}
	return ""
}

// drawFindings writes a picture of each finding.
func (f *pathFlags) drawFindings(findings []*finding) error {
	if f.picture == "" {
		return nil
	}
	for _, found := range findings {
		p := found.path().Picture()
		name := f.picture
		if end := filepath.Ext(name); len(findings) > 1 {
			name = strings.TrimSuffix(name, end) + "_" + strings.TrimPrefix(p.Name, "path_") + end
		}
		if err := writePicture(name, &p, pictureFormat(name)); err != nil {
			return err
		}
	}
	return nil
}

// path is the finding as the picture wants it: RTTs of the smallest size.
func (f *finding) path() *report.Path {
	p := &report.Path{Target: f.Target, Facts: f.facts(), Fit: f.slopeFit(), Offset: f.offsetFit()}
	if len(f.Sizes) == 0 {
		return p
	}
	s := &f.Sizes[0]
	p.Limit, p.Mean, p.Floor = s.Filter.Limit, s.Filter.Mean, s.Level.Value
	for _, b := range f.subject.samples {
		if b.Size == s.Payload {
			p.Probes = append(p.Probes, report.Probe{At: b.At, RTT: b.RTT, Cut: s.Filter.Cut > 0 && float64(b.RTT) > s.Filter.Limit})
		}
	}
	return p
}

// facts are what stands below the picture's title.
func (f *finding) facts() []string {
	facts := []string{counted(f.Probes, "probe") + f.pace()}
	if len(f.Sizes) > 0 {
		s := &f.Sizes[0]
		facts = append(facts, fmt.Sprintf("%d bytes: mean %s, %d cut of %d", s.Payload, plusMinus(s.Filter.Mean, half(s)), s.Filter.Cut, s.Filter.N))
	}
	if f.Hops != nil && f.Hops.Told {
		facts = append(facts, counted(f.Hops.Hops, "switch")+", "+percent(f.Hops.Confidence))
	}
	if f.Cable != nil {
		facts = append(facts, f.cable())
	}
	for _, r := range f.Reasons {
		facts = append(facts, "cannot be told: "+r)
	}
	return facts
}

func reading(l *path.Level) report.Reading {
	e := l.Half()
	return report.Reading{Value: l.Value, Low: l.Value - e, High: l.Value + e}
}

// slopeFit draws the slope and the runner-up, both through the middle of the floors.
func (f *finding) slopeFit() *report.SlopeFit {
	if f.Slope == nil {
		return nil
	}
	fit := &report.SlopeFit{}
	var xs, ys []float64
	for i := range f.Sizes {
		s := &f.Sizes[i]
		fit.Floors = append(fit.Floors, report.SizedFloor{Wire: s.Wire, Reading: reading(&s.Level)})
		xs, ys = append(xs, float64(s.Wire)), append(ys, s.Level.Value)
	}
	x, y := stat.Mean(xs, nil), stat.Mean(ys, nil)
	through := func(name string, slope float64) {
		fit.Lines = append(fit.Lines, report.Line{Name: name, At: y - slope*x, Slope: slope})
	}
	through(fmt.Sprintf("fit: %.2f ns a byte", f.Slope.Value), f.Slope.Value)
	if c := f.BySlope; c != nil && c.Told && c.Rate > 0 && c.RunnerUp >= 0 {
		perLink := 16e9 / float64(c.Rate) // ns a byte: each link takes in the frame both ways
		through(fmt.Sprintf("next best: %s at %s", counted(c.RunnerUp, "switch"), rate(c.Rate)), f.Slope.Value+float64(c.RunnerUp-c.Hops)*perLink)
	}
	return fit
}

// offsetFit draws the target beside what it was compared with.
func (f *finding) offsetFit() *report.OffsetFit {
	if f.ByOffset == nil {
		return nil
	}
	own := &f.Sizes[0]
	fit := &report.OffsetFit{Target: reading(&own.Level), Hops: -1, RunnerUp: -1}
	if f.ByOffset.Told {
		fit.Hops, fit.RunnerUp = f.ByOffset.Hops, f.ByOffset.RunnerUp
	}
	for i := range f.cal.Known {
		k := &f.cal.Known[i]
		for j := range k.Sizes {
			if s := &k.Sizes[j]; s.Payload == own.Payload && k.Hops >= 0 {
				fit.Known = append(fit.Known, report.KnownFloor{Hops: k.Hops, Reading: reading(&s.Level)})
				if k.Name == f.Reference && f.HopDelay != nil {
					d := f.HopDelay.Value
					fit.Line = &report.Line{Name: ns(d) + " a switch", At: s.Level.Value - d*float64(k.Hops), Slope: d}
				}
			}
		}
	}
	return fit
}
