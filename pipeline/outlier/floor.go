package outlier

// HalfSampleMode is the mode by repeated halving (Robertson and Cryer 1974; Bickel and Frühwirth 2006): of the
// intervals that hold half of the values the shortest is taken, the lowest of equals, then of that again, until two
// values are left, whose middle it is; of three the closer pair is taken. Sorted ascending; 0 without values.
func HalfSampleMode(sorted []int64) float64 {
	for len(sorted) > 3 {
		h := (len(sorted) + 1) / 2
		at := shortest(sorted, h)
		sorted = sorted[at : at+h]
	}
	if len(sorted) == 3 {
		at := shortest(sorted, 2)
		sorted = sorted[at : at+2]
	}
	return mean(sorted)
}

// Shorth is the mean of the shortest interval that holds half of the values, the lowest of equals (Andrews et al.
// 1972, Robust Estimates of Location). Sorted ascending; 0 without values.
func Shorth(sorted []int64) float64 {
	h := (len(sorted) + 1) / 2
	at := shortest(sorted, h)
	return mean(sorted[at : at+h])
}

// shortest returns where the shortest run of h sorted values begins.
func shortest(sorted []int64, h int) (at int) {
	least := ^uint64(0)
	for i := 0; h > 0 && i+h <= len(sorted); i++ {
		if w := distance(sorted[i], sorted[i+h-1]); w < least {
			least, at = w, i
		}
	}
	return at
}

// distance is high - low, which may exceed an int64.
func distance(low, high int64) uint64 { return uint64(high) - uint64(low) }

func mean(values []int64) float64 {
	if len(values) == 0 {
		return 0
	}
	base, sum := float64(values[0]), 0.0
	for _, v := range values {
		sum += float64(v) - base
	}
	return base + sum/float64(len(values))
}
