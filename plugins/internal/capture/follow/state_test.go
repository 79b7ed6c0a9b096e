package follow

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"
)

// TestEmitted: what is delivered of a file is so of those read before it, up to the same time.
func TestEmitted(t *testing.T) {
	p := newPlace(t, Config{StateFile: "state"})
	p.write("a.pcap", pcap(t, 1, 2))
	p.write("b.pcap", pcap(t, 3, 9))
	p.write("c.pcap", pcap(t, 4, 5, 6))
	p.open()
	var last *File
	for {
		i, err := p.files.Next(t.Context())
		if err == io.EOF {
			break
		}
		p.must(err)
		last = i.File
	}
	p.files.Emitted(last, 5) // of c: a is delivered, and b up to that
	p.restart()
	p.want("+b (3) 9 -b +c (4) (5) 6 -c EOF")
	p.restart()
	p.want("EOF")
}

func TestStateFile(t *testing.T) {
	p := newPlace(t, Config{StateFile: "state.json"})
	p.write("a.pcap", pcap(t, 7))
	p.open()
	p.read()
	p.must(p.files.Save())
	b, err := os.ReadFile(p.path("state.json"))
	p.must(err)
	for _, want := range []string{`"version": 1`, `a.pcap"`, `"device": `, `"inode": `, `"bytes": `, `"sha256": "`, `"size": `, `"finished": true`, `"emitted": 7,`, `"seen": "20`} {
		if !strings.Contains(string(b), want) {
			t.Errorf("no %s in %s", want, b)
		}
	}
	if _, err := os.Stat(p.path("state.json" + newSuffix)); !os.IsNotExist(err) {
		t.Errorf("a file is left: %v", err)
	}
}

// TestPrune: what is there is never forgotten.
func TestPrune(t *testing.T) {
	now := time.Date(2026, 1, 31, 0, 0, 0, 0, time.UTC)
	s := &state{scans: 1, byInode: map[inode][]*entry{}}
	add := func(name string, age time.Duration, scan uint64) {
		s.add(&entry{Path: name, inode: inode{Inode: uint64(len(s.entries) % 5000)}, Seen: now.Add(-age), scan: scan})
	}
	add("gone for long", keepGone, 0)
	add("there", keepGone, 1)
	for i := range keepEntries {
		add(fmt.Sprint("gone ", i), time.Duration(i)*time.Second, 0)
	}
	s.prune(now)
	if len(s.entries) != keepEntries || s.entries[0].Path != "there" || s.entries[keepEntries-1].Path != "gone 9998" {
		t.Errorf("%d entries, from %q to %q", len(s.entries), s.entries[0].Path, s.entries[len(s.entries)-1].Path)
	}
	n := 0
	for _, same := range s.byInode {
		n += len(same)
	}
	if n != keepEntries {
		t.Errorf("%d entries by inode", n)
	}
}

// TestConcurrent is for the race detector: results are delivered and saved by others than the one who reads.
func TestConcurrent(t *testing.T) {
	p := newPlace(t, Config{StateFile: "state"})
	for i := range int64(20) {
		p.write(fmt.Sprintf("%d.pcap", i), pcap(t, 2*i, 2*i+1))
	}
	p.open()
	files := make(chan *File, 100)
	done := make(chan error)
	go func() {
		var err error
		for f := range files {
			p.files.Emitted(f, f.FirstStamp+1)
			err = errors.Join(err, p.files.Save())
		}
		done <- err
	}()
	for {
		i, err := p.files.Next(t.Context())
		if err == io.EOF {
			break
		}
		p.must(err)
		if i.Event == Begin {
			files <- i.File
		}
	}
	close(files)
	p.must(<-done)
	p.restart()
	p.want("EOF")
}
