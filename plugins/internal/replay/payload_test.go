package replay

import "testing"

func TestPayload(t *testing.T) {
	for _, c := range []struct {
		name           string
		sent, got      string
		room           int
		cutOut, cutIn  bool
		differs        bool
		flipped, first int
	}{
		{name: "same", sent: "abcd", got: "abcd", room: 9, first: -1},
		{name: "flipped", sent: "abcd", got: "abdd", room: 9, differs: true, flipped: 3, first: 2},
		{name: "longer", sent: "abcd", got: "abcde", room: 9, differs: true, flipped: 8, first: 4},
		{name: "reply cut", sent: "abcd", got: "ab", room: 9, cutIn: true, first: -1},
		{name: "request cut", sent: "ab", got: "abcd", room: 9, cutOut: true, first: -1},
		{name: "cut and flipped", sent: "ab", got: "abcd"[:1] + "c", room: 9, cutOut: true, cutIn: true, differs: true, flipped: 1, first: 1},
		{name: "hash, same", sent: "abcd", got: "abcd", room: 3, first: -1},
		{name: "hash, flipped", sent: "abcd", got: "abdd", room: 3, differs: true, first: -1},
		{name: "hash, shorter", sent: "abcd", got: "ab", room: 3, differs: true, first: -1},
		{name: "hash, cut", sent: "abcd", got: "ab", room: 3, cutIn: true, first: -1},
		{name: "empty, longer", sent: "", got: "a", room: 3, differs: true, flipped: 8, first: 0},
	} {
		var l payload
		l.take([]byte(c.sent), c.cutOut, c.room)
		differs, flipped, first := l.compare([]byte(c.got), c.cutIn)
		if differs != c.differs || flipped != c.flipped || first != c.first {
			t.Errorf("%s: %v, %d bits from byte %d", c.name, differs, flipped, first)
		}
	}
}
