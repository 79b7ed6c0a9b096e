package main

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"

	"echogram/plugins/schema"
)

// appendJSON writes one object a row and line: measurement, time, and tags and fields by their names in the schema.
// Tags and fields stand apart, because a label may have the name of a field.
func appendJSON(dst []byte, p *schema.Point, row schema.Row) ([]byte, error) {
	schema.Fill(p, row)
	dst = append(dst, `{"measurement":`...)
	dst = appendJSONString(dst, p.Measurement)
	dst = append(dst, `,"time":"`...)
	dst = time.Unix(0, p.Time).UTC().AppendFormat(dst, time.RFC3339Nano)
	dst = append(dst, `","tags":{`...)
	for i, t := range p.Tags {
		dst = appendJSONKey(dst, i, t.Key)
		dst = appendJSONString(dst, t.Value)
	}
	dst = append(dst, `},"fields":{`...)
	var err error
	for i, f := range p.Fields {
		dst = appendJSONKey(dst, i, f.Key)
		if dst, err = appendJSONValue(dst, f); err != nil {
			return dst, err
		}
	}
	return append(dst, "}}\n"...), nil
}

func appendJSONKey(dst []byte, i int, key string) []byte {
	if i > 0 {
		dst = append(dst, ',')
	}
	return append(appendJSONString(dst, key), ':')
}

func appendJSONValue(dst []byte, f schema.Field) ([]byte, error) {
	switch v := f.Value().(type) {
	case int64:
		return strconv.AppendInt(dst, v, 10), nil
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return dst, fmt.Errorf("field %s is %v, which JSON cannot hold", f.Key, v)
		}
		return strconv.AppendFloat(dst, v, 'f', -1, 64), nil
	case bool:
		return strconv.AppendBool(dst, v), nil
	case string:
		return appendJSONString(dst, v), nil
	}
	return dst, fmt.Errorf("field %s has no value", f.Key)
}

// appendJSONString writes plain ASCII as it is and leaves the rest to the standard library.
func appendJSONString(dst []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			quoted, _ := json.Marshal(s) // strings have no errors
			return append(dst, quoted...)
		}
	}
	return append(append(append(dst, '"'), s...), '"')
}
