package lines

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
)

// bufferSize bounds a line, and is what is read at once. InfluxDB's own strings end at 64 KiB.
const bufferSize = 256 << 10

var errTooLong = fmt.Errorf("lines: longer than %d bytes", bufferSize)

// input cuts bytes into lines, which hold until the next call of next.
type input struct {
	r          io.Reader
	buf        []byte
	begin, end int // what is read and not yet handed out
	number     int64
	opened     bool
	err        error // of r; sticks
}

func (in *input) reset(r io.Reader) {
	if in.buf == nil {
		in.buf = make([]byte, bufferSize)
	}
	*in = input{r: r, buf: in.buf}
}

// next returns a line without its newline. A line that does not fit comes as its begin, with errTooLong.
func (in *input) next() ([]byte, error) {
	for seen := 0; ; {
		if i := bytes.IndexByte(in.buf[in.begin+seen:in.end], '\n'); i >= 0 {
			line := in.buf[in.begin : in.begin+seen+i]
			in.begin += seen + i + 1
			in.number++
			return line, nil
		}
		seen = in.end - in.begin
		switch {
		case in.err == io.EOF && seen > 0:
			line := in.buf[in.begin:in.end]
			in.begin = in.end
			in.number++
			return line, nil
		case in.err != nil:
			return nil, in.err
		case seen == len(in.buf):
			return in.tooLong()
		}
		in.fill()
	}
}

// fill moves what is left to the front and reads once.
func (in *input) fill() {
	if in.begin > 0 {
		in.end = copy(in.buf, in.buf[in.begin:in.end])
		in.begin = 0
	}
	if !in.opened {
		in.open()
	}
	for n, tries := 0, 0; n == 0 && in.err == nil; tries++ {
		if n, in.err = in.r.Read(in.buf[in.end:]); n == 0 && tries == 100 {
			in.err = io.ErrNoProgress
		}
		in.end += n
	}
	if in.err != nil && in.err != io.EOF {
		in.err = fmt.Errorf("lines: %w", in.err)
	}
}

// gzipMagic cannot begin a line of text.
var gzipMagic = []byte{0x1f, 0x8b}

// open looks at the first bytes and unpacks what follows when they are gzip's.
func (in *input) open() {
	in.opened = true
	magic := make([]byte, len(gzipMagic))
	n, err := io.ReadFull(in.r, magic)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		in.err = err
		return
	}
	in.r = io.MultiReader(bytes.NewReader(magic[:n]), in.r)
	if bytes.Equal(magic[:n], gzipMagic) {
		packed, err := gzip.NewReader(in.r)
		in.r, in.err = packed, err
	}
}

// tooLong skips up to the end of the line and returns a piece of its begin.
func (in *input) tooLong() ([]byte, error) {
	begin := bytes.Clone(in.buf[:quoted])
	for {
		i := bytes.IndexByte(in.buf[in.begin:in.end], '\n')
		if i >= 0 {
			in.begin += i + 1
			break
		}
		in.begin = in.end
		if in.err != nil {
			break
		}
		in.fill()
	}
	in.number++
	return begin, errTooLong
}
