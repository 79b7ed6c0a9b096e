// Package lines reads RTTs out of text: line protocol, as Telegraf's outputs.execd and outputs.file write it, and the
// files of con-ping. It hands them on as values, one at a time, in the order of the text.
//
// Its layers, from the bottom:
//
//   - input: bytes of an io.Reader, gzip or not, into lines, with a buffer of fixed size.
//   - scanner: the fields and the time of a line that has nothing unusual in it, without an allocation. What is
//     unusual (escapes, odd spaces, fields given twice) goes through schema.Point, and both agree on every line.
//   - Reader: a line into a Kind and its values. The bytes of "measurement,tags" are interned, so that a known series
//     costs one look-up.
//
// It reads icmp_sweep, icmp_sweep_stats and whatever a Measurement describes. It leaves out where the bytes come from,
// windows, and everything that only other readers want: strings, percentiles, other measurements. Memory grows with
// the number of series, by about 500 bytes each, until Forget.
package lines

import (
	"bytes"
	"errors"
	"io"

	"echogram/plugins/schema"
)

// Kind is what a line turned out to be.
type Kind uint8

// The kinds of line. Malformed ones are skipped and counted: see Reader.Malformed.
const (
	Point    Kind = iota + 1 // Series and Row: what one sweep found out about one target
	Late                     // Series and Row, of which only Late and LateRTT: replies after the target's row was written
	Manifest                 // Stats: the end of a sweep; Stats.Partial tells that it was cut short
	Other                    // nothing: a measurement nobody asked for, or fields that say nothing about RTTs
	kinds
)

// Reader reads lines. Its values hold until the next call of Next, but a Series stays as it is until Forget drops it.
type Reader struct {
	Series *schema.RTTSeries    // of a Point or Late: one pointer a series
	Row    schema.SweepRow      // without its strings and percentiles
	Stats  schema.SweepStatsRow // of a Manifest

	faults
	in     input
	text   []byte // of the line that Next returned
	last   Kind
	counts [kinds]int64
	format format
	wanted map[string]*Measurement // by name
	heads  map[string]*entry       // by the bytes of "measurement,tags"
	point  schema.Point            // for what is unusual
}

// format makes values of lines.
type format interface {
	line(r *Reader, b []byte) (Kind, error)
	end(r *Reader) Kind // one more value at the end, or 0
}

// NewReader reads line protocol, gzip or not, with times in nanoseconds. A line without a time is malformed: time
// comes from the data. The measurements should have passed Check.
func NewReader(in io.Reader, ms []Measurement) *Reader {
	r := &Reader{wanted: map[string]*Measurement{schema.ICMPSweep: sweeps, schema.ICMPSweepStats: manifests}, heads: map[string]*entry{}}
	for i := range ms {
		r.wanted[ms[i].Name] = &ms[i]
	}
	r.Reset(in)
	return r
}

// Reset goes on with other line protocol. The series stay; the counts begin again.
func (r *Reader) Reset(in io.Reader) { r.reset(in, protocol{}) }

func (r *Reader) reset(in io.Reader, f format) {
	r.in.reset(in)
	r.faults, r.counts, r.format = faults{}, [kinds]int64{}, f
}

// Next reads up to the next line that is not malformed. It returns io.EOF at the end, and the input's own error when
// that broke: an unfinished last line then counts for nothing. It waits for no more input than it needs.
func (r *Reader) Next() (Kind, error) {
	for {
		b, err := r.in.next()
		if err == io.EOF {
			if k := r.format.end(r); k != 0 {
				r.counts[k]++
				return k, nil
			}
		}
		if err != nil && !errors.Is(err, errTooLong) {
			return 0, err
		}
		b = bytes.TrimRight(b, "\r")
		if err == nil && (len(b) == 0 || b[0] == '#') {
			continue
		}
		var k Kind
		if err == nil {
			k, err = r.format.line(r, b)
		}
		if err == nil {
			r.counts[k]++
			r.text, r.last = b, k
			return k, nil
		}
		r.add(r.in.number, b, err)
	}
}

// Text is the line that Next returned last, for who knows more of Other than this package does. It holds until the next
// call of Next.
func (r *Reader) Text() []byte { return r.text }

// Refuse counts the line that Next returned last as malformed after all.
func (r *Reader) Refuse(err error) {
	r.counts[r.last]--
	r.add(r.in.number, r.text, err)
}

// OnlyMalformed tells whether there were lines, and none that could be read.
func (r *Reader) OnlyMalformed() bool {
	read := r.counts[Point] + r.counts[Late] + r.counts[Other]
	if _, own := r.format.(*conPing); !own { // which has a Manifest at its end, whatever stands before
		read += r.counts[Manifest]
	}
	return r.n > 0 && read == 0
}

// Lines is the number of lines read, blank, malformed and comment lines too.
func (r *Reader) Lines() int64 { return r.in.number }

// Count is how often Next has returned k.
func (r *Reader) Count(k Kind) int64 { return r.counts[k] }
