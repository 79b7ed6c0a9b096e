//go:build integration

package main

import (
	"context"
	"encoding/binary"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"echogram/plugins/netlab"
)

// sendFrames sends the frames of a pcap file by a link, each a few milliseconds behind the one before it.
func sendFrames(n *netlab.Namespace, link string, pcap []byte) error {
	return n.Do(func() error {
		device, err := net.InterfaceByName(link)
		if err != nil {
			return err
		}
		fd, err := syscall.Socket(syscall.AF_PACKET, syscall.SOCK_RAW|syscall.SOCK_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer syscall.Close(fd)
		const fileHead, recordHead = 24, 16
		for b := pcap[fileHead:]; len(b) > 0; {
			end := recordHead + binary.LittleEndian.Uint32(b[8:])
			if err := syscall.Sendto(fd, b[recordHead:end], 0, &syscall.SockaddrLinklayer{Ifindex: device.Index}); err != nil {
				return err
			}
			b = b[end:]
			time.Sleep(5 * time.Millisecond)
		}
		return nil
	})
}

// TestBFDLive: an interface gives the lines that tcpdump's file of the same frames gives, until the time is over; who
// may not capture is told what helps.
func TestBFDLive(t *testing.T) {
	pair, err := netlab.NewPair(netlab.PairConfig{})
	if err != nil {
		t.Fatal(err)
	}
	defer pair.Close()
	holdStamps(t)
	file := filepath.Join(t.TempDir(), "bfd.pcap")
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	const rounds, packets = 20, 4 * 20
	dump := pair.Prober.Command(ctx, "tcpdump", "-i", netlab.ProberLink, "-j", "host", "--time-stamp-precision", "nano",
		"--immediate-mode", "-Z", "root", "-c", strconv.Itoa(packets), "-w", file, "udp")
	if err := dump.Start(); err != nil {
		t.Fatalf("%v: install it with: apt-get install tcpdump", err)
	}
	sent := make(chan error, 1)
	go func() {
		time.Sleep(time.Second) // until the captures are open
		sent <- sendFrames(pair.Responder, netlab.ResponderLink, captureBytes(time.Now(), rounds))
	}()
	live := finish(t, pair.Prober.Command(ctx, program, "bfd", "-I", netlab.ProberLink, "--promiscuous", "--duration", "4s", "--format", "csv"))
	if err := <-sent; err != nil {
		t.Fatal(err)
	}
	if err := dump.Wait(); err != nil {
		t.Fatalf("tcpdump: %v", err)
	}
	read := from(t, pair.Prober, program, "bfd", "--format", "csv", file)
	if live.code != exitDone || read.code != exitDone || live.stdout != read.stdout || strings.Count(live.stdout, "\n") != rounds {
		t.Errorf("live, exit code %d: %s%s\nread, exit code %d: %s%s", live.code, live.stdout, live.stderr, read.code, read.stdout, read.stderr)
	}
	for _, f := range []string{"table", "influx"} {
		o := from(t, pair.Prober, program, "bfd", "-I", netlab.ProberLink, "--duration", "100ms", "--format", f)
		if o.code != exitFailed || !strings.Contains(o.stderr, netlab.ProberLink+": no BFD seen") {
			t.Errorf("without BFD, %s: exit code %d, %s%s", f, o.code, o.stdout, o.stderr)
		}
	}
	o := from(t, pair.Prober, "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all", program, "bfd", "-I", netlab.ProberLink)
	if o.code != exitFailed || !strings.Contains(o.stderr, "setcap cap_net_raw+ep "+program) {
		t.Errorf("without privilege: exit code %d, %s", o.code, o.stderr)
	}
}
