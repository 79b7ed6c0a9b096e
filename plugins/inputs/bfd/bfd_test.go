package bfd

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/influxdata/telegraf"
	"github.com/influxdata/telegraf/plugins/inputs"

	"echogram/plugins/internal/prober"
	"echogram/plugins/schema"
	"echogram/sampleconfig"
	"echogram/sampleconfig/strict"
)

var (
	_ telegraf.ServiceInput = &BFD{}
	_ telegraf.Initializer  = &BFD{}
)

func TestRegistered(t *testing.T) {
	if inputs.Inputs[Name] == nil {
		t.Error("telegraf does not know the plugin")
	}
}

// TestSampleConfig: the sample is valid as it stands, and every option in it is set to its default.
func TestSampleConfig(t *testing.T) {
	type file struct {
		Inputs struct {
			BFD []BFD `toml:"bfd"`
		} `toml:"inputs"`
	}
	var plain, all file
	if _, err := strict.Decode("bfd.conf", []byte(sampleconfig.BFD), &plain); err != nil {
		t.Fatal(err)
	}
	uncommented := strings.ReplaceAll(sampleconfig.BFD, "\n  # ", "\n  ")
	if _, err := strict.Decode("bfd.conf", []byte(uncommented), &all); err != nil {
		t.Fatal(err)
	}
	a, b := &plain.Inputs.BFD[0], &all.Inputs.BFD[0]
	b.Files, b.StateFile, b.LocalAddresses = nil, "", nil // examples, not defaults
	for _, s := range []*BFD{a, b} {
		if err := s.Init(); err != nil {
			t.Fatal(err)
		}
		s.config.Emit, s.config.Warn, s.config.Info, s.config.Debug = nil, nil, nil, nil
	}
	zero := a.config // whose zeros mean what the sample says
	zero.Period, zero.NearMiss, zero.Forget = prober.DefaultPeriod, 1.5, 10*time.Minute
	if !reflect.DeepEqual(zero, b.config) || !slices.Equal(a.LogEvents, b.LogEvents) || a.Instance != b.Instance {
		t.Errorf("defaults are\n%+v, the sample's comments say\n%+v", zero, b.config)
	}
}

// TestSampleConfigHasEveryOption holds the sample against the stanza's keys.
func TestSampleConfigHasEveryOption(t *testing.T) {
	s := reflect.TypeFor[BFD]()
	for i := range s.NumField() {
		key := s.Field(i).Tag.Get("toml")
		if key == "" || key == "-" {
			continue
		}
		if !strings.Contains(sampleconfig.BFD, "\n  "+key+" = ") && !strings.Contains(sampleconfig.BFD, "\n  # "+key+" = ") {
			t.Errorf("the sample does not show %s", key)
		}
	}
}

