package rollup

// Sweep is one sweep of an instance.
type Sweep struct {
	Host, Instance string
	Time           int64 // ns
}

// doubt marks the points of doubted sweeps, whose times are given. Both are in the order of time.
func doubt(points []point, sweeps []int64) {
	for i := range points {
		for len(sweeps) > 0 && sweeps[0] < points[i].time {
			sweeps = sweeps[1:]
		}
		if len(sweeps) == 0 {
			return
		}
		if sweeps[0] == points[i].time {
			points[i].has |= inDoubt
		}
	}
}
