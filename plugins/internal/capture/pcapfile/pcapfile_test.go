package pcapfile

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"

	"echogram/plugins/internal/capture"
)

// pcapHead is a pcap file's head.
func pcapHead(order binary.AppendByteOrder, magic uint32, link uint32) []byte {
	b := order.AppendUint32(nil, magic)
	b = order.AppendUint16(b, 2)
	b = order.AppendUint16(b, 4)
	b = append(b, make([]byte, 8)...) // time zone, accuracy
	b = order.AppendUint32(b, 65535)
	return order.AppendUint32(b, link)
}

func record(order binary.AppendByteOrder, sec, frac, length uint32, data []byte) []byte {
	b := order.AppendUint32(nil, sec)
	b = order.AppendUint32(b, frac)
	b = order.AppendUint32(b, uint32(len(data)))
	return append(order.AppendUint32(b, length), data...)
}

// read returns what a file holds, with copies of the data.
func read(file []byte) (packets []capture.Packet, err error) {
	r, err := NewReader(bytes.NewReader(file))
	for err == nil {
		var p *capture.Packet
		if p, err = r.Next(); err == nil {
			own := *p
			own.Data = bytes.Clone(p.Data)
			packets = append(packets, own)
		}
	}
	if err == io.EOF {
		err = nil
	}
	return packets, err
}

func zipped(file []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write(file)
	w.Close()
	return b.Bytes()
}

func TestPcap(t *testing.T) {
	data := []byte("fourteen bytes and more")
	for _, c := range []struct {
		name  string
		order binary.AppendByteOrder
		magic uint32
		frac  uint32
		link  uint32
		want  capture.LinkType
	}{
		{"microseconds", binary.LittleEndian, 0xa1b2c3d4, 7, 1, capture.LinkEthernet},
		{"microseconds, the other order", binary.BigEndian, 0xa1b2c3d4, 7, 1, capture.LinkEthernet},
		{"nanoseconds", binary.LittleEndian, 0xa1b23c4d, 7000, 101, capture.LinkRaw},
		{"nanoseconds, the other order", binary.BigEndian, 0xa1b23c4d, 7000, 228, capture.LinkRaw},
		{"IPv6 only", binary.LittleEndian, 0xa1b23c4d, 7000, 229, capture.LinkRaw},
		{"loopback", binary.LittleEndian, 0xa1b2c3d4, 7, 0, capture.LinkNull},
		{"with the length of a check sequence", binary.LittleEndian, 0xa1b2c3d4, 7, 0x24000001, capture.LinkEthernet},
	} {
		file := append(pcapHead(c.order, c.magic, c.link), record(c.order, 1700000000, c.frac, 60, data)...)
		file = append(file, record(c.order, 1700000001, 0, uint32(len(data)), data)...)
		for _, f := range [][]byte{file, zipped(file), append(zipped(file[:30]), zipped(file[30:])...)} {
			got, err := read(f)
			if err != nil || len(got) != 2 {
				t.Errorf("%s: %d packets, %v", c.name, len(got), err)
				continue
			}
			p := got[0]
			if p.Stamp != 1700000000_000007000 || p.OrigLen != 60 || p.Link != c.want || p.Kind != capture.StampFile ||
				p.Direction != capture.Unknown || !bytes.Equal(p.Data, data) {
				t.Errorf("%s: %+v", c.name, p)
			}
		}
	}
}

// TestCooked: Linux's cooked headers name the way, and the second kind the interface.
func TestCooked(t *testing.T) {
	order := binary.LittleEndian
	want := []capture.Direction{capture.In, capture.In, capture.In, capture.Other, capture.Out, capture.Unknown}
	for kind, way := range want {
		sll := make([]byte, 40)
		sll[1] = byte(kind)
		got, err := read(append(pcapHead(order, 0xa1b2c3d4, 113), record(order, 1, 0, 40, sll)...))
		if err != nil || got[0].Direction != way || got[0].Link != capture.LinkSLL {
			t.Errorf("packet type %d: %+v, %v", kind, got, err)
		}
		sll2 := make([]byte, 40)
		sll2[7], sll2[10] = 9, byte(kind)
		got, err = read(append(pcapHead(order, 0xa1b2c3d4, 276), record(order, 1, 0, 40, sll2)...))
		if err != nil || got[0].Direction != way || got[0].Link != capture.LinkSLL2 || got[0].IfIndex != 9 {
			t.Errorf("packet type %d: %+v, %v", kind, got, err)
		}
	}
}

