package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"echogram/pipeline/outlier"
	"echogram/pipeline/path"
	"echogram/pipeline/report"
	"echogram/plugins/schema"
)

// pathKind names the pictures of paths on the command line.
const pathKind = "path"

// leastPayload is what echogram sweep sends where it cycles no sizes.
const leastPayload = 12

// paths are samples out of which pictures of paths are drawn.
type paths struct {
	archive
	point schema.Point
	told  int // points of path_estimate, which have no RTTs to draw
}

var errNoTime = errors.New("no time")

// line takes a line of icmp_sample. It returns false for lines of other measurements.
func (p *paths) line(d *drawing, text []byte) (ours bool, err error) {
	switch end := bytes.IndexAny(text, ", "); string(text[:max(end, 0)]) {
	case schema.ICMPSample:
	case schema.PathEstimate:
		p.told++
		return true, nil
	default:
		return false, nil
	}
	row := new(schema.SampleRow)
	if err := p.point.Parse(text); err != nil {
		return true, err
	}
	if !p.point.HasTime {
		return true, errNoTime
	}
	if err := schema.Read(&p.point, row); err != nil {
		return true, err
	}
	if d.during(row.Time) {
		p.add(row)
	}
	return true, nil
}

// manifest takes what a sweep says of itself.
func (p *paths) manifest(d *drawing, row schema.SweepStatsRow) {
	if d.during(row.Time) {
		p.add(&row)
	}
}

func (d *drawing) during(at int64) bool {
	return at >= d.within.Start && (d.within.Stop == 0 || at < d.within.Stop)
}

// pathPictures draws each target's path, as the command path does with --picture.
func (d *drawing) pathPictures(all bool) []report.Picture {
	if d.paths == nil {
		return nil
	}
	subjects := d.pathSubjects()
	if left := len(subjects) - maxStreams; left > 0 && !all {
		d.log.Warn("paths left out: --all draws them", "drawn", maxStreams, "left", left)
		subjects = subjects[:maxStreams]
	}
	filter := outlier.Config{K: outlier.Sigma.K()}
	names := map[string]int{}
	var pictures []report.Picture
	for _, s := range subjects {
		cal := &path.Calibration{}
		e, err := path.Config{}.Estimate(s.measure(filter), cal)
		if err != nil {
			panic(err) // there is no reference whose facts could be others
		}
		f := &finding{Estimate: e, subject: s, cal: cal, filter: filter}
		p := f.path().Picture()
		if names[p.Name]++; names[p.Name] > 1 {
			p.Name = fmt.Sprintf("%s_%d", p.Name, names[p.Name])
		}
		pictures = append(pictures, p)
	}
	return pictures
}

// pathSubjects are the targets that something can be drawn of, by address, each of one host and instance.
func (d *drawing) pathSubjects() []*subject {
	byOwner := map[[2]string]*archive{}
	var owners [][2]string
	for _, s := range d.paths.samples {
		o := [2]string{s.Host, s.Instance}
		if byOwner[o] == nil {
			byOwner[o] = &archive{stats: d.paths.stats}
			owners = append(owners, o)
		}
		byOwner[o].samples = append(byOwner[o].samples, s)
	}
	slices.SortFunc(owners, func(a, b [2]string) int { return slices.Compare(a[:], b[:]) })
	var found []*subject
	left, first := 0, error(nil)
	for _, o := range owners {
		subjects, err := byOwner[o].collect(&pathPlan{}, leastPayload)
		if err != nil {
			left, first = left+1, cmp.Or(first, err)
		}
		for _, s := range subjects {
			if n := d.within.Network; n.IsValid() && !n.Contains(s.address) {
				continue
			}
			if err := byOwner[o].settle(s, time.Duration(0)); err != nil {
				left, first = left+1, cmp.Or(first, err)
			} else if len(s.samples) > 0 {
				found = append(found, s)
			}
		}
	}
	if left > 0 {
		d.log.Warn("paths that cannot be drawn", "count", left, "first", first.Error())
	}
	slices.SortStableFunc(found, func(a, b *subject) int { return netip.Addr.Compare(a.address, b.address) })
	return found
}
