package config

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"echogram/pipeline/block"
	"echogram/pipeline/outlier"
	"echogram/sampleconfig"
)

const least = `[source]
url = "http://h:8086"
bucket = "a"
[sink]
bucket = "b"
`

func noEnv(string) (string, bool) { return "", false }

func TestSample(t *testing.T) {
	shown, err := Parse("pipeline.toml", []byte(sampleconfig.Pipeline), noEnv)
	if err != nil {
		t.Fatal(err)
	}
	// With every default written out it says the same, but for what is empty by default.
	text := regexp.MustCompile(`(?m)^# (\w+ = )`).ReplaceAllString(sampleconfig.Pipeline, "$1")
	full, err := Parse("pipeline.toml", []byte(text), noEnv)
	if err != nil {
		t.Fatal(err)
	}
	var a, b strings.Builder
	if err := shown.Print(&a); err != nil {
		t.Fatal(err)
	}
	full.Print(&b)
	if a.String() != b.String() {
		t.Errorf("the sample's defaults are not the real ones:\n%s\n%s", a.String(), b.String())
	}
	for _, key := range regexp.MustCompile(`(?m)^(\w+) =`).FindAllStringSubmatch(a.String(), -1) {
		if !regexp.MustCompile(`(?m)^#? ?` + key[1] + ` = `).MatchString(sampleconfig.Pipeline) {
			t.Errorf("the sample does not show %s", key[1])
		}
	}
}

func TestDefaults(t *testing.T) {
	c, err := Parse("p.toml", []byte("sweep_interval = '5m'\n"+least), noEnv)
	if err != nil {
		t.Fatal(err)
	}
	if c.Lateness.Duration != 7*time.Minute || c.Revisit.Duration != 26*time.Hour+7*time.Minute || c.PerTarget.Duration != time.Hour || c.Sink.URL != "http://h:8086" || c.Sink.Batch != 5000 || c.Source.Language != "auto" {
		t.Errorf("got %+v", c)
	}
	if got := c.Sink.Client(0, nil).Where; got.URL != "p.toml:3" || got.Bucket != "p.toml:6" {
		t.Errorf("where %+v", got)
	}
}

// TestBlockThresholds: each threshold of [block] has its default in pipeline/block, and arrives there.
func TestBlockThresholds(t *testing.T) {
	c, err := Parse("p.toml", []byte(least), noEnv)
	if err != nil {
		t.Fatal(err)
	}
	want := block.Defaults()
	want.Labels = c.Block.Labels
	if got := *c.Blocks(); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	c, err = Parse("p.toml", []byte(least+"[block.outage]\nsudden = '4h'\n[block.rate]\nsure = 6\n[block.churn]\nfewest = 5\n[path]\nleast = '1us'\n"), noEnv)
	if err != nil {
		t.Fatal(err)
	}
	got := c.Blocks()
	if got.Outage.Sudden != 4*time.Hour || got.Rate.Sure != 6 || got.Churn.Fewest != 5 || c.ShiftConfig().Least != 1000 {
		t.Errorf("got %+v, %+v", got, c.ShiftConfig())
	}
}

func TestDerivedDefaults(t *testing.T) {
	c, err := Parse("p.toml", []byte("sweep_interval = '10m'\nwindows = ['1h', '1d', '7d']\n"+least), noEnv)
	if err != nil {
		t.Fatal(err)
	}
	if c.Revisit.Duration != 7*24*time.Hour+2*time.Hour+12*time.Minute || c.PerTarget.Duration != 100*time.Minute {
		t.Errorf("revisit %v, per_target %v", c.Revisit, c.PerTarget)
	}
}

// TestFilter: how far the cut lies is the method's default or what is given.
func TestFilter(t *testing.T) {
	for text, want := range map[string]outlier.Config{
		"":                                   {Method: outlier.Sigma, K: 3},
		"filter = 'density'\n":               {Method: outlier.Density, K: 2},
		"filter = 'mad'\nfilter_k = 4.5\n":   {Method: outlier.MAD, K: 4.5},
		"filter_k = 2\nfilter = \"sigma\"\n": {Method: outlier.Sigma, K: 2},
	} {
		c, err := Parse("p.toml", []byte(text+least), noEnv)
		if err != nil || c.Rollup().Filter != want {
			t.Errorf("%q: %v, %+v", text, err, c)
		}
	}
}

