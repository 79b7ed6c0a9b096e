//go:build integration

package dashboards

import (
	"cmp"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"echogram/plugins/netlab/parts"
	"echogram/plugins/schema"
)

// TestQueries runs every query of every file on a real InfluxDB that has the rows of populate, as the program that the
// file is for would ask it, and wants rows.
func TestQueries(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	db, err := parts.StartInfluxDB(ctx, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := db.Stop(); err != nil {
			t.Error(err)
		}
	}()
	if err := errors.Join(db.CreateDatabase(ctx, "telegraf"), db.CreateDatabase(ctx, "rollup")); err != nil {
		t.Fatal(err)
	}
	a := asker{Influx: db, end: time.Now().UTC()}
	a.subject = populate(ctx, t, db, a.end)
	values := map[string][]substitution{}
	for file, b := range boards(t) {
		values[file] = []substitution{a.values(ctx, t, b, true), a.values(ctx, t, b, false)}
	}
	began, asked, answered := time.Now(), 0, 0
	for _, q := range queries(t) {
		var runs []query
		if both, ok := values[q.file]; ok {
			for _, s := range both {
				run := q
				run.text = s.apply(q.text)
				runs = append(runs, run)
			}
		} else if strings.HasPrefix(q.file, "chronograf") {
			runs = []query{a.chronograf(q)}
		} else {
			runs = []query{a.template(q)}
		}
		for _, run := range runs {
			columns, rows, err := a.ask(ctx, run)
			if err != nil || len(rows) == 0 {
				t.Errorf("%v\n%d rows, %v", run, len(rows), err)
			} else if problem := shape(run, columns, rows); problem != "" {
				t.Errorf("%v\n%s: %v", run, problem, columns)
			}
			asked, answered = asked+1, answered+len(rows)
		}
	}
	t.Logf("%d queries on InfluxDB %s: %d rows in %v", asked, parts.InfluxDBVersion, answered, time.Since(began).Round(time.Millisecond))
}

// asker asks the database as the programs do. Time ranges end at end.
type asker struct {
	*parts.Influx
	end     time.Time
	subject map[string]string // as populate returns it
}

// ask runs a query and tells the columns and the rows.
func (a asker) ask(ctx context.Context, q query) (columns []string, rows [][]string, err error) {
	if q.flux {
		table, err := a.table(ctx, q.text)
		if len(table) == 0 {
			return nil, nil, err
		}
		return table[0], table[1:], err
	}
	series, err := a.Query(ctx, "telegraf", q.text)
	for _, s := range series {
		for _, row := range s.Values {
			var cells []string
			for _, v := range row {
				cells = append(cells, fmt.Sprint(v))
			}
			if slices.ContainsFunc(row[1:], func(v any) bool { return v != nil }) {
				rows = append(rows, cells)
			}
		}
		columns = s.Columns
	}
	return columns, rows, err
}

// table runs Flux: a header and rows. An answer of several tables has the header of the first.
func (a asker) table(ctx context.Context, flux string) (table [][]string, err error) {
	text, err := a.QueryFlux(ctx, flux)
	if err != nil {
		return nil, err
	}
	r := csv.NewReader(strings.NewReader(text))
	r.Comment, r.FieldsPerRecord = '#', -1
	all, err := r.ReadAll()
	for _, row := range all {
		switch isHeader := slices.Equal(row[1:3], []string{"result", "table"}); {
		case slices.Contains(row[:3], "error"):
			return nil, errors.New(text)
		case !isHeader || table == nil:
			table = append(table, row)
		}
	}
	return table, err
}

// shape says what Grafana could not show: it makes series of what has a measurement, and a table of what has none. A table
// without times has one row of each thing.
func shape(q query, columns []string, rows [][]string) string {
	isSeries := slices.Contains(columns, "_measurement")
	switch q.kind {
	case "timeseries", "state-timeline":
		if !isSeries || !slices.Contains(columns, "_field") || !slices.Contains(columns, "_value") || !slices.Contains(columns, "_time") {
			return "no series"
		}
	case "table":
		if isSeries || rows[0][2] != rows[len(rows)-1][2] {
			return "no table, or several"
		}
		if name := twice(columns, rows); name != "" && !slices.Contains(columns, "_time") {
			return "two rows of " + name
		}
	}
	return ""
}

// twice names a thing that has two rows: what is in the columns that are no fields.
func twice(columns []string, rows [][]string) string {
	seen := map[string]bool{}
	for _, row := range rows {
		var name []string
		for i, cell := range row {
			if !slices.Contains(notNames, columns[i]) {
				name = append(name, cell)
			}
		}
		all := strings.Join(name, " ")
		if seen[all] {
			return all
		}
		seen[all] = true
	}
	return ""
}

