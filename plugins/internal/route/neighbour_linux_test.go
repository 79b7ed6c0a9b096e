package route

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"echogram/plugins/internal/frame"
)

// message is a neighbour's message about 192.0.2.2 on interface 5, with further attributes.
func message(state uint16, attributes ...[]byte) []byte {
	b := []byte{unix.AF_INET, 0, 0, 0}
	b = binary.NativeEndian.AppendUint32(b, 5)
	b = append(binary.NativeEndian.AppendUint16(b, state), 0, 1)
	return append(append(b, attribute(unix.NDA_DST, 192, 0, 2, 2)...), slices.Concat(attributes...)...)
}

func attribute(kind uint16, value ...byte) []byte {
	b := binary.NativeEndian.AppendUint16(nil, uint16(4+len(value)))
	b = append(binary.NativeEndian.AppendUint16(b, kind), value...)
	return append(b, make([]byte, -len(b)&3)...)
}

func TestParseNeighbour(t *testing.T) {
	mac := frame.MAC{2, 0, 0, 0, 0, 9}
	known := attribute(unix.NDA_LLADDR, mac[:]...)
	for _, c := range []struct {
		name string
		b    []byte
		want Neighbour
	}{
		{"reachable", message(unix.NUD_REACHABLE, known), Neighbour{mac, Reachable}},
		{"by hand", message(unix.NUD_PERMANENT, known), Neighbour{mac, Reachable}},
		{"stale", message(unix.NUD_STALE, attribute(unix.NDA_PROBES, 1, 0, 0, 0), known), Neighbour{mac, Stale}},
		{"in doubt", message(unix.NUD_PROBE, known), Neighbour{mac, Stale}},
		{"asked for", message(unix.NUD_INCOMPLETE), Neighbour{State: Resolving}},
		{"dead", message(unix.NUD_FAILED, known), Neighbour{mac, Failed}},
		{"a tunnel's", message(unix.NUD_NOARP, attribute(unix.NDA_LLADDR, 192, 0, 2, 9)), Neighbour{frame.MAC{192, 0, 2, 9}, Unknown}},
		{"nothing", message(unix.NUD_NONE), Neighbour{}},
	} {
		h, n, err := parseNeighbour(c.b)
		if err != nil || h != (Hop{5, netip.MustParseAddr("192.0.2.2")}) || n != c.want {
			t.Errorf("%s: %v %+v, %v", c.name, h, n, err)
		}
	}
	for _, b := range [][]byte{nil, message(0)[:11], message(0, []byte{3, 0, 1, 0}), message(0, []byte{9, 0, 1, 0})} {
		if _, _, err := parseNeighbour(b); err == nil {
			t.Errorf("% x is read", b)
		}
	}
}

func FuzzParseNeighbour(f *testing.F) {
	f.Add(message(unix.NUD_REACHABLE, attribute(unix.NDA_LLADDR, 2, 0, 0, 0, 0, 9)))
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, n, err := parseNeighbour(b); err != nil && n.Known() {
			t.Error("known by a message that cannot be read")
		}
	})
}
