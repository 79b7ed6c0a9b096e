package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"echogram/plugins/schema"
)

// bfdColumn is one value of a T: a column of csv, a member of a JSON object. Empty is what there is not.
type bfdColumn[T any] struct {
	name   string
	text   bool // quoted where the format has numbers without quotes
	append func(dst []byte, r T) []byte
}

func fieldNames[T any](columns []bfdColumn[T]) []string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.name
	}
	return names
}

// pickColumns picks columns by name; "all" is all.
func pickColumns[T any](all []bfdColumn[T], names []string) ([]bfdColumn[T], error) {
	if slices.Equal(names, []string{"all"}) {
		return all, nil
	}
	var columns []bfdColumn[T]
	for _, name := range names {
		i := slices.IndexFunc(all, func(c bfdColumn[T]) bool { return c.name == name })
		if i < 0 {
			return nil, fmt.Errorf("--columns %q: must be all, or of %s", name, strings.Join(fieldNames(all), ","))
		}
		columns = append(columns, all[i])
	}
	return columns, nil
}

// appendCSVLine quotes what would break a line (RFC 4180).
func appendCSVLine[T any](dst []byte, columns []bfdColumn[T], r T) []byte {
	for i, c := range columns {
		if i > 0 {
			dst = append(dst, ',')
		}
		start := len(dst)
		dst = c.append(dst, r)
		if s := string(dst[start:]); c.text && strings.ContainsAny(s, "\",\r\n") {
			dst = append(append(append(dst[:start], '"'), strings.ReplaceAll(s, `"`, `""`)...), '"')
		}
	}
	return append(dst, '\n')
}

// appendJSONObject leaves out what is empty.
func appendJSONObject[T any](dst []byte, columns []bfdColumn[T], r T) []byte {
	dst = append(dst, '{')
	members := 0
	var value [64]byte
	for _, c := range columns {
		v := c.append(value[:0], r)
		if len(v) == 0 {
			continue
		}
		dst = appendJSONKey(dst, members, c.name)
		if c.text {
			dst = appendJSONString(dst, string(v))
		} else {
			dst = append(dst, v...)
		}
		members++
	}
	return append(dst, "}\n"...)
}

func wordColumn[T any](name string, of func(T) string) bfdColumn[T] {
	return bfdColumn[T]{name, true, func(dst []byte, r T) []byte { return append(dst, of(r)...) }}
}

func countColumn[T any](name string, of func(T) schema.Opt) bfdColumn[T] {
	return bfdColumn[T]{name, false, func(dst []byte, r T) []byte {
		if v := of(r); v.Set {
			return strconv.AppendInt(dst, v.N, 10)
		}
		return dst
	}}
}

// nanoColumn has seconds with nine decimals.
func nanoColumn[T any](name string, of func(T) schema.Opt) bfdColumn[T] {
	return bfdColumn[T]{name, false, func(dst []byte, r T) []byte {
		if v := of(r); v.Set {
			return appendNanos(dst, v.N)
		}
		return dst
	}}
}

// appendNanos writes nanoseconds as seconds with nine decimals, exactly: a float has no room for those of a time.
func appendNanos(dst []byte, ns int64) []byte {
	if ns < 0 {
		dst, ns = append(dst, '-'), -ns
	}
	return fmt.Appendf(dst, "%d.%09d", ns/1e9, ns%1e9)
}