// TestBlocks: what is given reaches the engine, the rest is what it would take itself.
func TestBlocks(t *testing.T) {
	c, err := Parse("p.toml", []byte("[block]\ntimezone = 'Europe/Berlin'\nreferences = ['2001:DB8::1']\n"+least), noEnv)
	if err != nil {
		t.Fatal(err)
	}
	b := c.Blocks()
	if b.Location.String() != "Europe/Berlin" || b.References[0] != "2001:db8::1" || b.Window != time.Hour || b.Up != 0.9 || b.Span != 14 {
		t.Errorf("got %+v", b)
	}
	if c, err = Parse("p.toml", []byte("[block]\nenabled = false\n"+least), noEnv); err != nil || c.Blocks() != nil {
		t.Errorf("not enabled: %v, %v", c, err)
	}
}

// TestReferences: those of paths are written as targets are, and printed.
func TestReferences(t *testing.T) {
	c, err := Parse("p.toml", []byte("[path]\nreferences = ['192.0.2.1', '2001:DB8::1']\n"+least), noEnv)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := c.Print(&out); err != nil || !strings.Contains(out.String(), `references = ["192.0.2.1", "2001:db8::1"]`) {
		t.Errorf("%v:\n%s", err, &out)
	}
}

// TestWithoutServers: from STDIN to STDOUT or a file no server is needed, nor named in errors.
func TestWithoutServers(t *testing.T) {
	for text, want := range map[string][2]string{
		"[source]\ntype = 'stdin'\n[sink]\ntype = 'stdout'\n":                            {"stdin", "stdout"},
		"[source]\ntype = 'stdin'\n[sink]\ntype = 'file'\npath = 'x.lp'":                 {"stdin", "file x.lp"},
		"[source]\ntype = 'stdin'\nurl = 'http://h'\nbucket = 'a'\n[sink]\nbucket = 'b'": {"stdin http://h  a", "http://h  b"},
		"[source]\ntype = 'stdin'\n[sink]\nurl = 'http://h'\nbucket = 'b'":               {"stdin", "http://h  b"},
	} {
		c, err := Parse("p.toml", []byte(text), noEnv)
		if err != nil || c.Source.Identity() != want[0] || c.Sink.Identity() != want[1] {
			t.Errorf("%s\n%v, %q, %q", text, err, c.Source.Identity(), c.Sink.Identity())
		}
	}
}

func TestOneBucket(t *testing.T) {
	const servers = "[source]\nurl = 'http://h'\nbucket = 'a'\n[sink]\n"
	for text, want := range map[string]bool{
		servers + "bucket = 'a'": true, servers + "bucket = 'a/autogen'": true, servers + "bucket = 'a/week'": false, servers + "bucket = 'b'": false,
		servers + "url = 'http://i'\nbucket = 'a'": false, servers + "type = 'stdout'": false,
	} {
		if c, err := Parse("p.toml", []byte(text), noEnv); err != nil || c.OneBucket() != want {
			t.Errorf("%s: %v, want %v", text, err, want)
		}
	}
}

// TestSampleMeasurements: the measurements that the sample shows are right as they stand.
func TestSampleMeasurements(t *testing.T) {
	text := regexp.MustCompile(`(?m)^#(\[\[|\w)`).ReplaceAllString(sampleconfig.Pipeline, "$1")
	c, err := Parse("pipeline.toml", []byte(text), noEnv)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, m := range c.Measurements() {
		names = append(names, m.Name)
	}
	if got := strings.Join(names, " "); got != "ping http_response bfd_echo_rtt icmp_sample" {
		t.Errorf("got %s", got)
	}
}