// TestTruncated cuts files at every byte: all whole packets come, and then what happened.
func TestTruncated(t *testing.T) {
	order := binary.LittleEndian
	head := pcapHead(order, 0xa1b2c3d4, 1)
	one := record(order, 1, 0, 10, make([]byte, 10))
	pcap := slices.Concat(head, one, one)
	ng := slices.Concat(section(order), description(order, 1), packet(order, 0, 5, make([]byte, 10)), packet(order, 0, 6, make([]byte, 10)))
	for _, c := range []struct {
		name       string
		file       []byte
		start, per int // of the first packet, of each
	}{{"pcap", pcap, len(head), len(one)}, {"pcapng", ng, len(section(order)) + len(description(order, 1)), len(packet(order, 0, 5, make([]byte, 10)))}} {
		for n := c.start; n < len(c.file); n++ {
			got, err := read(c.file[:n])
			whole := (n - c.start) / c.per
			between := (n-c.start)%c.per == 0
			if len(got) != whole || between != (err == nil) {
				t.Errorf("%s cut at %d: %d packets, %v", c.name, n, len(got), err)
			}
			if !between && (!errors.Is(err, ErrTruncated) || !strings.HasSuffix(err.Error(), fmt.Sprintf("after %d packets", whole))) {
				t.Errorf("%s cut at %d: %v", c.name, n, err)
			}
		}
	}
	z := zipped(append(slices.Clone(pcap), bytes.Repeat(one, 1000)...))
	if got, err := read(z[:len(z)-9]); !errors.Is(err, ErrTruncated) || len(got) == 0 {
		t.Errorf("gzip: %d packets, %v", len(got), err)
	}
}

// trickle gives one byte at a time, and an error before each.
type trickle struct {
	b     []byte
	pause bool
}

var errLater = errors.New("later")

func (r *trickle) Read(b []byte) (int, error) {
	if r.pause = !r.pause; r.pause {
		return 0, errLater
	}
	if len(r.b) == 0 {
		return 0, io.EOF
	}
	n := copy(b[:1], r.b)
	r.b = r.b[n:]
	return n, nil
}

// TestGoesOn: a file that grows gives the packets of the whole one, whatever it has at a time.
func TestGoesOn(t *testing.T) {
	order := binary.LittleEndian
	head := pcapHead(order, 0xa1b23c4d, 1)
	for name, file := range map[string][]byte{
		"pcap": slices.Concat(head, record(order, 1, 5, 60, []byte("cut short")), record(order, 2, 6, 3, []byte("two")), record(order, 3, 7, 0, nil)),
		"pcapng": slices.Concat(section(order), block(order, 0x0bad, make([]byte, 100)), description(order, 1, option(order, optionIfName, []byte("a"))...), packet(order, 0, 5, []byte("one")),
			section(order), description(order, 1), packet(order, 0, 7, []byte("two"))),
	} {
		want, err := read(file)
		if err != nil || len(want) < 2 {
			t.Fatalf("%s: %d packets, %v", name, len(want), err)
		}
		_, err = NewReader(&trickle{b: slices.Clone(file[:24])})
		if !errors.Is(err, errLater) {
			t.Fatalf("%s: its head is not there: %v", name, err)
		}
		in := &trickle{b: file[24:]}
		r, err := NewReader(io.MultiReader(bytes.NewReader(file[:24]), in))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var got []capture.Packet
		for err == nil || errors.Is(err, errLater) {
			var p *capture.Packet
			if p, err = r.Next(); err == nil {
				own := *p
				own.Data = bytes.Clone(p.Data)
				got = append(got, own)
			}
		}
		if err != io.EOF || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, %v; want %v", name, got, err, want)
		}
	}
}

