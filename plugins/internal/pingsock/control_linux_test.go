package pingsock

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

// message is one control message with its padding.
func message(level, typ uint32, data ...byte) []byte {
	b := binary.NativeEndian.AppendUint64(nil, uint64(cmsgHeader+len(data)))
	b = binary.NativeEndian.AppendUint32(b, level)
	b = append(binary.NativeEndian.AppendUint32(b, typ), data...)
	return append(b, make([]byte, -len(data)&(cmsgAlign-1))...)
}

func words(v ...uint32) (b []byte) {
	for _, w := range v {
		b = binary.NativeEndian.AppendUint32(b, w)
	}
	return b
}

func stamps(v ...uint64) (b []byte) {
	for _, w := range v {
		b = binary.NativeEndian.AppendUint64(b, w)
	}
	return b
}

func TestParseControl(t *testing.T) {
	five := message(unix.SOL_SOCKET, unix.SCM_TIMESTAMPING, stamps(1, 2, 3, 4, 5, 6)...)
	local6 := netip.MustParseAddr("2001:db8::1").As16()
	offender6 := netip.MustParseAddr("2001:db8::fe").As16()
	for _, c := range []struct {
		name string
		b    []byte
		want control
	}{
		{"nothing", nil, control{}},
		{"a reply", slices.Concat(five,
			message(unix.IPPROTO_IP, unix.IP_PKTINFO, append(words(9, 0), 192, 0, 2, 1)...), // struct in_pktinfo
			message(unix.IPPROTO_IP, unix.IP_TTL, words(57)...)),
			control{software: 1_000_000_002, hardware: 5_000_000_006, ifindex: 9, local: netip.MustParseAddr("192.0.2.1"), ttl: 57}},
		{"an IPv6 reply", slices.Concat(
			message(unix.IPPROTO_IPV6, unix.IPV6_PKTINFO, append(local6[:], words(9)...)...),
			message(unix.IPPROTO_IPV6, unix.IPV6_HOPLIMIT, words(57)...), five),
			control{software: 1_000_000_002, hardware: 5_000_000_006, ifindex: 9, local: netip.MustParseAddr("2001:db8::1"), ttl: 57}},
		{"a request's stamp", slices.Concat(five, message(unix.IPPROTO_IP, unix.IP_RECVERR,
			slices.Concat(words(uint32(unix.ENOMSG)), []byte{unix.SO_EE_ORIGIN_TIMESTAMPING, 0, 0, 0}, words(0, 4))...)),
			control{software: 1_000_000_002, hardware: 5_000_000_006, origin: unix.SO_EE_ORIGIN_TIMESTAMPING}},
		{"an error", message(unix.IPPROTO_IP, unix.IP_RECVERR, slices.Concat(
			words(uint32(unix.EMSGSIZE)), []byte{unix.SO_EE_ORIGIN_ICMP, 3, 4, 0}, words(1400, 0),
			words(unix.AF_INET), []byte{192, 0, 2, 254}, make([]byte, 8))...), // struct sockaddr_in
			control{origin: unix.SO_EE_ORIGIN_ICMP, failure: failure{3, 4, 1400, netip.MustParseAddr("192.0.2.254")}}},
		{"an IPv6 error", message(unix.IPPROTO_IPV6, unix.IPV6_RECVERR, slices.Concat(
			words(uint32(unix.EMSGSIZE)), []byte{unix.SO_EE_ORIGIN_ICMP6, 2, 0, 0}, words(1280, 0),
			words(unix.AF_INET6, 0), offender6[:], words(0))...), // struct sockaddr_in6
			control{origin: unix.SO_EE_ORIGIN_ICMP6, failure: failure{2, 0, 1280, netip.MustParseAddr("2001:db8::fe")}}},
		{"an unknown one before", slices.Concat(message(99, 1, 1, 2, 3), five), control{software: 1_000_000_002, hardware: 5_000_000_006}},
		{"cut", five[:len(five)-1], control{}},
		{"longer than it is", append(stamps(1000), five[8:]...), control{}},
		{"shorter than its header", append(stamps(3), five[8:]...), control{}},
	} {
		if got := parseControl(c.b); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}

func FuzzParseControl(f *testing.F) {
	f.Add(message(unix.SOL_SOCKET, unix.SCM_TIMESTAMPING, stamps(1, 2, 3, 4, 5, 6)...))
	f.Add(message(unix.IPPROTO_IP, unix.IP_RECVERR, make([]byte, 32)...))
	f.Add(message(unix.IPPROTO_IPV6, unix.IPV6_PKTINFO, make([]byte, 20)...))
	f.Fuzz(func(t *testing.T, b []byte) { parseControl(b) })
}
