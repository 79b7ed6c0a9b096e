package pcapfile

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"math/bits"
	"strings"

	"echogram/plugins/internal/capture"
)

// Block types (draft-ietf-opsawg-pcapng sections 4 and 10).
const (
	blockSection    = 0x0a0d0d0a
	blockInterface  = 1
	blockOldPacket  = 2
	blockSimple     = 3
	blockStatistics = 5
	blockPacket     = 6
)

const (
	byteOrderMagic = 0x1a2b3c4d
	blockHeadLen   = 8  // type and length
	blockMinLen    = 12 // and the length again
	sectionMinLen  = 28 // with byte order, version and length of the section
	packetHeadLen  = 20 // of a packet block's body: interface, time, two lengths
	maxInterfaces  = 1 << 16
)

// Options that are read.
const (
	optionPacketFlags = 2
	optionIfName      = 2
	optionResolution  = 9
	optionTimeOffset  = 14
	optionIfDrop      = 5
	optionOSDrop      = 7
)

// ngSource reads a pcapng file. A block lies whole in the buffer while it is read, and is thrown away at the next
// call: a packet's data is a piece of the buffer.
type ngSource struct {
	in         *bufio.Reader
	used       int // bytes to throw away: the block that was read last, or what is left of it
	order      binary.ByteOrder
	interfaces []ngInterface
	supported  bool   // there is one of them whose link type is
	before     uint64 // packets lost in earlier sections
}

// ngInterface is one interface description of the current section.
type ngInterface struct {
	name    string
	number  uint16 // link type
	units   uint64 // of time, a second
	offset  int64  // seconds to add
	dropped uint64
}

func (s *ngSource) next(p *capture.Packet) error {
	for {
		kind, body, err := s.block()
		if err != nil {
			return err
		}
		switch kind {
		case blockSection:
			s.before, s.interfaces, s.supported = s.dropped(), s.interfaces[:0], false
		case blockInterface:
			err = s.addInterface(body)
		case blockStatistics:
			err = s.statistics(body)
		case blockSimple:
			err = fmt.Errorf("%w: a simple packet block, which has no time", ErrDamaged)
		case blockPacket, blockOldPacket:
			return s.fill(p, body, kind == blockOldPacket)
		}
		if err != nil {
			return err
		}
	}
}

func (s *ngSource) dropped() uint64 {
	sum := s.before
	for i := range s.interfaces {
		sum += s.interfaces[i].dropped
	}
	return sum
}

// name looks in the current section. Packets of an SLL2 interface bear the kernel's number, of which the section says
// nothing.
func (s *ngSource) name(ifindex int32) string {
	several := len(s.interfaces) > 1
	switch id := ifindex - 1; {
	case ifindex == 0 && len(s.interfaces) == 1:
		return s.interfaces[0].name
	case ifindex <= 0:
		return ""
	case !several || int(id) >= len(s.interfaces) || s.interfaces[id].number == linkSLL2:
		return numbered(ifindex)
	case s.interfaces[id].name == "":
		return numbered(id)
	default:
		return s.interfaces[id].name
	}
}

// block returns the next block's type and body. The body of a block that nobody reads is left out: it may be long.
func (s *ngSource) block() (kind uint32, body []byte, err error) {
	n, err := s.in.Discard(s.used)
	if s.used -= n; err != nil {
		return 0, nil, inside(err)
	}
	head, err := s.in.Peek(blockMinLen)
	if len(head) == 0 {
		return 0, nil, err
	}
	if err != nil {
		return 0, nil, inside(err)
	}
	least := blockMinLen
	if binary.BigEndian.Uint32(head) == blockSection { // the same in both byte orders
		if err := s.setOrder(head[blockHeadLen:]); err != nil {
			return 0, nil, err
		}
		least = sectionMinLen
	}
	kind, length := s.order.Uint32(head), s.order.Uint32(head[4:])
	if length < uint32(least) || length%4 != 0 {
		return 0, nil, fmt.Errorf("%w: block of type %d and %d bytes", ErrDamaged, kind, length)
	}
	if !isRead(kind) {
		s.used = int(length)
		return kind, nil, nil
	}
	if length > bufferLen {
		return 0, nil, fmt.Errorf("%w: block of type %d and %d bytes", ErrDamaged, kind, length)
	}
	whole, err := s.in.Peek(int(length))
	if err != nil {
		return 0, nil, inside(err)
	}
	end := len(whole) - 4
	if again := s.order.Uint32(whole[end:]); again != length {
		return 0, nil, fmt.Errorf("%w: block of type %d has %d bytes at its start and %d at its end", ErrDamaged, kind, length, again)
	}
	s.used = len(whole)
	return kind, whole[blockHeadLen:end], nil
}

func isRead(kind uint32) bool {
	switch kind {
	case blockInterface, blockStatistics, blockSimple, blockPacket, blockOldPacket:
		return true
	}
	return false
}

func (s *ngSource) setOrder(magic []byte) error {
	switch {
	case binary.LittleEndian.Uint32(magic) == byteOrderMagic:
		s.order = binary.LittleEndian
	case binary.BigEndian.Uint32(magic) == byteOrderMagic:
		s.order = binary.BigEndian
	default:
		return fmt.Errorf("%w: section with byte order % x", ErrDamaged, magic)
	}
	return nil
}

