package netlab

import (
	"net/netip"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

// wanFrameOf makes a UDP datagram's frame.
func wanFrameOf(t *testing.T, src, dst string, ttl uint8, id, sport, dport uint16, payload string) []byte {
	t.Helper()
	s, d := netip.MustParseAddr(src), netip.MustParseAddr(dst)
	eth := &layers.Ethernet{SrcMAC: make([]byte, 6), DstMAC: make([]byte, 6), EthernetType: layers.EthernetTypeIPv4}
	udp := &layers.UDP{SrcPort: layers.UDPPort(sport), DstPort: layers.UDPPort(dport)}
	var ip gopacket.SerializableLayer = &layers.IPv4{Version: 4, TTL: ttl, Id: id, Protocol: layers.IPProtocolUDP, SrcIP: s.AsSlice(), DstIP: d.AsSlice()}
	if s.Is6() {
		eth.EthernetType = layers.EthernetTypeIPv6
		ip = &layers.IPv6{Version: 6, HopLimit: ttl, NextHeader: layers.IPProtocolUDP, SrcIP: s.AsSlice(), DstIP: d.AsSlice()}
	}
	b := gopacket.NewSerializeBuffer()
	err := gopacket.SerializeLayers(b, gopacket.SerializeOptions{FixLengths: true}, eth, ip, udp, gopacket.Payload(payload))
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestReadPassage(t *testing.T) {
	echo := wanFrameOf(t, "198.19.4.1", "198.19.4.1", 255, 7, 3785, 3785, "echo")
	p := ReadPassage(append(echo, 0, 0, 0)) // padded
	if p.Kind != FrameEcho || p.TTL != 255 || p.Key.ID != 7 || p.Key.SrcPort != 3785 || p.Key != ReadPassage(echo).Key {
		t.Errorf("an echo: %+v", p)
	}
	solicit := wanFrameOf(t, "2001:2::1", "2001:2::2", 255, 0, 0, 0, "")
	solicit[etherHeader+6], solicit[etherHeader+ipv6Header] = protocolICMPv6, 135
	fragment := wanFrameOf(t, "198.19.4.1", "198.19.4.2", 64, 7, 1, 3784, "")
	fragment[etherHeader+7] = 1
	for name, c := range map[string]struct {
		frame []byte
		want  FrameKind
	}{
		"control":            {wanFrameOf(t, "198.19.4.1", "198.19.4.2", 255, 7, 49152, 3784, "control"), FrameControl},
		"multihop over IPv6": {wanFrameOf(t, "2001:2::1", "2001:2::2", 64, 0, 49152, 4784, "control"), FrameControl},
		"another datagram":   {wanFrameOf(t, "2001:2::1", "2001:2::2", 64, 0, 3785, 53, "x"), FrameIP},
		"fragment":           {fragment, FrameIP},
		"neighbour":          {solicit, FrameLocal},
		"ARP":                {append(make([]byte, 12), 8, 6), FrameLocal},
		"stump":              {echo[:10], FrameLocal},
		"cut echo":           {echo[:etherHeader+ipv4Header+4], FrameIP},
	} {
		if got := ReadPassage(c.frame).Kind; got != c.want {
			t.Errorf("%s: kind %d, want %d", name, got, c.want)
		}
	}
}

func FuzzReadPassage(f *testing.F) {
	f.Add(append(make([]byte, 12), 8, 0, 0x4f))
	f.Add(append(make([]byte, 12), 0x86, 0xdd, 0x60))
	f.Fuzz(func(t *testing.T, frame []byte) {
		if p := ReadPassage(frame); p.Bytes != len(frame) || (p.Kind != FrameEcho) != (p.Key == EchoKey{}) {
			t.Errorf("%+v", p)
		}
	})
}

// wanWalk lets frames pass the books one after another, 1 ms apart.
type wanWalk struct {
	*wanBooks
	now int64
}

// pass books a frame's coming, what is done to it, and its leaving 5 ms later.
func (w *wanWalk) pass(from Side, frame []byte, t Treatment) Passage {
	w.now += 1e6
	p := ReadPassage(frame)
	p.From, p.Received = from, w.now
	p, i := w.enter(p)
	w.decide(i, t, w.now+5e6)
	if !t.Drop {
		w.deliver(i)
		w.leave(i, w.now+5e6)
	}
	return p
}

func TestWANBooksFollowEchoes(t *testing.T) {
	w := wanWalk{newWANBooks(), 0}
	const a, b = "198.19.4.1", "2001:2::b"
	echo := func(ttl uint8, id uint16) []byte { return wanFrameOf(t, a, a, ttl, id, 3785, 3785, "a") }
	w.pass(SideA, echo(255, 1), Treatment{})
	w.pass(SideA, echo(255, 2), Treatment{Drop: true})
	w.pass(SideA, echo(255, 3), Treatment{})
	if p := w.pass(SideB, echo(254, 3), Treatment{}); !p.Returning || p.N != 0 {
		t.Errorf("%+v", p)
	}
	w.pass(SideB, echo(254, 1), Treatment{Drop: true})
	w.pass(SideA, echo(255, 4), Treatment{})
	if p := w.pass(SideB, echo(255, 4), Treatment{}); p.Returning { // B's own, though it looks like A's
		t.Errorf("%+v", p)
	}
	w.pass(SideA, echo(255, 5), Treatment{Copies: 1})
	w.pass(SideB, echo(254, 5), Treatment{})
	w.pass(SideB, echo(254, 5), Treatment{})
	want := []EchoEnd{EchoLostBack, EchoLostThere, EchoAnswered, EchoSilent, EchoAnswered}
	got := w.echoes(SideA)
	for i, e := range got {
		if i >= len(want) || e.End != want[i] || e.There.N != i {
			t.Errorf("echo %d: %+v", i, e)
		}
	}
	if len(got) != len(want) || got[4].Backs != 2 || got[4].RTT() != 6*time.Millisecond || got[4].Turnaround() != -4*time.Millisecond {
		t.Errorf("%+v", got)
	}
	// FRR over IPv6: all alike, and the addresses turned round.
	const c = "2001:2::c"
	for range 2 {
		w.pass(SideB, wanFrameOf(t, b, c, 255, 0, 3785, 3785, "b"), Treatment{})
	}
	w.pass(SideA, wanFrameOf(t, c, b, 254, 0, 3785, 3785, "b"), Treatment{})
	if got := w.echoes(SideB); len(got) != 3 || got[1].End != EchoSilent || got[2].End != EchoAnswered {
		t.Errorf("%+v", got)
	}
}

func TestSpoiler(t *testing.T) {
	const frames = 200_000
	s := Spoiler{Seed: 7, Loss: .02, Outliers: .01}
	var lost, late int
	for n := range frames {
		p := Passage{From: SideB, Kind: FrameIP, N: n}
		got := s.Rule(p)
		if again := s.Rule(p); again != got {
			t.Fatalf("frame %d: %+v, then %+v", n, got, again)
		}
		switch {
		case got.Drop:
			lost++
		case got.Extra != 0:
			late++
			if got.Extra < 100*time.Millisecond || got.Extra >= time.Second {
				t.Errorf("frame %d is held back by %v", n, got.Extra)
			}
		}
	}
	if lost < 3700 || lost > 4300 || late < 1800 || late > 2200 {
		t.Errorf("%d lost, %d late of %d", lost, late, frames)
	}
}
