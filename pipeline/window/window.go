// Package window says where windows of time begin. It is pure.
package window

// Floor is the start of the window of a length that holds t: the multiple of length at or below t, below zero, too.
func Floor(t, length int64) int64 {
	if r := t % length; r < 0 {
		return t - r - length
	} else {
		return t - r
	}
}