// addInterface reads an interface description: link type, reserved, snap length, options.
func (s *ngSource) addInterface(body []byte) error {
	if len(body) < 8 || len(s.interfaces) == maxInterfaces {
		return fmt.Errorf("%w: description of interface %d with %d bytes", ErrDamaged, len(s.interfaces), len(body))
	}
	i := ngInterface{number: s.order.Uint16(body), units: 1e6}
	err := s.options(body[8:], func(code uint16, value []byte) error {
		switch {
		case code == optionResolution && len(value) == 1:
			return i.setResolution(value[0])
		case code == optionIfName:
			i.name = strings.TrimRight(string(value), "\x00") // some writers end it as C does
		case code == optionTimeOffset && len(value) == 8:
			i.offset = int64(s.order.Uint64(value))
		}
		return nil
	})
	if _, other := linkType(i.number); other == nil {
		s.supported = true
	}
	s.interfaces = append(s.interfaces, i)
	return err
}

// setResolution takes a negative power of ten, or of two if the highest bit is set.
func (i *ngInterface) setResolution(v byte) error {
	exponent, base, most := v&0x7f, uint64(10), byte(19)
	if v&0x80 != 0 {
		base, most = 2, 63
	}
	if exponent > most {
		return fmt.Errorf("%w: times in units of %d^-%d s", ErrDamaged, base, exponent)
	}
	i.units = 1
	for range exponent {
		i.units *= base
	}
	return nil
}

// stamp turns a file's time into ns since the Unix epoch.
func (i *ngInterface) stamp(t uint64) int64 {
	hi, lo := bits.Mul64(t%i.units, 1e9)
	ns, _ := bits.Div64(hi, lo, i.units) // hi < units, because the remainder is less than units
	return (int64(t/i.units)+i.offset)*1e9 + int64(ns)
}

// statistics reads how much an interface has lost since the capture began.
func (s *ngSource) statistics(body []byte) error {
	if len(body) < 12 {
		return fmt.Errorf("%w: interface statistics of %d bytes", ErrDamaged, len(body))
	}
	i, err := s.find(s.order.Uint32(body))
	if err != nil {
		return err
	}
	i.dropped = 0
	return s.options(body[12:], func(code uint16, value []byte) error {
		if (code == optionIfDrop || code == optionOSDrop) && len(value) == 8 {
			i.dropped += s.order.Uint64(value)
		}
		return nil
	})
}

func (s *ngSource) find(id uint32) (*ngInterface, error) {
	if uint64(id) >= uint64(len(s.interfaces)) {
		return nil, fmt.Errorf("%w: interface %d of %d", ErrDamaged, id, len(s.interfaces))
	}
	return &s.interfaces[id], nil
}

// fill reads a packet block: an enhanced one, or its predecessor with 16 bits each for interface and drops.
func (s *ngSource) fill(p *capture.Packet, body []byte, old bool) error {
	if len(body) < packetHeadLen {
		return fmt.Errorf("%w: packet block with %d bytes", ErrDamaged, len(body))
	}
	id := s.order.Uint32(body)
	if old {
		id = uint32(s.order.Uint16(body))
	}
	i, err := s.find(id)
	if err != nil {
		return err
	}
	link, err := linkType(i.number)
	if err != nil && !s.supported {
		return fmt.Errorf("interface %d: %w", id, err)
	}
	if err != nil {
		link = capture.LinkOther
	}
	kept, length := s.order.Uint32(body[12:]), s.order.Uint32(body[16:])
	rest := body[packetHeadLen:]
	if kept > MaxRecord || kept > length || int(kept) > len(rest) {
		return fmt.Errorf("%w: a packet of %d bytes, %d on the wire, in a block of %d", ErrDamaged, kept, length, len(body))
	}
	t := uint64(s.order.Uint32(body[4:]))<<32 | uint64(s.order.Uint32(body[8:]))
	*p = capture.Packet{Data: rest[:kept:kept], Stamp: i.stamp(t), OrigLen: length, Link: link}
	if len(s.interfaces) > 1 {
		p.IfIndex = int32(id) + 1
	}
	return s.options(rest[min(padded(int(kept)), len(rest)):], func(code uint16, value []byte) error {
		if code == optionPacketFlags && len(value) == 4 {
			p.Direction = flagsDirection(s.order.Uint32(value))
		}
		return nil
	})
}

// flagsDirection reads bits 0 and 1, the way, and 2 to 4, the reception type, of which 4 is promiscuous.
func flagsDirection(flags uint32) capture.Direction {
	switch {
	case flags&3 == 2:
		return capture.Out
	case flags&3 == 1 && flags>>2&7 == 4:
		return capture.Other
	case flags&3 == 1:
		return capture.In
	}
	return capture.Unknown
}

// options calls f for each option of a block.
func (s *ngSource) options(b []byte, f func(code uint16, value []byte) error) error {
	for len(b) >= 4 {
		code, n := s.order.Uint16(b), int(s.order.Uint16(b[2:]))
		if code == 0 { // end of options
			return nil
		}
		if b = b[4:]; n > len(b) {
			return fmt.Errorf("%w: option %d of %d bytes where %d are left", ErrDamaged, code, n, len(b))
		}
		if err := f(code, b[:n]); err != nil {
			return err
		}
		b = b[min(padded(n), len(b)):]
	}
	return nil
}

// padded is n brought to 32 bits, as packets and options are.
func padded(n int) int { return (n + 3) &^ 3 }
