package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"

	"github.com/google/gopacket/pcapgo"

	"echogram/plugins/internal/prober"
	"echogram/plugins/schema"
)

// The loops that this command runs as a process of its own, with `loop NAME FILE STREAMS`: pcapgo reads a file and does
// nothing; engine evaluates it, and forgets the rows.
const (
	loopPcapgo = "pcapgo"
	loopEngine = "engine"
)

// loop runs one of them on a file, and returns how many packets that had.
func loop(name, path string, streams int) (packets int64, err error) {
	in, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer in.Close()
	switch name {
	case loopPcapgo:
		return readBare(in)
	case loopEngine:
		r := prober.NewBFDReplay(prober.BFDConfig{MaxSessions: streams, Emit: func(schema.Row) {}}, "")
		err := r.Read(context.Background(), in)
		return r.Finish().Packets, err
	}
	return 0, fmt.Errorf("no loop %q", name)
}

// readBare is the least that a Go program can do with a file.
func readBare(in io.Reader) (packets int64, err error) {
	file, err := pcapgo.NewReader(bufio.NewReaderSize(in, 512<<10))
	if err != nil {
		return 0, err
	}
	for {
		if _, _, err := file.ZeroCopyReadPacketData(); err == io.EOF {
			return packets, nil
		} else if err != nil {
			return packets, err
		}
		packets++
	}
}
