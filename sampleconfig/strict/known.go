package strict

import (
	"encoding"
	"reflect"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

var textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()

// readsText tells whether values of t are decoded by their own UnmarshalText.
func readsText(t reflect.Type) bool { return reflect.PointerTo(t).Implements(textUnmarshaler) }

// bare removes pointers.
func bare(t reflect.Type) reflect.Type {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t
}

// element removes pointers, slices and arrays: the type of one table of an array table.
func element(t reflect.Type) reflect.Type {
	for t = bare(t); !readsText(t) && (t.Kind() == reflect.Slice || t.Kind() == reflect.Array); t = bare(t.Elem()) {
	}
	return t
}

// child is the type of the key name of t, or nil.
func child(t reflect.Type, name string) reflect.Type {
	t = element(t)
	if t.Kind() == reflect.Map {
		return t.Elem()
	}
	var found reflect.Type
	eachKey(t, func(key string, f reflect.StructField) {
		if strings.EqualFold(key, name) {
			found = f.Type
		}
	})
	return found
}

// eachKey calls f for each key that a table of the struct type t has.
func eachKey(t reflect.Type, f func(key string, field reflect.StructField)) {
	if t.Kind() != reflect.Struct || readsText(t) {
		return
	}
	for field := range t.Fields() {
		key, _, _ := strings.Cut(field.Tag.Get("toml"), ",")
		switch {
		case field.Anonymous && key == "" && bare(field.Type).Kind() == reflect.Struct:
			eachKey(bare(field.Type), f)
		case !field.IsExported() || key == "-":
		case key == "":
			f(field.Name, field)
		default:
			f(key, field)
		}
	}
}

// typeAt is the type that v has for the key path parts, or nil.
func typeAt(v any, parts []string) reflect.Type {
	t := reflect.TypeOf(v)
	for _, name := range parts {
		if t = child(t, name); t == nil {
			return nil
		}
	}
	return t
}

// firstUnknown cuts parts behind the first name that v does not have.
func firstUnknown(v any, parts []string) []string {
	for i := range parts {
		if typeAt(v, parts[:i+1]) == nil {
			return parts[:i+1]
		}
	}
	return parts
}

// suggest returns the key of the same table that is nearest to the last of parts, when it is near.
func suggest(v any, parts []string) string {
	if len(parts) == 0 {
		return ""
	}
	t := typeAt(v, parts[:len(parts)-1])
	if t == nil {
		return ""
	}
	wrong := strings.ToLower(parts[len(parts)-1])
	best, limit := "", max(2, len(wrong)/3)+1
	eachKey(element(t), func(key string, _ reflect.StructField) {
		if d := distance(wrong, strings.ToLower(key)); d < limit && d < len(key) {
			best, limit = key, d
		}
	})
	return best
}

// distance is the number of insertions, deletions, substitutions and swaps of neighbours that turn a into b.
func distance(a, b string) int {
	before, last, row := []int(nil), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, slices.Clone(last)
	}
	return last[len(b)]
}

// wants says what the target needs at entry, or "" when the kind of the value is not what is wrong.
func wants(v any, e *entry) string {
	t := typeAt(v, e.parts)
	if t == nil {
		return ""
	}
	t = bare(t)
	if strings.HasSuffix(e.path, "]") && e.kind != unstable.ArrayTable {
		t = element(t)
	}
	want, kinds := describe(t)
	if want == "" || slices.Contains(kinds, e.kind) {
		return ""
	}
	return want
}

// describe names a type in words of TOML, with the kinds of value that fit it.
func describe(t reflect.Type) (want string, kinds []unstable.Kind) {
	switch k := t.Kind(); {
	case readsText(t):
		return "a string", []unstable.Kind{unstable.String, unstable.Integer, unstable.Float, unstable.Bool}
	case k == reflect.String:
		return "a string", []unstable.Kind{unstable.String}
	case k == reflect.Bool:
		return "true or false", []unstable.Kind{unstable.Bool}
	case k >= reflect.Int && k <= reflect.Uintptr:
		return "an integer", []unstable.Kind{unstable.Integer}
	case k == reflect.Float32 || k == reflect.Float64:
		return "a number", []unstable.Kind{unstable.Integer, unstable.Float}
	case k == reflect.Slice || k == reflect.Array:
		if e := element(t); e.Kind() == reflect.Struct && !readsText(e) {
			return "an array of tables", []unstable.Kind{unstable.Array, unstable.ArrayTable}
		}
		return "an array", []unstable.Kind{unstable.Array}
	case k == reflect.Struct || k == reflect.Map:
		return "a table", []unstable.Kind{unstable.Table, unstable.InlineTable}
	}
	return "", nil
}

// article names a kind of TOML value.
func article(k unstable.Kind) string {
	switch k {
	case unstable.Array:
		return "an array"
	case unstable.ArrayTable:
		return "an array of tables"
	case unstable.Table, unstable.InlineTable:
		return "a table"
	case unstable.Integer:
		return "an integer"
	case unstable.Float:
		return "a float"
	case unstable.Bool:
		return "a boolean"
	case unstable.String:
		return "a string"
	}
	return "a date or time"
}

// tryText decodes entry's text by its type's UnmarshalText and returns the error of that.
func tryText(v any, e *entry) error {
	t := typeAt(v, e.parts)
	if t == nil {
		return nil
	}
	switch e.kind {
	case unstable.String, unstable.Integer, unstable.Float, unstable.Bool:
	default:
		return nil
	}
	if t = element(t); !readsText(t) {
		return nil
	}
	return reflect.New(t).Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(e.text))
}
