package main

import "testing"

// What is read twice counts twice; what lies beyond the time that the pipeline was given does not count.
func TestWhatThePipelineSays(t *testing.T) {
	const said = `level=INFO msg="reading from the oldest point" time=2026-01-10T00:00:00Z
level=INFO msg="rolled up" from=2026-01-10T00:00:00Z to=2026-01-10T01:00:00Z windows=14 complete=14 parts=2 rows=20 took=1.2s
level=INFO msg="rolled up" from=2026-01-10T00:01:00Z to=2026-01-10T00:06:00Z windows=14 complete=14 parts=2 rows=3 took=1s
level=INFO msg="rolled up" from=2026-01-11T00:00:00Z to=2026-01-11T01:00:00Z windows=4 complete=0 parts=2 rows=100 took=1s`
	if n := sweepsRead(said, daySweeps+1); n != 12+1+1 {
		t.Errorf("%d sweeps", n)
	}
	if n := rowsWritten(said); n != 123 {
		t.Errorf("%d rows", n)
	}
}