func TestErrors(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty")
	os.WriteFile(empty, []byte("\n"), 0o600)
	cases := map[string]struct{ text, want string }{
		"unknown":    {"intervall = 1\n" + least, `p.toml:1: key "intervall": unknown; did you mean "interval"?`},
		"table":      {least + "[surce]\n", `p.toml:6: key "surce": unknown; did you mean "source"?`},
		"type":       {"state_dir = 5\n" + least, `p.toml:1: key "state_dir": is an integer, want a string`},
		"short":      {"interval = '10ms'\n" + least, `p.toml:1: key "interval": 10ms is less than 1s`},
		"lateness":   {"lateness = 5\n" + least, `p.toml:1: key "lateness": 5s is less than sweep_interval, 10s: no window could ever be complete`},
		"revisit":    {"revisit = '25h'\n" + least, `p.toml:1: key "revisit": 25h is less than the longest window, lateness and 2h, 26h2m10s`},
		"no window":  {"windows = []\n" + least, `p.toml:1: key "windows": is empty: ["1m", "10m", "1h", "1d"] is the default`},
		"seconds":    {"windows = ['90s']\n" + least, `p.toml:1: key "windows[0]": 1m30s is not a multiple of a minute: 2m would do`},
		"zero":       {"windows = [0]\n" + least, `p.toml:1: key "windows[0]": 0s is not a multiple of a minute: 1m would do`},
		"multiple":   {"windows = ['1m', '1h',\n'90m']\n" + least, `p.toml:2: key "windows[2]": 1h30m is not a multiple of the one before, 1h: 2h would do`},
		"shorter":    {"windows = ['1h', '10m']\n" + least, `p.toml:1: key "windows[1]": 10m is not a multiple of the one before, 1h: 1h would do`},
		"twice":      {"windows = ['1h', '1h']\n" + least, `p.toml:1: key "windows[1]": 1h stands there already`},
		"per target": {"per_target = '10m'\nsweep_interval = '5m'\n" + least, `p.toml:1: key "per_target": 10m holds fewer than 10 sweeps of 5m: 50m or more would do`},
		"no field":   {"target_fields = ['rtt_mean']\n[path]\nshifts = false\n" + least, `p.toml:1: key "target_fields[0]": "rtt_mean" is no field of rollups of targets, such as rtt_mean_ns and sent are`},
		"few fields": {"target_fields = ['rtt_floor_ns', 'rtt_stderr_ns', 'rtt_n', 'ttl_min']\n" + least,
			`p.toml:1: key "target_fields": path.shifts also reads ttl_max, rtt_error back: add them, or set path.shifts = false`},
		"filter":      {"filter = 'median'\n" + least, `p.toml:1: key "filter": "median" is not one of sigma, density, mad`},
		"filter k":    {"filter = 'density'\nfilter_k = 0.5\n" + least, `p.toml:2: key "filter_k": 0.5 does not lie above 1 and up to 100: 2 is the default of density`},
		"filter typo": {"filter_l = 2\n" + least, `p.toml:1: key "filter_l": unknown; did you mean "filter_k"?`},
		"a unit": {least + "[[measurement]]\nname = 'ping'\nfield = 'a'\nunit = 'm'\ntarget = 'url'\n",
			`p.toml:6: key "measurement[0]": measurement ping: unit "m" of field a is unknown: use ns, us, ms or s`},
		"same name": {least + strings.Repeat("[[measurement]]\nname = 'ping'\nfield = 'a'\nunit = 'ms'\ntarget = 'url'\n", 2),
			`p.toml:12: key "measurement[1].name": "ping" is there already`},
		"hop delay":  {least + "[path]\nhop_delay = 0\n", `p.toml:7: key "path.hop_delay": 0s is not positive: 20us is an office switch's, 2us a fast one's`},
		"zone":       {least + "[block]\ntimezone = 'Mars'\n", `p.toml:7: key "block.timezone": "Mars" is not a time zone such as "Europe/Berlin", "UTC" or "Local"`},
		"reference":  {least + "[block]\nreferences = ['192.0.2.1', 'gw']\n", `p.toml:7: key "block.references[1]": "gw" is no address such as 192.0.2.1`},
		"label":      {least + "[block]\nlabels = ['site', 'block']\n", `p.toml:7: key "block.labels[1]": "block" is summed up as it is, and no label`},
		"labels":     {least + "[block]\nlabels = ['site', 'site']\n", `p.toml:7: key "block.labels[1]": "site" stands there already`},
		"belief":     {least + "[block]\nbelief = 1\n", `p.toml:7: key "block.belief": 1 does not lie between 0 and 1`},
		"both ways":  {least + "[block]\nup = 0.2\ndown = 0.3\n", `p.toml:8: key "block.down": 0.3 is not less than up, 0.2: a block would be both`},
		"responders": {least + "[block]\nresponders = 0\n", `p.toml:7: key "block.responders": 0 is less than 1`},
		"window":     {least + "[block]\nwindow = '7h'\n", `p.toml:7: key "block.window": 7h is not a part of a day, a minute or longer: 1h would do`},
		"uptime":     {least + "[block]\nlong_uptime = 0\n", `p.toml:7: key "block.long_uptime": 0s is not positive`},
		"span":       {least + "[block]\ndays = 5\nspan = 4\n", `p.toml:8: key "block.span": 4 does not lie between days, 5, and 60`},
		"amplitudes": {least + "[block]\nlow = '2ms'\n", `p.toml:7: key "block.low": 2ms, mild, 1ms, and severe, 3ms, do not grow from above 0`},
		"stray":      {least + "[block.outage]\nstray = 1.5\n", `p.toml:7: key "block.outage.stray": 1.5 does not lie between 0 and 1`},
		"memory":     {least + "[block.outage]\nmemory = 0\n", `p.toml:7: key "block.outage.memory": 0s is not positive`},
		"high":       {least + "[block.renumbering]\nhigh = 0.9\n", `p.toml:7: key "block.renumbering.high": 0.9 does not lie above 1`},
		"parts":      {least + "[block.renumbering]\nparts = 0\n", `p.toml:7: key "block.renumbering.parts": 0 is less than 1`},
		"hardly":     {least + "[block.churn]\nhardly = 0.8\n", `p.toml:7: key "block.churn.hardly": 0.8 is not less than mostly, 0.7`},
		"jointly":    {least + "[block.churn]\njointly = '7m'\n", `p.toml:7: key "block.churn.jointly": 7m is not a multiple of 5m, 10m or longer: 30m would do`},
		"no key":     {least + "[block.rate]\nsurely = 3\n", `p.toml:7: key "block.rate.surely": unknown; did you mean "sure"?`},
		"floor":      {least + "[path]\nleast = 0\n", `p.toml:7: key "path.least": 0s is not positive: 150ns is the default`},
		"values":     {least + "[path]\nmin_values = 0\n", `p.toml:7: key "path.min_values": 0 is less than 1: 10 is the default`},
		"way":        {least + "[path]\nreferences = ['192.0.2.1',\n'gateway']\n", `p.toml:8: key "path.references[1]": "gateway" is no address such as 192.0.2.1`},
		"same way":   {least + "[path]\nreferences = ['2001:db8::1', '2001:DB8:0::1']\n", `p.toml:7: key "path.references[1]": "2001:DB8:0::1" stands there already`},
		"a typo":     {least + "[block]\nresponder = 5\n", `p.toml:7: key "block.responder": unknown; did you mean "responders"?`},
		"source":     {strings.Replace(least, "[source]", "[source]\ntype = 'file'", 1), `p.toml:2: key "source.type": "file" is not one of influxdb, stdin`},
		"few RTTs":   {"filter_rtts = 5\n" + least, `p.toml:1: key "filter_rtts": 5 does not lie between 100 and 100000: 16384 is the default`},
		"typo":       {"[source]\ntype = 'stdn'\n[sink]\nbucket = 'b'\n", `p.toml:2: key "source.type": "stdn" is not one of influxdb, stdin`},
		"no path":    {least + "type = 'file'\n", `p.toml:4: key "sink.path": is missing: where the file goes, such as /var/lib/echogram-pipeline/rollups.lp`},
		"path":       {least + "path = 'x'\n", `p.toml:6: key "sink.path": is for type = "file", not for "influxdb"`},
		"nowhere":    {"[source]\ntype = 'stdin'\n[sink]\nbucket = 'b'", `p.toml:3: key "sink.url": is missing`},
		"level":      {"log_level = 'loud'\n" + least, `p.toml:1: key "log_level": slog: level string "loud": unknown name`},
		"no url":     {"[source]\nbucket = 'a'\n[sink]\nbucket = 'b'", `p.toml:1: key "source.url": is missing`},
		"bad url":    {strings.Replace(least, "http://", "u:p4ss@", 1), `p.toml:2: key "source.url": is not a URL such as http://127.0.0.1:8086`},
		"no buckets": {"[source]\nurl = 'http://h'\n", "p.toml:1: key \"source.bucket\": is missing\np.toml: key \"sink.bucket\": is missing"},
		"language":   {strings.Replace(least, "[sink]", "language = 'sql'\n[sink]", 1), `p.toml:4: key "source.language": "sql" is not one of auto, influxql, flux`},
		"batch":      {least + "batch = 0", `p.toml:6: key "sink.batch": 0 is not between 1 and 100000`},
		"env":        {least + "token = '${NOPE}'", `p.toml:6: key "sink.token": the environment variable NOPE is not set`},
		"both":       {least + "token = 'a'\ntoken_file = 'b'", `p.toml:7: key "sink.token_file": and token are both set`},
		"no file":    {least + "token_file = '/does/not/exist'", `p.toml:6: key "sink.token_file": open /does/not/exist: no such file or directory`},
		"empty file": {least + "token_file = '" + empty + "'", `p.toml:6: key "sink.token_file": ` + empty + ` is empty`},
	}
	for name, k := range cases {
		_, err := Parse("p.toml", []byte(k.text), noEnv)
		if err == nil || err.Error() != k.want {
			t.Errorf("%s:\n got %v\nwant %s", name, err, k.want)
		}
	}
}

