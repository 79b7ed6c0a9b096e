package follow

import (
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"time"

	"echogram/plugins/internal/capture"
	"echogram/plugins/internal/capture/pcapfile"
)

// File is one file that is read. Its fields change only inside Next.
type File struct {
	Path       string // where it is; a rename changes it
	Name       string // its base name without .gz and .pcap or .pcapng, as it began
	FirstStamp int64  // of its first packet, ns since the Unix epoch; 0 if it has none
	Emitted    int64  // what was delivered of it before, up to this stamp; 0 for nothing
	Err        error  // at its end: nil, or why there is no more, as of pcapfile.Reader

	entry    *entry
	size     int64     // at the last look
	grew     time.Time // when size changed last
	found    time.Time
	probed   int64 // the size with which it was not complete enough
	stream   bool  // no regular file: it can be read once
	zipped   bool
	ready    bool   // FirstStamp is known
	gone     bool   // from where it was
	told     bool   // that it has to wait
	twin     *entry // of which this is the gzip file
	twinSeen bool   // twin was looked for

	in     *tail
	reader *pcapfile.Reader
	held   *capture.Packet // the first one, read before the file began
	skip   int64           // all packets up to this stamp were evaluated
	seen   int64           // and so many from the beginning
	n      int64           // packets read
	last   int64           // youngest packet

	dropped uint64 // what reader said when it was closed
}

// InterfaceName names a packet's interface as pcapfile.Reader does, while the file is read.
func (w *File) InterfaceName(ifindex int32) string {
	if w.reader == nil {
		return ""
	}
	return w.reader.InterfaceName(ifindex)
}

// Dropped returns how many packets the capture lost, as far as the file has told.
func (w *File) Dropped() uint64 {
	if w.reader == nil {
		return w.dropped
	}
	return w.reader.Dropped()
}

// baseName is a file's name without what says that it is a capture.
func baseName(path string) string {
	name := strings.TrimSuffix(filepath.Base(path), ".gz")
	return strings.TrimSuffix(strings.TrimSuffix(name, ".pcap"), ".pcapng")
}

// errPause is the end of what a file has at present.
var errPause = errors.New("follow: nothing more yet")

// tail reads a file that may grow.
type tail struct {
	file  *os.File
	off   int64
	limit int64 // where to pause
	final bool  // it does not grow: its end is its end
}

func (t *tail) Read(b []byte) (int, error) {
	if t.off == t.limit {
		return 0, errPause
	}
	n, err := t.file.Read(b[:min(int64(len(b)), t.limit-t.off)])
	if t.off += int64(n); err == io.EOF && !t.final {
		err = errPause
	}
	return n, err
}

// open begins to read. The first ignored bytes come up to a pause.
func (w *File) open(follow bool, ignored int64) error {
	w.reader = nil
	w.in = &tail{limit: math.MaxInt64, final: !follow || w.zipped}
	if ignored >= headLeast && !w.zipped {
		w.in.limit = ignored
	}
	var err error
	if w.Path == stdin {
		w.in.file = os.Stdin
	} else if w.in.file, err = os.Open(w.Path); err == nil && !w.stream {
		err = w.isSame()
	}
	if err == nil {
		w.reader, err = pcapfile.NewReader(w.in)
	}
	return err
}

// isSame guards against another file under the same name.
func (w *File) isSame() error {
	info, err := w.in.file.Stat()
	if err != nil {
		return err
	}
	same, err := w.entry.Head.of(w.in.file)
	if err == nil && (!same || inodeOf(w.Path, info) != w.entry.inode) {
		err = &fs.PathError{Op: "open", Path: w.Path, Err: errReplaced}
	}
	return err
}

// probe reads the first packet. What can be read again is closed.
func (w *File) probe(follow bool) error {
	err := w.open(follow, 0)
	var p *capture.Packet
	if err == nil {
		p, err = w.reader.Next()
	}
	if err == nil {
		w.FirstStamp = p.Stamp
	}
	if w.stream {
		w.held = p
		if w.reader == nil {
			w.Err = err
		}
		return err
	}
	w.close()
	return err
}

func (w *File) close() {
	if w.in != nil && w.in.file != nil && w.in.file != os.Stdin {
		w.in.file.Close()
	}
	if w.reader != nil {
		w.dropped = w.reader.Dropped()
	}
	w.in, w.reader, w.held = nil, nil, nil // with its buffers: many files wait, and the caller may keep those that ended
}

// resume takes what was delivered for evaluated.
func (w *File) resume() {
	w.Emitted = w.entry.Emitted
	if w.skip = w.Emitted; w.skip == 0 {
		w.skip = notYet
	}
}

func (w *File) next() (*capture.Packet, error) {
	if p := w.held; p != nil {
		w.held = nil
		return p, nil
	}
	return w.reader.Next()
}

// ignoring tells whether the file is read up to where it was at the first start.
func (w *File) ignoring() bool { return w.in.limit != math.MaxInt64 }

var errReplaced = errors.New("the file was replaced")

// look tells whether a file that is being read has grown. errReplaced says that it has other content.
func (w *File) look(now time.Time) (grown bool, err error) {
	info, err := w.in.file.Stat()
	if err != nil {
		return false, err
	}
	size := info.Size()
	if size != w.size {
		w.size, w.grew = size, now
	}
	if size < w.in.off {
		return false, errReplaced
	}
	if same, err := w.entry.Head.of(w.in.file); err != nil || !same {
		return false, errReplaced
	}
	return size > w.in.off, nil
}

// Lengths of a file's first bytes.
const (
	headLeast = 24   // a pcap file's head; fewer bytes do not tell what a file is
	headSure  = 64   // head and some of a packet, with its time: no other capture begins so
	headMost  = 1024 // as many as are looked at
)

// head is a file's first bytes.
type head struct {
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

func headOf(in io.ReaderAt, length int64) (head, error) {
	b := make([]byte, min(max(length, 0), headMost))
	n, err := in.ReadAt(b, 0)
	if err == io.EOF {
		err = nil
	}
	return hashed(b[:n]), err
}

func hashed(b []byte) head {
	sum := sha256.Sum256(b)
	return head{Bytes: int64(len(b)), SHA256: hex.EncodeToString(sum[:])}
}

// of tells whether in begins so.
func (h head) of(in io.ReaderAt) (bool, error) {
	is, err := headOf(in, h.Bytes)
	return is == h, err
}

var gzipMagic = []byte{0x1f, 0x8b}

// unzippedHead returns the first bytes of what a gzip file holds.
func unzippedHead(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, fmt.Errorf("follow: %s: %w", path, err)
	}
	b := make([]byte, headMost)
	n, err := io.ReadFull(z, b)
	if err == io.ErrUnexpectedEOF || err == io.EOF {
		err = nil
	}
	return b[:n], err
}
