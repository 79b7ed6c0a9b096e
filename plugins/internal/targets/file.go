package targets

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"echogram/plugins/schema"
)

// File is what a target file holds.
type File struct {
	Ranges []Range
	Names  []Name
	Labels *Labels // tags of the ranges, from the further columns; nil without a header
}

// Name is a host name with the tags that its line gives it.
type Name struct {
	Name string
	Tags []schema.Tag
}

// ParseFile reads a target file: one entry a line (see ParseEntry), or CSV whose first column is the entry. If the
// first line is a header (target, address, ip, host, network, prefix or cidr comes first), it names the further
// columns, which become tags within the limits; else they are ignored. Errors begin with name and line.
func ParseFile(name string, r io.Reader, limits Limits) (*File, error) {
	f := &File{}
	var t *table
	var rows []int32
	err := eachLine(name, r, func(fields []string, first bool) (err error) {
		if first && isHeader(fields[0]) {
			t, err = newTable(fields[1:], limits)
			return err
		}
		e, err := ParseEntry(fields[0])
		if err != nil {
			return err
		}
		row := noRow
		if t != nil {
			if row, err = t.row(fields[1:]); err != nil {
				return err
			}
		}
		if e.Name == "" {
			f.Ranges = append(f.Ranges, e.Range)
			rows = append(rows, row)
		} else {
			f.Names = append(f.Names, Name{e.Name, t.tags(row)})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if t != nil {
		f.Labels = newLabels(f.Ranges, rows, t.rows)
	}
	return f, nil
}

// ParseExclusions reads a file of networks, ranges and addresses in the format of zmap's and masscan's exclusion
// files: one a line, or several with commas between them. It takes no names. Errors begin with name and line.
func ParseExclusions(name string, r io.Reader) ([]Range, error) {
	var out []Range
	err := eachLine(name, r, func(fields []string, _ bool) error {
		for _, s := range fields {
			if s == "" { // behind the last comma
				continue
			}
			x, err := ParseRange(s)
			if err != nil {
				return err
			}
			out = append(out, x)
		}
		return nil
	})
	return out, err
}

func isHeader(field string) bool {
	return slices.Contains([]string{"target", "address", "ip", "host", "network", "prefix", "cidr"}, strings.ToLower(field))
}

// maxLine is the longest line of a file, in bytes.
const maxLine = 64 << 10

// eachLine calls f with the fields of each line that holds any. first is true until f has been called once.
func eachLine(name string, r io.Reader, f func(fields []string, first bool) error) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	var fields []string
	number, first := 0, true
	for lines.Scan() {
		if number++; number > MaxTargets {
			return fmt.Errorf("%s: the file has more than %d lines", name, MaxTargets)
		}
		text := lines.Text()
		if number == 1 {
			text = strings.TrimPrefix(text, "\ufeff")
		}
		var err error
		if fields, err = splitLine(fields[:0], text); err == nil && len(fields) > 0 {
			err, first = f(fields, first), false
		}
		if err != nil {
			return fmt.Errorf("%s:%d: %w", name, number, err)
		}
	}
	err := lines.Err()
	if errors.Is(err, bufio.ErrTooLong) {
		err = fmt.Errorf("the line is longer than %d bytes", maxLine)
	}
	if err != nil {
		return fmt.Errorf("%s:%d: %w", name, number+1, err)
	}
	return nil
}

// splitLine appends the fields of a line of CSV to dst: none for a blank line or one that is all comment. A comment
// begins with # outside of quotes, in the first field or behind a blank. A quoted field ends in its line.
func splitLine(dst []string, s string) ([]string, error) {
	if !utf8.ValidString(s) || strings.ContainsRune(s, 0) {
		return nil, fmt.Errorf("the line is no UTF-8 text")
	}
	s = strings.TrimSpace(s)
	if s == "" || s[0] == '#' {
		return dst, nil
	}
	for {
		field, rest, more, err := nextField(s, len(dst) == 0)
		if err != nil {
			return nil, err
		}
		dst = append(dst, field)
		if !more {
			return dst, nil
		}
		s = rest
	}
}

// nextField takes one field off s; more says that a comma followed it.
func nextField(s string, first bool) (field, rest string, more bool, err error) {
	s = strings.TrimLeft(s, " \t")
	if strings.HasPrefix(s, `"`) {
		return quotedField(s[1:])
	}
	for i := range len(s) {
		switch {
		case s[i] == ',':
			return strings.TrimSpace(s[:i]), s[i+1:], true, nil
		case s[i] == '#' && (first || i == 0 || s[i-1] == ' ' || s[i-1] == '\t'):
			return strings.TrimSpace(s[:i]), "", false, nil
		}
	}
	return strings.TrimSpace(s), "", false, nil
}

// quotedField reads the rest of a field that began with a quote; two quotes in it stand for one.
func quotedField(s string) (field, rest string, more bool, err error) {
	var b strings.Builder
	for {
		before, after, ok := strings.Cut(s, `"`)
		if !ok {
			return "", "", false, fmt.Errorf("a quoted field has no closing quote in its line")
		}
		b.WriteString(before)
		if !strings.HasPrefix(after, `"`) {
			s = strings.TrimLeft(after, " \t")
			break
		}
		b.WriteByte('"')
		s = after[1:]
	}
	switch {
	case s == "" || s[0] == '#':
		return b.String(), "", false, nil
	case s[0] == ',':
		return b.String(), s[1:], true, nil
	}
	return "", "", false, fmt.Errorf("%q follows a quoted field: a comma must", s)
}
