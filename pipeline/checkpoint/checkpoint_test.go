package checkpoint

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

type state struct {
	Cursor int64   `json:"cursor"`
	Name   string  `json:"name"`
	List   []int64 `json:"list"`
}

func open(t *testing.T, dir, source, sink string) *Store {
	t.Helper()
	s, err := Open(dir, source, sink)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestRoundTrip(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made", "here")
	s := open(t, dir, "a", "b")
	var got state
	if err := s.Load(&got); !errors.Is(err, ErrNone) {
		t.Errorf("empty directory: %v", err)
	}
	for _, want := range []state{{1, "a<b>&\"é", []int64{1, 2}}, {2, "", nil}} {
		if err := s.Save(want); err != nil {
			t.Fatal(err)
		}
		got = state{}
		if err := s.Load(&got); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, %v", got, err)
		}
	}
	names, _ := filepath.Glob(filepath.Join(dir, "*"))
	if len(names) != 2 {
		t.Errorf("the directory holds %v", names)
	}
}

func TestFormat(t *testing.T) {
	s := open(t, t.TempDir(), "from", "to")
	data, err := s.encode(state{Cursor: 7})
	want := `{"version":2,"source":"from","sink":"to","crc32":"2033ebbf","state":{"cursor":7,"name":"","list":null}}` + "\n"
	if err != nil || string(data) != want {
		t.Errorf("the format changed\n got %swant %s", data, want)
	}
}

func TestLock(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(dir, "a", "b")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir, "a", "b"); !errors.Is(err, ErrLocked) {
		t.Errorf("second opener: %v", err)
	}
	s.Close()
	open(t, dir, "a", "b")
}

func TestDamage(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, "a", "b")
	if err := s.Save(state{Cursor: 123456}); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, FileName)
	good, _ := os.ReadFile(path)
	cases := map[string]struct {
		data string
		want error
	}{
		"empty":      {"", ErrDamaged},
		"zeros":      {strings.Repeat("\x00", len(good)), ErrDamaged},
		"cut":        {string(good[:len(good)/2]), ErrDamaged},
		"digit":      {strings.Replace(string(good), "123456", "123457", 1), ErrDamaged},
		"not state":  {`{"version":2,"source":"a","sink":"b","crc32":"c0cc3ba8","state":5}`, ErrDamaged},
		"version":    {strings.Replace(string(good), `"version":2`, `"version":1`, 1), ErrOther},
		"other sink": {strings.Replace(string(good), `"sink":"b"`, `"sink":"c"`, 1), ErrOther},
	}
	for name, c := range cases {
		if err := os.WriteFile(path, []byte(c.data), 0o644); err != nil {
			t.Fatal(err)
		}
		var got state
		if err := s.Load(&got); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func TestSaveFails(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, "a", "b")
	if err := os.Mkdir(filepath.Join(dir, FileName+".new"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := s.Save(state{}); err == nil {
		t.Error("saved over a directory")
	}
}

func FuzzDecode(f *testing.F) {
	s := &Store{source: "a", sink: "b"}
	good, _ := s.encode(state{1, "x", nil})
	f.Add(good)
	f.Add([]byte(`{"version":2}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var got state
		if s.decode(data, &got) != nil {
			return
		}
		again, err := s.encode(got)
		var second state
		if err != nil || s.decode(again, &second) != nil || !reflect.DeepEqual(got, second) {
			t.Errorf("%+v comes back as %+v, %v", got, second, err)
		}
	})
}
