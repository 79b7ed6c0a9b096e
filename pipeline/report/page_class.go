package report

import (
	"fmt"
	"image/color"
	"slices"
	"time"
)

// Classes of addresses on the map, by the sweeps that were kept.
const (
	classNone = iota // not probed
	classNever
	classAlways
	classSometimes
	classIntermittent
	classUnderused
)

func classNames() []string {
	return []string{"not probed", "never answered", "always there", "sometimes, for 6 h and more", "intermittent", "underused"}
}

const (
	classFrames  = 10            // sweeps below which there are no classes
	classSpacing = 3 * time.Hour // and the time between them above which
	alwaysShare  = 0.95          // A above which an address is always there (Cai, Heidemann 2010)
	underShare   = 0.1           // and below which it is underused
	longUptime   = 6 * time.Hour // U from which it is there sometimes, in long sessions
)

// classes is a plane of classes; nil: the sweeps tell too little.
func (a *pageAtlas) classes() []byte {
	frames := a.net.Frames
	if a.step > 1 || len(frames) < classFrames {
		return nil
	}
	spacing := (frames[len(frames)-1].Time - frames[0].Time) / int64(len(frames)-1)
	if spacing > int64(classSpacing) {
		return nil
	}
	long := int(int64(longUptime)/spacing) + 1
	out := make([]byte, 1<<a.order)
	var ups []int
	for i, t := range a.net.Targets {
		out[a.cells[i]], ups = classOf(t, frames, long, ups[:0])
	}
	return out
}

// classOf is the class of one address; long is so many sweeps as span longUptime, and ups is room to work in.
func classOf(t *Target, frames []*Frame, long int, ups []int) (byte, []int) {
	probed, answered, run := 0, 0, 0
	for _, f := range frames {
		switch v := f.Answer(t); {
		case v.Answered():
			probed, answered, run = probed+1, answered+1, run+1
		case v != NotProbed:
			probed++
			if run > 0 {
				ups = append(ups, run)
			}
			run = 0
		}
	}
	if run > 0 {
		ups = append(ups, run)
	}
	share := float64(answered) / float64(max(probed, 1))
	switch {
	case probed == 0:
		return classNone, ups
	case answered == 0:
		return classNever, ups
	case share > alwaysShare:
		return classAlways, ups
	case share < underShare:
		return classUnderused, ups
	}
	slices.Sort(ups)
	if ups[len(ups)/2] >= long {
		return classSometimes, ups
	}
	return classIntermittent, ups
}

// classColours are those from classAlways on.
func classColours() []string {
	return []string{hexColour(blue), hexColour(sky), hexColour(orange), hexColour(purple)}
}

func hexColour(c color.Color) string {
	r, g, b, _ := c.RGBA()
	return fmt.Sprintf("#%02x%02x%02x", r>>8, g>>8, b>>8)
}
