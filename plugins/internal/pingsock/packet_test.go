package pingsock

import (
	"bytes"
	"errors"
	"io/fs"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"testing"

	"echogram/plugins/internal/capture"
	"echogram/plugins/internal/frame"
	"echogram/plugins/internal/icmpecho"
)

// versions are addresses of both: the host's, a target's and a router's.
var versions = []struct{ local, target, router netip.Addr }{
	{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("198.51.100.7"), netip.MustParseAddr("192.0.2.254")},
	{netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8:7::7"), netip.MustParseAddr("2001:db8::fe")},
}

// slotOf is a slot that holds what was received, dirty where it holds nothing.
func slotOf(received []byte) []byte {
	return append(bytes.Repeat([]byte{0xee}, headroom), received...)
}

func request(dst netip.Addr, id uint16) []byte {
	return icmpecho.AppendRequest(nil, dst.Is6(), id, 5, []byte("cookiecookie!"))
}

func TestDatagramIsReadAsAReply(t *testing.T) {
	for _, v := range versions {
		m := request(v.local, 7)
		m[0] = icmpecho.TypeEchoReply
		if v.local.Is6() {
			m[0] = icmpecho.Type6EchoReply
			icmpecho.PutChecksum6(m, v.target, v.local)
		} else {
			m[2], m[3] = 0, 0
			sum := icmpecho.Checksum(m)
			m[2], m[3] = byte(sum>>8), byte(sum)
		}
		ip, err := frame.Parse(datagram(slotOf(m), headroom, len(m), v.target, v.local, 57), capture.LinkRaw)
		if err != nil || ip.Src != v.target || ip.Dst != v.local || ip.TTL != 57 || ip.Cut {
			t.Fatalf("%+v, %v", ip, err)
		}
		got, err := icmpecho.Parse(ip.Payload, ip.Src, ip.Dst, ip.Cut)
		if err != nil || got.Kind != icmpecho.EchoReply || got.ChecksumBad || got.ID != 7 || got.Seq != 5 || string(got.Payload) != "cookiecookie!" {
			t.Errorf("%+v, %v", got, err)
		}
		cut, err := frame.Parse(datagram(slotOf(m[:12]), headroom, len(m), v.target, v.local, 57), capture.LinkRaw)
		if err != nil || !cut.Cut || len(cut.Payload) != 12 {
			t.Errorf("cut: %+v, %v", cut, err)
		}
	}
}

func TestErrorDatagramQuotesTheRequest(t *testing.T) {
	for _, v := range versions {
		typ, code := uint8(icmpecho.TypeUnreachable), uint8(icmpecho.CodeFragmentationNeeded)
		if v.local.Is6() {
			typ, code = icmpecho.Type6PacketTooBig, 0
		}
		quoted := request(v.target, 7)
		for _, n := range []int{len(quoted), icmpecho.HeaderLen} {
			d := errorDatagram(slotOf(quoted[:n]), n, failure{typ, code, 1280, v.router}, v.local, v.target, 61)
			ip, err := frame.Parse(d, capture.LinkRaw)
			if err != nil || ip.Src != v.router || ip.Dst != v.local || ip.TTL != 61 || ip.Cut {
				t.Fatalf("%+v, %v", ip, err)
			}
			m, err := icmpecho.Parse(ip.Payload, ip.Src, ip.Dst, false)
			if err != nil || m.Kind != icmpecho.Error || m.Type != typ || m.Code != code || m.MTU != 1280 || m.ChecksumBad {
				t.Errorf("%+v, %v", m, err)
			}
			q, err := icmpecho.ParseQuote(m.Payload)
			if err != nil || q.Dst != v.target || q.ID != 7 || q.Seq != 5 || !bytes.Equal(q.Payload, quoted[icmpecho.HeaderLen:n]) {
				t.Errorf("quote of %d bytes: %+v, %v", n, q, err)
			}
		}
	}
}

// sentFrame is an Ethernet frame of a request, padded as drivers do.
func sentFrame(dst, src netip.Addr, id uint16) []byte {
	return frame.AppendICMP(nil, frame.Ethernet{Dst: frame.MAC{2, 7}, Src: frame.MAC{2, 9}}, src, dst, frame.IPOptions{TTL: 64}, 0, request(dst, id))
}

func TestFindRequest(t *testing.T) {
	for _, v := range versions {
		v6 := v.local.Is6()
		ethernet := sentFrame(v.target, v.local, 0x4545)
		const addresses = 12
		for name, b := range map[string][]byte{
			"ethernet": ethernet,
			"raw":      ethernet[14:],
			"VLAN":     slices.Concat(ethernet[:addresses], []byte{0x81, 0, 0, 42}, ethernet[addresses:]),
			"tunnel":   slices.Concat(datagram(slotOf(nil), headroom, len(ethernet), v.local, v.router, 64), ethernet),
		} {
			d, n := findRequest(b, v6, 0x4545)
			ip, err := frame.Parse(d, capture.LinkRaw)
			if err != nil || ip.Dst != v.target || n != len(d) || len(ip.Payload) != 21 {
				t.Errorf("%s, IPv6 %v: %d of %d bytes, %+v, %v", name, v6, len(d), n, ip, err)
			}
		}
		whole, n := findRequest(ethernet, v6, 0x4545)
		if d, m := findRequest(ethernet[:14+len(whole)-3], v6, 0x4545); m != n || len(d) != n-3 {
			t.Errorf("cut: %d of %d bytes, %d uncut", len(d), m, n)
		}
		for name, b := range map[string][]byte{
			"of another": sentFrame(v.target, v.local, 0x4546), "empty": nil, "zeros": make([]byte, 100),
			"headers only": ethernet[:14+20],
		} {
			if d, _ := findRequest(b, v6, 0x4545); d != nil {
				t.Errorf("%s: found %x", name, d)
			}
		}
		if d, _ := findRequest(ethernet, !v6, 0x4545); d != nil {
			t.Errorf("of the other version: found %x", d)
		}
	}
}

func FuzzFindRequest(f *testing.F) {
	for _, v := range versions {
		f.Add(sentFrame(v.target, v.local, 7), v.local.Is6())
	}
	f.Fuzz(func(t *testing.T, b []byte, v6 bool) {
		d, n := findRequest(b, v6, 7)
		if d == nil {
			return
		}
		ip, err := frame.Parse(d, capture.LinkRaw)
		if err != nil || len(d) > n || len(d) > len(b) {
			t.Fatalf("%x: %d of %d bytes, %v", b, len(d), n, err)
		}
		if m, err := icmpecho.Parse(ip.Payload, ip.Src, ip.Dst, ip.Cut); err != nil || m.Kind != icmpecho.EchoRequest || m.ID != 7 {
			t.Fatalf("%x: %+v, %v", b, m, err)
		}
	})
}

func TestCheck(t *testing.T) {
	good := Config{ID: 1, V4: true, V6: true, Source6: netip.MustParseAddr("fe80::1%eth0"), TTL: 255, DSCP: 63}
	if err := good.check(); err != nil {
		t.Error(err)
	}
	for name, spoil := range map[string]func(*Config){
		"no identifier": func(c *Config) { c.ID = 0 },
		"no version":    func(c *Config) { c.V4, c.V6 = false, false },
		"IPv6 for IPv4": func(c *Config) { c.Source4 = netip.MustParseAddr("::1") },
		"IPv4 for IPv6": func(c *Config) { c.Source6 = netip.MustParseAddr("::ffff:192.0.2.1") },
		"DSCP":          func(c *Config) { c.DSCP = 64 },
		"TTL":           func(c *Config) { c.TTL = 256 },
	} {
		c := good
		if spoil(&c); c.check() == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestNotAllowedHelps(t *testing.T) {
	err := notAllowed("group 7 may not open ping sockets", groupRemedy, syscall.EACCES)
	for _, want := range []string{`sysctl -w net.ipv4.ping_group_range="0 2147483647"`, "setcap cap_net_raw+ep /", "group 7"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q lacks %s", err, want)
		}
	}
	if !errors.Is(err, ErrNotAllowed) || !errors.Is(err, fs.ErrPermission) {
		t.Errorf("%v is neither", err)
	}
}
