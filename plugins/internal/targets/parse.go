package targets

import (
	"fmt"
	"net/netip"
	"strings"
)

// Range is what one entry of a list of targets names: a network, a range or a single address.
type Range struct {
	Text        string // the entry as tag network has it: a masked CIDR, or first-last
	First, Last netip.Addr
}

// ParseRange reads 192.0.2.0/24, 192.0.2.1-192.0.2.9, 192.0.2.1-9 (the last byte only), 192.0.2.1 and the same in
// IPv6, of which it takes no short range. A network whose host bits are not zero is refused: it is most often a
// slip, and the error names what was probably meant.
func ParseRange(s string) (Range, error) {
	s = strings.TrimSpace(s)
	switch {
	case strings.Contains(s, "/"):
		return parsePrefix(s)
	case strings.Contains(s, "-"):
		return parseSpan(s)
	}
	a, err := parseAddr(s)
	if err != nil {
		return Range{}, fmt.Errorf("%q is no network, range or address: write 192.0.2.0/24, 192.0.2.1-192.0.2.9 or 192.0.2.1", s)
	}
	return Range{Text: netip.PrefixFrom(a, a.BitLen()).String(), First: a, Last: a}, nil
}

func parsePrefix(s string) (Range, error) {
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return Range{}, fmt.Errorf("%q is no network: write it as 192.0.2.0/24", s)
	}
	if p.Addr().Is4In6() {
		return Range{}, fmt.Errorf("%q is an IPv4 network in IPv6 dress: write it as IPv4", s)
	}
	if m := p.Masked(); m != p {
		return Range{}, fmt.Errorf("%q has host bits set: did you mean %s?", s, m)
	}
	return Range{Text: p.String(), First: p.Addr(), Last: lastOf(p)}, nil
}

func parseSpan(s string) (Range, error) {
	from, to, _ := strings.Cut(s, "-")
	first, err := parseAddr(from)
	if err != nil {
		return Range{}, fmt.Errorf("%q: the range's start is no address", s)
	}
	if first.Is4() && !strings.Contains(to, ".") {
		to = from[:strings.LastIndexByte(from, '.')+1] + strings.TrimSpace(to)
	}
	last, err := parseAddr(to)
	if err != nil {
		return Range{}, fmt.Errorf("%q: the range's end is no address", s)
	}
	if first.Is4() != last.Is4() || last.Less(first) {
		return Range{}, fmt.Errorf("%q: the range's end does not follow its start", s)
	}
	return Range{Text: first.String() + "-" + last.String(), First: first, Last: last}, nil
}

func parseAddr(s string) (netip.Addr, error) {
	a, err := netip.ParseAddr(strings.TrimSpace(s))
	if err == nil && a.Zone() != "" {
		return a, fmt.Errorf("%q: zones are not supported yet", s)
	}
	return a.Unmap(), err
}

// ParseRanges reads a list of entries; the error is about the first wrong one, an *EntryError.
func ParseRanges(list []string) ([]Range, error) {
	out := make([]Range, len(list))
	for i, s := range list {
		r, err := ParseRange(s)
		if err != nil {
			return nil, &EntryError{Index: i, Err: err}
		}
		out[i] = r
	}
	return out, nil
}

// EntryError tells which entry of a list is wrong.
type EntryError struct {
	Index int
	Err   error
}

func (e *EntryError) Error() string { return e.Err.Error() }
func (e *EntryError) Unwrap() error { return e.Err }
