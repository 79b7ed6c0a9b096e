package bfdwatch_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A golden case is a directory below testdata: a capture, truth.json with what others found in it, PROVENANCE, and
// expected.lp, the rows of it. truth is truth.json; times are ns where their names do not say otherwise.
type truth struct {
	Local   []string // addresses of the device that the capture was taken on
	Packets int64
	TShark  struct {
		Control, Echo []tally
		ICMP          int64 // messages that quote BFD
	}
	Cut       []tally // control packets of which the capture holds less than tshark reads
	Sessions  []sessionTruth
	Echo      []echoTruth
	Unmatched []tally     // returns without a send
	Link      []linkTruth // what the emulated link did to echoes
	FRR       []frrTruth
	FRRRTT    []frrSample `json:"frr_rtt"`
	Events    []labEvent
}

// tally is a count of packets that have addresses, and for echoes TTL and source port, in common.
type tally struct {
	MAC, Src, Dst, VLAN string
	DPort, TTL, SPort   uint16
	Count               int64
}

// sessionTruth is one direction of a session, src being its sender.
type sessionTruth struct {
	Tap, VLAN, Src, Dst string
	Port                uint16
	Discriminators      []uint32
	PeerDiscriminators  []uint32 `json:"peer_discriminators"`
	Auth, TTL           []uint8
	Polls, Finals       int64
	States              []stateTruth
	Intervals           *intervalTruth
}

// stateTruth is a state that a sender came with, so long after the first BFD packet of the capture. The same state
// twice means that other contents of the packet changed.
type stateTruth struct {
	AtUS  int64 `json:"at_us"`
	State string
	Diag  int64
}

// intervalTruth are intervals between two packets of a sender, neither with P or F and both of equal contents, while
// both ends are Up.
type intervalTruth struct {
	Count      int64
	Nominal    []int64 `json:"nominal_ns"`
	Min        int64   `json:"min_ns"`
	Mean       int64   `json:"mean_ns"`
	Max        int64   `json:"max_ns"`
	Below75    int64   `json:"below_75"`
	Above100   int64   `json:"above_100"`
	RatioMin   float64 `json:"ratio_min"` // four decimals, as all ratios
	RatioMax   float64 `json:"ratio_max"`
	GapOfLimit float64 `json:"max_gap_over_detection"` // Max / detection time
	MaxGap     int64   `json:"max_gap_ns"`             // between any two packets while both ends are Up, those with P or F included
}

// echoTruth is a stream of echoes. RTT holds those of answered echoes in the order of sending.
type echoTruth struct {
	Tap, VLAN, Src, Dst, Layout string
	InitiatorMAC                string `json:"initiator_mac"`
	ReflectorMAC                string `json:"reflector_mac"`
	SPort                       uint16
	Discriminator               uint32
	Sent, Returned, Unanswered  int64
	SendInterval                struct{ Min, Mean, Max int64 } `json:"send_interval_ns"`
	RTT                         []int64                        `json:"rtt_ns"`
}

// linkTruth is what the link between two routers did to one initiator's echoes that the capture holds: Added is the
// delay it put on, Residual what is left of the RTT without it.
type linkTruth struct {
	InitiatorMAC    string `json:"initiator_mac"`
	Sent, Answered  int64
	DroppedOutbound int64                            `json:"dropped_outbound"`
	DroppedReturn   int64                            `json:"dropped_return"`
	LostBefore      int64                            `json:"lost_before"` // sent echoes that never came to this capture point
	Added           struct{ Min, Median, Max int64 } `json:"added_ns"`
	Residual        struct{ Min, Median, Max int64 } `json:"residual_ns"`
}

// frrTruth is what FRR says of its own end of a session when all is over.
type frrTruth struct {
	Discriminator uint32
	Status        string
	DetectMult    int64 `json:"detect_mult"`
	Downs         int64 // times that the session left Up
}

// frrSample is the mean of the last eight RTTs that FRR had at some time between From and To.
type frrSample struct {
	InitiatorMAC string `json:"initiator_mac"`
	From         int64  `json:"from_ns"`
	To           int64  `json:"to_ns"`
	Mean         int64  `json:"mean_ns"`
	Max          int64  `json:"max_ns"`
}

// labEvent is something that was done to the routers or their link.
type labEvent struct {
	What string
	At   int64 `json:"at_ns"`
}

// goldenCase is a directory below testdata.
type goldenCase struct {
	name, capture string
	truth
}

// tap is what a capture point counts as: without a name where the case has one only.
func (c *goldenCase) tap(name string) string {
	var taps []string
	for _, s := range c.Sessions {
		note(&taps, s.Tap)
	}
	for _, e := range c.Echo {
		note(&taps, e.Tap)
	}
	if len(taps) < 2 {
		return ""
	}
	return name
}

// at returns c as the capture point tap alone sees it.
func (c *goldenCase) at(tap string) *goldenCase {
	one := *c
	one.Sessions = slices.DeleteFunc(slices.Clone(c.Sessions), func(s sessionTruth) bool { return s.Tap != tap })
	one.Echo = slices.DeleteFunc(slices.Clone(c.Echo), func(e echoTruth) bool { return e.Tap != tap })
	return &one
}

// goldenCases reads all cases.
func goldenCases(t *testing.T) []*goldenCase {
	t.Helper()
	dirs, err := filepath.Glob("testdata/*/truth.json")
	if err != nil || len(dirs) != 47 {
		t.Fatalf("%d golden cases, want 47: %v", len(dirs), err)
	}
	var cases []*goldenCase
	for _, path := range dirs {
		cases = append(cases, readCase(t, filepath.Dir(path)))
	}
	return cases
}

func readCase(t *testing.T, dir string) *goldenCase {
	t.Helper()
	captures, _ := filepath.Glob(filepath.Join(dir, "capture.*"))
	if len(captures) != 1 {
		t.Fatalf("%s: %d captures", dir, len(captures))
	}
	c := &goldenCase{name: filepath.Base(dir), capture: captures[0]}
	text, err := os.ReadFile(filepath.Join(dir, "truth.json"))
	if err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(strings.NewReader(string(text)))
	if err := d.Decode(&c.truth); err != nil {
		t.Fatalf("%s: %v", dir, err)
	}
	return c
}

// differences are what a case found other than it should be, a line each.
type differences []string

func (d *differences) addf(format string, args ...any) {
	*d = append(*d, fmt.Sprintf(format, args...))
}

func equal[T comparable](d *differences, what string, got, want T) {
	if got != want {
		d.addf("%s: got %v, want %v", what, got, want)
	}
}

// within adds a difference if got is farther from want than by most.
func within[T int64 | float64](d *differences, what string, got, want, most T) {
	if got-want > most || want-got > most {
		d.addf("%s: got %v, want %v ± %v", what, got, want, most)
	}
}

// inOrder are the keys of m, in an order that is the same each time.
func inOrder[K comparable, V any](m map[K]V) []K {
	return slices.SortedFunc(maps.Keys(m), func(a, b K) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
}

// maxDifferences is how many lines of a case are shown.
const maxDifferences = 10

func (d differences) report(t *testing.T) {
	t.Helper()
	for i, line := range d {
		if i == maxDifferences {
			t.Errorf("and %d more", len(d)-i)
			return
		}
		t.Error(line)
	}
}
