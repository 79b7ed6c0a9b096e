package schema

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// AppendLine appends p as one line of line protocol, with a newline, to dst. It refuses what a database would
// refuse or silently change: no measurement, no fields, line breaks in names or tags, floats without a value.
func (p *Point) AppendLine(dst []byte) ([]byte, error) {
	if p.Measurement == "" || len(p.Fields) == 0 {
		return dst, fmt.Errorf("schema: a point needs a measurement and a field, have %q and %d fields", p.Measurement, len(p.Fields))
	}
	start := len(dst)
	dst, err := appendName(dst, p.Measurement, false)
	if err != nil {
		return dst[:start], err
	}
	for _, t := range p.Tags {
		if t.Value == "" {
			continue
		}
		dst = append(dst, ',')
		if dst, err = appendName(dst, t.Key, true); err != nil {
			return dst[:start], err
		}
		dst = append(dst, '=')
		if dst, err = appendName(dst, t.Value, true); err != nil {
			return dst[:start], err
		}
	}
	sep := byte(' ')
	for _, f := range p.Fields {
		dst = append(dst, sep)
		sep = ','
		if dst, err = appendName(dst, f.Key, true); err != nil {
			return dst[:start], err
		}
		dst = append(dst, '=')
		if dst, err = f.appendValue(dst); err != nil {
			return dst[:start], err
		}
	}
	dst = append(dst, ' ')
	dst = strconv.AppendInt(dst, p.Time, 10)
	return append(dst, '\n'), nil
}

// appendName appends a measurement, key or tag value; equals says whether an equals sign is special in it. A
// trailing backslash cannot be told from an escape, and a line break ends the line: both are refused.
func appendName(dst []byte, s string, equals bool) ([]byte, error) {
	if s == "" || s[len(s)-1] == '\\' {
		return dst, nameError(s)
	}
	start := 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == ',' || c == ' ' || c == '=' && equals:
			dst = append(append(dst, s[start:i]...), '\\')
			start = i
		case c == '\n' || c == '\r':
			return dst, nameError(s)
		}
	}
	return append(dst, s[start:]...), nil
}

// CheckName tells whether s can be a measurement, a key or a tag's value in line protocol.
func CheckName(s string) error {
	_, err := appendName(nil, s, true)
	return err
}

func nameError(s string) error { return fmt.Errorf("schema: line protocol cannot hold the name %q", s) }

func (f Field) appendValue(dst []byte) ([]byte, error) {
	switch f.kind {
	case KindInt:
		return append(strconv.AppendInt(dst, int64(f.num), 10), 'i'), nil
	case KindFloat:
		v := math.Float64frombits(f.num)
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return dst, fmt.Errorf("schema: field %s is %v, which line protocol cannot hold", f.Key, v)
		}
		return strconv.AppendFloat(dst, v, 'g', -1, 64), nil
	case KindBool:
		return strconv.AppendBool(dst, f.num != 0), nil
	case KindString:
		if strings.ContainsAny(f.str, "\n\r") {
			return dst, fmt.Errorf("schema: field %s holds a line break", f.Key)
		}
		dst = append(dst, '"')
		for i := 0; i < len(f.str); i++ {
			if c := f.str[i]; c == '"' || c == '\\' {
				dst = append(dst, '\\')
			}
			dst = append(dst, f.str[i])
		}
		return append(dst, '"'), nil
	}
	return dst, fmt.Errorf("schema: field %s has no value", f.Key)
}

// Parse reads one line of line protocol, with or without its newline, into p, whose memory it reuses. The
// strings of p are copies: line can be reused. The errors say what is wrong and at which byte.
func (p *Point) Parse(line []byte) error {
	p.Reset()
	s := strings.TrimRight(string(line), "\r\n") // one copy; every string of p is a piece of it
	d := lineScanner{s: s}
	var err error
	if p.Measurement, err = d.name(", ", false); err != nil {
		return err
	}
	for d.eat(',') {
		var t Tag
		if t.Key, err = d.name("=, ", true); err != nil {
			return err
		}
		if !d.eat('=') {
			return d.errorf("tag %q has no value", t.Key)
		}
		if t.Value, err = d.name(", ", true); err != nil {
			return err
		}
		p.Tags = append(p.Tags, t)
	}
	if !d.spaces() {
		return d.errorf("no fields")
	}
	for {
		var f Field
		if f.Key, err = d.name("=, ", true); err != nil {
			return err
		}
		if !d.eat('=') {
			return d.errorf("field %q has no value", f.Key)
		}
		if err = d.value(&f); err != nil {
			return err
		}
		p.Fields = append(p.Fields, f)
		if !d.eat(',') {
			break
		}
	}
	if !d.spaces() || d.i == len(d.s) {
		return d.end()
	}
	t, err := strconv.ParseInt(strings.TrimRight(d.s[d.i:], " "), 10, 64)
	if err != nil {
		return d.errorf("bad time %q", d.s[d.i:])
	}
	p.Time, p.HasTime = t, true
	return nil
}

