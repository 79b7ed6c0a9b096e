package service

import (
	"context"
	"time"

	"echogram/pipeline/window"
	"echogram/plugins/schema"
)

// blocks looks at blocks again and writes what overlaps start <= t < stop. The Monitor begins as far before as it
// remembers, and goes on to the end of the day and window that stop lies in, so that their rows are whole.
func (f *Filler) blocks(ctx context.Context, start, stop, oldest, now int64) error {
	refused := refusals{log: f.Config.Log}
	b := newBlocks(f.Config, f.Ends, forgetful{}, &refused)
	if b == nil {
		return nil
	}
	to := min(f.wholeDay(stop), now)
	b.load()
	b.next = max(oldest, start-int64(f.Config.Blocks.Span)*day, 1)
	b.closed = b.next
	b.want = func(r schema.Row) bool { return f.overlaps(r, start, stop, to == now) }
	if err := b.catchUp(ctx, to); err != nil {
		return err
	}
	if err := b.end(ctx); err != nil {
		return err
	}
	return refused.failed
}

// wholeDay is the end of the window in which the local day ends that holds the instant before stop.
func (f *Filler) wholeDay(stop int64) int64 {
	t := time.Unix(0, stop-1).In(f.Config.Blocks.Location)
	end := time.Date(t.Year(), t.Month(), t.Day()+1, 0, 0, 0, 0, t.Location()).UnixNano()
	length := int64(f.Config.Blocks.Window)
	return window.Floor(end+length-1, length)
}

// overlaps tells whether a row is about some of start <= t < stop. Of an event that lasts where reading ends more may be
// stored, unless that is the present.
func (f *Filler) overlaps(r schema.Row, start, stop int64, present bool) bool {
	from, length := int64(0), day
	switch r := r.(type) {
	case *schema.BlockStateRow:
		from, length = r.Time, int64(f.Config.Blocks.Window)
	case *schema.BlockOutageRow:
		if from, length = r.Time, max(r.Duration, 1); r.Open && !present {
			return false
		}
	case *schema.BlockChurnRow:
		from = r.Time
	case *schema.BlockDailyRow:
		from = r.Time
	}
	return from < stop && from+length > start
}
