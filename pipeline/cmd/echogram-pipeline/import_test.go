package main

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// execute runs the command as a user would, and returns its exit code and STDERR.
func execute(t *testing.T, stdin string, args ...string) (int, string) {
	t.Helper()
	root := newRoot()
	var out bytes.Buffer
	root.SetIn(strings.NewReader(stdin))
	root.SetOut(&out)
	root.SetErr(&out)
	root.SetArgs(args)
	err := root.ExecuteContext(t.Context())
	if err != nil {
		fmt.Fprintln(&out, err)
	}
	switch usage := (usageError{}); {
	case errors.As(err, &usage):
		return exitUsage, out.String()
	case err != nil:
		return exitFailed, out.String()
	}
	return exitDone, out.String()
}

func TestConPingFilesGoByTime(t *testing.T) {
	in := &inputs{host: "h"}
	if err := in.order([]string{"b/198.51.100.0-24-200.txt", "x.lp", "a/192.0.2.0-24-300.txt.gz", "192.0.2.0-24-100.txt", "-"}, false); err != nil {
		t.Fatal(err)
	}
	if want := []string{"x.lp", "-", "192.0.2.0-24-100.txt", "b/198.51.100.0-24-200.txt", "a/192.0.2.0-24-300.txt.gz"}; !slices.Equal(in.names, want) {
		t.Errorf("got %v", in.names)
	}
	if err := in.order([]string{"x.lp"}, true); err == nil {
		t.Error("--raw takes line protocol")
	}
}

// TestUselessFiles: what has no line that can be read fails, but for what the other files hold.
func TestUselessFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("results.txt", "192.0.2.1,0.25\n192.0.2.2,unreachable\n")
	write("words.txt", strings.Repeat("word\n", 7))
	write("sweeps.lp", twoSweeps)
	write(".hidden", "x\n")
	if err := os.Mkdir(filepath.Join(dir, "below"), 0o755); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "out")
	code, log := execute(t, "", "import", "--output", out, dir)
	for _, want := range []string{
		"results.txt: nothing but malformed lines, which look like con-ping's: name the file NETWORK-LENGTH-EPOCH.txt, such as",
		"words.txt: nothing but malformed lines\n", "files=3 lines=14 rows=12", "line=5 text=word",
	} {
		if !strings.Contains(log, want) {
			t.Errorf("%q is not in\n%s", want, log)
		}
	}
	if code != exitFailed || strings.Contains(log, "line=6") || strings.Contains(log, "hidden") {
		t.Errorf("%d\n%s", code, log)
	}
	if code, log := execute(t, "", "import", "--output", out, filepath.Join(dir, "below")); code != exitUsage || !strings.Contains(log, "below: there is no file in it") {
		t.Errorf("%d\n%s", code, log)
	}
}