func TestSecretsAreNotPrinted(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	os.WriteFile(file, []byte("t0psecret\n"), 0o600)
	text := "[source]\nurl = 'http://user:p4ssword@h:8086'\nbucket = 'a'\ntoken_file = '" + file + "'\n" +
		"[sink]\nurl = 'http://other'\nbucket = 'b'\ntoken = '${T}'\n"
	c, err := Parse("p.toml", []byte(text), func(string) (string, bool) { return "sec-ret", true })
	if err != nil {
		t.Fatal(err)
	}
	if c.Source.Token != "t0psecret" || c.Sink.Token != "sec-ret" {
		t.Errorf("tokens %q %q", c.Source.Token, c.Sink.Token)
	}
	var out strings.Builder
	c.Print(&out)
	for _, secret := range []string{"t0psecret", "sec-ret", "p4ssword"} {
		if strings.Contains(out.String()+c.Source.Identity(), secret) {
			t.Errorf("%s is shown:\n%s", secret, out.String())
		}
	}
	if strings.Count(out.String(), `token = "(set)"`) != 2 {
		t.Errorf("printed\n%s", out.String())
	}
}

func TestLoginGoesOnlyToItsServer(t *testing.T) {
	own := strings.Replace(least, "[sink]", "token = 'x'\norg = 'o'\n[sink]", 1)
	c, err := Parse("p.toml", []byte(own), noEnv)
	if err != nil || c.Sink.Token != "x" || c.Sink.Org != "o" {
		t.Errorf("same server: %+v, %v", c, err)
	}
	c, err = Parse("p.toml", []byte(own+"url = 'http://elsewhere'\n"), noEnv)
	if err != nil || c.Sink.Token != "" || c.Sink.Org != "" {
		t.Errorf("another server: %+v, %v", c, err)
	}
}
