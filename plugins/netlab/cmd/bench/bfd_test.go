package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/gopacket/pcapgo"
)

const testRepo = "../../../.."

// TestTraffic: the sessions of a file are told apart by addresses and discriminators, echoes bear those of their
// session, times rise, and the next second goes on where the one before ended.
func TestTraffic(t *testing.T) {
	traffic, err := loadTraffic(filepath.Join(testRepo, bfdCapture))
	if err != nil {
		t.Fatal(err)
	}
	const sessions = 300
	packets := 2*sessions*len(traffic.frames) + 7
	var file bytes.Buffer
	if err := traffic.write(&file, sessions, packets); err != nil {
		t.Fatal(err)
	}
	r, err := pcapgo.NewReader(&file)
	if err != nil {
		t.Fatal(err)
	}
	control, echo := map[[7]byte]int{}, map[[7]byte]int{} // by the session's bytes of the address, the sender's last one, the discriminator
	var last, n int64
	for ; ; n++ {
		b, info, err := r.ReadPacketData()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if at := info.Timestamp.UnixNano(); at < last {
			t.Fatalf("packet %d is older than the one before it", n)
		} else {
			last = at
		}
		if checksum(b[atIP:atUDP]) != 0 {
			t.Fatalf("packet %d: % x", n, b)
		}
		kind := control
		if binary.BigEndian.Uint16(b[atUDP+2:]) == portEcho {
			kind = echo
		}
		kind[[7]byte(append(append([]byte{}, b[atIP+13:atIP+16]...), b[atPayload+4:atPayload+8]...))]++
	}
	if n != int64(packets) || len(control) != 2*sessions || len(echo) != 2*sessions {
		t.Errorf("%d packets, %d senders of control packets, %d of echoes; want %d, %d, %d", n, len(control), len(echo), packets, 2*sessions, 2*sessions)
	}
	for k := range echo {
		if control[k] == 0 {
			t.Fatalf("no control packets of %v", k)
		}
	}
}

func TestNoTraffic(t *testing.T) {
	traffic, err := loadTraffic(filepath.Join(testRepo, bfdCapture))
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	if err := traffic.write(&file, 1, 3); err != nil {
		t.Fatal(err)
	}
	if _, err := readTraffic(&file); !errors.Is(err, errNoTraffic) {
		t.Errorf("a capture that is too short: %v", err)
	}
}

func TestBFDTable(t *testing.T) {
	r := &bfdReport{Machine: machine{2, "Some CPU", "8.0", "6.1.0", "performance", "0.10"}, Rounds: 2}
	r.enter([]bfdFile{{sessions: 4, packets: 1000}, {sessions: 10_000, packets: 1000}}, []bfdReader{
		{name: nameBFD, args: tsharkFields}, {name: namePcapgo, args: tsharkFields}, {name: nameTshark, args: tsharkFields}})
	r.Results[0].Runs = []*bfdRun{{1000, .5, 2000, .4, 20e6}, {1000, 1, 1000, .6, 22e6}}
	r.Results[1].Runs = []*bfdRun{{1000, .1, 10000, .1, 9e6}, nil}
	r.Results[2].Runs = []*bfdRun{{100, 1, 100, 1, 90e6}, {100, 2, 50, 2, 90e6}}
	r.note("so it was")
	r.finish()
	var b strings.Builder
	if err := r.write(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"\n1,000 packets of 4 sessions\n\n" +
			"                   read  time s  packets/s  x tshark  x pcapgo  CPU s  peak MB\n" +
			"echogram bfd      1,000    0.75      1,500     20.00      0.20   0.50       21\n" +
			"bare pcapgo loop  1,000    0.10     10,000    100.00      1.00   0.10        9\n" +
			"tshark -T fields    100    1.50         75      1.00      0.01   1.50       90\n",
		"\n1,000 packets of 10,000 sessions\n",
		"\nbare pcapgo loop     -       -          -         -         -      -        -\n",
		"\nnote: so it was\n",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
}