func TestInitNamesTheKey(t *testing.T) {
	files := func(change func(*BFD)) func(*BFD) {
		return func(b *BFD) { b.Interfaces, b.Files = nil, []string{"/x/*.pcap"}; change(b) }
	}
	negative := -1
	for name, change := range map[string]func(*BFD){
		"interval":           func(b *BFD) { b.Interval = strict.Duration{Duration: 1500 * time.Millisecond} },
		"interval: missing":  func(b *BFD) { b.Interval = strict.Duration{} },
		"instance":           func(b *BFD) { b.Instance = "a\nb" },
		"interfaces":         func(b *BFD) { b.Interfaces = nil },
		"interfaces: twice":  func(b *BFD) { b.Interfaces = []string{"eth0", "eth1", "eth0"} },
		"interfaces: empty":  func(b *BFD) { b.Interfaces = []string{""} },
		"files: beside":      func(b *BFD) { b.Files = []string{"/x/a.pcap"} },
		"files: pattern":     files(func(b *BFD) { b.Files = []string{"/x/[a.pcap"} }),
		"promiscuous":        files(func(b *BFD) { b.Promiscuous = true }),
		"tunnels":            files(func(b *BFD) { b.Tunnels = true }),
		"ring_mib":           func(b *BFD) { b.RingMiB = -1 },
		"ring_mib: of files": files(func(b *BFD) { b.RingMiB = 8 }),
		"from_beginning":     func(b *BFD) { b.FromBeginning = true },
		"state_file":         func(b *BFD) { b.StateFile = "/x/state" },
		"emit_rate":          files(func(b *BFD) { b.EmitRate = &negative }),
		"tap: of files":      func(b *BFD) { b.Tap = prober.TapFile },
		"tap: of several":    func(b *BFD) { b.Interfaces, b.Tap = []string{"eth0", "eth1"}, "core" },
		"tap: no tag":        func(b *BFD) { b.Tap = `core\` },
		"local_addresses":    func(b *BFD) { b.LocalAddresses = []string{"router-1"} },
		"period":             func(b *BFD) { b.Period = strict.Duration{Duration: 100 * time.Millisecond} },
		"near_miss":          func(b *BFD) { b.NearMiss = 1 },
		"max_sessions":       func(b *BFD) { b.MaxSessions = -1 },
		"forget":             func(b *BFD) { b.Forget = strict.Seconds(-1) },
		"log_events":         func(b *BFD) { b.LogEvents = []string{"flaps"} },
	} {
		key, _, _ := strings.Cut(name, ":")
		b := &BFD{Interval: strict.Seconds(10), Interfaces: []string{"eth0"}}
		change(b)
		var p *prober.Problem
		if err := b.Init(); !errors.As(err, &p) || p.Key != key {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// sink takes points and log lines.
type sink struct {
	telegraf.Accumulator
	telegraf.Logger
	mu     sync.Mutex
	points []string
	lines  []string
}

func (s *sink) AddFields(measurement string, fields map[string]any, tags map[string]string, at ...time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.points = append(s.points, fmt.Sprint(measurement, " ", tags, " ", fields, " ", at[0].UnixNano()))
}

func (s *sink) count(measurement string) (n int) {
	for _, p := range s.points {
		if strings.HasPrefix(p, measurement+" ") {
			n++
		}
	}
	return n
}

func (s *sink) log(level, format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines = append(s.lines, level+fmt.Sprintf(format, args...))
}

func (s *sink) Warnf(format string, args ...any)  { s.log("W ", format, args...) }
func (s *sink) Infof(format string, args ...any)  { s.log("I ", format, args...) }
func (s *sink) Debugf(format string, args ...any) { s.log("D ", format, args...) }

func TestEventsAreLogged(t *testing.T) {
	series := schema.BFDSeries{Local: "192.0.2.1", Peer: "192.0.2.2", Tap: "eth0"}
	flap := &schema.BFDEventRow{BFDSeries: series, Event: schema.BFDEventFlap, Text: "Down after 150 ms of silence", Time: 1_790_000_000_125_000_000}
	up := &schema.BFDEventRow{BFDSeries: series, Event: schema.BFDEventUp, Time: flap.Time}
	for name, c := range map[string]struct {
		kinds []string
		want  int
	}{"by default": {nil, 1}, "both": {[]string{"up", "flap"}, 2}, "none": {[]string{}, 0}} {
		out := &sink{}
		b := &BFD{Interval: strict.Seconds(10), Interfaces: []string{"eth0"}, LogEvents: c.kinds, Log: out, acc: out}
		if err := b.Init(); err != nil {
			t.Fatal(err)
		}
		b.emit(flap)
		b.emit(up)
		if len(out.lines) != c.want || len(out.points) != 2 {
			t.Errorf("%s: %q, %q", name, out.lines, out.points)
		}
		if c.want == 1 && !strings.HasSuffix(out.lines[0], ".125"+time.Unix(0, flap.Time).Format("Z07:00")+": flap, session 192.0.2.1 to 192.0.2.2 on eth0: Down after 150 ms of silence") {
			t.Errorf("%s: %q", name, out.lines)
		}
	}
}

func TestTooManySessionsAreToldOfOnce(t *testing.T) {
	out := &sink{}
	b := &BFD{Log: out, acc: out}
	for _, n := range []int64{0, 3, 5, 0, 2} {
		b.emit(&schema.BFDStatsRow{NoRoom: n})
	}
	if len(out.lines) != 2 || !strings.Contains(out.lines[0], "max_sessions") {
		t.Errorf("logged %q", out.lines)
	}
}

// pcapHead begins a pcap file of Ethernet with nanoseconds.
var pcapHead = []byte{0x4d, 0x3c, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0}

// record makes a file's record of a control packet that says Up, every second, from second at on.
func record(at uint32) []byte {
	packet := []byte{
		2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x08, 0x00, // Ethernet
		0x45, 0, 0, 52, 0, 0, 0, 0, 255, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2, // IPv4
		0xc0, 0, 0x0e, 0xc8, 0, 32, 0, 0, // UDP, port 3784
		1 << 5, 3 << 6, 3, 24, 0, 0, 0, 1, 0, 0, 0, 2, // BFD
		0, 0x0f, 0x42, 0x40, 0, 0x0f, 0x42, 0x40, 0, 0, 0, 0, // a second, a second, no echo
	}
	b := binary.LittleEndian.AppendUint32(nil, 1_790_000_000+at)
	for _, n := range []int{0, len(packet), len(packet)} {
		b = binary.LittleEndian.AppendUint32(b, uint32(n))
	}
	return append(b, packet...)
}

func records(from, to uint32) (b []byte) {
	for at := from; at < to; at++ {
		b = append(b, record(at)...)
	}
	return b
}

// run starts a stanza, gathers once and stops it.
func run(t *testing.T, b *BFD) *sink {
	t.Helper()
	out := &sink{}
	b.Interval, b.Log = strict.Seconds(10), out
	if err := b.Init(); err != nil {
		t.Fatal(err)
	}
	if err := b.Start(out); err != nil {
		t.Fatal(err)
	}
	b.Hurry()
	if err := b.Gather(out); err != nil {
		t.Error(err)
	}
	b.Stop()
	b.Stop()
	if err := b.GatherAt(time.Now()); err != nil {
		t.Errorf("after the end: %v", err)
	}
	return out
}

func write(t *testing.T, path string, data ...[]byte) {
	t.Helper()
	if err := os.WriteFile(path, slices.Concat(data...), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestFiles: what is there is read by the first gather, and the end leaves nothing open.
func TestFiles(t *testing.T) {
	path, follow := filepath.Join(t.TempDir(), "a.pcap"), false
	write(t, path, pcapHead, records(0, 35))
	out := run(t, &BFD{Files: []string{path}, Follow: &follow})
	if want := []string{"D reads " + path, "I has read " + path + ": 35 packets"}; !slices.Equal(out.lines, want) {
		t.Errorf("logged %q, want %q", out.lines, want)
	}
	if n := out.count(schema.BFDSession); n != 4 {
		t.Errorf("%d points of four periods", n)
	}
	following := run(t, &BFD{Files: []string{path}, FromBeginning: true})
	if !slices.Equal(following.points, out.points) {
		t.Errorf("followed, the file gives\n%s\nread\n%s", strings.Join(following.points, "\n"), strings.Join(out.points, "\n"))
	}
	if fresh := run(t, &BFD{Files: []string{path}}); len(fresh.points) > 0 || len(fresh.lines) == 0 || !strings.Contains(fresh.lines[0], "from_beginning") {
		t.Errorf("what is there already gives %q, and %q is said", fresh.points, fresh.lines)
	}
}

// TestFilesAcrossRestarts: of a file that grows nothing is left out, and nothing comes again but what was open.
func TestFilesAcrossRestarts(t *testing.T) {
	dir := t.TempDir()
	path, state := filepath.Join(dir, "a.pcap"), filepath.Join(dir, "state.json")
	write(t, path, pcapHead, records(0, 55))
	whole := run(t, &BFD{Files: []string{path}, FromBeginning: true})
	write(t, path, pcapHead, records(0, 35))
	first := run(t, &BFD{Files: []string{path}, FromBeginning: true, StateFile: state})
	write(t, path, pcapHead, records(0, 55))
	second := run(t, &BFD{Files: []string{path}, FromBeginning: true, StateFile: state})
	if n, m := first.count(schema.BFDSession), second.count(schema.BFDSession); n != 3 || m != 3 { // 0, 10, 20 and 20, 30, 40
		t.Errorf("%d sessions at first, %d then", n, m)
	}
	both := append(first.points, second.points...)
	for _, p := range both {
		if !slices.Contains(whole.points, p) {
			t.Errorf("not in one run: %s", p)
		}
	}
	for _, p := range whole.points {
		if !slices.Contains(both, p) && !strings.HasSuffix(p, "1790000050000000000") { // the open period
			t.Errorf("not in two runs: %s", p)
		}
	}
	renamed := filepath.Join(dir, "b.pcap")
	if err := os.Rename(path, renamed); err != nil {
		t.Fatal(err)
	}
	again := run(t, &BFD{Files: []string{renamed}, FromBeginning: true, StateFile: state})
	if n := again.count(schema.BFDSession); n > 1 {
		t.Errorf("under another name %d sessions come again", n)
	}
}

// TestReadme holds the plugin's README against the schema, the sample configuration and the queries.
func TestReadme(t *testing.T) {
	data, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	readme := string(data)
	if !strings.Contains(readme, sampleconfig.BFD) {
		t.Error("the README does not hold sampleconfig/bfd.conf as it is")
	}
	for _, name := range []string{"bfd_session", "bfd_echo_with_traffic"} {
		query, err := os.ReadFile("../../../sampleconfig/flux/" + name + ".flux")
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(readme, strings.TrimSpace(regexp.MustCompile(`(?m)^//.*\n`).ReplaceAllString(string(query), ""))) {
			t.Errorf("the README does not hold %s.flux as it is, less its comments", name)
		}
	}
	words := map[schema.Kind]string{schema.KindInt: "integer", schema.KindFloat: "float", schema.KindBool: "boolean", schema.KindString: "string"}
	for _, r := range []schema.Row{
		&schema.BFDSessionRow{}, &schema.BFDEchoRow{}, &schema.BFDEchoRTTRow{}, &schema.BFDEventRow{}, &schema.BFDStatsRow{},
	} {
		_, section, found := strings.Cut(readme, "\n- "+r.Measurement()+" (")
		section, _, _ = strings.Cut(section, "\n- bfd_")
		if !found {
			t.Errorf("%s is not documented", r.Measurement())
		}
		tags, fields := schema.Names(r)
		for _, tag := range tags {
			if !strings.Contains(readme, "\n    - "+tag+" (") {
				t.Errorf("%s: tag %s is not documented", r.Measurement(), tag)
			}
		}
		for name, kind := range fields {
			if !strings.Contains(section, "\n    - "+name+" ("+words[kind]) {
				t.Errorf("%s: field %s (%s) is not documented", r.Measurement(), name, words[kind])
			}
		}
	}
}
