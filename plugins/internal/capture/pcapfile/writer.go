package pcapfile

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"

	"echogram/plugins/internal/capture"
)

// Writer writes a pcap file with nanoseconds. It is for one goroutine at a time.
type Writer struct {
	buffer *bufio.Writer
	pcap   *pcapgo.Writer
	link   capture.LinkType
	snap   int
	tagged []byte // scratch: a frame with its VLAN tag put back
}

// NewWriter writes the file's head. A pcap file holds frames of one link type: Ethernet or raw IP here. snap is the
// number of bytes to keep of a frame, 0 as many as MaxRecord.
func NewWriter(out io.Writer, link capture.LinkType, snap int) (*Writer, error) {
	number := layers.LinkTypeEthernet
	switch link {
	case capture.LinkEthernet:
	case capture.LinkRaw:
		number = layers.LinkTypeRaw
	default:
		return nil, fmt.Errorf("pcapfile: write: %w %d: only Ethernet and raw IP are written", ErrLinkType, link)
	}
	if snap <= 0 || snap > MaxRecord {
		snap = MaxRecord
	}
	b := bufio.NewWriterSize(out, 256<<10)
	w := &Writer{buffer: b, pcap: pcapgo.NewWriterNanos(b), link: link, snap: snap}
	if err := w.pcap.WriteFileHeader(uint32(snap), number); err != nil {
		return nil, fmt.Errorf("pcapfile: write: %w", err)
	}
	return w, nil
}

// Write writes one packet; a VLAN tag that the kernel took off is put back. ErrLinkType says that the packet is of
// another link type than the file, which is then as it was before.
func (w *Writer) Write(p *capture.Packet) error {
	if p.Link != w.link {
		return fmt.Errorf("pcapfile: write: %w %d in a file of link type %d: a pcap file holds one, so capture one interface only", ErrLinkType, p.Link, w.link)
	}
	data, length := p.Data, int(p.OrigLen)
	if p.HasVLAN && len(data) >= 12 {
		data, length = w.tag(data, p.VLAN), length+4
	}
	data = data[:min(len(data), w.snap)]
	info := gopacket.CaptureInfo{Timestamp: time.Unix(0, p.Stamp), CaptureLength: len(data), Length: max(length, len(data))}
	if err := w.pcap.WritePacket(info, data); err != nil {
		return fmt.Errorf("pcapfile: write: %w", err)
	}
	return nil
}

// tag puts an 802.1Q tag behind the addresses of a frame.
func (w *Writer) tag(frame []byte, tci uint16) []byte {
	w.tagged = append(append(w.tagged[:0], frame[:12]...), 0x81, 0x00)
	w.tagged = append(binary.BigEndian.AppendUint16(w.tagged, tci), frame[12:]...)
	return w.tagged
}

// Flush hands what is buffered to the file. Call it before the file is closed.
func (w *Writer) Flush() error {
	if err := w.buffer.Flush(); err != nil {
		return fmt.Errorf("pcapfile: write: %w", err)
	}
	return nil
}
