package bfdwire

import (
	"slices"
	"testing"
)

// TestParseEcho holds payloads as routers, or what imitates them, sent them.
func TestParseEcho(t *testing.T) {
	for name, c := range map[string]struct {
		payload []byte
		want    Echo
	}{
		"FRR 8.4, IPv4": {
			unhex(t, "01180000", "54fedca0", "0000000000000506", "00000000000d8fa6"),
			Echo{Layout: FRRTime, Discriminator: 1425988768, Time: 1286_888_742_000, HasTime: true},
		},
		"FRR, IPv6":     {unhex(t, "01180000", "9573ec38", "0000000000000000", "0000000000000000"), Echo{Layout: FRRZero, Discriminator: 2507402296}},
		"FRR before":    {unhex(t, "01180000", "00000bbb", "0000000000000000", "0000000000000000"), Echo{Layout: FRRZero, Discriminator: 3003}},
		"IOS, first":    {unhex(t, "00000000", "0000000b", "00000000"), Echo{Layout: IOS, Discriminator: 11, HasSequence: true}},
		"IOS, second":   {unhex(t, "00000000", "0000000b", "00000001"), Echo{Layout: IOS, Discriminator: 11, Sequence: 1, HasSequence: true}},
		"VPP":           {unhex(t, "e9030000", "9822b883a2010000", "d5f1b7edf320020f"), Echo{Layout: VPP, Discriminator: 1001}},
		"RFC 9747":      {unhex(t, "20c00318", "00000fa4", "00000fa4", "000186a0", "000186a0", "00000000"), Echo{Layout: ControlShaped, Discriminator: 4004}},
		"RFC 9747, new": {unhex(t, "20c00318", "00000fa4", "00000000", "000186a0", "000186a0", "00000000"), Echo{Layout: ControlShaped, Discriminator: 4004}},
		"H3C":           {unhex(t, "20c80518", "000007d2", "000007d2", "00000000", "00000000", "00061a80"), Echo{Layout: ControlShaped, Discriminator: 2002}},
		"padded": {
			unhex(t, "20c80518", "000007d2", "000007d2", "00000000", "00000000", "00061a80", "0000000000"),
			Echo{Layout: ControlShaped, Discriminator: 2002},
		},
	} {
		c.want.HasDiscriminator = true
		var got Echo
		ParseEcho(c.payload, len(c.payload), &got)
		if got != c.want {
			t.Errorf("%s:\ngot  %+v\nwant %+v", name, got, c.want)
		}
	}
}

// TestOpaqueEchoes breaks one property each by which a layout is known.
func TestOpaqueEchoes(t *testing.T) {
	for name, b := range map[string][]byte{
		"nothing":                       {},
		"FRR, one byte more":            unhex(t, "01180000", "54fedca0", "0000000000000506", "00000000000d8fa6", "00"),
		"FRR, another length in it":     unhex(t, "01190000", "54fedca0", "0000000000000506", "00000000000d8fa6"),
		"FRR, reserved bits":            unhex(t, "01180001", "54fedca0", "0000000000000506", "00000000000d8fa6"),
		"FRR, a million microseconds":   unhex(t, "01180000", "54fedca0", "0000000000000506", "00000000000f4240"),
		"FRR, seconds of an age":        unhex(t, "01180000", "54fedca0", "8000000000000506", "00000000000d8fa6"),
		"IOS, not 0":                    unhex(t, "00000001", "0000000b", "00000000"),
		"VPP, discriminator 0":          unhex(t, "00000000", "9822b883a2010000", "d5f1b7edf320020f"),
		"VPP, no time":                  unhex(t, "e9030000", "0000000000000000", "d5f1b7edf320020f"),
		"VPP, big-endian":               unhex(t, "000003e9", "000001a283b82298", "0f0220f3edb7f1d5"),
		"control, version 2":            unhex(t, "40c00318", "00000fa4", "00000fa4", "000186a0", "000186a0", "00000000"),
		"control, longer than it is":    unhex(t, "20c00319", "00000fa4", "00000fa4", "000186a0", "000186a0", "00000000"),
		"control, what is no padding":   unhex(t, "20c00318", "00000fa4", "00000fa4", "000186a0", "000186a0", "00000000", "01"),
		"control, discriminator 0":      unhex(t, "20c00318", "00000000", "00000fa4", "000186a0", "000186a0", "00000000"),
		"control, detect mult 0":        unhex(t, "20c00018", "00000fa4", "00000fa4", "000186a0", "000186a0", "00000000"),
		"control, authentication of 25": unhex(t, "20c40318", "00000fa4", "00000fa4", "000186a0", "000186a0", "00000000"),
	} {
		var got Echo
		if ParseEcho(b, len(b), &got); got != (Echo{}) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// TestEchoCut: half a payload may be any layout's.
func TestEchoCut(t *testing.T) {
	b := unhex(t, "01180000", "54fedca0", "0000000000000506", "00000000000d8fa6")
	for n := range b {
		var got Echo
		if ParseEcho(b[:n], len(b), &got); got != (Echo{}) {
			t.Errorf("%d bytes: %+v", n, got)
		}
	}
}

func TestHash(t *testing.T) {
	if got := Hash([]byte("Echogram")); got != 0x3d2de24ce4a44838 {
		t.Errorf("%#x: hashes must not differ between versions and processes", got)
	}
	b := make([]byte, 40)
	seen := map[uint64]string{}
	for n := range len(b) + 1 {
		for bit := range 8*n + 1 {
			one := slices.Clone(b[:n])
			if bit > 0 {
				one[(bit-1)/8] = 1 << ((bit - 1) % 8)
			}
			if other, ok := seen[Hash(one)]; ok {
				t.Fatalf("%x and %x have one hash", one, other)
			}
			seen[Hash(one)] = string(one)
		}
	}
}

func FuzzParseEcho(f *testing.F) {
	f.Add(unhex(f, "01180000", "54fedca0", "0000000000000506", "00000000000d8fa6"), 24)
	f.Add(unhex(f, "00000000", "0000000b", "00000001"), 12)
	f.Add(unhex(f, "e9030000", "9822b883a2010000", "d5f1b7edf320020f"), 20)
	f.Add(unhex(f, "20c00318", "00000fa4", "00000000", "000186a0", "000186a0", "00000000", "00"), 25)
	f.Fuzz(func(t *testing.T, b []byte, length int) {
		var e Echo
		ParseEcho(b, length, &e)
		if e.HasDiscriminator != (e.Layout != Unknown) || e.HasTime != (e.Layout == FRRTime) || e.HasSequence != (e.Layout == IOS) {
			t.Errorf("%x: %+v", b, e)
		}
		if e.Layout != Unknown && len(b) != length || e.Time < 0 {
			t.Errorf("%x of %d bytes: %+v", b, length, e)
		}
	})
}

func BenchmarkParseEcho(b *testing.B) {
	var e Echo
	payload := unhex(b, "01180000", "54fedca0", "0000000000000506", "00000000000d8fa6")
	b.ReportAllocs()
	for b.Loop() {
		ParseEcho(payload, len(payload), &e)
	}
}
