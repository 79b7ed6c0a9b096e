// Package strict decodes TOML and refuses what the target does not know, with the file, the line and the key in
// every error. Both halves of Echogram read their configuration through it.
//
// Its layers, from the bottom:
//
//   - index: every key path of a document with its line, from the parser's tree.
//   - known: the keys that the target's type has at a path, and the nearest one to a misspelt key.
//   - Decode: syntax, types and unknown keys as *Error; Document keeps the index for the checks that follow.
//   - Env: ${NAME} inside decoded strings. It never sees raw TOML, so a value cannot inject keys.
//   - Duration: a length of time in a configuration.
//
// What a value means is not its business: callers check that and report by Document.Errorf.
package strict

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// Error is one thing wrong with a configuration file.
type Error struct {
	File    string
	Line    int    // from 1; 0 when there is no line to name
	Key     string // path of the key, such as inputs.icmp_sweep.interval; may be empty
	Problem string
}

// Error gives FILE:LINE: key "KEY": PROBLEM, without the parts that are not known.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.File)
	if e.Line > 0 {
		fmt.Fprintf(&b, ":%d", e.Line)
	}
	if e.Key != "" {
		fmt.Fprintf(&b, ": key %q", e.Key)
	}
	return b.String() + ": " + e.Problem
}

// Option changes how Decode works.
type Option func(*options)

type options struct {
	hints  []func(key string) string
	lookup func(name string) (string, bool)
}

// Hint gives text for keys that the target does not have and whose place is known: it is printed instead of the
// nearest known key. f gets the path without array indices, such as inputs.icmp_sweep.namepass, of keys and of
// tables; it returns "" for keys that it knows nothing about.
func Hint(f func(key string) string) Option {
	return func(o *options) { o.hints = append(o.hints, f) }
}

// Env replaces ${NAME} inside string values by what lookup (os.LookupEnv) says. A name that lookup does not know
// is an error. $${ stands for ${ itself.
func Env(lookup func(name string) (string, bool)) Option {
	return func(o *options) { o.lookup = lookup }
}

// Decode reads the TOML document data into v, a pointer to a struct. file is the name that errors show. Every
// error is an *Error or, when several keys are unknown, a join of them, one line each. The Document is not nil
// when the syntax was right, so that a caller can go on to collect problems.
func Decode(file string, data []byte, v any, opts ...Option) (*Document, error) {
	var o options
	for _, f := range opts {
		f(&o)
	}
	data = bytes.Clone(data) // positions are offsets into exactly these bytes
	doc, err := newDocument(file, data)
	if err != nil {
		return nil, err
	}
	d := toml.NewDecoder(bytes.NewReader(data)).DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return doc, doc.explain(err, v, &o)
	}
	if err := doc.singleTables(v); err != nil {
		return doc, err
	}
	if o.lookup != nil {
		return doc, doc.expand(v, o.lookup)
	}
	return doc, nil
}

// explain turns the decoder's error into *Error values.
func (d *Document) explain(err error, v any, o *options) error {
	var missing *toml.StrictMissingError
	if errors.As(err, &missing) {
		var all []error
		for i := range missing.Errors {
			all = append(all, d.unknown(&missing.Errors[i], v, o))
		}
		if len(all) == 1 {
			return all[0]
		}
		return errors.Join(all...)
	}
	var de *toml.DecodeError
	if errors.As(err, &de) {
		line, col := de.Position()
		return d.wrong(line, col, de.Error(), v)
	}
	return d.unplaced(err, v)
}

// unknown reports a key that the target does not have.
func (d *Document) unknown(de *toml.DecodeError, v any, o *options) error {
	line, col := de.Position()
	parts := []string(de.Key())
	if entry := d.at(line, col); entry != nil {
		parts = entry.parts // whole, also inside an inline table
	}
	parts = firstUnknown(v, parts)
	e := &Error{File: d.file, Line: line, Key: joinPath(parts), Problem: "unknown"}
	for _, hint := range o.hints {
		if text := hint(e.Key); text != "" {
			e.Problem = "not read here: " + text
			return e
		}
	}
	if s := suggest(v, parts); s != "" {
		e.Problem = fmt.Sprintf("unknown; did you mean %q?", s)
	}
	return e
}

// singleTables refuses [name] where the target has a list of tables: the decoder would take it as one of them.
func (d *Document) singleTables(v any) error {
	for i := range d.entries {
		e := &d.entries[i]
		if e.kind != unstable.Table {
			continue
		}
		if t := typeAt(v, e.parts); t != nil && bare(t).Kind() == reflect.Slice {
			return &Error{File: d.file, Line: e.line, Key: e.show, Problem: fmt.Sprintf("is a table, want an array of tables: [[%s]]", e.show)}
		}
	}
	return nil
}

// wrong reports a value that does not fit its key, by the position that the decoder gave.
func (d *Document) wrong(line, col int, message string, v any) error {
	e := &Error{File: d.file, Line: line, Problem: strings.TrimPrefix(message, "toml: ")}
	if entry := d.at(line, col); entry != nil {
		e.Key = entry.show
		if want := wants(v, entry); want != "" {
			e.Problem = fmt.Sprintf("is %s, want %s", article(entry.kind), want)
		}
	}
	return e
}

// unplaced reports an error that came without a position: some types' UnmarshalText errors do. The first value
// that its type refuses is the one meant.
func (d *Document) unplaced(err error, v any) error {
	for i := range d.entries {
		entry := &d.entries[i]
		if problem := tryText(v, entry); problem != nil {
			return &Error{File: d.file, Line: entry.line, Key: entry.show, Problem: problem.Error()}
		}
	}
	return &Error{File: d.file, Problem: strings.TrimPrefix(err.Error(), "toml: ")}
}
