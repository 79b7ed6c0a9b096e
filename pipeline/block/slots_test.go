package block

import "testing"

// TestBlackouts: a letter is a place that is up, a dot a sample in which nobody is.
func TestBlackouts(t *testing.T) {
	for _, c := range []struct{ samples, want []string }{
		{[]string{"abc", ".", ".", "abc"}, []string{"abc", "abc"}},
		{[]string{"abcde", ".", "abcd"}, []string{"abcde", "abcd"}},
		{[]string{"abcd", ".", "efgh"}, []string{"abcd", ".", "efgh"}}, // a pool that was handed out anew
		{[]string{".", "abc", "."}, []string{".", "abc", "."}},
		{[]string{".", "."}, []string{".", "."}},
		{nil, nil},
	} {
		var samples []sample
		for i, s := range c.samples {
			samples = append(samples, sample{slot: i, up: letters(s)})
		}
		got := withoutBlackouts(samples, 0.6)
		if len(got) != len(c.want) {
			t.Errorf("%q: %d samples are left, want %q", c.samples, len(got), c.want)
			continue
		}
		for i, s := range got {
			if s.up.Len() != letters(c.want[i]).Len() {
				t.Errorf("%q: sample %d is %v, want %q", c.samples, i, s.up, c.want[i])
			}
		}
	}
}

func letters(s string) (up Set) {
	for _, r := range s {
		if r != '.' {
			up.Add(int(r - 'a'))
		}
	}
	return up
}
