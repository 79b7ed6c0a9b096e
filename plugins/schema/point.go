package schema

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
)

// Tag is one tag of a point. A tag with an empty value is not written: line protocol has no empty tags.
type Tag struct {
	Key, Value string
}

// Kind is the line protocol type of a field.
type Kind uint8

// The field types that Echogram writes. InfluxDB fixes a field's type at the first write.
const (
	KindInt Kind = iota + 1
	KindFloat
	KindBool
	KindString
)

// Field is one field of a point.
type Field struct {
	Key  string
	kind Kind
	num  uint64
	str  string
}

// Int makes an integer field.
func Int(key string, v int64) Field { return Field{Key: key, kind: KindInt, num: uint64(v)} }

// Float makes a float field. Line protocol has neither infinities nor NaN; AppendLine refuses them.
func Float(key string, v float64) Field {
	return Field{Key: key, kind: KindFloat, num: math.Float64bits(v)}
}

// Bool makes a boolean field.
func Bool(key string, v bool) Field {
	f := Field{Key: key, kind: KindBool}
	if v {
		f.num = 1
	}
	return f
}

// String makes a string field.
func String(key, v string) Field { return Field{Key: key, kind: KindString, str: v} }

// Kind returns the field's type.
func (f Field) Kind() Kind { return f.kind }

// Value returns the field as int64, float64, bool or string: the types that Telegraf's accumulators take.
func (f Field) Value() any {
	switch f.kind {
	case KindInt:
		return int64(f.num)
	case KindFloat:
		return math.Float64frombits(f.num)
	case KindBool:
		return f.num != 0
	default:
		return f.str
	}
}

// Point is one line of line protocol: the common form of every row on its way out or in.
// A Point can be reused: Reset keeps its memory.
type Point struct {
	Measurement string
	Tags        []Tag // sorted by key when made by a row
	Fields      []Field
	Time        int64 // nanoseconds since the Unix epoch; HasTime tells whether a parsed line had one
	HasTime     bool
}

// Reset empties p and keeps its memory.
func (p *Point) Reset() {
	p.Measurement, p.Time, p.HasTime = "", 0, false
	p.Tags, p.Fields = p.Tags[:0], p.Fields[:0]
}

// Tag returns the value of the tag key, or "".
func (p *Point) Tag(key string) string {
	for i := range p.Tags {
		if p.Tags[i].Key == key {
			return p.Tags[i].Value
		}
	}
	return ""
}

// SetTag sets a tag in place or adds it where the order by key wants it. An empty value removes the tag.
func (p *Point) SetTag(key, value string) {
	i, found := slices.BinarySearchFunc(p.Tags, key, func(t Tag, k string) int { return strings.Compare(t.Key, k) })
	switch {
	case found && value == "":
		p.Tags = slices.Delete(p.Tags, i, i+1)
	case found:
		p.Tags[i].Value = value
	case value != "":
		p.Tags = slices.Insert(p.Tags, i, Tag{key, value})
	}
}

// Field returns the field key.
func (p *Point) Field(key string) (Field, bool) {
	for i := range p.Fields {
		if p.Fields[i].Key == key {
			return p.Fields[i], true
		}
	}
	return Field{}, false
}

// TagMap returns the tags as Telegraf's accumulators take them.
func (p *Point) TagMap() map[string]string {
	m := make(map[string]string, len(p.Tags))
	for _, t := range p.Tags {
		if t.Value != "" {
			m[t.Key] = t.Value
		}
	}
	return m
}

// FieldMap returns the fields as Telegraf's accumulators take them.
func (p *Point) FieldMap() map[string]any {
	m := make(map[string]any, len(p.Fields))
	for _, f := range p.Fields {
		m[f.Key] = f.Value()
	}
	return m
}

// Any makes a field of a value as Telegraf's plugins give them: any integer, float, bool or string.
func Any(key string, v any) (Field, error) {
	switch v := v.(type) {
	case int64:
		return Int(key, v), nil
	case float64:
		return Float(key, v), nil
	case bool:
		return Bool(key, v), nil
	case string:
		return String(key, v), nil
	}
	switch r := reflect.ValueOf(v); r.Kind() {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32:
		return Int(key, r.Int()), nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return Int(key, int64(min(r.Uint(), math.MaxInt64))), nil // as Telegraf does without uint support
	case reflect.Float32:
		return Float(key, r.Float()), nil
	}
	return Field{}, fmt.Errorf("schema: field %s is of type %T, which line protocol does not have", key, v)
}
