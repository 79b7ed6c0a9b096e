package netlab

import (
	"bufio"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestBIRDConfigText(t *testing.T) {
	cfg := BIRDConfig{
		RouterID: netip.MustParseAddr("198.19.5.1"),
		Neighbours: []BIRDNeighbour{
			{Address: netip.MustParseAddr("198.19.4.2"), Interface: "bfd-a"},
			{Address: netip.MustParseAddr("198.19.5.2"), Local: netip.MustParseAddr("198.19.5.1"), Multihop: true},
		},
		MinRX: 100 * time.Millisecond, Auth: BIRDMeticulousMD5, Password: "secret",
	}
	options := `    min rx interval 100000 us;
    authentication meticulous keyed md5;
    password "secret" { id 1; };
  };
`
	want := `log stderr all;
router id 198.19.5.1;
protocol device {}
protocol bfd {
  interface "*" {
` + options + `  multihop {
` + options + `  neighbor 198.19.4.2 dev "bfd-a";
  neighbor 198.19.5.2 local 198.19.5.1 multihop on;
}
`
	if got := cfg.text(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestReadBIRD(t *testing.T) {
	r := bufio.NewReader(strings.NewReader(`0001 BIRD 2.0.12 ready.
1020-bfd1:
 IP address                Interface  State      Since         Interval  Timeout
 198.19.4.2                bfd-a      Up         11:05:33.123    0.100    0.400
 2001:2:0:bfd::2           bfd-a      Down       11:05:33.123    0.200    0.000

0000 
9001 syntax error
0000-cut`))
	if greeting, err := readBIRD(r); err != nil || len(greeting) != 1 {
		t.Errorf("%q, %v", greeting, err)
	}
	lines, err := readBIRD(r)
	if err != nil {
		t.Fatal(err)
	}
	got, err := parseBIRD(lines)
	want := []BIRDSession{
		{netip.MustParseAddr("198.19.4.2"), "bfd-a", "Up", 100 * time.Millisecond, 400 * time.Millisecond},
		{netip.MustParseAddr("2001:2:0:bfd::2"), "bfd-a", "Down", 200 * time.Millisecond, 0},
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %+v, %v\nwant %+v", got, err, want)
	}
	for range 2 {
		if lines, err := readBIRD(r); err == nil {
			t.Errorf("took an error, or an answer that breaks off, for an answer: %q", lines)
		}
	}
}
