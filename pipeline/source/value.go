package source

import (
	"fmt"
	"math"

	"github.com/tinylib/msgp/msgp"

	"echogram/plugins/schema"
)

// value is one field's value in an answer.
type value struct {
	kind schema.Kind // 0: there is none
	n    int64       // of KindInt; of KindBool 0 or 1
	f    float64
	text []byte // valid until the next one is read
}

// read takes the next value of an answer.
func (v *value) read(r *msgp.Reader) (err error) {
	kind, err := r.NextType()
	if err != nil {
		return err
	}
	switch kind {
	case msgp.NilType:
		v.kind = 0
		return r.ReadNil()
	case msgp.IntType:
		v.kind = schema.KindInt
		v.n, err = r.ReadInt64()
	case msgp.UintType:
		var u uint64
		u, err = r.ReadUint64()
		v.unsigned(u)
	case msgp.Float64Type, msgp.Float32Type:
		v.kind = schema.KindFloat
		v.f, err = r.ReadFloat64()
	case msgp.BoolType:
		var is bool
		is, err = r.ReadBool()
		v.bool(is)
	case msgp.StrType:
		v.kind = schema.KindString
		v.text, err = r.ReadStringAsBytes(v.text)
	default:
		err = fmt.Errorf("a value of the type %v", kind)
	}
	return err
}

// unsigned takes a number beyond what an integer holds for a float.
func (v *value) unsigned(u uint64) {
	if v.kind, v.n = schema.KindInt, int64(u); u > math.MaxInt64 {
		v.kind, v.f = schema.KindFloat, float64(u)
	}
}

func (v *value) bool(is bool) {
	if v.kind, v.n = schema.KindBool, 0; is {
		v.n = 1
	}
}

// valueOf is a value of a Flux answer.
func valueOf(from any) (v value) {
	switch from := from.(type) {
	case nil:
	case int64:
		v.kind, v.n = schema.KindInt, from
	case uint64:
		v.unsigned(from)
	case float64:
		v.kind, v.f = schema.KindFloat, from
	case bool:
		v.bool(from)
	default:
		v.kind, v.text = schema.KindString, fmt.Append(nil, from)
	}
	return v
}

// String is the value as an error quotes it.
func (v *value) String() string {
	switch v.kind {
	case schema.KindInt:
		return fmt.Sprint(v.n)
	case schema.KindFloat:
		return fmt.Sprint(v.f)
	case schema.KindBool:
		return fmt.Sprint(v.n == 1)
	case schema.KindString:
		return fmt.Sprintf("%.80q", v.text)
	}
	return "nothing"
}

// integer also takes a float that is one.
func (v *value) integer() (int64, error) {
	switch {
	case v.kind == schema.KindInt:
		return v.n, nil
	case v.kind == schema.KindFloat && v.f == math.Trunc(v.f) && math.Abs(v.f) < 1<<63:
		return int64(v.f), nil
	}
	return 0, fmt.Errorf("%v is no integer", v)
}

func (v *value) float() (float64, error) {
	switch v.kind {
	case schema.KindFloat:
		return v.f, nil
	case schema.KindInt:
		return float64(v.n), nil
	}
	return 0, fmt.Errorf("%v is no number", v)
}

func (v *value) is() (bool, error) {
	if v.kind != schema.KindBool {
		return false, fmt.Errorf("%v is neither true nor false", v)
	}
	return v.n == 1, nil
}

// string is the text of a value, whatever it is.
func (v *value) string() string {
	if v.kind == schema.KindString {
		return string(v.text)
	}
	return v.String()
}
