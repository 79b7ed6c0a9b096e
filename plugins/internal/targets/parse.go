package targets

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
)

// Range is what one entry of a list of targets names: a network, a range or a single address.
type Range struct {
	// Text is what tag network says: a masked CIDR, or first-last. It is empty for a single address, which has its
	// own prefix as its network, so that long lists of addresses cost no text.
	Text        string
	First, Last netip.Addr
}

// String returns the entry as tag network has it.
func (r Range) String() string {
	if r.Text == "" {
		return selfName(r.First)
	}
	return r.Text
}

// selfName is the network of an address that was configured by itself: 192.0.2.7/32, fe80::1%eth0/128.
func selfName(a netip.Addr) string { return prefixName(netip.PrefixFrom(a, a.BitLen()), a.Zone()) }

// prefixName writes a prefix with the zone, where there is one, as RFC 4007 section 11.7 does.
func prefixName(p netip.Prefix, zone string) string {
	if zone == "" {
		return p.String()
	}
	return fmt.Sprintf("%s%%%s/%d", p.Addr(), zone, p.Bits())
}

// size is the number of addresses in r, less one.
func (r *Range) size() u128 { return fromAddr(r.Last).minus(fromAddr(r.First)) }

// ParseRange reads 192.0.2.0/24, 192.0.2.1-192.0.2.9, 192.0.2.1-9 (the last byte only), 192.0.2.1 and the same in
// IPv6, of which it takes no short range. Link-local IPv6 may have a zone: fe80::1%eth0, fe80::1%eth0-fe80::9%eth0,
// fe80::%eth0/120. A network whose host bits are not zero is refused: it is most often a slip, and the error names
// what was probably meant.
func ParseRange(s string) (Range, error) {
	s = strings.TrimSpace(s)
	if strings.Contains(s, "/") {
		return parsePrefix(s)
	}
	a, err := parseAddr(s)
	switch {
	case err == nil:
		return Range{First: a, Last: a}, nil
	case strings.Contains(s, "-"):
		return parseSpan(s)
	case errors.Is(err, errZone):
		return Range{}, fmt.Errorf("%q: %w", s, err)
	}
	return Range{}, fmt.Errorf("%q is no network, range or address: write 192.0.2.0/24, 192.0.2.1-192.0.2.9 or 192.0.2.1", s)
}

func parsePrefix(s string) (Range, error) {
	addr, length, _ := strings.Cut(s, "/")
	addr, zone, zoned := strings.Cut(addr, "%")
	p, err := netip.ParsePrefix(addr + "/" + length)
	if err != nil {
		return Range{}, fmt.Errorf("%q is no network: write it as 192.0.2.0/24", s)
	}
	if p.Addr().Is4In6() {
		return Range{}, fmt.Errorf("%q is an IPv4 network in IPv6 dress: write it as IPv4", s)
	}
	if m := p.Masked(); m != p {
		return Range{}, fmt.Errorf("%q has host bits set: did you mean %s?", s, prefixName(m, zone))
	}
	first, last := p.Addr(), lastOf(p)
	if zoned {
		if err := checkZone(first, zone); err != nil {
			return Range{}, fmt.Errorf("%q: %w", s, err)
		}
		first, last = first.WithZone(zone), last.WithZone(zone)
	}
	return newRange(prefixName(p, zone), first, last), nil
}

func newRange(text string, first, last netip.Addr) Range {
	if first == last {
		text = ""
	}
	return Range{Text: text, First: first, Last: last}
}

// parseSpan tries every hyphen: one can be part of a zone.
func parseSpan(s string) (Range, error) {
	missing := "start"
	for i := range len(s) {
		if s[i] != '-' {
			continue
		}
		first, err := parseAddr(s[:i])
		if err != nil {
			continue
		}
		missing = "end"
		if last, err := parseAddr(spanEnd(s[:i], s[i+1:], first)); err == nil {
			return rangeFrom(s, first, last)
		}
	}
	return Range{}, fmt.Errorf("%q: the range's %s is no address", s, missing)
}

// spanEnd completes a short range, 192.0.2.1-9.
func spanEnd(from, to string, first netip.Addr) string {
	if first.Is4() && !strings.Contains(to, ".") {
		return from[:strings.LastIndexByte(from, '.')+1] + strings.TrimSpace(to)
	}
	return to
}

func rangeFrom(s string, first, last netip.Addr) (Range, error) {
	if first.Zone() != "" && last.IsLinkLocalUnicast() && last.Zone() == "" {
		last = last.WithZone(first.Zone())
	}
	if lineOf(first) != lineOf(last) || last.Less(first) {
		return Range{}, fmt.Errorf("%q: the range's end does not follow its start", s)
	}
	return newRange(first.String()+"-"+last.String(), first, last), nil
}

func parseAddr(s string) (netip.Addr, error) {
	a, err := netip.ParseAddr(strings.TrimSpace(s))
	if err == nil && a.Zone() != "" {
		err = checkZone(a.WithZone(""), a.Zone())
	}
	return a.Unmap(), err
}

var errZone = errors.New("a zone is an interface's name behind a link-local IPv6 address, as in fe80::1%eth0")

// checkZone takes what can be an interface's name or number; the longest name that Linux has is 15 bytes.
func checkZone(a netip.Addr, zone string) error {
	if !a.IsLinkLocalUnicast() || a.Is4() || zone == "" || len(zone) > 15 || strings.ContainsAny(zone, " \t\r\n/:%,\\\"#") {
		return errZone
	}
	return nil
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
