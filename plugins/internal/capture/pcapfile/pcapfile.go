// Package pcapfile reads and writes capture files: pcap with microseconds or nanoseconds and pcapng with any number
// of interfaces and any resolution, each in both byte orders, plain or gzip, told apart by their first bytes.
//
// Layers: pcapfile.go (which format, link types, directions), pcap.go (records), pcapng.go (blocks), writer.go
// (nanosecond pcap, through gopacket's pcapgo). Both formats are read here and not by pcapgo, which copies each packet,
// sizes its buffers by what the file claims, divides by zero at odd resolutions, keeps 8 of a link type's 16 bits and
// drops the packets' flags.
//
// Memory does not follow the file: one buffer of fixed size, and records above MaxRecord are refused.
// Not here: opening files, decoding frames, packets without a time (pcapng's simple packet blocks, an error).
package pcapfile

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"

	"echogram/plugins/internal/capture"
)

// MaxRecord is the most bytes that one packet in a file may have: libpcap's own limit.
const MaxRecord = 256 << 10

// bufferLen holds a packet of MaxRecord with its block and options.
const bufferLen = 2 * MaxRecord

// Errors that callers decide on; their texts are made longer by what was found.
var (
	// ErrTruncated is the end of a file in the midst of a packet. All packets before it have come.
	ErrTruncated = errors.New("the file ends inside a packet")
	ErrFormat    = errors.New("neither a pcap nor a pcapng file")
	ErrLinkType  = errors.New("unsupported link type")
	ErrDamaged   = errors.New("damaged file")
)

// Reader reads the packets of one file.
type Reader struct {
	source source
	packet capture.Packet
	n      int64
}

// source reads one file format.
type source interface {
	// next fills in the next packet. It returns io.EOF between packets and io.ErrUnexpectedEOF inside one.
	next(p *capture.Packet) error
	dropped() uint64
	name(ifindex int32) string
}

// NewReader reads the head of a file. The errors are ErrFormat, ErrLinkType, ErrDamaged, ErrTruncated and those of in;
// after one of in the head has to be read again from its beginning.
func NewReader(in io.Reader) (*Reader, error) {
	r := &Reader{}
	b := bufio.NewReaderSize(in, bufferLen)
	magic, err := b.Peek(4)
	if err == nil && bytes.HasPrefix(magic, []byte{0x1f, 0x8b}) {
		plain, damage := gzip.NewReader(b)
		if damage != nil {
			return nil, r.wrap(damage)
		}
		b = bufio.NewReaderSize(plain, bufferLen)
		magic, err = b.Peek(4)
	}
	if err != nil && err != io.EOF {
		return nil, r.wrap(err)
	}
	if len(magic) < 4 {
		return nil, fmt.Errorf("pcapfile: %w: it has %d bytes", ErrFormat, len(magic))
	}
	switch binary.BigEndian.Uint32(magic) {
	case blockSection:
		r.source = &ngSource{in: b}
	case 0xa1b2c3d4, 0xd4c3b2a1, 0xa1b23c4d, 0x4d3cb2a1:
		r.source, err = newPcap(b)
	default:
		return nil, fmt.Errorf("pcapfile: %w: it begins with % x", ErrFormat, magic)
	}
	if err != nil {
		return nil, r.wrap(err)
	}
	return r, nil
}

// Next returns the next packet, which is valid until the call after it, and io.EOF at the end of the file. After that
// and after ErrTruncated, ErrDamaged and ErrLinkType there are no more packets. Any other error is the file's own and
// comes as it is, wrapped; in a plain file the next call goes on where it came, so that a file can be read while it
// grows. Next does not go on inside gzip.
func (r *Reader) Next() (*capture.Packet, error) {
	if err := r.source.next(&r.packet); err != nil {
		return nil, r.wrap(err)
	}
	r.packet.Kind = capture.StampFile
	r.setDirection()
	r.n++
	return &r.packet, nil
}

// Dropped returns how many packets the capture lost, as far as the file has told so far. Only pcapng files do.
func (r *Reader) Dropped() uint64 { return r.source.dropped() }

// InterfaceName names the interface of a packet's IfIndex: as the pcapng section that is read says (if_name), else
// "if<N>" with the interface's number in the section or, from a cooked header, in the kernel. For 0 it is the name of
// a pcapng section's only interface, or "".
func (r *Reader) InterfaceName(ifindex int32) string { return r.source.name(ifindex) }

func numbered(n int32) string { return "if" + strconv.Itoa(int(n)) }

func (r *Reader) wrap(err error) error {
	switch {
	case err == io.EOF:
		return err
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("pcapfile: %w, after %d packets", ErrTruncated, r.n)
	}
	return fmt.Errorf("pcapfile: after %d packets: %w", r.n, err)
}

// linkSLL2 is the number of cooked headers that name the interface.
const linkSLL2 = 276

// linkType translates the numbers of www.tcpdump.org/linktypes.html.
func linkType(number uint16) (capture.LinkType, error) {
	switch number {
	case 0, 108: // loopback of the BSDs, address family in the writer's or in network byte order
		return capture.LinkNull, nil
	case 1:
		return capture.LinkEthernet, nil
	case 12, 101, 228, 229: // raw IP: as some systems number it, either family, IPv4, IPv6
		return capture.LinkRaw, nil
	case 113:
		return capture.LinkSLL, nil
	case linkSLL2:
		return capture.LinkSLL2, nil
	}
	return 0, fmt.Errorf("%w %d (supported: Ethernet 1, raw IP 101, 228 and 229, Linux cooked 113 and 276, loopback 0 and 108)", ErrLinkType, number)
}

// Places in the headers of Linux cooked captures (LINKTYPE_LINUX_SLL, LINKTYPE_LINUX_SLL2).
const (
	sllLen, sllType                = 16, 1
	sll2Len, sll2IfIndex, sll2Type = 20, 4, 10
)

// Packet types of cooked headers; those below are for us: unicast, broadcast, multicast.
const (
	sllToOther  = 3
	sllOutgoing = 4
)

// setDirection reads what a cooked header says of way and interface.
func (r *Reader) setDirection() {
	p := &r.packet
	switch {
	case p.Link == capture.LinkSLL && len(p.Data) >= sllLen:
		p.Direction = sllDirection(p.Data[sllType])
	case p.Link == capture.LinkSLL2 && len(p.Data) >= sll2Len:
		p.Direction = sllDirection(p.Data[sll2Type])
		p.IfIndex = int32(binary.BigEndian.Uint32(p.Data[sll2IfIndex:]))
	}
}

func sllDirection(kind byte) capture.Direction {
	switch {
	case kind == sllOutgoing:
		return capture.Out
	case kind == sllToOther:
		return capture.Other
	case kind < sllToOther:
		return capture.In
	}
	return capture.Unknown
}
