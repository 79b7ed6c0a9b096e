package targets

import (
	"fmt"
	"strings"
)

// Entry is one entry of a list of targets: a range, or the name of a host.
type Entry struct {
	Range Range
	Name  string // in lower case; empty for a range
}

// ParseEntry reads what ParseRange reads, and names of hosts: labels as RFC 1123 has them, underscores allowed, with
// or without the last dot. What can only be a slip in an address (192.0.2.300, 10.0.0) is an error and no name.
func ParseEntry(s string) (Entry, error) {
	s = strings.TrimSpace(s)
	r, err := ParseRange(s)
	if err == nil || looksNumeric(s) {
		return Entry{Range: r}, err
	}
	if err := checkName(s); err != nil {
		return Entry{}, fmt.Errorf("%q is no network, range, address or host name: %w", s, err)
	}
	return Entry{Name: strings.ToLower(s)}, nil
}

// looksNumeric tells whether s can only be meant as an address: names hold none of / : %, end in no number, and
// an address before a hyphen and a digit behind the last dot make a range.
func looksNumeric(s string) bool {
	if s == "" || strings.ContainsAny(s, "/:%") {
		return true
	}
	s = strings.TrimSuffix(s, ".")
	last := s[strings.LastIndexByte(s, '.')+1:]
	if strings.Trim(last, "0123456789") == "" {
		return true
	}
	from, _, isRange := strings.Cut(s, "-")
	_, err := parseAddr(from)
	return isRange && err == nil && last[0] <= '9'
}

func checkName(s string) error {
	s = strings.TrimSuffix(s, ".")
	if len(s) > 253 {
		return fmt.Errorf("a name has at most 253 bytes, this one %d", len(s))
	}
	for label := range strings.SplitSeq(s, ".") {
		switch {
		case label == "":
			return fmt.Errorf("a part between two dots is empty")
		case len(label) > 63:
			return fmt.Errorf("%q is longer than the 63 bytes that a part of a name has", label)
		case label[0] == '-' || label[len(label)-1] == '-':
			return fmt.Errorf("%q begins or ends with a hyphen", label)
		}
		for _, c := range label {
			if !isNameByte(c) {
				return fmt.Errorf("%q cannot stand in a name: letters, digits, hyphens and dots can (other scripts as xn--)", c)
			}
		}
	}
	return nil
}

func isNameByte(c rune) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_'
}
