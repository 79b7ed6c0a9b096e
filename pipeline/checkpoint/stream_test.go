package checkpoint

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

const name = "large.state"

func load(s *Store) (text string, err error) {
	err = s.LoadStream(name, func(r io.Reader) error {
		data, err := io.ReadAll(r)
		text = string(data)
		return err
	})
	return text, err
}

func saving(text string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, text)
		return err
	}
}

func TestStream(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, "a", "b")
	if _, err := load(s); !errors.Is(err, ErrNone) {
		t.Errorf("nothing saved: %v", err)
	}
	for _, want := range []string{"one\ntwo", ""} {
		if err := s.SaveStream(name, saving(want)); err != nil {
			t.Fatal(err)
		}
		if got, err := load(s); err != nil || got != want {
			t.Errorf("got %q, %v", got, err)
		}
	}
	s.Close()
	if _, err := load(open(t, dir, "a", "c")); !errors.Is(err, ErrOther) {
		t.Errorf("another sink: %v", err)
	}
}

// TestInterruptedStream: what breaks off while it is written leaves what was there.
func TestInterruptedStream(t *testing.T) {
	s := open(t, t.TempDir(), "a", "b")
	if err := s.SaveStream(name, saving("before")); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken")
	if err := s.SaveStream(name, func(w io.Writer) error {
		io.WriteString(w, "half")
		return broken
	}); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	if got, err := load(s); err != nil || got != "before" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestDamagedStream(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, "a", "b")
	for text, want := range map[string]error{
		"":        ErrDamaged,
		"no line": ErrDamaged,
		"{\n":     ErrDamaged,
		"{\"version\":1,\"source\":\"a\",\"sink\":\"b\"}\n": ErrOther,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := load(s); !errors.Is(err, want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}
