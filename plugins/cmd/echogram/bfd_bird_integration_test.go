//go:build integration && linux

package main

import (
	"bytes"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"echogram/plugins/netlab"
	"echogram/plugins/netlab/witness"
)

// birdPassword is to be found in no output.
const birdPassword = "Z9-lab-only"

// TestBFDAuthenticationOfBIRD: BIRD with each way of authentication over a WAN that loses some of A's packets, which B's
// tap misses: by gaps, and by meticulous sequence numbers. A password is in the packets of some, and in no output.
func TestBFDAuthenticationOfBIRD(t *testing.T) {
	for auth := netlab.BIRDNone; auth <= netlab.BIRDMeticulousSHA1; auth++ {
		t.Run(auth.String(), func(t *testing.T) {
			t.Parallel()
			testAuthentication(t, auth)
		})
	}
}

// Packets of A, counted over both of its sessions, of which the WAN drops each birdEach-th.
const (
	birdFirst = 30
	birdEach  = 9
	birdDrops = 5
)

func testAuthentication(t *testing.T, auth netlab.BIRDAuth) {
	ctx := bfdContext(t)
	lossy := netlab.WANWay{Rule: func(p netlab.Passage) netlab.Treatment {
		n := p.N - birdFirst
		return netlab.Treatment{Drop: p.Kind == netlab.FrameControl && n >= 0 && n%birdEach == 0 && n/birdEach < birdDrops}
	}}
	lab := bfdLab(t, netlab.BFDConfig{WAN: &netlab.WANConfig{FromA: lossy}})
	file := filepath.Join(t.TempDir(), "bird.pcap")
	dump, err := witness.StartFilter(ctx, lab.B.Namespace, lab.B.Link, file, 0, bfdPorts)
	if err != nil {
		t.Fatal(err)
	}
	stop := listen(ctx, t, lab.B.Namespace, lab.B.Link, "--period", "1s")
	var birds []*netlab.BIRD
	for _, ends := range [][2]netlab.Router{{lab.A, lab.B}, {lab.B, lab.A}} {
		b, err := netlab.StartBIRD(ctx, ends[0].Namespace, netlab.BIRDConfig{
			RouterID:   ends[0].Loopback,
			Neighbours: []netlab.BIRDNeighbour{ends[0].Neighbour(ends[1], false), ends[0].Neighbour(ends[1], true)},
			MinRX:      100 * time.Millisecond, MinTX: 100 * time.Millisecond, IdleTX: 200 * time.Millisecond, Multiplier: 8,
			Auth: auth, Password: birdPassword, KeyID: 7,
		})
		birds = append(birds, netlab.Lasting(t, b, err))
	}
	for _, b := range birds {
		if err := b.WaitUp(ctx); err != nil {
			t.Fatal(err)
		}
	}
	for sent := 0; sent < birdFirst+birdEach*(birdDrops+1); {
		pause(ctx, t, 100*time.Millisecond)
		sent = controls(lab.WAN, netlab.SideA)
	}
	rows := stop()
	if drops, err := dump.Stop(); err != nil || drops > 0 {
		t.Fatal(drops, err)
	}
	checkAuthentication(t, rows, lab, auth)
	raw, err := os.ReadFile(file)
	if err != nil || bytes.Contains(raw, []byte(birdPassword)) != (auth == netlab.BIRDSimple) {
		t.Errorf("the password in the capture: %v, %v", !(auth == netlab.BIRDSimple), err)
	}
	checkSecret(t, rows.text, lab.B.Namespace, file)
}

// controls counts the control packets that a side has sent.
func controls(w *netlab.WAN, side netlab.Side) (n int) {
	for _, p := range w.Passages() {
		if p.Kind == netlab.FrameControl && p.From == side {
			n++
		}
	}
	return n
}

func checkAuthentication(t *testing.T, rows bfdRows, lab *netlab.BFDLab, auth netlab.BIRDAuth) {
	t.Helper()
	meticulous := auth == netlab.BIRDMeticulousMD5 || auth == netlab.BIRDMeticulousSHA1
	var missing, missed, jumps, packets [2]int64 // by side
	last := map[string]string{}
	for _, s := range rows.sessions {
		side := netlab.SideB
		if s.Local == lab.A.Address.Addr().String() || s.Local == lab.A.Address6.Addr().String() {
			side = netlab.SideA
		}
		last[s.Local] = s.State
		packets[side] += s.Packets
		missing[side] += s.MissingSequence.N
		missed[side] += s.Missing
		jumps[side] += s.SequenceJumps
		if s.AuthType != int64(auth) || s.MissingSequence.Set != meticulous && s.Packets > 1 || s.Flaps+s.Invalid > 0 {
			t.Errorf("%+v", s)
		}
	}
	for end, state := range last {
		if state != "Up" || len(last) != 4 {
			t.Errorf("of %d ends, %s is %s", len(last), end, state)
		}
	}
	t.Logf("A sent %d packets to B's tap, missing by gaps %d, by sequence %d; B %d, %d, %d",
		packets[0], missed[0], missing[0], packets[1], missed[1], missing[1])
	want := [2]int64{}
	if meticulous {
		want[netlab.SideA] = birdDrops
	}
	// What a busy machine holds up makes one gap longer and another shorter: gaps tell nearly how many are missing.
	if missing != want || missed[netlab.SideA] < birdDrops-2 || jumps != [2]int64{} {
		t.Errorf("missing by sequence %v, want %v; by gaps %v; sequence jumps %v", missing, want, missed, jumps)
	}
}

// checkSecret looks for the password in all that the command says of the capture.
func checkSecret(t *testing.T, live string, n *netlab.Namespace, file string) {
	t.Helper()
	outputs := map[string]string{"live": live}
	for _, args := range []string{
		"--verbose", "--format csv --columns all", "--format json", "--format influx --per-echo", "--format table --packets",
		"--format csv --packets --columns all", "--format json --packets",
	} {
		o := from(t, n, program, append(append([]string{"bfd"}, strings.Fields(args)...), file)...)
		if o.code != exitDone || len(o.stdout) == 0 {
			t.Errorf("%s: exit code %d: %s", args, o.code, o.stderr)
		}
		outputs[args] = o.stdout + o.stderr
	}
	for args, text := range outputs {
		for _, secret := range []string{birdPassword, hex.EncodeToString([]byte(birdPassword))} {
			if strings.Contains(strings.ToLower(text), strings.ToLower(secret)) {
				t.Errorf("%s: the password is in the output", args)
			}
		}
	}
}
