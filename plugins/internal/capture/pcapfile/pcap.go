package pcapfile

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/google/gopacket/pcapgo"

	"echogram/plugins/internal/capture"
)

// Lengths of the two headers of a pcap file.
const (
	pcapFileLen   = 24
	pcapRecordLen = 16
)

// pcapSource reads a pcap file. It looks at each header before pcapgo does, to refuse what that would believe.
type pcapSource struct {
	in    *bufio.Reader
	order binary.ByteOrder
	link  capture.LinkType
	r     *pcapgo.Reader
}

func newPcap(in *bufio.Reader) (*pcapSource, error) {
	head, err := in.Peek(pcapFileLen)
	if err != nil {
		return nil, inside(err)
	}
	s := &pcapSource{in: in, order: binary.LittleEndian}
	if head[0] == 0xa1 {
		s.order = binary.BigEndian
	}
	// The upper half of the last word tells of frame check sequences; pcapgo keeps 8 bits of the lower half.
	if s.link, err = linkType(uint16(s.order.Uint32(head[20:]))); err != nil {
		return nil, err
	}
	if s.r, err = pcapgo.NewReader(in); err != nil { // goes on with in itself, which is large enough
		return nil, fmt.Errorf("%w: %v", ErrDamaged, err)
	}
	s.r.SetSnaplen(MaxRecord) // some writers exceed the length that they announce
	return s, nil
}

func (s *pcapSource) next(p *capture.Packet) error {
	head, err := s.in.Peek(pcapRecordLen)
	if len(head) == 0 {
		return err
	}
	if err != nil {
		return inside(err)
	}
	if n := s.order.Uint32(head[8:]); n > MaxRecord || n > s.order.Uint32(head[12:]) {
		return fmt.Errorf("%w: a packet of %d bytes, %d on the wire", ErrDamaged, n, s.order.Uint32(head[12:]))
	}
	data, info, err := s.r.ZeroCopyReadPacketData()
	if err != nil {
		return inside(err)
	}
	*p = capture.Packet{Data: data, Stamp: info.Timestamp.UnixNano(), OrigLen: uint32(info.Length), Link: s.link}
	return nil
}

func (s *pcapSource) dropped() uint64 { return 0 }

// inside makes of the end of the file the end inside a packet.
func inside(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
