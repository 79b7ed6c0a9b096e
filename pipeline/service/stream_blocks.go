package service

import (
	"context"
	"math"

	"echogram/pipeline/lines"
)

// look hands what was read to the analyst.
func (s *Stream) look(v value) {
	if v.time() < s.unread {
		return
	}
	switch v.kind {
	case lines.Point:
		s.blocks.add(v.series, v.row)
	case lines.Manifest:
		s.blocks.manifest(v.stats)
	}
}

// judge has blocks judge the sweeps that began before a time. What came by before a live stream is read from the source
// first, as soon as it is over.
func (s *Stream) judge(ctx context.Context, before int64) error {
	if s.blocks == nil || before < s.unread {
		return nil
	}
	if s.unread > 0 {
		if err := s.blocks.catchUp(ctx, s.unread); err != nil {
			return err
		}
		s.unread = 0
	}
	if err := s.blocks.judge(ctx, before); err != nil {
		return err
	}
	return s.blocks.keep(false)
}

// endBlocks writes what is open when the input was all there is. A live one goes on later: what its state leaves out is
// read from the source then. Without one all but the newest sweep is judged, which may have been cut.
func (s *Stream) endBlocks(ctx context.Context) error {
	switch {
	case s.blocks == nil || s.newest == math.MinInt64:
		return nil
	case s.cfg.Now == nil:
		return s.blocks.end(ctx)
	case s.filler == nil:
		if err := s.blocks.judge(ctx, s.newest); err != nil {
			return err
		}
	}
	return s.blocks.keep(true)
}
