package pcapfile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"testing"

	"echogram/plugins/internal/capture"
)

func TestWriter(t *testing.T) {
	var b bytes.Buffer
	w, err := NewWriter(&b, capture.LinkEthernet, 64)
	if err != nil {
		t.Fatal(err)
	}
	frame := bytes.Repeat([]byte{7}, 60)
	for _, p := range []capture.Packet{
		{Data: frame, Stamp: 1700000000_123456789, OrigLen: 60},
		{Data: frame[:20], Stamp: 2, OrigLen: 1500, VLAN: 0x2042, HasVLAN: true},
		{Data: bytes.Repeat([]byte{1}, 100), Stamp: 3, OrigLen: 100},
	} {
		if err := w.Write(&p); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Write(&capture.Packet{Link: capture.LinkRaw}); !errors.Is(err, ErrLinkType) {
		t.Errorf("raw IP in an Ethernet file: %v", err)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if magic := binary.LittleEndian.Uint32(b.Bytes()); magic != 0xa1b23c4d {
		t.Errorf("magic %x", magic)
	}
	got, err := read(b.Bytes())
	if err != nil || len(got) != 3 {
		t.Fatalf("%d packets, %v", len(got), err)
	}
	if p := got[0]; p.Stamp != 1700000000_123456789 || !bytes.Equal(p.Data, frame) || p.OrigLen != 60 {
		t.Errorf("%+v", p)
	}
	if p := got[1]; p.OrigLen != 1504 || !bytes.Equal(p.Data[12:16], []byte{0x81, 0, 0x20, 0x42}) || len(p.Data) != 24 {
		t.Errorf("with a VLAN tag: %+v", p)
	}
	if p := got[2]; p.OrigLen != 100 || len(p.Data) != 64 {
		t.Errorf("longer than the snap length: %+v", p)
	}
}

func TestWriterRefuses(t *testing.T) {
	if _, err := NewWriter(io.Discard, capture.LinkSLL, 0); !errors.Is(err, ErrLinkType) {
		t.Errorf("got %v", err)
	}
}

func BenchmarkReader(b *testing.B) {
	order := binary.LittleEndian
	one := record(order, 1700000000, 5, 60, make([]byte, 60))
	ng := packet(order, 0, 5, make([]byte, 60))
	for name, file := range map[string][]byte{
		"pcap":   append(pcapHead(order, 0xa1b23c4d, 1), bytes.Repeat(one, 100_000)...),
		"pcapng": append(append(section(order), description(order, 1)...), bytes.Repeat(ng, 100_000)...),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for range b.N {
				r, err := NewReader(bytes.NewReader(file))
				for err == nil {
					_, err = r.Next()
				}
				if err != io.EOF {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/100_000, "ns/packet")
		})
	}
}
