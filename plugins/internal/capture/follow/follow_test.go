package follow

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"echogram/plugins/internal/capture"
	"echogram/plugins/internal/capture/pcapfile"
)

// pcap returns a file with a packet for each stamp.
func pcap(t testing.TB, stamps ...int64) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := pcapfile.NewWriter(&b, capture.LinkEthernet, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range stamps {
		data := bytes.Repeat([]byte{byte(s)}, 60+int(s%7))
		if err := w.Write(&capture.Packet{Data: data, Stamp: s, OrigLen: uint32(len(data))}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// records are packets without the file's head.
func records(t testing.TB, stamps ...int64) []byte { return pcap(t, stamps...)[24:] }

func zipped(b []byte) []byte {
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	w.Write(b)
	w.Close()
	return z.Bytes()
}

// place is a directory of captures and one reader of it.
type place struct {
	*testing.T
	dir   string
	c     Config
	files *Files
	warns []string
}

func newPlace(t *testing.T, c Config) *place {
	p := &place{T: t, dir: t.TempDir(), c: c}
	if c.Patterns == nil {
		p.c.Patterns = []string{"*.pcap*"}
	}
	for i, name := range p.c.Patterns {
		if name != stdin {
			p.c.Patterns[i] = p.path(name)
		}
	}
	if c.StateFile != "" {
		p.c.StateFile = p.path(c.StateFile)
	}
	p.c.Warn = func(s string) { p.warns = append(p.warns, strings.ReplaceAll(s, p.dir+"/", "")) }
	return p
}

func (p *place) path(name string) string { return filepath.Join(p.dir, name) }

func (p *place) must(err error) {
	p.Helper()
	if err != nil {
		p.Fatal(err)
	}
}

// write makes a file anew, in its inode if there is one.
func (p *place) write(name string, b ...[]byte) {
	p.Helper()
	p.must(os.WriteFile(p.path(name), slices.Concat(b...), 0o644))
}

func (p *place) append(name string, b []byte) {
	p.Helper()
	f, err := os.OpenFile(p.path(name), os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
	p.must(err)
	_, err = f.Write(b)
	p.must(errors.Join(err, f.Close()))
}

func (p *place) rename(from, to string) {
	p.Helper()
	p.must(os.Rename(p.path(from), p.path(to)))
}

func (p *place) open() {
	p.Helper()
	var err error
	p.files, err = Open(p.c)
	p.must(err)
	p.Cleanup(func() { p.files.Close() })
}

func (p *place) restart() {
	p.Helper()
	p.must(p.files.Save())
	p.files.Close()
	p.open()
}

// read returns what comes until nothing does for two polls: "+name" and "-name" for begin and end, stamps, "(stamp)"
// for what is to be skipped.
func (p *place) read() string {
	p.Helper()
	var all []string
	for idle := 0; idle < 2; {
		i, err := p.files.Next(context.Background())
		if err == io.EOF {
			all = append(all, "EOF")
			break
		}
		p.must(err)
		switch {
		case i.Event == Idle:
			idle++
			continue
		case i.Event == Begin:
			all = append(all, "+"+i.File.Name)
		case i.Event == End && i.File.Err != nil:
			all = append(all, fmt.Sprintf("-%s!", i.File.Name))
		case i.Event == End:
			all = append(all, "-"+i.File.Name)
			p.files.Emitted(i.File, i.File.last)
		case i.Skip:
			all = append(all, fmt.Sprintf("(%d)", i.Packet.Stamp))
		default:
			all = append(all, fmt.Sprint(i.Packet.Stamp))
		}
		idle = 0
	}
	return strings.Join(all, " ")
}

func (p *place) want(want string) {
	p.Helper()
	if got := p.read(); got != want {
		p.Errorf("got  %s\nwant %s", got, want)
	}
}

// warned takes the warnings so far.
func (p *place) warned(want ...string) {
	p.Helper()
	if len(p.warns) != len(want) {
		p.Errorf("warnings %q, want %q", p.warns, want)
	}
	for i := range min(len(want), len(p.warns)) {
		if !strings.Contains(p.warns[i], want[i]) {
			p.Errorf("warning %q, want %q", p.warns[i], want[i])
		}
	}
	p.warns = nil
}

func (p *place) settle() { <-time.After(DefaultIdle) }

// follow runs a test in a bubble, where waiting takes no time.
func follow(t *testing.T, c Config, f func(p *place)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		c.Follow = true
		f(newPlace(t, c))
	})
}

func TestOnce(t *testing.T) {
	p := newPlace(t, Config{Patterns: []string{"*.pcap*", "a.pcap", "other"}})
	p.write("b.pcap", pcap(t, 5, 6))
	p.write("a.pcap", pcap(t, 7, 9))
	p.write("c.pcapng.gz", zipped(pcap(t, 1, 2)), zipped(records(t, 3))) // two members
	p.write("cut.pcap", pcap(t, 8, 9)[:140])
	p.write("no.pcap", []byte("no capture at all"))
	p.write("empty.pcap", pcap(t))
	p.write("other", nil)
	p.open()
	p.want("+empty -empty +no -no! +other -other! +c 1 2 3 -c +b 5 6 -b +a 7 9 -a +cut 8 -cut! EOF")
	p.want("EOF")
	p.warned()
}

func TestOpenRefuses(t *testing.T) {
	p := newPlace(t, Config{})
	p.write("state", []byte("{"))
	p.write("newer", []byte(`{"version": 2}`))
	for name, c := range map[string]struct {
		Config
		want error
		text string
	}{
		"nothing":        {Config{}, nil, "no files"},
		"a bad pattern":  {Config{Patterns: []string{"["}}, filepath.ErrBadPattern, `"["`},
		"no such file":   {Config{Patterns: []string{p.path("none")}}, fs.ErrNotExist, "none"},
		"no match":       {Config{Patterns: []string{p.path("*.none")}}, fs.ErrNotExist, "*.none: no file matches"},
		"no directory":   {Config{Patterns: []string{p.path("none/*")}}, fs.ErrNotExist, "none"},
		"a directory":    {Config{Patterns: []string{p.dir}}, nil, "is a directory"},
		"STDIN followed": {Config{Patterns: []string{"-"}, Follow: true}, nil, "STDIN"},
		"damaged state":  {Config{Patterns: []string{p.dir}, StateFile: p.path("state")}, ErrState, "state: unexpected end of JSON input: put it back from a copy, or remove it"},
		"another state":  {Config{Patterns: []string{p.dir}, StateFile: p.path("newer")}, ErrState, "version 2, want 1"},
		"no place":       {Config{Patterns: []string{p.dir}, StateFile: p.path("none/s"), Follow: true}, ErrState, "none/s"},
	} {
		_, err := Open(c.Config)
		if err == nil || c.want != nil && !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestStdin(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	own := os.Stdin
	os.Stdin = r
	defer func() { os.Stdin = own }()
	w.Write(pcap(t, 3, 4))
	w.Close()
	p := newPlace(t, Config{Patterns: []string{"-"}})
	p.open()
	p.want("+- 3 4 -- EOF")
}

// TestGrowth: a file comes byte by byte.
func TestGrowth(t *testing.T) {
	follow(t, Config{FromBeginning: true}, func(p *place) {
		p.open()
		p.warned("no file matches")
		all := pcap(t, 1, 2)
		got := ""
		for _, b := range all {
			p.append("a.pcap", []byte{b})
			got += " " + p.read()
		}
		if got = strings.Join(strings.Fields(got), " "); got != "+a 1 2" {
			t.Errorf("got %q", got)
		}
		p.settle()
		p.want("") // nothing has come after it
		p.append("a.pcap", records(t, 3))
		p.want("3")
		p.write("b.pcap")
		p.settle()
		p.want("")
		p.write("b.pcap", pcap(t, 4))
		p.want("-a +b 4")
		p.warned()
	})
}

// TestRotation: a name is used again, the former content goes on under another name, in the pattern or out of it.
func TestRotation(t *testing.T) {
	for _, to := range []string{"a.pcap.1", "old"} {
		follow(t, Config{FromBeginning: true}, func(p *place) {
			p.write("a.pcap", pcap(t, 1, 2))
			p.open()
			p.want("+a 1 2")
			p.rename("a.pcap", to)
			p.append(to, records(t, 3)) // the writer still has it open
			p.want("3")
			p.write("a.pcap", pcap(t, 4))
			p.want("")
			p.settle()
			p.want("-a +a 4")
			p.append("a.pcap", records(t, 5)[:20])
			p.want("")
			p.must(os.Remove(p.path("a.pcap")))
			p.settle()
			p.want("-a!")
		})
	}
}

// TestReplaced: content is replaced in the same inode, by less, by as much and by more.
func TestReplaced(t *testing.T) {
	follow(t, Config{FromBeginning: true}, func(p *place) {
		p.write("a.pcap", pcap(t, 1, 8, 9))
		p.open()
		p.want("+a 1 8 9")
		p.write("a.pcap", pcap(t, 3))
		p.want("-a +a 3")
		p.write("a.pcap", pcap(t, 10))
		p.want("-a +a 10")
		p.write("a.pcap", pcap(t, 5, 6))
		p.want("-a +a 5 6")
		p.write("a.pcap")
		p.want("-a")
		p.write("a.pcap", pcap(t, 7))
		p.want("+a 7")
		p.warned("a.pcap: the file was replaced while it was read, after 3 packets", "after 1", "after 1", "after 2")
	})
}

func TestGzip(t *testing.T) {
	follow(t, Config{FromBeginning: true}, func(p *place) {
		p.open()
		z := zipped(pcap(t, 1, 2))
		p.write("a.pcap.gz", z[:40])
		p.settle()
		p.append("a.pcap.gz", z[40:50])
		p.want("")
		p.append("a.pcap.gz", z[50:])
		p.want("")
		p.settle()
		p.want("+a 1 2 -a")
		p.append("a.pcap.gz", zipped(records(t, 3)))
		p.want("")
		p.settle()
		p.want("+a (1) (2) 3 -a")
		p.warned("no file matches", "a.pcap.gz grew")
	})
}

// TestZippedByRotation: what gzip makes of a file is not read again, also after a restart, and is read on when the
// file itself is gone too early.
func TestZippedByRotation(t *testing.T) {
	follow(t, Config{FromBeginning: true, StateFile: "state"}, func(p *place) {
		p.write("a.pcap", pcap(t, 1, 2))
		p.open()
		p.want("+a 1 2")
		p.write("a.pcap.gz", zipped(pcap(t, 1, 2)))
		p.must(os.Remove(p.path("a.pcap")))
		p.settle()
		p.want("-a")
		p.restart()
		p.settle()
		p.want("")
		p.write("b.pcap", pcap(t, 3, 4))
		p.want("+b 3 4")
		p.files.Emitted(p.files.current, 3)
		p.must(p.files.Save())
		p.files.Close()
		p.write("b.pcap.gz", zipped(pcap(t, 3, 4, 5)))
		p.must(os.Remove(p.path("b.pcap")))
		p.open()
		p.settle()
		p.want("+b (3) 4 5 -b")
		p.warned()
	})
}

// TestFirstStart: without from_beginning only what is added counts, and what is there gives the state.
func TestFirstStart(t *testing.T) {
	follow(t, Config{StateFile: "state"}, func(p *place) {
		old := pcap(t, 1, 2, 3)
		p.write("old.pcap", pcap(t, 0))
		p.write("a.pcap", old[:len(old)-5])
		p.open()
		p.want("")
		p.restart()
		p.want("")
		p.append("a.pcap", old[len(old)-5:])
		p.want("+a (1) (2) 3")
		p.append("a.pcap", records(t, 4))
		p.want("4")
		p.files.Emitted(p.files.current, 3)
		p.restart()
		p.want("+a (1) (2) (3) 4")
		p.write("b.pcap", pcap(t, 5))
		p.settle()
		p.want("-a +b 5")
		p.warned()
	})
}

// TestUnsortedFirstStart: what was added is told by its place, not by its time.
func TestUnsortedFirstStart(t *testing.T) {
	follow(t, Config{}, func(p *place) {
		p.write("a.pcap", pcap(t, 1, 9))
		p.open()
		p.append("a.pcap", records(t, 5))
		p.want("+a (1) (9) 5")
	})
}

// TestGrowsAfterItsEnd: nothing is lost of a file that was taken for finished.
func TestGrowsAfterItsEnd(t *testing.T) {
	follow(t, Config{FromBeginning: true}, func(p *place) {
		p.write("a.pcap", pcap(t, 1, 5), records(t, 2)[:30])
		p.write("b.pcap", pcap(t, 3))
		p.open()
		p.want("+a 1 5")
		p.settle()
		p.want("-a! +b 3")
		p.append("a.pcap", records(t, 2)[30:])
		p.settle()
		p.want("-b +a (1) (5) 2")
		p.warned("a.pcap grew after it had counted as finished")
	})
}

func TestNoCaptures(t *testing.T) {
	follow(t, Config{FromBeginning: true, StateFile: "state.pcap"}, func(p *place) {
		p.write("a.pcap", bytes.Repeat([]byte("text "), 10))
		p.write("b.pcap", pcap(t, 3))
		p.open()
		p.want("+b 3")
		p.append("a.pcap", []byte("more"))
		p.want("")
		p.warned("a.pcap: pcapfile: neither a pcap nor a pcapng file")
		p.restart()
		p.want("+b 3")
		p.warned()
		p.write("a.pcap", pcap(t, 4))
		p.settle()
		p.want("-b +a 4")
	})
}

// TestDamaged: what follows damage cannot be read, and is not tried with each growth.
func TestDamaged(t *testing.T) {
	follow(t, Config{FromBeginning: true}, func(p *place) {
		p.write("a.pcap", pcap(t, 1), bytes.Repeat([]byte{0xff}, 100))
		p.open()
		p.want("+a 1 -a!")
		p.append("a.pcap", records(t, 2))
		p.want("")
		p.warned()
	})
}

// TestErrorsAreToldOnce: a directory goes and comes back.
func TestErrorsAreToldOnce(t *testing.T) {
	follow(t, Config{FromBeginning: true, Patterns: []string{"in/*.pcap", "missing"}}, func(p *place) {
		p.must(os.Mkdir(p.path("in"), 0o755))
		p.write("in/a.pcap", pcap(t, 1))
		p.open()
		p.want("+a 1")
		p.warned("missing: no such file")
		p.rename("in", "out")
		p.settle()
		p.want("-a")
		p.want("")
		p.warned("in: no such file")
		p.rename("out", "in")
		p.want("")
		p.append("in/a.pcap", records(t, 2))
		p.want("+a (1) 2")
		p.must(os.Mkdir(p.path("missing"), 0o755))
		p.want("")
		p.warned("a.pcap grew", "missing is a directory")
	})
}

func TestFilesThatGrowTogether(t *testing.T) {
	follow(t, Config{FromBeginning: true}, func(p *place) {
		p.write("a.pcap", pcap(t, 1))
		p.write("b.pcap", pcap(t, 2))
		p.open()
		for i := range int64(30) {
			p.read()
			p.append("a.pcap", records(t, 3+i))
			<-time.After(3 * time.Second)
		}
		p.warned("b.pcap waits for a.pcap")
	})
}

func TestCancelled(t *testing.T) {
	follow(t, Config{FromBeginning: true}, func(p *place) {
		p.write("a.pcap", pcap(t, slices.Repeat([]int64{1}, 5000)...))
		p.open()
		ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
		defer cancel()
		n := 0
		for {
			i, err := p.files.Next(ctx)
			if i.Event == Packet && err == nil {
				n++
			}
			if err != nil {
				if !errors.Is(err, context.DeadlineExceeded) || n != 5000 {
					t.Errorf("%v after %d packets", err, n)
				}
				break
			}
		}
		p.append("a.pcap", records(t, 2))
		p.want("2") // nothing is lost by it
	})
	p := newPlace(t, Config{})
	p.write("a.pcap", pcap(t, slices.Repeat([]int64{1}, 5000)...))
	p.open()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var err error
	for n := 0; err == nil && n < 2000; n++ {
		_, err = p.files.Next(ctx)
	}
	if !errors.Is(err, context.Canceled) {
		t.Errorf("a long file: %v", err)
	}
}
