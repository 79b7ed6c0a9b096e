package main

import (
	"context"
	"io"

	"echogram/pipeline/lines"
)

// readFiles reads all files, one after the other; without any STDIN.
func (d *drawing) readFiles(ctx context.Context, files []string, stdin io.Reader) error {
	if len(files) == 0 {
		files = []string{"-"}
	}
	in := &inputs{stdin: stdin, progress: d.p, log: d.log, reader: lines.NewReader(nil, nil)}
	err := in.order(files, false)
	if err == nil {
		err = in.each(func(r *lines.Reader) error { return d.read(ctx, r) })
	}
	d.lines = in.lines
	d.useless = in.useless
	return err
}

const linesBetweenLooks = 1 << 12 // at the context

// read takes all lines of one file.
func (d *drawing) read(ctx context.Context, r *lines.Reader) error {
	for n := 1; ; n++ {
		if n%linesBetweenLooks == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		kind, err := r.Next()
		if err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		switch kind {
		case lines.Point:
			d.nets.Add(r.Series, &r.Row)
		case lines.Late:
			d.nets.Late(r.Series, &r.Row)
		case lines.Manifest:
			if d.paths != nil {
				d.paths.manifest(d, r.Stats)
			}
		case lines.Other:
			if err := d.line(r.Text()); err != nil {
				r.Refuse(err)
			}
		}
	}
}

// line takes a line that is no target's row.
func (d *drawing) line(text []byte) error {
	if ours, err := d.nets.Line(text); ours {
		return err
	}
	if d.paths != nil {
		if ours, err := d.paths.line(d, text); ours {
			return err
		}
	}
	if d.bfd == nil {
		return nil
	}
	_, err := d.bfd.Line(text)
	return err
}
