package main

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"
)

// bfdCapture is what the files are made of, below the checkout.
const bfdCapture = "plugins/internal/bfdwatch/testdata/s04_echo_both.a/capture.pcap"

// traffic is what two routers with one BFD session, and echoes from both, sent within a second: frames of Ethernet,
// IPv4 without options, UDP and BFD, in their order. Files of any length and any number of sessions are made of it.
type traffic struct {
	begin  int64 // ns since the Unix epoch
	frames []bfdFrame
}

type bfdFrame struct {
	offset int64 // ns since the begin
	data   []byte
}

// What is taken of a capture: it begins before the session is Up.
const (
	trafficSkip = 2 * time.Second
	trafficSpan = time.Second
)

// Places in a frame, and BFD's ports.
const (
	atIP       = 14
	atUDP      = atIP + 20
	atPayload  = atUDP + 8
	leastFrame = atPayload + 24 // the length of both a control packet and FRR's echo

	portControl = 3784
	portEcho    = 3785
)

var errNoTraffic = errors.New("the capture has no BFD where it is looked for")

// readTraffic takes the BFD out of a pcap file.
func readTraffic(in io.Reader) (t traffic, err error) {
	file, err := pcapgo.NewReader(in)
	if err != nil {
		return t, err
	}
	for {
		data, info, err := file.ReadPacketData()
		if err == io.EOF {
			break
		}
		if err != nil {
			return t, err
		}
		at := info.Timestamp.UnixNano()
		if t.begin == 0 {
			t.begin = at + int64(trafficSkip)
		}
		if offset := at - t.begin; offset >= 0 && offset < int64(trafficSpan) && isBFD(data) {
			t.frames = append(t.frames, bfdFrame{offset, data})
		}
	}
	if len(t.frames) == 0 {
		return t, errNoTraffic
	}
	return t, nil
}

func isBFD(b []byte) bool {
	if len(b) < leastFrame || binary.BigEndian.Uint16(b[12:]) != 0x0800 || b[atIP] != 0x45 || b[atIP+9] != 17 {
		return false
	}
	port := binary.BigEndian.Uint16(b[atUDP+2:])
	return port == portControl || port == portEcho
}

// turn is a frame's place in the second that all sessions repeat.
type turn struct {
	offset  int64
	session int32
	frame   int32
}

// write makes a pcap file of so many packets in the order of time. The sessions do the same, each a part of the
// second later than the one before it, and begin again each second.
func (t traffic) write(out io.Writer, sessions, packets int) error {
	buffer := bufio.NewWriterSize(out, 1<<20)
	w := pcapgo.NewWriterNanos(buffer)
	if err := w.WriteFileHeader(1<<16, layers.LinkTypeEthernet); err != nil {
		return err
	}
	turns := t.turns(sessions)
	var own []byte
	for i := range packets {
		at := turns[i%len(turns)]
		frame := t.frames[at.frame]
		since := int64(1+i/len(turns))*int64(trafficSpan) + at.offset
		own = append(own[:0], frame.data...)
		adapt(own, uint32(at.session), since-frame.offset)
		info := gopacket.CaptureInfo{Timestamp: time.Unix(0, t.begin+since), CaptureLength: len(own), Length: len(own)}
		if err := w.WritePacket(info, own); err != nil {
			return err
		}
	}
	return buffer.Flush()
}

func (t traffic) turns(sessions int) []turn {
	turns := make([]turn, 0, sessions*len(t.frames))
	for s := range sessions {
		phase := int64(s) * int64(trafficSpan) / int64(sessions)
		for i, f := range t.frames {
			turns = append(turns, turn{(phase + f.offset) % int64(trafficSpan), int32(s), int32(i)})
		}
	}
	slices.SortStableFunc(turns, func(a, b turn) int { return cmp.Compare(a.offset, b.offset) })
	return turns
}

// adapt makes a frame one of another session that is sent some ns later: with addresses and discriminators of its own,
// the later time in FRR's echoes, and the checksums that go with them.
func adapt(b []byte, session uint32, later int64) {
	for _, address := range [2]int{atIP + 12, atIP + 16} {
		binary.BigEndian.PutUint16(b[address+1:], uint16(session))
	}
	payload := b[atPayload:]
	add(payload[4:], session)
	if binary.BigEndian.Uint16(b[atUDP+2:]) == portControl {
		add(payload[8:], session)
	} else {
		micros := int64(binary.BigEndian.Uint64(payload[8:]))*1e6 + int64(binary.BigEndian.Uint64(payload[16:])) + later/1e3
		binary.BigEndian.PutUint64(payload[8:], uint64(micros/1e6))
		binary.BigEndian.PutUint64(payload[16:], uint64(micros%1e6))
	}
	binary.BigEndian.PutUint16(b[atUDP+6:], 0) // RFC 768: there is none
	binary.BigEndian.PutUint16(b[atIP+10:], 0)
	binary.BigEndian.PutUint16(b[atIP+10:], checksum(b[atIP:atUDP]))
}

func add(b []byte, n uint32) { binary.BigEndian.PutUint32(b, binary.BigEndian.Uint32(b)+n) }

// checksum is that of RFC 1071, of an even number of bytes.
func checksum(b []byte) uint16 {
	var sum uint32
	for ; len(b) > 0; b = b[2:] {
		sum += uint32(binary.BigEndian.Uint16(b))
	}
	sum = sum>>16 + sum&0xffff
	return ^uint16(sum + sum>>16)
}

// bfdFile is a capture file that all read.
type bfdFile struct {
	sessions, packets int
	path              string
	// The beginning of it, for who would take too long.
	slicePackets int
	slicePath    string
}

// streams is how many streams of echoes the file has: one from each end of each session.
func (f bfdFile) streams() int { return 2 * f.sessions }

func (f bfdFile) String() string {
	return fmt.Sprintf("%s packets of %s sessions", count(f.packets), count(f.sessions))
}

// make writes both files.
func (f bfdFile) make(t traffic) error {
	return errors.Join(create(f.path, t, f.sessions, f.packets), create(f.slicePath, t, f.sessions, f.slicePackets))
}

func create(path string, t traffic, sessions, packets int) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(t.write(file, sessions, packets), file.Close())
}

func loadTraffic(path string) (traffic, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return traffic{}, err
	}
	t, err := readTraffic(bytes.NewReader(data))
	if err != nil {
		return t, fmt.Errorf("%s: %w", path, err)
	}
	return t, nil
}
