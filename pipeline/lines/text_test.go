package lines

import (
	"errors"
	"strings"
	"testing"
)

// TestOther: what this package does not know is handed on as text, and who knows it may refuse it.
func TestOther(t *testing.T) {
	r := NewReader(strings.NewReader("# comment\nblock_state,group=block days=1i 5\r\ncpu usage=1 1\n"), nil)
	if kind, err := r.Next(); kind != Other || err != nil || string(r.Text()) != "block_state,group=block days=1i 5" {
		t.Fatalf("%v, %v, %q", kind, err, r.Text())
	}
	r.Refuse(errors.New("no sweeps"))
	if kind, err := r.Next(); kind != Other || err != nil || string(r.Text()) != "cpu usage=1 1" {
		t.Fatalf("%v, %v, %q", kind, err, r.Text())
	}
	n, first, line := r.Malformed()
	if n != 1 || line != 2 || first != `"block_state,group=block days=1i 5": no sweeps` || r.Count(Other) != 1 {
		t.Errorf("%d malformed, line %d: %s; %d others", n, line, first, r.Count(Other))
	}
}
