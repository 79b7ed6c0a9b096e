package prober

import (
	"cmp"
	"context"
	"errors"
	"io"
	"math"
	"slices"

	"echogram/plugins/internal/bfdwatch"
	"echogram/plugins/internal/capture"
	"echogram/plugins/internal/capture/pcapfile"
)

// What users of BFDReplay fill in or read.
type (
	BFDConfig  = bfdwatch.Config
	BFDPacket  = bfdwatch.Sight
	BFDSummary = bfdwatch.Summary
)

// BFDReplay follows BFD through the capture files of one capture point. It opens nothing and needs no privilege.
type BFDReplay struct {
	watch *bfdwatch.Watch
	tap   string
	file  *pcapfile.Reader // the one that is read
	lost  uint64           // of file, what the engine was told
}

// NewBFDReplay makes an engine for the capture point tap. Where a file tells its interfaces apart, each is a capture
// point of its own: their names, below tap if there is one. c.Tap is not used.
func NewBFDReplay(c BFDConfig, tap string) *BFDReplay {
	r := &BFDReplay{tap: tap}
	c.Tap = r.Tap
	r.watch = bfdwatch.New(c)
	return r
}

// Tap names the capture point of an interface of the file that is read.
func (r *BFDReplay) Tap(ifindex int32) string {
	name := r.file.InterfaceName(ifindex)
	switch {
	case r.tap == "":
		return name
	case name == "" || ifindex == 0:
		return r.tap
	}
	return r.tap + "/" + name
}

// Read feeds the engine with one file. When the file turns out damaged or ctx is done, all packets until then have
// been evaluated; the next file may follow.
func (r *BFDReplay) Read(ctx context.Context, in io.Reader) error {
	return r.read(ctx, in, r.watch.Observe)
}

// sortLimit bounds the bytes of frames that ReadSorted holds.
const sortLimit = 256 << 20

// ReadSorted is Read for a file whose packets are not in the order of time: it holds them all, up to 256 MiB, and feeds
// them in order. What goes beyond that comes as it stands.
func (r *BFDReplay) ReadSorted(ctx context.Context, in io.Reader) error {
	var held []capture.Packet
	bytes := 0
	flush := func() {
		slices.SortStableFunc(held, func(a, b capture.Packet) int { return cmp.Compare(a.Stamp, b.Stamp) })
		for i := range held {
			r.watch.Observe(&held[i])
		}
		held = nil
	}
	err := r.read(ctx, in, func(p *capture.Packet) {
		if bytes += len(p.Data); bytes > sortLimit {
			flush()
			r.watch.Observe(p)
			return
		}
		own := *p
		own.Data = slices.Clone(p.Data)
		held = append(held, own)
	})
	flush()
	return err
}

func (r *BFDReplay) read(ctx context.Context, in io.Reader, take func(*capture.Packet)) error {
	file, err := pcapfile.NewReader(in)
	if err != nil {
		return err
	}
	r.file, r.lost = file, 0
	for n := 1; ; n++ {
		p, err := file.Next()
		if err != nil {
			r.dropped()
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		take(p)
		if n%contextEvery == 0 {
			if r.dropped(); ctx.Err() != nil {
				return ctx.Err()
			}
		}
	}
}

// Sorted tells whether the packets of a capture file stand in the order of time, as far as it can be read.
func Sorted(ctx context.Context, in io.Reader) bool {
	file, err := pcapfile.NewReader(in)
	if err != nil {
		return true
	}
	newest := int64(math.MinInt64)
	for n := 1; ; n++ {
		p, err := file.Next()
		if err != nil || n%contextEvery == 0 && ctx.Err() != nil {
			return true
		}
		if p.Stamp < newest {
			return false
		}
		newest = p.Stamp
	}
}

// dropped tells the engine what the file has said of packets that its capture lost.
func (r *BFDReplay) dropped() {
	if lost := r.file.Dropped(); lost != r.lost {
		r.watch.Dropped(lost - r.lost)
		r.lost = lost
	}
}

// Finish emits what is open and sums up. Nothing can be read after it.
func (r *BFDReplay) Finish() BFDSummary {
	r.watch.Finish()
	return r.watch.Summary()
}

// FirstStamp returns when the first packet of a capture file was taken, in ns since the Unix epoch; io.EOF says that
// the file has none.
func FirstStamp(in io.Reader) (int64, error) {
	file, err := pcapfile.NewReader(in)
	if err != nil {
		return 0, err
	}
	p, err := file.Next()
	if err != nil {
		return 0, err
	}
	return p.Stamp, nil
}