func TestRefuses(t *testing.T) {
	order := binary.LittleEndian
	head := pcapHead(order, 0xa1b2c3d4, 1)
	huge := order.AppendUint32(make([]byte, 8), MaxRecord+1)
	huge = order.AppendUint32(huge, MaxRecord+1)
	ng := slices.Concat(section(order), description(order, 1))
	for name, c := range map[string]struct {
		file []byte
		want error
	}{
		"empty":                      {nil, ErrFormat},
		"two bytes":                  {[]byte{0xd4, 0xc3}, ErrFormat},
		"text":                       {[]byte("hello, world"), ErrFormat},
		"zipped text":                {zipped([]byte("hello, world")), ErrFormat},
		"another version":            {append([]byte{0xd4, 0xc3, 0xb2, 0xa1, 9}, head[5:]...), ErrDamaged},
		"802.11":                     {pcapHead(order, 0xa1b2c3d4, 105), ErrLinkType},
		"a number above 8 bits":      {pcapHead(order, 0xa1b2c3d4, 257), ErrLinkType},
		"a huge record":              {append(slices.Clone(head), huge...), ErrDamaged},
		"more kept than sent":        {append(slices.Clone(head), record(order, 1, 0, 3, make([]byte, 4))...), ErrDamaged},
		"pcapng: no byte order":      {block(order, blockSection, make([]byte, 16)), ErrDamaged},
		"pcapng: short section":      {block(order, blockSection, order.AppendUint32(nil, byteOrderMagic)), ErrDamaged},
		"pcapng: no interface":       {append(section(order), packet(order, 0, 1, nil)...), ErrDamaged},
		"pcapng: half an interface":  {append(section(order), block(order, blockInterface, make([]byte, 4))...), ErrDamaged},
		"pcapng: 10^-20 s":           {append(section(order), description(order, 1, option(order, optionResolution, []byte{20})...)...), ErrDamaged},
		"pcapng: 2^-64 s":            {append(section(order), description(order, 1, option(order, optionResolution, []byte{0xc0})...)...), ErrDamaged},
		"pcapng: long option":        {append(section(order), description(order, 1, 9, 0, 99, 0)...), ErrDamaged},
		"pcapng: 802.11":             {slices.Concat(section(order), description(order, 105), packet(order, 0, 1, nil)), ErrLinkType},
		"pcapng: simple":             {append(slices.Clone(ng), block(order, blockSimple, make([]byte, 20))...), ErrDamaged},
		"pcapng: short packet":       {append(slices.Clone(ng), block(order, blockPacket, make([]byte, 16))...), ErrDamaged},
		"pcapng: short statistics":   {append(slices.Clone(ng), block(order, blockStatistics, make([]byte, 8))...), ErrDamaged},
		"pcapng: whose statistics":   {append(slices.Clone(ng), block(order, blockStatistics, []byte{9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})...), ErrDamaged},
		"pcapng: odd length":         {append(slices.Clone(ng), 6, 0, 0, 0, 33, 0, 0, 0, 0, 0, 0, 0), ErrDamaged},
		"pcapng: huge packet":        {append(slices.Clone(ng), 6, 0, 0, 0, 0, 0, 0, 0x10, 0, 0, 0, 0), ErrDamaged},
		"pcapng: lengths that clash": {append(slices.Clone(ng), append(packet(order, 0, 1, nil)[:28], 36, 0, 0, 0)...), ErrDamaged},
		"pcapng: more than is there": {append(slices.Clone(ng), block(order, blockPacket, []byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 8, 0, 0, 0})...), ErrDamaged},
	} {
		if got, err := read(c.file); !errors.Is(err, c.want) || len(got) != 0 {
			t.Errorf("%s: %d packets, %v; want %v", name, len(got), err, c.want)
		}
	}
	if _, err := read(pcapHead(order, 0xa1b2c3d4, 257)); !strings.Contains(err.Error(), "link type 257 ") {
		t.Errorf("the error does not name the number: %v", err)
	}
}

func FuzzReader(f *testing.F) {
	for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
		f.Add(append(pcapHead(order, 0xa1b23c4d, 276), record(order, 1, 2, 60, make([]byte, 40))...))
		f.Add(slices.Concat(section(order), description(order, 113, option(order, optionResolution, []byte{0x8a})...),
			packet(order, 0, 1<<40, make([]byte, 21), option(order, optionPacketFlags, []byte{1, 0, 0, 0})...),
			block(order, blockStatistics, append(make([]byte, 12), option(order, optionIfDrop, make([]byte, 8))...))))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		packets, _ := read(file)
		size := 0
		for _, p := range packets {
			size += len(p.Data)
			if uint32(len(p.Data)) > p.OrigLen {
				t.Errorf("%d bytes kept of %d", len(p.Data), p.OrigLen)
			}
		}
		if !bytes.HasPrefix(file, []byte{0x1f, 0x8b}) && size > len(file) {
			t.Errorf("%d bytes of packets in a file of %d", size, len(file))
		}
	})
}
