package netlab

import (
	"encoding/hex"
	"net/netip"
	"testing"
)

const (
	request4 = "4500002c" + "00010000" + "3f01" + "efa2" + "c6130001" + "c6120007" + // IPv4, 44 bytes
		"0800" + "0000" + "1234fff0" + // echo request; the checksum does not matter here
		"4d41434d41434d41" + "00000005" + "30313233"
	request6 = "60000000" + "0018" + "3a3f" + // IPv6, 24 bytes
		"200100020000ffff" + "0000000000000001" + "2001000200000001" + "0000000000000007" +
		"8000" + "0000" + "1234fff0" + "4d41434d41434d41" + "00000005" + "30313233"
)

func parsed(t *testing.T, packet string) echoRequest {
	t.Helper()
	b, err := hex.DecodeString(packet)
	if err != nil {
		t.Fatal(err)
	}
	r, ok := parseRequest(b)
	if !ok {
		t.Fatal("not taken for a request")
	}
	return r
}

func TestWildWireBytes(t *testing.T) {
	router4, router6 := netip.MustParseAddr("198.19.0.2"), netip.MustParseAddr("2001:2:0:ffff::2")
	r4, r6 := parsed(t, request4), parsed(t, request6)
	for _, c := range []struct {
		name string
		got  []byte
		want string
	}{
		{"IPv4 reply", r4.appendFated(nil, Fate{}),
			"4500002c" + "00000000" + "4001" + "eea3" + "c6120007" + "c6130001" +
				"0000" + "WXYZ" + "1234fff0" + "4d41434d41434d41" + "00000005" + "30313233"},
		{"IPv6 reply", r6.appendFated(nil, Fate{}),
			"60000000" + "0018" + "3a40" +
				"2001000200000001" + "0000000000000007" + "200100020000ffff" + "0000000000000001" +
				"8100" + "WXYZ" + "1234fff0" + "4d41434d41434d41" + "00000005" + "30313233"},
		{"fragmentation needed, 8 bytes quoted", r4.appendFailure(nil, Failure{Type: 3, Code: 4, Info: 1400, Quote: 8}, router4),
			"45000038" + "00000000" + "4001" + "ee9b" + "c6130002" + "c6130001" +
				"0304" + "WXYZ" + "00000578" + request4[:56]},
		{"parameter problem at byte 8", r4.appendFailure(nil, Failure{Type: 12, Info: 8, Quote: 13}, router4),
			"4500003d" + "00000000" + "4001" + "ee96" + "c6130002" + "c6130001" +
				"0c00" + "WXYZ" + "08000000" + request4[:66]},
		{"packet too big, all quoted", r6.appendFailure(nil, Failure{Type: 2, Info: 1280}, router6),
			"60000000" + "0048" + "3a40" +
				"200100020000ffff" + "0000000000000002" + "200100020000ffff" + "0000000000000001" +
				"0200" + "WXYZ" + "00000500" + request6},
		{"short forgery", r4.appendForgery(nil, ForgedShort),
			"45000020" + "00000000" + "4001" + "eeaf" + "c6120007" + "c6130001" +
				"0000" + "WXYZ" + "1234fff0" + "4d41434d"},
	} {
		got := hex.EncodeToString(c.got)
		// The checksum, WXYZ, is judged by what it is for: with it the message sums up to 0.
		header := ipv4Header
		if c.got[0]>>4 == 6 {
			header = ipv6Header
		}
		sum := got[2*header+4 : 2*header+8]
		if want := c.want[:2*header+4] + sum + c.want[2*header+8:]; got != want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, want)
		}
		if !sumFits(c.got, header) {
			t.Errorf("%s: checksum %s", c.name, sum)
		}
	}
}

// sumFits judges the checksum of the ICMP message behind the header, summing up byte by byte.
func sumFits(packet []byte, header int) bool {
	covered := append([]byte(nil), packet[header:]...)
	if header == ipv6Header {
		n := len(covered)
		covered = append(covered, make([]byte, n%2)...)
		covered = append(covered, packet[8:40]...)
		covered = append(covered, 0, 0, byte(n>>8), byte(n), 0, 0, 0, protocolICMPv6)
	}
	sum := 0
	for i, b := range covered {
		sum += int(b) << (8 * (1 - i%2))
	}
	return sum > 0 && sum%0xffff == 0
}

func TestErrorsQuoteNoMoreThanAllowed(t *testing.T) {
	for _, c := range []struct {
		address string
		header  int
		want    int
	}{{"198.18.0.7", ipv4Header, maxError4}, {"2001:2:0:1::7", ipv6Header, maxError6}} {
		a := netip.MustParseAddr(c.address)
		r := echoRequest{make([]byte, 1500), c.header, a, a}
		if got := len(r.appendFailure(nil, Failure{Type: 3}, a)); got != c.want {
			t.Errorf("%s: error of %d bytes; want %d", c.address, got, c.want)
		}
	}
}

func FuzzParseRequest(f *testing.F) {
	for _, seed := range []string{request4, request6, "45", "60"} {
		b, _ := hex.DecodeString(seed)
		f.Add(b, 100, uint8(1))
	}
	f.Fuzz(func(t *testing.T, packet []byte, bit int, kind uint8) {
		r, ok := parseRequest(packet)
		if !ok {
			return
		}
		fate := Fate{Flip: []int{bit & 0xffff}}
		if got := r.appendFated(nil, fate); !sumFits(got, headerOf(r)) {
			t.Errorf("reply %x", got)
		}
		if got := r.appendForgery(nil, Forgery(kind)); !sumFits(got, headerOf(r)) {
			t.Errorf("forgery %x", got)
		}
		if got := r.appendFailure(nil, Failure{Type: 3, Quote: int(kind)}, r.dst); !sumFits(got, headerOf(r)) || len(got) > maxError6 {
			t.Errorf("error %x", got)
		}
	})
}

// headerOf is the length of the header of what answers r.
func headerOf(r echoRequest) int {
	if r.dst.Is6() {
		return ipv6Header
	}
	return ipv4Header
}
