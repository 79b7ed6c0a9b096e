package pcapfile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"

	"echogram/plugins/internal/capture"
)

// block wraps a body whose length is a multiple of 4.
func block(order binary.AppendByteOrder, kind uint32, body []byte) []byte {
	length := uint32(len(body) + blockMinLen)
	b := order.AppendUint32(nil, kind)
	b = append(order.AppendUint32(b, length), body...)
	return order.AppendUint32(b, length)
}

func section(order binary.AppendByteOrder) []byte {
	b := order.AppendUint32(nil, byteOrderMagic)
	b = order.AppendUint16(b, 1) // version 1.0
	b = order.AppendUint16(b, 0)
	return block(order, blockSection, order.AppendUint64(b, 1<<64-1)) // of unknown length
}

func description(order binary.AppendByteOrder, link uint16, options ...byte) []byte {
	b := order.AppendUint16(nil, link)
	b = order.AppendUint16(b, 0)
	b = order.AppendUint32(b, 65535)
	return block(order, blockInterface, append(b, options...))
}

func option(order binary.AppendByteOrder, code uint16, value []byte) []byte {
	b := order.AppendUint16(nil, code)
	b = append(order.AppendUint16(b, uint16(len(value))), value...)
	return append(b, make([]byte, padded(len(value))-len(value))...)
}

func packet(order binary.AppendByteOrder, id uint32, time uint64, data []byte, options ...byte) []byte {
	b := order.AppendUint32(nil, id)
	b = order.AppendUint32(b, uint32(time>>32))
	b = order.AppendUint32(b, uint32(time))
	b = order.AppendUint32(b, uint32(len(data)))
	b = append(order.AppendUint32(b, 1500), data...)
	b = append(b, make([]byte, padded(len(data))-len(data))...)
	return block(order, blockPacket, append(b, options...))
}

func TestPcapng(t *testing.T) {
	const sec = 1700000000
	for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
		flags := func(v uint32) []byte { return option(order, optionPacketFlags, order.AppendUint32(nil, v)) }
		var old []byte // interface 1 and 3 drops in 16 bits each
		old = order.AppendUint16(order.AppendUint16(old, 1), 3)
		old = append(old, packet(order, 0, sec*1e9+7, []byte("obsolete"))[12:40]...)
		file := slices.Concat(
			section(order),
			block(order, 0x0bad, bytes.Repeat([]byte("unknown "), bufferLen/4)), // longer than the buffer
			description(order, 1),
			description(order, 101, append(option(order, 2, []byte("tun0")), option(order, optionResolution, []byte{9})...)...),
			description(order, 276, option(order, optionResolution, []byte{0x80 | 10})...),
			description(order, 1, append(option(order, optionResolution, []byte{0}), option(order, optionTimeOffset, order.AppendUint64(nil, sec))...)...),
			description(order, 1, option(order, optionResolution, []byte{12})...),
			packet(order, 0, sec*1e6+7, []byte("five!"), append(option(order, 1, []byte("comment")), flags(2)...)...),
			packet(order, 1, sec*1e9+7, []byte("1"), flags(1)...),
			packet(order, 2, sec<<10+512, make([]byte, 20)),
			packet(order, 3, 60, nil, flags(1|4<<2)...),
			packet(order, 4, 7_001_999, nil),
			block(order, blockOldPacket, old),
			block(order, blockStatistics, slices.Concat(order.AppendUint32(nil, 1), make([]byte, 8),
				option(order, optionIfDrop, order.AppendUint64(nil, 3)), option(order, optionOSDrop, order.AppendUint64(nil, 4)))),
			section(order), description(order, 101), packet(order, 0, 5, nil),
		)
		want := []capture.Packet{
			{Data: []byte("five!"), Stamp: sec*1e9 + 7000, Link: capture.LinkEthernet, Direction: capture.Out, IfIndex: 1},
			{Data: []byte("1"), Stamp: sec*1e9 + 7, Link: capture.LinkRaw, Direction: capture.In, IfIndex: 2},
			{Data: make([]byte, 20), Stamp: sec*1e9 + 5e8, Link: capture.LinkSLL2, Direction: capture.In},
			{Stamp: (sec + 60) * 1e9, Link: capture.LinkEthernet, Direction: capture.Other, IfIndex: 4},
			{Stamp: 7001, Link: capture.LinkEthernet, IfIndex: 5},
			{Data: []byte("obsolete"), Stamp: sec*1e9 + 7, Link: capture.LinkRaw, IfIndex: 2},
			{Stamp: 5000, Link: capture.LinkRaw},
		}
		got, err := read(file)
		if err != nil || len(got) != len(want) {
			t.Fatalf("%v: %d packets, %v", order, len(got), err)
		}
		for i, w := range want {
			g := got[i]
			if !bytes.Equal(g.Data, w.Data) || g.Stamp != w.Stamp || g.Link != w.Link || g.Direction != w.Direction ||
				g.IfIndex != w.IfIndex || g.Kind != capture.StampFile || g.OrigLen != 1500 {
				t.Errorf("%v, packet %d: %+v, want %+v", order, i, g, w)
			}
		}
		r, _ := NewReader(bytes.NewReader(file))
		for err == nil {
			_, err = r.Next()
		}
		if r.Dropped() != 7 {
			t.Errorf("%v: %d dropped, want 7", order, r.Dropped())
		}
	}
}

