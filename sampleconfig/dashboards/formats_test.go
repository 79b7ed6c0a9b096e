package dashboards

import (
	"encoding/json"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// chronograf is an exported dashboard of Chronograf 1.8, by the types of its server (chronograf.go).
type chronograf struct {
	Meta struct {
		Version string         `json:"chronografVersion"`
		Sources map[string]any `json:"sources"`
	} `json:"meta"`
	Dashboard struct {
		ID           int                  `json:"id"`
		Name         string               `json:"name"`
		Organization string               `json:"organization"`
		Cells        []chronografCell     `json:"cells"`
		Templates    []chronografTemplate `json:"templates"`
	} `json:"dashboard"`
}

type chronografCell struct {
	ID             string            `json:"i"`
	X              int               `json:"x"`
	Y              int               `json:"y"`
	W              int               `json:"w"`
	H              int               `json:"h"`
	Name           string            `json:"name"`
	Queries        []chronografQuery `json:"queries"`
	Axes           map[string]axis   `json:"axes"`
	Type           string            `json:"type"`
	Colors         []any             `json:"colors"`
	Legend         struct{}          `json:"legend"`
	TableOptions   map[string]any    `json:"tableOptions"`
	FieldOptions   []any             `json:"fieldOptions"`
	TimeFormat     string            `json:"timeFormat"`
	DecimalPlaces  map[string]any    `json:"decimalPlaces"`
	Note           string            `json:"note"`
	NoteVisibility string            `json:"noteVisibility"`
}

type axis struct {
	Bounds []string `json:"bounds"`
	Label  string   `json:"label"`
	Prefix string   `json:"prefix"`
	Suffix string   `json:"suffix"`
	Base   string   `json:"base"`
	Scale  string   `json:"scale"`
}

type chronografQuery struct {
	Query  string `json:"query"`
	Type   string `json:"type"`
	Source string `json:"source"`
	Config struct {
		Database        string         `json:"database"`
		Measurement     string         `json:"measurement"`
		RetentionPolicy string         `json:"retentionPolicy"`
		Fields          []any          `json:"fields"`
		Tags            map[string]any `json:"tags"`
		GroupBy         map[string]any `json:"groupBy"`
		AreTagsAccepted bool           `json:"areTagsAccepted"`
		RawText         string         `json:"rawText"`
		Range           any            `json:"range"`
		Shifts          []any          `json:"shifts"`
	} `json:"queryConfig"`
}

type chronografTemplate struct {
	ID       string            `json:"id"`
	Var      string            `json:"tempVar"`
	Type     string            `json:"type"`
	Label    string            `json:"label"`
	SourceID string            `json:"sourceID"`
	Values   []any             `json:"values"`
	Query    map[string]string `json:"query"`
}

var colons = regexp.MustCompile(`:(\w+):`)

// TestChronograf holds cells against what Chronograf takes: its types, without further keys; its checks of axes and notes
// (server/cells.go); a grid of 12 columns; variables that are defined, and none in Flux, which knows them since 1.9 only.
func TestChronograf(t *testing.T) {
	for _, file := range files(t, "chronograf/*.dashboard") {
		f, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		dec := json.NewDecoder(f)
		dec.DisallowUnknownFields()
		var c chronograf
		if err := dec.Decode(&c); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		known := []string{"dashboardTime", "upperDashboardTime", "interval"}
		for _, v := range c.Dashboard.Templates {
			known = append(known, strings.Trim(v.Var, ":"))
			if v.Type != "tagValues" || v.Query["tagKey"] != strings.Trim(v.Var, ":") {
				t.Errorf("%s: %s is of type %s by %v", file, v.Var, v.Type, v.Query)
			}
		}
		ids, cells := map[string]bool{}, map[[2]int]string{}
		for _, cell := range c.Dashboard.Cells {
			where := file + ": " + cell.Name
			if cell.ID == "" || ids[cell.ID] || len(cell.Queries) == 0 || cell.NoteVisibility != "default" ||
				!slices.Contains([]string{"line", "bar", "table", "single-stat"}, cell.Type) {
				t.Errorf("%s: %+v", where, cell)
			}
			ids[cell.ID] = true
			occupy(t, where, cells, cell.X, cell.Y, cell.W, cell.H, 12)
			for name, a := range cell.Axes {
				if !slices.Contains([]string{"x", "y", "y2"}, name) || a.Base != "10" || a.Scale != "linear" || len(a.Bounds) != 2 {
					t.Errorf("%s: axis %s: %+v", where, name, a)
				}
			}
			for _, q := range cell.Queries {
				checkChronograf(t, where, q, known)
			}
		}
	}
}

func checkChronograf(t *testing.T, where string, q chronografQuery, known []string) {
	t.Helper()
	if flux := fluxLook.MatchString(q.Query); flux != (q.Type == "flux") || q.Config.RawText != q.Query || q.Source != "" {
		t.Errorf("%s: type %s, source %q, query %s, raw text %s", where, q.Type, q.Source, q.Query, q.Config.RawText)
	}
	for _, name := range submatches(colons, q.Query) {
		if q.Type == "flux" || !slices.Contains(known, name) {
			t.Errorf("%s: variable %s in %s", where, name, q.Query)
		}
	}
}

// resource is one of a template of InfluxDB 2.x.
type resource struct {
	APIVersion string                `yaml:"apiVersion"`
	Kind       string                `yaml:"kind"`
	Metadata   struct{ Name string } `yaml:"metadata"`
	Spec       struct {
		EndpointName   string `yaml:"endpointName"`
		Every          string
		Query          string
		RetentionRules []struct {
			Type         string
			EverySeconds int `yaml:"everySeconds"`
		} `yaml:"retentionRules"`
		Charts []struct {
			Kind, Name string
			XPos       int `yaml:"xPos"`
			YPos       int `yaml:"yPos"`
			Width      int
			Height     int
			Geom       string
			Axes       []struct{ Name string }
			Colors     []struct{ Type, Hex string }
			Queries    []struct{ Query string }
		}
	}
}

// TestTemplate: kinds and names as influx apply takes them, retention, references that lead somewhere, charts that do
// not overlap in the grid of 12 columns.
func TestTemplate(t *testing.T) {
	data, err := os.ReadFile("influxdb2/echogram.yml")
	if err != nil {
		t.Fatal(err)
	}
	kinds, names := map[string]int{}, map[string]string{}
	dec := yaml.NewDecoder(strings.NewReader(string(data)))
	var all []resource
	for {
		var r resource
		if err := dec.Decode(&r); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
		if r.APIVersion != "influxdata.com/v2alpha1" || names[r.Metadata.Name] != "" || !regexp.MustCompile(`^[a-z0-9-]+$`).MatchString(r.Metadata.Name) {
			t.Errorf("%s %s: version %s", r.Kind, r.Metadata.Name, r.APIVersion)
		}
		kinds[r.Kind]++
		names[r.Metadata.Name] = r.Kind
	}
	for kind, want := range map[string]int{"Bucket": 2, "CheckThreshold": 3, "NotificationEndpointHTTP": 1, "NotificationRule": 1, "Dashboard": 1} {
		if kinds[kind] != want {
			t.Errorf("%d resources %s, want %d", kinds[kind], kind, want)
		}
	}
	for _, r := range all {
		checkResource(t, r, names)
	}
}

func checkResource(t *testing.T, r resource, names map[string]string) {
	t.Helper()
	switch r.Kind {
	case "Bucket":
		if rules := r.Spec.RetentionRules; len(rules) != 1 || rules[0].Type != "expire" || rules[0].EverySeconds < 30*86400 {
			t.Errorf("%s: retention %+v", r.Metadata.Name, rules)
		}
	case "CheckThreshold":
		if !strings.Contains(r.Spec.Query, "every: "+r.Spec.Every+",") || !strings.Contains(r.Spec.Query, "|> yield(") {
			t.Errorf("%s every %s: windows of another length, or no result: %s", r.Metadata.Name, r.Spec.Every, r.Spec.Query)
		}
	case "NotificationRule":
		if names[r.Spec.EndpointName] != "NotificationEndpointHTTP" {
			t.Errorf("%s: endpoint %q", r.Metadata.Name, r.Spec.EndpointName)
		}
	case "Dashboard":
		cells := map[[2]int]string{}
		for _, c := range r.Spec.Charts {
			occupy(t, c.Name, cells, c.XPos, c.YPos, c.Width, c.Height, 12)
			if len(c.Queries) == 0 || len(c.Colors) == 0 || c.Kind != "Table" && (c.Kind != "Xy" || c.Geom == "" || len(c.Axes) != 2) {
				t.Errorf("%+v", c)
			}
		}
	}
}

// provisioned is a file that Grafana is provisioned by.
type provisioned struct {
	APIVersion  int `yaml:"apiVersion"`
	Datasources []struct{ Name, UID, Type, URL string }
	Providers   []struct{ Name, Type string }
	Groups      []struct {
		Name, Folder, Interval string
		Rules                  []struct {
			UID, Title, Condition string
			Data                  []struct {
				RefID string `yaml:"refId"`
				UID   string `yaml:"datasourceUid"`
				Model struct {
					RefID, Expression, Type, Query string `yaml:",omitempty"`
				}
			}
		}
	}
}

// TestProvisioning: each kind of file is there, and alerts ask the data source that is provisioned.
func TestProvisioning(t *testing.T) {
	var all provisioned
	for _, file := range files(t, "grafana/provisioning/*/*.yaml") {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := yaml.Unmarshal(data, &all); err != nil || all.APIVersion != 1 {
			t.Errorf("%s: version %d, %v", file, all.APIVersion, err)
		}
	}
	if len(all.Datasources) != 1 || len(all.Providers) != 1 || len(all.Groups) != 1 {
		t.Fatalf("%+v", all)
	}
	uids := map[string]bool{}
	for _, rule := range all.Groups[0].Rules {
		if rule.UID == "" || uids[rule.UID] || len(rule.Data) != 3 || rule.Condition != rule.Data[2].RefID ||
			rule.Data[0].UID != all.Datasources[0].UID || rule.Data[0].Model.Query == "" ||
			rule.Data[1].Model.Expression != rule.Data[0].RefID || rule.Data[2].Model.Expression != rule.Data[1].RefID {
			t.Errorf("%+v", rule)
		}
		uids[rule.UID] = true
	}
	if len(uids) < 3 {
		t.Errorf("%d alerts", len(uids))
	}
}