// lineScanner walks one line; i is the next byte.
type lineScanner struct {
	s string
	i int
}

func (d *lineScanner) errorf(format string, args ...any) error {
	return fmt.Errorf("schema: line protocol, byte %d: %s", d.i+1, fmt.Sprintf(format, args...))
}

func (d *lineScanner) end() error {
	if d.i < len(d.s) {
		return d.errorf("unexpected %q", d.s[d.i])
	}
	return nil
}

func (d *lineScanner) eat(c byte) bool {
	if d.i < len(d.s) && d.s[d.i] == c {
		d.i++
		return true
	}
	return false
}

func (d *lineScanner) spaces() bool {
	start := d.i
	for d.eat(' ') {
	}
	return d.i > start
}

// name reads up to an unescaped byte of stop. A backslash escapes a comma, a space and, but in a measurement, an
// equals sign; it stands for itself before anything else, as InfluxDB reads it.
func (d *lineScanner) name(stop string, equals bool) (string, error) {
	start, escaped := d.i, false
	for d.i < len(d.s) {
		c := d.s[d.i]
		if c == '\\' && d.i+1 < len(d.s) && isSpecial(d.s[d.i+1], equals) {
			escaped = true
			d.i += 2
			continue
		}
		if strings.IndexByte(stop, c) >= 0 {
			break
		}
		if c == '\n' || c == '\r' {
			return "", d.errorf("line break in a name")
		}
		d.i++
	}
	raw := d.s[start:d.i]
	if raw == "" {
		return "", d.errorf("empty name")
	}
	if raw[len(raw)-1] == '\\' {
		return "", d.errorf("name %q ends in a backslash", raw)
	}
	if escaped {
		raw = unescape(raw, equals)
		if raw[len(raw)-1] == '\\' {
			return "", d.errorf("name %q ends in a backslash", raw)
		}
	}
	return raw, nil
}

func isSpecial(c byte, equals bool) bool { return c == ',' || c == ' ' || c == '=' && equals }

func unescape(s string, equals bool) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) && isSpecial(s[i+1], equals) {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

var errNoValue = errors.New("schema: not a line protocol value")

// value reads a field's value: "string", 1i, 1.5, true.
func (d *lineScanner) value(f *Field) error {
	if d.eat('"') {
		return d.quoted(f)
	}
	start := d.i
	for d.i < len(d.s) && d.s[d.i] != ',' && d.s[d.i] != ' ' {
		d.i++
	}
	raw := d.s[start:d.i]
	if err := parseBare(f, raw); err != nil {
		return d.errorf("field %q has the bad value %q", f.Key, raw)
	}
	return nil
}

func (d *lineScanner) quoted(f *Field) error {
	start, escaped := d.i, false
	for d.i < len(d.s) {
		switch d.s[d.i] {
		case '\\':
			if d.i+1 < len(d.s) && (d.s[d.i+1] == '"' || d.s[d.i+1] == '\\') {
				escaped = true
				d.i++
			}
		case '"':
			raw := d.s[start:d.i]
			d.i++
			if escaped {
				raw = strings.NewReplacer(`\\`, `\`, `\"`, `"`).Replace(raw)
			}
			*f = String(f.Key, raw)
			return nil
		}
		d.i++
	}
	return d.errorf("the string of field %q does not end", f.Key)
}

func parseBare(f *Field, raw string) error {
	if raw == "" {
		return errNoValue
	}
	switch last := raw[len(raw)-1]; {
	case last == 'i':
		v, err := strconv.ParseInt(raw[:len(raw)-1], 10, 64)
		*f = Int(f.Key, v)
		return err
	case raw[0] == 't' || raw[0] == 'T' || raw[0] == 'f' || raw[0] == 'F':
		return parseBool(f, raw)
	}
	v, err := strconv.ParseFloat(raw, 64)
	if err == nil && (math.IsNaN(v) || math.IsInf(v, 0)) {
		return errNoValue
	}
	*f = Float(f.Key, v)
	return err
}

func parseBool(f *Field, raw string) error {
	switch raw {
	case "t", "T", "true", "True", "TRUE":
		*f = Bool(f.Key, true)
	case "f", "F", "false", "False", "FALSE":
		*f = Bool(f.Key, false)
	default:
		return errNoValue
	}
	return nil
}
