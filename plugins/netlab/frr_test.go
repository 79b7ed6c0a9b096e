package netlab

import (
	"bufio"
	"net/netip"
	"strings"
	"testing"
	"time"
)

func TestFRRConfigText(t *testing.T) {
	cfg := FRRConfig{Peers: []FRRPeer{
		{Address: netip.MustParseAddr("198.19.4.2"), Interface: "bfd-a"},
		{Address: netip.MustParseAddr("2001:2::2"), Local: netip.MustParseAddr("2001:2::1"), Multihop: true,
			Transmit: 100 * time.Millisecond, Receive: 200 * time.Millisecond, DetectMult: 5, Echo: true,
			EchoTransmit: 20 * time.Millisecond, EchoReceive: 30 * time.Millisecond, RefuseEcho: true, Passive: true, MinimumTTL: 60},
	}}
	want := `bfd
 peer 198.19.4.2 interface bfd-a
 exit
 peer 2001:2::2 multihop local-address 2001:2::1
  detect-multiplier 5
  receive-interval 200
  transmit-interval 100
  echo-mode
  echo transmit-interval 20
  echo receive-interval 30
  echo receive-interval disabled
  passive-mode
  minimum-ttl 60
 exit
exit
`
	if got := cfg.text(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestParseFRR(t *testing.T) {
	peers, err := parseFRR[FRRStatus](`[{"peer":"198.19.4.2","local":"198.19.4.1","id":3506729932,"remote-id":0,"status":"down",
		"diagnostic":"control detection time expired","rtt-avg":61}]`)
	if err != nil || len(peers) != 1 || peers[0].ID != 3506729932 || peers[0].RTTAvg != 61 ||
		peers[0].Diagnostic != "control detection time expired" || peers[0].Local != netip.MustParseAddr("198.19.4.1") {
		t.Errorf("%+v, %v", peers, err)
	}
	if _, err := parseFRR[FRRCounters]("% Unknown command"); err == nil {
		t.Error("took an error for a list")
	}
}

func TestReadVTY(t *testing.T) {
	r := bufio.NewReader(strings.NewReader("\x00\x00\x00\x00answer\n\x00\x00\x00\x02cut\x00"))
	for _, want := range []struct {
		text string
		code byte
	}{{"", 0}, {"answer\n", 2}} {
		if text, code, err := readVTY(r); err != nil || text != want.text || code != want.code {
			t.Errorf("%q, %d, %v; want %+v", text, code, err, want)
		}
	}
	if _, _, err := readVTY(r); err == nil {
		t.Error("took an answer that breaks off for a whole one")
	}
}
