package main

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"echogram/pipeline/report"
)

// parse checks the flags.
func (f *reportFlags) parse(files []string, now time.Time) (*drawing, error) {
	d := &drawing{}
	var err error
	switch {
	case f.out == "" && !f.page.wanted():
		return nil, errors.New("--out is missing, or --page")
	case f.config != "" && len(files) > 0:
		return nil, fmt.Errorf("--config and %s: read from InfluxDB or from files", files[0])
	case f.page.wanted() && f.page.check() != nil:
		return nil, f.page.check()
	case f.max < 0:
		return nil, fmt.Errorf("--max %v is negative", f.max)
	}
	if d.within, err = f.parseWithin(now); err != nil {
		return nil, err
	}
	if err = errors.Join(f.parseFormats(d), f.parseKinds(d)); err != nil {
		return nil, err
	}
	d.nets = report.NewCollection(d.within)
	return d, nil
}

func (f *reportFlags) parseFormats(d *drawing) error {
	for _, name := range f.format {
		format := report.Format(strings.ToLower(strings.TrimSpace(name)))
		if !slices.Contains([]report.Format{report.PNG, report.SVG, report.GIF, report.APNG}, format) {
			return fmt.Errorf("--format %q is none of png, svg, gif, apng", name)
		}
		if !slices.Contains(d.formats, format) {
			d.formats = append(d.formats, format)
		}
	}
	if len(d.formats) == 0 {
		return errors.New("--format names no format")
	}
	return nil
}

func (f *reportFlags) parseKinds(d *drawing) error {
	for _, name := range f.picture {
		name = strings.TrimSpace(name)
		switch kind := report.Kind(name); {
		case name == bfdKind:
			streams := maxStreams
			if f.all {
				streams = 0
			}
			d.bfd = report.New(report.Config{Streams: streams, Start: d.within.Start, Stop: d.within.Stop})
		case name == pathKind:
			d.paths = &paths{}
		case !slices.Contains(report.Kinds(), kind):
			return fmt.Errorf("--picture %q is none of %s", name, strings.Join(allKinds(), ", "))
		case !slices.Contains(d.kinds, kind):
			d.kinds = append(d.kinds, kind)
		}
	}
	return nil
}

// defaultSpan is how much of the past a report out of InfluxDB shows.
const defaultSpan = 7 * 24 * time.Hour

// parseWithin says which rows are drawn.
func (f *reportFlags) parseWithin(now time.Time) (c report.CollectionConfig, err error) {
	if f.network != "" {
		p, err := netip.ParsePrefix(f.network)
		if err != nil {
			return c, fmt.Errorf("--network %q is no CIDR", f.network)
		}
		c.Network = p.Masked()
	}
	if c.Location, err = time.LoadLocation(f.zone); err != nil {
		return c, fmt.Errorf("--timezone %q is unknown", f.zone)
	}
	start, stop := time.Time{}, now
	if f.stop != "" {
		if stop, err = parseTime("--stop", f.stop, now); err != nil {
			return c, err
		}
		c.Stop = stop.UnixNano()
	}
	switch {
	case f.start != "":
		if start, err = parseTime("--start", f.start, now); err != nil {
			return c, err
		}
	case f.config != "":
		start = stop.Add(-defaultSpan)
	}
	if !start.IsZero() {
		c.Start = start.UnixNano()
	}
	if f.config != "" {
		c.Stop = stop.UnixNano()
	}
	if !start.Before(stop) {
		return c, fmt.Errorf("--start %s does not lie before --stop, %s", start.UTC().Format(time.RFC3339), stop.UTC().Format(time.RFC3339))
	}
	return c, nil
}
