package report

import (
	"fmt"
	"time"
)

// Kind is a kind of picture of a network, as a command line names it.
type Kind string

// The kinds of pictures of a network.
const (
	Map       Kind = "map"
	Animation Kind = "animation"
	Calendar  Kind = "calendar"
	Timeline  Kind = "timeline"
	Hours     Kind = "hours"
	Churn     Kind = "churn"
)

// Kinds are all of them, in the order in which they are drawn.
func Kinds() []Kind { return []Kind{Map, Animation, Calendar, Timeline, Hours, Churn} }

// Pictures lists those of the kinds that have something to show, network by network, with unique names. Maps reach up to
// top, or as far as the RTTs if that is 0. Finish comes before.
func (c *Collection) Pictures(kinds []Kind, top time.Duration) []Picture {
	var all []Picture
	for _, n := range c.Networks {
		for _, k := range kinds {
			if p, ok := c.picture(n, k, float64(top)); ok {
				all = append(all, p)
			}
		}
	}
	nameApart(all)
	return all
}

func (c *Collection) picture(n *Network, k Kind, top float64) (p Picture, ok bool) {
	var drawn *chart
	switch k {
	case Map:
		return mapPicture(n, top)
	case Animation:
		return animationPicture(n, top)
	case Calendar:
		drawn = calendarChart(n, c.config.Location)
	case Timeline:
		drawn = timelineChart(n)
	case Hours:
		drawn = hoursChart(n, c.config.Location)
	case Churn:
		drawn = churnChart(n)
	}
	if drawn == nil {
		return p, false
	}
	return Picture{Name: drawn.name, Text: drawn.text, chart: drawn}, true
}

// nameApart gives pictures of one name numbers.
func nameApart(all []Picture) {
	names := map[string]int{}
	for i := range all {
		p := &all[i]
		if names[p.Name]++; names[p.Name] > 1 {
			p.Name = fmt.Sprintf("%s_%d", p.Name, names[p.Name])
		}
	}
}
