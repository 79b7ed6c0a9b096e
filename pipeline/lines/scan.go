package lines

import (
	"bytes"
	"math"
	"strconv"

	"echogram/plugins/schema"
)

// value is a field's value. Strings are not kept: no reader wants one.
type value struct {
	kind  schema.Kind
	int   int64
	float float64
}

// scanner walks the fields and the time of a line as schema.Point.Parse does, as long as there is nothing unusual.
// Its methods return false otherwise: then the line belongs to Parse, which knows whether it is malformed.
type scanner struct {
	b   []byte
	i   int
	key []byte
	value
}

// headEnd is where "measurement,tags" ends: at the first space that no backslash escapes. It is -1 without one.
func headEnd(b []byte) int {
	for i := 0; ; {
		n := bytes.IndexByte(b[i:], ' ')
		if n < 0 {
			return -1
		}
		if i += n; i == 0 || b[i-1] != '\\' {
			return i
		}
		i++
	}
}

// field reads "key=value" with the comma or space that follows.
func (s *scanner) field() (more, ok bool) {
	start := s.i
	for s.i < len(s.b) && s.b[s.i] != '=' {
		if c := s.b[s.i]; c <= ' ' || c == ',' || c == '\\' {
			return false, false
		}
		s.i++
	}
	if s.i == start || s.i+1 >= len(s.b) {
		return false, false
	}
	s.key = s.b[start:s.i]
	s.i++
	if !s.scanValue() || s.i >= len(s.b) {
		return false, false
	}
	s.i++
	return s.b[s.i-1] == ',', s.b[s.i-1] == ',' || s.b[s.i-1] == ' '
}

func (s *scanner) scanValue() bool {
	switch c := s.b[s.i]; {
	case c == '"':
		return s.text()
	case c == '-' || c == '.' || c == '+' || c-'0' <= 9:
		return s.integer() || s.number()
	default:
		return s.boolean()
	}
}

// digits reads up to 19 of them, which never overflow.
func (s *scanner) digits() (n uint64, ok bool) {
	start := s.i
	for s.i < len(s.b) && s.b[s.i]-'0' <= 9 {
		n = n*10 + uint64(s.b[s.i]-'0')
		s.i++
	}
	return n, s.i > start && s.i-start <= 19 && n <= math.MaxInt64
}

func (s *scanner) signed() (int64, bool) {
	negative := s.i < len(s.b) && s.b[s.i] == '-'
	if negative {
		s.i++
	}
	n, ok := s.digits()
	if negative {
		return -int64(n), ok
	}
	return int64(n), ok
}

// integer reads 12i. When there is something else it stays where it is.
func (s *scanner) integer() bool {
	start := s.i
	n, ok := s.signed()
	if !ok || s.i >= len(s.b) || s.b[s.i] != 'i' {
		s.i = start
		return false
	}
	s.i++
	s.value = value{kind: schema.KindInt, int: n}
	return true
}

func (s *scanner) number() bool {
	raw := s.bare()
	f, err := strconv.ParseFloat(string(raw), 64)
	s.value = value{kind: schema.KindFloat, float: f}
	return err == nil && !math.IsNaN(f) && !math.IsInf(f, 0)
}

func (s *scanner) boolean() bool {
	s.value = value{kind: schema.KindBool}
	switch string(s.bare()) {
	case "t", "T", "true", "True", "TRUE", "f", "F", "false", "False", "FALSE":
		return true
	}
	return false
}

// bare reads up to a comma or a space.
func (s *scanner) bare() []byte {
	start := s.i
	for s.i < len(s.b) && s.b[s.i] != ',' && s.b[s.i] != ' ' {
		s.i++
	}
	return s.b[start:s.i]
}

func (s *scanner) text() bool {
	n := bytes.IndexByte(s.b[s.i+1:], '"')
	if n < 0 || bytes.IndexByte(s.b[s.i+1:s.i+1+n], '\\') >= 0 {
		return false
	}
	s.i += n + 2
	s.value = value{kind: schema.KindString}
	return true
}

// time reads the rest of the line.
func (s *scanner) time() (int64, bool) {
	t, ok := s.signed()
	return t, ok && s.i == len(s.b)
}
