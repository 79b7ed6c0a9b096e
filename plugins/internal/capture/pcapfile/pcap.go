package pcapfile

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"

	"echogram/plugins/internal/capture"
)

// Lengths of the two headers of a pcap file.
const (
	pcapFileLen   = 24
	pcapRecordLen = 16
)

// magicNanos is what a file with nanoseconds begins with; other files have microseconds.
const magicNanos = 0xa1b23c4d

// pcapSource reads a pcap file. A record lies whole in the buffer while it is read, and is thrown away at the next call:
// a packet's data is a piece of the buffer.
type pcapSource struct {
	in    *bufio.Reader
	order binary.ByteOrder
	link  capture.LinkType
	unit  int64 // ns
	used  int   // bytes to throw away: the record that was read last
}

func newPcap(in *bufio.Reader) (*pcapSource, error) {
	head, err := in.Peek(pcapFileLen)
	if err != nil {
		return nil, inside(err)
	}
	s := &pcapSource{in: in, order: binary.LittleEndian, unit: 1000}
	if head[0] == 0xa1 {
		s.order = binary.BigEndian
	}
	// The upper half of the last word tells of frame check sequences.
	if s.link, err = linkType(uint16(s.order.Uint32(head[20:]))); err != nil {
		return nil, err
	}
	if major, minor := s.order.Uint16(head[4:]), s.order.Uint16(head[6:]); major != 2 || minor != 4 {
		return nil, fmt.Errorf("%w: version %d.%d", ErrDamaged, major, minor)
	}
	if s.order.Uint32(head) == magicNanos {
		s.unit = 1
	}
	_, err = in.Discard(pcapFileLen)
	return s, err
}

func (s *pcapSource) next(p *capture.Packet) error {
	s.in.Discard(s.used) // it is in the buffer
	s.used = 0
	head, err := s.in.Peek(pcapRecordLen)
	if len(head) == 0 {
		return err
	}
	if err != nil {
		return inside(err)
	}
	seconds, part, n, length := s.order.Uint32(head), s.order.Uint32(head[4:]), s.order.Uint32(head[8:]), s.order.Uint32(head[12:])
	if n > MaxRecord || n > length {
		return fmt.Errorf("%w: a packet of %d bytes, %d on the wire", ErrDamaged, n, length)
	}
	whole, err := s.in.Peek(pcapRecordLen + int(n)) // what does not come leaves the reader as it was
	if err != nil {
		return inside(err)
	}
	s.used = len(whole)
	*p = capture.Packet{Data: whole[pcapRecordLen:], Stamp: int64(seconds)*1e9 + int64(part)*s.unit, OrigLen: length, Link: s.link}
	return nil
}

func (s *pcapSource) dropped() uint64 { return 0 }

func (s *pcapSource) name(ifindex int32) string {
	if ifindex == 0 {
		return ""
	}
	return numbered(ifindex)
}

// inside makes of the end of the file the end inside a packet.
func inside(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
