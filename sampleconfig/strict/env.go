package strict

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// expander replaces ${NAME} in every string that a decoded value holds.
type expander struct {
	doc    *Document
	lookup func(string) (string, bool)
	errs   []error
}

func (d *Document) expand(v any, lookup func(string) (string, bool)) error {
	x := expander{doc: d, lookup: lookup}
	x.walk(reflect.ValueOf(v), "")
	if len(x.errs) == 1 {
		return x.errs[0]
	}
	return errors.Join(x.errs...)
}

func (x *expander) walk(v reflect.Value, path string) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			x.walk(v.Elem(), path)
		}
	case reflect.Struct:
		if !readsText(v.Type()) {
			x.fields(v, path)
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			x.walk(v.Index(i), fmt.Sprintf("%s[%d]", path, i))
		}
	case reflect.Map:
		x.mapped(v, path)
	case reflect.String:
		if v.CanSet() && !readsText(v.Type()) {
			v.SetString(x.replace(v.String(), path))
		}
	}
}

func (x *expander) fields(v reflect.Value, path string) {
	eachKey(v.Type(), func(key string, f reflect.StructField) {
		field, err := v.FieldByIndexErr(indexOf(v.Type(), f))
		if err == nil {
			x.walk(field, join(path, key))
		}
	})
}

// indexOf finds a field that may lie in an embedded struct.
func indexOf(t reflect.Type, f reflect.StructField) []int {
	if own, ok := t.FieldByName(f.Name); ok {
		return own.Index
	}
	return f.Index
}

// mapped replaces the values of a map, which cannot be set in place.
func (x *expander) mapped(v reflect.Value, path string) {
	if v.Type().Key().Kind() != reflect.String {
		return
	}
	keys := v.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
	for _, k := range keys {
		value := reflect.New(v.Type().Elem()).Elem()
		value.Set(v.MapIndex(k))
		x.walk(value, join(path, bareOrQuoted(k.String())))
		v.SetMapIndex(k, value)
	}
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// replace expands one string. What a variable holds is not expanded again.
func (x *expander) replace(s, path string) string {
	var b strings.Builder
	for {
		i := strings.Index(s, "${")
		if i < 0 {
			b.WriteString(s)
			return b.String()
		}
		if i > 0 && s[i-1] == '$' {
			b.WriteString(s[:i-1])
			b.WriteString("${")
			s = s[i+2:]
			continue
		}
		name, rest, ok := strings.Cut(s[i+2:], "}")
		value, known := "", false
		if ok && name != "" {
			value, known = x.lookup(name)
		}
		switch {
		case !ok || name == "":
			x.errs = append(x.errs, x.doc.Errorf(path, "${ without a name and a }; write $${ for the two characters themselves"))
			return ""
		case !known:
			x.errs = append(x.errs, x.doc.Errorf(path, "the environment variable %s is not set", name))
		}
		b.WriteString(s[:i])
		b.WriteString(value)
		s = rest
	}
}