// TestIntervalByTheFiles: rows per target are of windows of ten sweeps or more, however far sweeps are apart.
func TestIntervalByTheFiles(t *testing.T) {
	dir := t.TempDir()
	for hour := range 30 {
		for _, network := range []string{"192.0.2.0-24", "198.51.100.0-24"} {
			name := filepath.Join(dir, fmt.Sprintf("%s-%d.txt", network, 1590451200+hour*3600+hour%2))
			if err := os.WriteFile(name, []byte(strings.TrimSuffix(network, "0-24")+"7,0.25\n"), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	out := filepath.Join(t.TempDir(), "out")
	if code, log := execute(t, "", "import", "--output", out, "--host", "h", dir); code != exitDone || !strings.Contains(log, "interval=59m59s") {
		t.Fatalf("%d\n%s", code, log)
	}
	data, err := os.ReadFile(out)
	if n := strings.Count(string(data), "icmp_sweep_rollup,"); err != nil || n != 4 {
		t.Errorf("%v: %d rows of targets, want one a day of each", err, n)
	}
	for _, c := range []struct {
		text string
		want time.Duration
	}{
		{"", 0}, {"x\n", 0}, {"icmp_sweep,target=a sent=1i 1000000000\n", 0},
		{"icmp_sweep,target=a sent=1i 0\nicmp_sweep,target=b sent=1i 1\nicmp_sweep,target=a sent=1i 600100000000\nicmp_sweep,target=a sent=1i 300000000000\n", 5 * time.Minute},
	} {
		in := &inputs{names: []string{"-"}, stdin: strings.NewReader(c.text)}
		got := in.interval()
		if rest, err := io.ReadAll(in.stdin); got != c.want || err != nil || string(rest) != c.text {
			t.Errorf("%q: %v, and %q is left", c.text, got, rest)
		}
	}
}

const twoSweeps = `icmp_sweep,block=192.0.2.0/24,host=h,instance=i,target=192.0.2.1 sent=1i,received=1i,rtt_ns=100i,result_code=0i 1768046400000000000
icmp_sweep_stats,host=h,instance=i points=1i 1768046400000000000
icmp_sweep,oops
icmp_sweep,block=192.0.2.0/24,host=h,instance=i,target=192.0.2.1 sent=1i,received=0i,result_code=1i 1768046410000000000
icmp_sweep_stats,host=h,instance=i points=1i 1768046410000000000
`

func TestImport(t *testing.T) {
	dir := t.TempDir()
	plain, packed := filepath.Join(dir, "a.lp"), filepath.Join(dir, "a.lp.gz")
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	z.Write([]byte(twoSweeps))
	z.Close()
	for name, data := range map[string][]byte{plain: []byte(twoSweeps), packed: zipped.Bytes()} {
		if err := os.WriteFile(name, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var rows []string
	for i, input := range []string{plain, packed, "-"} {
		out := filepath.Join(dir, fmt.Sprint("out", i))
		code, log := execute(t, twoSweeps, "import", "--output", out, input)
		if code != exitDone || !strings.Contains(log, `msg="malformed lines were left out"`) || !strings.Contains(log, "count=1 line=3") || !strings.Contains(log, "lines=5 rows=12") {
			t.Errorf("%s: %d\n%s", input, code, log)
		}
		data, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, string(data))
	}
	if rows[0] != rows[1] || rows[0] != rows[2] {
		t.Errorf("rows differ:\n%s", strings.Join(rows, "\n\n"))
	}
	if !strings.Contains(rows[0], "icmp_sweep_rollup,block=192.0.2.0/24,host=h,instance=i,target=192.0.2.1,window=1d sweeps=2i,sent=2i,received=1i,lost=1i,doubted=0i,percent_lost=50") {
		t.Errorf("got\n%s", rows[0])
	}
}

func TestImportRaw(t *testing.T) {
	dir := t.TempDir()
	name, out := filepath.Join(dir, "192.0.2.0-24-1590469441.txt"), filepath.Join(dir, "out.lp")
	if err := os.WriteFile(name, []byte("192.0.2.1,0.000250\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if code, log := execute(t, "", "import", "--raw", "--host", "h", "--output", out, name); code != exitDone {
		t.Fatalf("%d\n%s", code, log)
	}
	data, err := os.ReadFile(out)
	if err != nil || !strings.HasPrefix(string(data), "icmp_sweep,block=192.0.2.0/24,host=h,instance=con-ping,network=192.0.2.0/24,target=192.0.2.1 sent=1i,received=1i,rtt_ns=250000i,result_code=0i 1590469441000000000\n"+
		"icmp_sweep_stats,host=h,instance=con-ping points=1i,") {
		t.Errorf("%v\n%s", err, data)
	}
}

func TestImportRefuses(t *testing.T) {
	dir := t.TempDir()
	stdin := filepath.Join(dir, "p.toml")
	if err := os.WriteFile(stdin, []byte("[source]\ntype = 'stdin'\n[sink]\ntype = 'stdout'\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	one := filepath.Join(dir, "one.toml")
	if err := os.WriteFile(one, []byte("[source]\nurl = 'http://h:8086'\nbucket = 'b'\n[sink]\nbucket = 'b'\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for args, want := range map[string]struct {
		code int
		text string
	}{
		"import": {exitUsage, "no FILE is given"},
		"import --raw --only-blocks --output - x": {exitUsage, "--raw looks at no blocks"},
		"import x":                                             {exitUsage, "--config or --output is missing"},
		"import --output - --lateness -1s x":                   {exitUsage, "--lateness -1s is negative"},
		"import --output - --raw x":                            {exitUsage, "x is no file of con-ping"},
		"import --output - " + dir + "/none":                   {exitFailed, "no such file"},
		"import --raw --config " + stdin + " 1.1.1.0-24-5.txt": {exitUsage, `key "source.url": is missing`},
		"backfill --start 0 --config " + stdin:                 {exitUsage, `key "source.url": is missing`},
		"retention --config " + stdin:                          {exitUsage, "not both InfluxDB"},
		"retention":                                            {exitUsage, "--config is missing"},
		"retention --targets 0 --config " + stdin:              {exitUsage, "--targets 0 is not positive"},
		"retention --config " + one:                            {exitUsage, `key "sink.bucket": "b" is the source's, too`},
		"run --check --config " + one:                          {exitDone, "source and sink are one bucket"},
		"run --once --config " + stdin:                         {exitUsage, "--once is for a source of type influxdb"},
	} {
		if code, log := execute(t, "", strings.Fields(args)...); code != want.code || !strings.Contains(log, want.text) {
			t.Errorf("%s: %d, %s", args, code, log)
		}
	}
}

// TestRunFromStdin: the configuration that needs nothing else.
func TestRunFromStdin(t *testing.T) {
	dir := t.TempDir()
	config, out := filepath.Join(dir, "p.toml"), filepath.Join(dir, "out.lp")
	text := fmt.Sprintf("state_dir = %q\n[source]\ntype = 'stdin'\n[sink]\ntype = 'file'\npath = %q\n", dir, out)
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	code, log := execute(t, twoSweeps, "run", "--config", config)
	data, err := os.ReadFile(out)
	if code != exitDone || err != nil || strings.Count(string(data), "complete=false") != 10 {
		t.Errorf("%d, %v\n%s%s", code, err, log, data)
	}
}
