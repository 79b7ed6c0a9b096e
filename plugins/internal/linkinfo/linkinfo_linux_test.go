package linkinfo

import (
	"encoding/binary"
	"slices"
	"testing"
	"testing/fstest"

	"golang.org/x/sys/unix"
)

// attribute is one netlink attribute, padded to four bytes.
func attribute(kind uint16, value ...byte) []byte {
	b := binary.NativeEndian.AppendUint16(nil, uint16(4+len(value)))
	b = append(binary.NativeEndian.AppendUint16(b, kind), value...)
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
}

func number(v uint32) []byte { return binary.NativeEndian.AppendUint32(nil, v) }

func parsed(t *testing.T, list ...[]byte) attributes {
	t.Helper()
	a, err := parse(slices.Concat(list...))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestSettings(t *testing.T) {
	rx, tx := attribute(unix.ETHTOOL_A_COALESCE_RX_USECS, number(50)...), attribute(unix.ETHTOOL_A_COALESCE_TX_USECS, number(0)...)
	adaptive := func(kind uint16, on byte) []byte { return attribute(kind, on) }
	for _, c := range []struct {
		name          string
		coalesce, eee [][]byte
		want          Settings
	}{
		{"nothing is told", nil, nil, Settings{}},
		{"zero is told", [][]byte{rx, tx}, nil, Settings{RxUsecs: new(int64(50)), TxUsecs: new(int64(0))}},
		{"adaptive in one direction", [][]byte{adaptive(unix.ETHTOOL_A_COALESCE_USE_ADAPTIVE_RX, 0), adaptive(unix.ETHTOOL_A_COALESCE_USE_ADAPTIVE_TX, 1)}, nil, Settings{Adaptive: new(true)}},
		{"not adaptive", [][]byte{adaptive(unix.ETHTOOL_A_COALESCE_USE_ADAPTIVE_RX, 0)}, nil, Settings{Adaptive: new(false)}},
		{"sleeps", nil, [][]byte{attribute(unix.ETHTOOL_A_EEE_ACTIVE, 1)}, Settings{EEE: new(true)}},
		{"too short", [][]byte{attribute(unix.ETHTOOL_A_COALESCE_RX_USECS, 1)}, [][]byte{attribute(unix.ETHTOOL_A_EEE_ACTIVE)}, Settings{}},
	} {
		got := settings(parsed(t, c.coalesce...), parsed(t, c.eee...))
		if !same(got.RxUsecs, c.want.RxUsecs) || !same(got.TxUsecs, c.want.TxUsecs) || !same(got.Adaptive, c.want.Adaptive) || !same(got.EEE, c.want.EEE) {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
}

func same[T comparable](a, b *T) bool { return a == b || a != nil && b != nil && *a == *b }

func TestDrops(t *testing.T) {
	queue := attribute(3, slices.Concat(number(1), number(2), number(77), number(4), number(5))...)
	got, err := drops(slices.Concat(attribute(1, 'x', 0), attribute(7, queue...)))
	if err != nil || got == nil || *got != 77 {
		t.Errorf("%v, %v", got, err)
	}
	if got, err := drops(attribute(1, 'x', 0)); got != nil || err != nil {
		t.Errorf("no statistics: %v, %v", got, err)
	}
}

func TestGovernors(t *testing.T) {
	file := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
	cpus := fstest.MapFS{
		"cpu0/cpufreq/scaling_governor":  file("powersave\n"),
		"cpu1/cpufreq/scaling_governor":  file("performance\n"),
		"cpu12/cpufreq/scaling_governor": file("powersave\n"),
		"cpufreq/scaling_governor":       file("none\n"),
	}
	if got := governors(cpus); !slices.Equal(got, []string{"performance", "powersave"}) {
		t.Error(got)
	}
	if got := governors(fstest.MapFS{}); got != nil {
		t.Error(got)
	}
}

func FuzzAttributes(f *testing.F) {
	f.Add(attribute(7, attribute(3, number(1)...)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		if a, err := parse(b); err == nil {
			settings(a, a)
		}
		drops(b)
	})
}
