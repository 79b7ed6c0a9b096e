package schema

import "testing"

func TestErrorText(t *testing.T) {
	for _, c := range []struct {
		kind, code uint8
		v6         bool
		want       string
	}{
		{3, 0, false, "network unreachable"}, {11, 0, false, "TTL exceeded"}, {12, 2, false, "parameter problem"}, {5, 0, false, "ICMP error 5/0"},
		{1, 0, true, "no route"}, {3, 0, true, "hop limit exceeded"}, {4, 1, true, "parameter problem"}, {1, 9, true, "ICMP error 1/9"},
	} {
		if got := ErrorText(c.kind, c.code, c.v6); got != c.want {
			t.Errorf("%d/%d, v6 %v: %s, want %s", c.kind, c.code, c.v6, got, c.want)
		}
	}
}