// notNames are the columns of an answer that do not say what a row is of.
var notNames = func() []string {
	names := []string{"", "result", "table", "_value"}
	for _, row := range schema.Rows() {
		_, fields := schema.Names(row)
		names = slices.AppendSeq(names, maps.Keys(fields))
	}
	return names
}()

// fluxTime writes a time as Flux has it.
func fluxTime(t time.Time) string { return t.Format(time.RFC3339Nano) }

// macros are what Grafana and InfluxDB's own pages put in the place of v.
func (a asker) macros(text string, span time.Duration) string {
	return strings.NewReplacer("v.timeRangeStart", fluxTime(a.end.Add(-span)), "v.timeRangeStop", fluxTime(a.end), "v.windowPeriod", "1m0s").Replace(text)
}

// substitution is what Grafana puts into a dashboard's queries.
type substitution struct {
	asker
	span   time.Duration
	values map[string]string // by what stands between ${ and }
}

func (s substitution) apply(text string) string {
	for name, value := range s.values {
		text = strings.ReplaceAll(text, "${"+name+"}", value)
	}
	return s.macros(text, s.span)
}

// relative is the length of a time range that ends now.
func relative(t *testing.T, from string) time.Duration {
	t.Helper()
	var n int
	var unit string
	if _, err := fmt.Sscanf(from, "now-%d%1s", &n, &unit); err != nil {
		t.Fatalf("%s: %v", from, err)
	}
	return time.Duration(n) * map[string]time.Duration{"m": time.Minute, "h": time.Hour, "d": 24 * time.Hour}[unit]
}

// values are those of a dashboard's variables, each by its query, with the ones before it in place: all at All, where
// they have it, or each at the subject's value; at its first one where that says nothing.
func (a asker) values(ctx context.Context, t *testing.T, b board, all bool) substitution {
	t.Helper()
	values := map[string]string{}
	s := substitution{a, relative(t, b.Time.From), values}
	for _, v := range b.Templating.List {
		switch {
		case v.Type != "query":
			values[v.Name] = v.Query
		case all && v.IncludeAll:
			values[v.Name+":regex"] = v.AllValue // Grafana takes it as it is
		default:
			values[v.Name] = a.value(ctx, t, v.Name, s.apply(v.Query))
			values[v.Name+":regex"] = escaped.ReplaceAllString(values[v.Name], `\$0`)
		}
	}
	return s
}

// escaped is what Grafana's format regex escapes.
var escaped = regexp.MustCompile(`[\\^$*+?.()|[\]{}/]`)

// value is the subject's of those that a variable's query gives, or the least one.
func (a asker) value(ctx context.Context, t *testing.T, name, flux string) string {
	t.Helper()
	table, err := a.table(ctx, flux)
	if err != nil || len(table) < 2 {
		t.Fatalf("%s\n%v, %v", flux, table, err)
	}
	column := slices.Index(table[0], "_value")
	var values []string
	for _, row := range table[1:] {
		values = append(values, row[column])
	}
	wanted, ok := a.subject[name]
	if !ok {
		return slices.Min(values)
	}
	if !slices.Contains(values, wanted) {
		t.Fatalf("%s\n%v has no %s", flux, values, wanted)
	}
	return wanted
}

// chronograf is a query as Chronograf 1.8 sends it: Flux with three values at its head, InfluxQL with all in place.
func (a asker) chronograf(q query) query {
	const span = 12 * time.Hour
	if q.flux {
		q.text = fmt.Sprintf("dashboardTime = %s\nupperDashboardTime = %s\nautoInterval = 1m\n\n%s", fluxTime(a.end.Add(-span)), fluxTime(a.end), q.text)
		return q
	}
	values := maps.Clone(a.subject)
	values["window"], values["dashboardTime"], values["upperDashboardTime"] = "1h", fluxTime(a.end.Add(-span)), fluxTime(a.end)
	q.text = colons.ReplaceAllStringFunc(strings.ReplaceAll(q.text, ":interval:", "10m"), func(name string) string {
		return "'" + values[strings.Trim(name, ":")] + "'"
	})
	return q
}

// template is a query of a check, an alert or a chart, whose buckets 1.8 knows by another name.
func (a asker) template(q query) query {
	q.text = a.macros(q.text, cmp.Or(q.span, 12*time.Hour))
	for _, name := range []string{"telegraf", "rollup"} {
		q.text = strings.ReplaceAll(q.text, `bucket: "`+name+`"`, `bucket: "`+name+`/autogen"`)
	}
	return q
}
