package dashboards

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

// jsonSchema is the part of JSON Schema (draft 7) that testdata uses; another keyword in a schema is an error.
type jsonSchema struct {
	Ref         string                 `json:"$ref"`
	Type        words                  `json:"type"`
	Required    []string               `json:"required"`
	Properties  map[string]*jsonSchema `json:"properties"`
	Additional  *additional            `json:"additionalProperties"`
	Items       *jsonSchema            `json:"items"`
	Enum        []any                  `json:"enum"`
	Const       any                    `json:"const"`
	AnyOf       []*jsonSchema          `json:"anyOf"`
	Definitions map[string]*jsonSchema `json:"definitions"`
	Schema      string                 `json:"$schema"`
	Comment     string                 `json:"$comment"`
}

// words is one string or several.
type words []string

// UnmarshalJSON implements json.Unmarshaler.
func (w *words) UnmarshalJSON(data []byte) error {
	if data[0] == '[' {
		return json.Unmarshal(data, (*[]string)(w))
	}
	*w = words{""}
	return json.Unmarshal(data, &(*w)[0])
}

// additional is false, or what further properties must be.
type additional struct{ schema *jsonSchema }

// UnmarshalJSON implements json.Unmarshaler.
func (a *additional) UnmarshalJSON(data []byte) error {
	if string(data) == "false" {
		return nil
	}
	return json.Unmarshal(data, &a.schema)
}

func loadSchema(t *testing.T, file string) *jsonSchema {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var s jsonSchema
	dec := json.NewDecoder(f)
	dec.DisallowUnknownFields()
	if err := dec.Decode(&s); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return &s
}

// check says what of v, at path, is not as s has it. defs are the definitions of the whole schema.
func (s *jsonSchema) check(v any, path string, defs map[string]*jsonSchema) (problems []string) {
	if s.Ref != "" {
		return defs[strings.TrimPrefix(s.Ref, "#/definitions/")].check(v, path, defs)
	}
	if len(s.AnyOf) > 0 {
		return s.checkAny(v, path, defs)
	}
	if s.Const != nil && v != s.Const {
		return []string{fmt.Sprintf("%s: %v is not %v", path, v, s.Const)}
	}
	if len(s.Enum) > 0 && !slices.Contains(s.Enum, v) {
		return []string{fmt.Sprintf("%s: %v is none of %v", path, v, s.Enum)}
	}
	if len(s.Type) > 0 && !slices.Contains(s.Type, typeOf(v)) {
		return []string{fmt.Sprintf("%s: %s, want %v", path, typeOf(v), s.Type)}
	}
	switch v := v.(type) {
	case map[string]any:
		return s.checkObject(v, path, defs)
	case []any:
		for i, item := range v {
			if s.Items != nil {
				problems = append(problems, s.Items.check(item, fmt.Sprintf("%s[%d]", path, i), defs)...)
			}
		}
	}
	return problems
}

// checkAny gives the fewest problems that one of the choices has with v.
func (s *jsonSchema) checkAny(v any, path string, defs map[string]*jsonSchema) (fewest []string) {
	for i, choice := range s.AnyOf {
		if problems := choice.check(v, path, defs); i == 0 || len(problems) < len(fewest) {
			fewest = problems
		}
	}
	return fewest
}

func (s *jsonSchema) checkObject(v map[string]any, path string, defs map[string]*jsonSchema) (problems []string) {
	for _, key := range s.Required {
		if _, ok := v[key]; !ok {
			problems = append(problems, fmt.Sprintf("%s: no %s", path, key))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(v)) {
		below := path + "." + key
		switch property := s.Properties[key]; {
		case property != nil:
			problems = append(problems, property.check(v[key], below, defs)...)
		case s.Additional == nil:
		case s.Additional.schema == nil:
			problems = append(problems, below+": no such property")
		default:
			problems = append(problems, s.Additional.schema.check(v[key], below, defs)...)
		}
	}
	return problems
}

func typeOf(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case float64:
		return "number"
	case []any:
		return "array"
	}
	return "object"
}

// TestGrafanaSchema holds the dashboards against Grafana's own types.
func TestGrafanaSchema(t *testing.T) {
	s := loadSchema(t, "testdata/grafana.schema.json")
	for _, file := range files(t, "grafana/dashboards/*.json") {
		for _, problem := range s.check(documents(t, file)[0], "", s.Definitions) {
			t.Errorf("%s: %s", file, problem)
		}
	}
}

func TestGrafanaSchemaRefuses(t *testing.T) {
	s := loadSchema(t, "testdata/grafana.schema.json")
	for text, want := range map[string]string{
		`{}`:                                  ": no schemaVersion",
		`{"schemaVersion": 42, "panel": []}`:  ".panel: no such property",
		`{"schemaVersion": 42, "title": 7}`:   ".title: number, want [string]",
		`{"schemaVersion": 42, "panels": {}}`: ".panels: object, want [array]",
		`{"schemaVersion": 42, "panels": [{"id": 1, "gridPos": {"h": 1, "w": 1, "x": 1, "y": "a"}, "type": "stat"}]}`: ".panels[0].gridPos.y: string, want [number]",
		`{"schemaVersion": 42, "templating": {"list": [{"name": "a", "type": "tag"}]}}`:                               ".templating.list[0].type: tag is none of",
	} {
		var v any
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(s.check(v, "", s.Definitions), "; "); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}
