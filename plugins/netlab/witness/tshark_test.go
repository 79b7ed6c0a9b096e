package witness

import (
	"net/netip"
	"reflect"
	"strings"
	"testing"
)

// bfdRow is a line of tshark's, for layerFields and bfdFields.
func bfdRow(t *testing.T, fields string) []string {
	t.Helper()
	list := rows(strings.ReplaceAll(fields, " ", "\t")+"\n", len(layerFields)+len(bfdFields))
	if len(list) != 1 {
		t.Fatalf("%d rows", len(list))
	}
	return list[0]
}

func TestBFDPacket(t *testing.T) {
	for _, test := range []struct {
		name, row string
		want      BFDPacket
	}{
		{"control with SHA1",
			"eth:ethertype:ip:udp:bfd 198.19.4.1 198.19.4.2 255   " +
				" 7 1795225859.745055216 49152 3784 1 0x03 0x03 0xe4 4 52 0x85486835 0x2bba9af7 50000 60000 0 5 28 7 0x0000abcd ",
			BFDPacket{Frame: 7, Time: 1795225859745055216, Src: netip.MustParseAddr("198.19.4.1"), Dst: netip.MustParseAddr("198.19.4.2"),
				SrcPort: 49152, DstPort: 3784, TTL: 255, Version: 1, Diag: 3, State: 3, Flags: 0x24, DetectMult: 4, Length: 52,
				My: 0x85486835, Your: 0x2bba9af7, DesiredTX: 50000, RequiredRX: 60000, AuthType: 5, AuthLen: 28, Key: 7, AuthSequence: 0xabcd}},
		{"echo in an IPv6 packet of an IPv4 tunnel",
			"eth:ethertype:ip:udp:vxlan:eth:ethertype:ipv6:udp:bfd_echo 198.19.9.1 198.19.9.2 64 2001:2::1 2001:2::2 254" +
				" 1 0.000000001 3785 3785                0118",
			BFDPacket{Frame: 1, Time: 1, Echo: true, Src: netip.MustParseAddr("2001:2::1"), Dst: netip.MustParseAddr("2001:2::2"),
				SrcPort: 3785, DstPort: 3785, TTL: 254, Payload: []byte{1, 0x18}}},
	} {
		got, err := bfdPacket(bfdRow(t, test.row))
		if err != nil || !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: %v\ngot  %+v\nwant %+v", test.name, err, got, test.want)
		}
	}
}

func TestBFDPacketRefuses(t *testing.T) {
	good := "eth:ip:udp:bfd 198.19.4.1 198.19.4.2 255    7 1.000000000 49152 3784 1 0x00 0x03 0xc0 4 24 0x1 0x2 3 4 0     "
	for _, bad := range []string{"256    7", "255    x", "255    7 1.5", "255    7 1.000000000 65536", "255    7 1.000000000 -1"} {
		row := bfdRow(t, good)
		copy(row[3:], strings.Split(bad, " "))
		if p, err := bfdPacket(row); err == nil {
			t.Errorf("%q: took it: %+v", bad, p)
		}
	}
}

// TestRows leaves out a line that tshark broke off.
func TestRows(t *testing.T) {
	if got := rows("1\ta\n2\tb\n3", 2); len(got) != 2 || got[1][1] != "b" {
		t.Errorf("got %q", got)
	}
}
