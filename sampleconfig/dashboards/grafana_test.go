package dashboards

import (
	"encoding/json"
	"os"
	"regexp"
	"testing"
)

// board is a dashboard of Grafana, as far as the schema cannot tell whether it is right.
type board struct {
	UID, Title string
	Time       struct{ From string }
	Panels     []panel
	Templating struct{ List []variable }
}

type panel struct {
	ID         int
	Type       string
	Title      string
	GridPos    struct{ X, Y, W, H int }
	Datasource struct{ Type, UID string }
	Targets    []struct {
		RefID      string
		Datasource struct{ Type, UID string }
		Query      string
	}
}

// variable is one of a dashboard. Query is its value where the type has none.
type variable struct {
	Name, Type, Query string
	IncludeAll        bool
	AllValue          string
}

func boards(t *testing.T) map[string]board {
	t.Helper()
	all := map[string]board{}
	for _, file := range files(t, "grafana/dashboards/*.json") {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var b board
		if err := json.Unmarshal(data, &b); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		all[file] = b
	}
	return all
}

var used = regexp.MustCompile(`\$\{(\w+)(?::\w+)?\}`)

// TestGrafanaBoards: ids that are one panel's alone, panels that do not overlap, data sources by the variable, and variables
// that are defined before they are used.
func TestGrafanaBoards(t *testing.T) {
	uids := map[string]string{}
	for file, b := range boards(t) {
		if b.UID == "" || uids[b.UID] != "" {
			t.Errorf("%s: uid %q is that of %s", file, b.UID, uids[b.UID])
		}
		uids[b.UID] = file
		known := map[string]bool{}
		for _, v := range b.Templating.List {
			checkUsed(t, file+": variable "+v.Name, v.Query, known)
			known[v.Name] = true
		}
		checkPanels(t, file, b.Panels, known)
	}
	for _, q := range queries(t) {
		if b, ok := boards(t)[q.file]; ok {
			known := map[string]bool{}
			for _, v := range b.Templating.List {
				known[v.Name] = true
			}
			checkUsed(t, q.file+": "+q.place, q.text, known)
		}
	}
}

func checkUsed(t *testing.T, where, text string, known map[string]bool) {
	t.Helper()
	for _, name := range submatches(used, text) {
		if !known[name] {
			t.Errorf("%s uses the variable %s, which is not defined before", where, name)
		}
	}
}

func checkPanels(t *testing.T, file string, panels []panel, known map[string]bool) {
	t.Helper()
	ids, cells := map[int]bool{}, map[[2]int]string{}
	for _, p := range panels {
		where := file + ": " + p.Title
		if p.ID == 0 || ids[p.ID] {
			t.Errorf("%s: id %d", where, p.ID)
		}
		ids[p.ID] = true
		occupy(t, where, cells, p.GridPos.X, p.GridPos.Y, p.GridPos.W, p.GridPos.H, 24)
		refs := map[string]bool{}
		for _, q := range p.Targets {
			if q.RefID == "" || refs[q.RefID] {
				t.Errorf("%s: refId %q", where, q.RefID)
			}
			refs[q.RefID] = true
			if q.Datasource != p.Datasource || q.Query == "" {
				t.Errorf("%s: target %s: data source %v, query %q", where, q.RefID, q.Datasource, q.Query)
			}
		}
		if len(p.Targets) == 0 || p.Datasource.Type != "influxdb" || p.Datasource.UID != "${datasource}" || !known["datasource"] {
			t.Errorf("%s: %d targets, data source %v", where, len(p.Targets), p.Datasource)
		}
	}
}

// occupy notes which cells of a grid are taken, and by whom.
func occupy(t *testing.T, where string, cells map[[2]int]string, x, y, w, h, columns int) {
	t.Helper()
	if x < 0 || y < 0 || w < 1 || h < 1 || x+w > columns {
		t.Errorf("%s: %d x %d at %d, %d", where, w, h, x, y)
	}
	for i := x; i < x+w; i++ {
		for j := y; j < y+h; j++ {
			if other := cells[[2]int{i, j}]; other != "" {
				t.Errorf("%s lies on %s", where, other)
				return
			}
			cells[[2]int{i, j}] = where
		}
	}
}
