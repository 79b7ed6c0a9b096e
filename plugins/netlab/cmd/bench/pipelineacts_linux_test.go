package main

import "testing"

func TestSum(t *testing.T) {
	const said = `level=INFO msg="rolled up" points=1500 rows=20` + "\n" + `level=INFO msg="rolled up" points=12 rows=3`
	if n, m := sum(pointsRead, said), sum(rowsWritten, said); n != 1512 || m != 23 {
		t.Errorf("%d points, %d rows", n, m)
	}
}
