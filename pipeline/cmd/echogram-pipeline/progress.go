package main

import "io"

// over is a writer that takes the line of progress away before it writes to out, so that log lines stand alone.
func (p *progress) over(out io.Writer) io.Writer { return clearing{p, out} }

type clearing struct {
	p   *progress
	out io.Writer
}

func (c clearing) Write(b []byte) (int, error) {
	c.p.clear()
	return c.out.Write(b)
}