// TestAgainstGopacket reads what another author's writer writes.
func TestAgainstGopacket(t *testing.T) {
	var b bytes.Buffer
	w, err := pcapgo.NewNgWriter(&b, layers.LinkTypeEthernet)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		data := make([]byte, 60+i)
		info := gopacket.CaptureInfo{Timestamp: time.Unix(1700000000, int64(i)), CaptureLength: len(data), Length: 1000}
		if err := w.WritePacket(info, data); err != nil {
			t.Fatal(err)
		}
	}
	w.Flush()
	got, err := read(b.Bytes())
	if err != nil || len(got) != 5 || got[4].Stamp != 1700000000_000000004 || len(got[4].Data) != 64 {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestOtherInterface: an interface that cannot be read, such as one of USB, does not keep the others from being read.
func TestOtherInterface(t *testing.T) {
	order := binary.LittleEndian
	file := slices.Concat(section(order), description(order, 220), description(order, 1), packet(order, 0, 1, nil), packet(order, 1, 2, nil),
		section(order), description(order, 220), packet(order, 0, 3, nil))
	r, err := NewReader(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []capture.LinkType{capture.LinkOther, capture.LinkEthernet} {
		if p, err := r.Next(); err != nil || p.Link != want {
			t.Fatalf("%+v, %v, want link type %d", p, err, want)
		}
	}
	if _, err := r.Next(); !errors.Is(err, ErrLinkType) {
		t.Errorf("where there is no other: %v", err)
	}
}

// TestInterfaceName: names are the section's; numbers of the kernel have none.
func TestInterfaceName(t *testing.T) {
	order := binary.LittleEndian
	name := func(s string) []byte { return option(order, optionIfName, []byte(s)) }
	one := description(order, 1, name("eth0")...)
	several := slices.Concat(one, description(order, 101), description(order, 1, name("tun0\x00")...), description(order, 276, name("any")...))
	sll2 := make([]byte, 20)
	sll2[7] = 4
	for _, c := range []struct {
		name string
		file []byte
		want []string // of the packets' IfIndex
	}{
		{"pcap", append(pcapHead(order, 0xa1b2c3d4, 1), record(order, 1, 0, 10, nil)...), []string{""}},
		{"pcap, cooked", append(pcapHead(order, 0xa1b2c3d4, 276), record(order, 1, 0, 20, sll2)...), []string{"if4"}},
		{"one", slices.Concat(section(order), one, packet(order, 0, 1, nil)), []string{"eth0"}},
		{"one without a name", slices.Concat(section(order), description(order, 1), packet(order, 0, 1, nil)), []string{""}},
		{"one, cooked", slices.Concat(section(order), description(order, 276, name("any")...), packet(order, 0, 1, sll2)), []string{"if4"}},
		{"several", slices.Concat(section(order), several, packet(order, 0, 1, nil), packet(order, 1, 1, nil), packet(order, 2, 1, nil), packet(order, 3, 1, sll2)),
			[]string{"eth0", "if1", "tun0", "if4"}},
		{"sections", slices.Concat(section(order), several, packet(order, 0, 1, nil), section(order), description(order, 1, name("lo")...), packet(order, 0, 1, nil)),
			[]string{"eth0", "lo"}},
	} {
		r, err := NewReader(bytes.NewReader(c.file))
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		for _, want := range c.want {
			p, err := r.Next()
			if err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
			if got := r.InterfaceName(p.IfIndex); got != want {
				t.Errorf("%s: interface %d is %q, want %q", c.name, p.IfIndex, got, want)
			}
		}
		if got := r.InterfaceName(-1); got == "eth0" {
			t.Errorf("%s: interface -1 is %q", c.name, got)
		}
	}
}
