package prober

import (
	"context"
	"errors"
	"io"

	"echogram/plugins/internal/capture/pcapfile"
	"echogram/plugins/internal/replay"
	"echogram/plugins/schema"
)

// What users of Replay fill in or read.
type (
	ReplayConfig  = replay.Config
	ReplaySummary = replay.Summary
)

// ErrTruncated says that a capture file ends inside a packet.
var ErrTruncated = pcapfile.ErrTruncated

// contextEvery is after how many packets Replay looks at its context.
const contextEvery = 1024

// Replay evaluates the capture file in; it opens and needs nothing else. When the file turns out damaged or ctx is
// done, the rows and the summary are those of the packets until then, marked partial, beside the error. A file
// that is no capture has no rows.
func Replay(ctx context.Context, in io.Reader, c ReplayConfig, emit func(schema.Row)) (ReplaySummary, error) {
	file, err := pcapfile.NewReader(in)
	if err != nil {
		return ReplaySummary{}, err
	}
	r := replay.New(c)
	for n := 0; err == nil; n++ {
		if n%contextEvery == 0 && ctx.Err() != nil {
			err = ctx.Err()
			break
		}
		p, end := file.Next()
		if err = end; err == nil {
			r.Observe(p)
		}
	}
	if errors.Is(err, io.EOF) {
		err = nil
	} else {
		r.Cut()
	}
	r.Dropped(file.Dropped())
	return r.Finish(emit), err
}
