package lines

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"echogram/plugins/schema"
)

var (
	pings = Measurement{Name: "ping", Field: "average_response_ms", Unit: "ms", Target: "url", Sent: "packets_transmitted", Received: "packets_received"}
	https = Measurement{Name: "http_response", Field: "response_time", Unit: "s", Target: "server"}
	bfd   = Measurement{Name: "bfd_echo_rtt", Field: "rtt_ns", Unit: "ns", Target: "peer"}
	known = []Measurement{pings, https, bfd}
)

// all reads to the end and tells each value in a line of text.
func all(t *testing.T, r *Reader) []string {
	t.Helper()
	var got []string
	for {
		k, err := r.Next()
		if err == io.EOF {
			return got
		}
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, tell(r, k))
	}
}

func tell(r *Reader, k Kind) string {
	switch k {
	case Point, Late:
		s := r.Series
		return fmt.Sprintf("%d of=%q %s>%s labels=%v counts=%v t=%d sent=%d received=%d rtt=%v code=%d late=%d/%v",
			k, s.Of, s.Host, s.Target, s.Labels, s.HasCounts, r.Row.Time, r.Row.Sent, r.Row.Received, r.Row.RTT, r.Row.ResultCode, r.Row.Late, r.Row.LateRTT)
	case Manifest:
		return fmt.Sprintf("manifest %s/%s t=%d points=%d partial=%v", r.Stats.Host, r.Stats.Instance, r.Stats.Time, r.Stats.Points, r.Stats.Partial)
	}
	return "other"
}

func TestLines(t *testing.T) {
	cases := map[string]struct{ line, want string }{
		"point": {"icmp_sweep,block=192.0.2.0/24,host=h,instance=i,network=n,site=x,target=192.0.2.1 sent=1i,received=1i,rtt_ns=5i,ttl=64i,result_code=0i 7",
			`1 of="" h>192.0.2.1 labels=[{site x}] counts=true t=7 sent=1 received=1 rtt={5 true} code=0 late=0/{0 false}`},
		"silent": {"icmp_sweep,host=h,target=a sent=2i,received=0i,result_code=1i 7\r",
			`1 of="" h>a labels=[] counts=true t=7 sent=2 received=0 rtt={0 false} code=1 late=0/{0 false}`},
		"strings and more": {`icmp_sweep,host=h,target=a sent=1i,received=0i,result_code=2i,icmp_type=3i,error_from="192.0.2.9",hostname="a \"b\" c",rtt_p50_ns=4i,x=t 7`,
			`1 of="" h>a labels=[] counts=true t=7 sent=1 received=0 rtt={0 false} code=2 late=0/{0 false}`},
		"escapes": {`icmp_sweep,host=h\ 1,si\=te=a\,b,target=a sent=1i -7`,
			`1 of="" h 1>a labels=[{si=te a,b}] counts=true t=-7 sent=1 received=0 rtt={0 false} code=0 late=0/{0 false}`},
		"odd spaces": {`icmp_sweep,host=h,target=a  sent=1i   7  `,
			`1 of="" h>a labels=[] counts=true t=7 sent=1 received=0 rtt={0 false} code=0 late=0/{0 false}`},
		"given twice": {`icmp_sweep,host=h,target=a sent=1i,sent=2i 7`,
			`1 of="" h>a labels=[] counts=true t=7 sent=1 received=0 rtt={0 false} code=0 late=0/{0 false}`},
		"late": {"icmp_sweep,host=h,target=a late=1i,late_rtt_ns=2000000000i 7",
			`2 of="" h>a labels=[] counts=true t=7 sent=0 received=0 rtt={0 false} code=0 late=1/{2000000000 true}`},
		"neither":    {"icmp_sweep,host=h,target=a note=1i 7", "other"},
		"manifest":   {"icmp_sweep_stats,host=h,instance=i points=3i,targets=4i,trust=\"ok\",partial=true,rate=1.5 7", "manifest h/i t=7 points=3 partial=true"},
		"late count": {"icmp_sweep_stats,host=h,instance=i late=3i 7", "other"},
		"ping": {"ping,host=h,url=example.net result_code=0i,packets_transmitted=4i,packets_received=3i,average_response_ms=0.2037485,ttl=64i 7",
			`1 of="ping" h>example.net labels=[{host h} {url example.net}] counts=true t=7 sent=4 received=3 rtt={203749 true} code=0 late=0/{0 false}`},
		"ping without a reply": {"ping,host=h,url=a result_code=1i,packets_transmitted=4i,packets_received=0i 7",
			`1 of="ping" h>a labels=[{host h} {url a}] counts=true t=7 sent=4 received=0 rtt={0 false} code=0 late=0/{0 false}`},
		"http": {`http_response,method=GET,server=https://a/\ b response_time=1.25,result_type="success" 7`,
			`1 of="http_response" >https://a/ b labels=[{method GET} {server https://a/ b}] counts=false t=7 sent=0 received=0 rtt={1250000000 true} code=0 late=0/{0 false}`},
		"bfd":               {"bfd_echo_rtt,peer=p rtt_ns=9i 7", `1 of="bfd_echo_rtt" >p labels=[{peer p}] counts=false t=7 sent=0 received=0 rtt={9 true} code=0 late=0/{0 false}`},
		"nobody's":          {`cpu,host=h usage=1.5,text="a b\"" 7`, "other"},
		"nobody's, escaped": {`c\ pu,host=h usage=1.5`, "other"},
	}
	for name, k := range cases {
		r := NewReader(strings.NewReader("# comment\n\n"+k.line+"\n"+k.line), known)
		got := all(t, r)
		if n, text, _ := r.Malformed(); n > 0 || len(got) != 2 || got[0] != k.want || got[1] != k.want {
			t.Errorf("%s:\ngot  %q %s\nwant %q twice", name, got, text, k.want)
		}
	}
}

func TestMalformed(t *testing.T) {
	head := "icmp_sweep,host=h,target=a "
	cases := map[string]struct{ line, want string }{
		"no fields":        {"hello", "no fields"},
		"statement":        {"CREATE DATABASE x", "no fields"},
		"no time":          {head + "sent=1i", "no time"},
		"bad time":         {head + "sent=1i 7s", `bad time "7s"`},
		"time too large":   {head + "sent=1i 9223372036854775808", "bad time"},
		"type":             {head + "sent=1 7", "field sent is no integer"},
		"type of an RTT":   {head + `sent=1i,rtt_ns="5" 7`, "field rtt_ns is no integer"},
		"too large":        {head + "sent=9223372036854775808i 7", "bad value"},
		"cut off":          {head + "sent=1i,recei", "has no value"},
		"string":           {head + `sent=1i,mac="a 7`, "does not end"},
		"tags":             {"icmp_sweep,host sent=1i 7", "has no value"},
		"stats":            {"icmp_sweep_stats,host=h points=1 7", "another type"},
		"stats' time":      {"icmp_sweep_stats,host=h points=1i", "no time"},
		"no target":        {"ping,host=h average_response_ms=1 7", "no tag url"},
		"text for an RTT":  {`ping,url=a average_response_ms="1" 7`, "is no number"},
		"negative":         {"ping,url=a average_response_ms=-1 7", "no RTT in ms"},
		"negative integer": {"bfd_echo_rtt,peer=a rtt_ns=-1i 7", "no RTT in ns"},
		"beyond int64":     {"http_response,server=a response_time=1e10 7", "no RTT in s"},
		"replies to none":  {head + "sent=1i,received=2i 7", "2 replies and 0 late ones to 1 requests"},
		"minus late":       {head + "late=-1i 7", "-1 late replies"},
		"minus sent":       {head + "sent=-1i 7", "a count is negative"},
		"negative RTT":     {head + "sent=1i,received=1i,rtt_ns=-5i 7", "-5 ns is no RTT"},
		"endless RTT":      {head + "sent=1i,received=1i,rtt_ns=9223372036854775807i 7", "9223372036854775807 ns is no RTT"},
		"endless, odd":     {head + "sent=1i,received=1i,rtt_ns=9223372036854775807i  7", "9223372036854775807 ns is no RTT"},
		"no block":         {"icmp_sweep,block=banana,target=192.0.2.1 sent=1i 7", `block "banana" is no prefix`},
		"replies to pings": {"ping,url=a packets_transmitted=1i,packets_received=2i 7", "2 replies and 0 late ones to 1 requests"},
		"half a packet":    {"ping,url=a packets_transmitted=1.5 7", "no count"},
	}
	for name, k := range cases {
		text := head + "sent=1i 1\n" + k.line + "\n" + head + "sent=1i 2\n" + k.line + "\n"
		r := NewReader(strings.NewReader(text), known)
		got := all(t, r)
		n, first, line := r.Malformed()
		if len(got) != 2 || n != 2 || line != 2 || !strings.HasPrefix(first, fmt.Sprintf("%q: ", k.line)) || !strings.Contains(first, k.want) {
			t.Errorf("%s: %d values, %d malformed, line %d: %s", name, len(got), n, line, first)
		}
		if f := r.Faults(); len(f) != 2 || f[1].Line != 4 || f[1].Error() != "line 4: "+first {
			t.Errorf("%s: %v", name, f)
		}
		if r.Lines() != 4 || r.Count(Point) != 2 || r.Count(Other) != 0 {
			t.Errorf("%s: %d lines, %d points", name, r.Lines(), r.Count(Point))
		}
	}
}

// TestLinesOfAnyLength: with a buffer of fixed size, read in pieces of one byte too.
func TestLinesOfAnyLength(t *testing.T) {
	const line = "icmp_sweep,target=a sent=1i 7\n"
	long := strings.Repeat("x", 3*bufferSize)
	fits := `icmp_sweep,target=a sent=1i,mac="` + strings.Repeat("y", bufferSize-100) + "\" 7\n"
	text := line + long + "\n" + line + fits + fits + line + long
	for name, in := range map[string]io.Reader{
		"whole": strings.NewReader(text), "bytes": iotest.OneByteReader(strings.NewReader(text)), "with its end": iotest.DataErrReader(strings.NewReader(text)),
	} {
		r := NewReader(in, nil)
		got := all(t, r)
		n, first, at := r.Malformed()
		if len(got) != 5 || n != 2 || at != 2 || r.Lines() != 7 || !strings.HasPrefix(first, `"xxx`) || !strings.HasSuffix(first, `" …: lines: longer than 262144 bytes`) {
			t.Errorf("%s: %d values, %d malformed in %d lines, the first %d: %.200s", name, len(got), n, r.Lines(), at, first)
		}
	}
}

func TestGzip(t *testing.T) {
	text := sweepLines(300, 2)
	var packed bytes.Buffer
	for _, part := range [][]byte{text[:5000], text[5000:]} { // two members, as cat makes of two files
		z := gzip.NewWriter(&packed)
		if _, err := z.Write(part); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if got := all(t, NewReader(iotest.HalfReader(bytes.NewReader(packed.Bytes())), nil)); len(got) != 600 {
		t.Errorf("%d values", len(got))
	}
	r := NewReader(bytes.NewReader(packed.Bytes()[:packed.Len()-20]), nil)
	n := 0
	var err error
	for ; err == nil; n++ {
		_, err = r.Next()
	}
	if bad, _, _ := r.Malformed(); !errors.Is(err, io.ErrUnexpectedEOF) || bad > 0 {
		t.Errorf("cut off: %d values, %d malformed, %v", n, bad, err)
	}
}

func TestBrokenInput(t *testing.T) {
	broken := errors.New("cable cut")
	in := io.MultiReader(strings.NewReader("icmp_sweep,target=a sent=1i 7\nicmp_sweep,target=a sent=1i 70"), iotest.ErrReader(broken))
	r := NewReader(in, nil)
	if k, err := r.Next(); k != Point || err != nil {
		t.Fatal(k, err)
	}
	for range 2 {
		if k, err := r.Next(); k != 0 || !errors.Is(err, broken) {
			t.Errorf("the unfinished line became %d, %v", k, err)
		}
	}
	r.Reset(strings.NewReader(""))
	if _, err := r.Next(); err != io.EOF {
		t.Error(err)
	}
}

// TestOnePointerASeries: whatever the order and escapes of its tags, and in the next input too.
func TestOnePointerASeries(t *testing.T) {
	r := NewReader(strings.NewReader("icmp_sweep,host=h,target=a sent=1i 7\nicmp_sweep,target=a,host=h sent=1i 7\nicmp_sweep,host=h,target=b sent=1i 7\n"), nil)
	var got []*schema.RTTSeries
	read := func() {
		for {
			if _, err := r.Next(); err != nil {
				return
			}
			got = append(got, r.Series)
		}
	}
	read()
	r.Reset(strings.NewReader("icmp_sweep,host=h,target=b sent=1i 9"))
	read()
	if len(got) != 4 || got[0] != got[1] || got[0] == got[2] || got[2] != got[3] {
		t.Error(got)
	}
}

// TestWaitsForNoMoreThanItNeeds: a line is handed on before the next one comes.
func TestWaitsForNoMoreThanItNeeds(t *testing.T) {
	in, out := io.Pipe()
	defer in.Close() // unblocks the writer
	r := NewReader(in, nil)
	read, ended := make(chan bool), make(chan error, 1)
	go func() {
		var err error
		for range read {
			if _, err = io.WriteString(out, "icmp_sweep,target=a sent=1i 7\n"); err != nil {
				break
			}
		}
		ended <- err
	}()
	for range 3 {
		read <- true
		if k, err := r.Next(); k != Point || err != nil {
			t.Fatal(k, err)
		}
	}
	close(read)
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestNoAllocationForKnownSeries(t *testing.T) {
	text := sweepLines(10, 1)
	in := bytes.NewReader(text)
	r := NewReader(in, nil)
	read := func() {
		in.Reset(text)
		r.in.reset(in)
		for {
			if _, err := r.Next(); err != nil {
				return
			}
		}
	}
	read()
	if n := testing.AllocsPerRun(10, read); n > 5 { // opening an input
		t.Errorf("%v allocations for 10 lines", n)
	}
}

// TestFieldsAreTheSchemas: each integer field of icmp_sweep is read to where schema reads it, or left out on purpose.
func TestFieldsAreTheSchemas(t *testing.T) {
	leftOut := map[string]bool{"first_flip": true, "mtu": true, "arp_rtt_ns": true}
	_, fields := schema.Names(&schema.SweepRow{})
	for key, kind := range fields {
		if kind != schema.KindInt || leftOut[key] {
			continue
		}
		line := "icmp_sweep,target=a sent=1i,received=1i,result_code=1i 7"
		if !strings.Contains(line, key+"=") {
			line = "icmp_sweep,target=a sent=1i," + key + "=1i 7"
		}
		var want schema.SweepRow
		if err := schema.ParseLine([]byte(line), &want); err != nil {
			t.Fatal(err)
		}
		r := NewReader(strings.NewReader(line), nil)
		if k, err := r.Next(); k != Point || err != nil || fmt.Sprint(r.Row) != fmt.Sprint(want) {
			t.Errorf("%s:\ngot  %v\nwant %v", key, r.Row, want)
		}
	}
}

func TestCheck(t *testing.T) {
	if err := CheckAll(known); err != nil {
		t.Error(err)
	}
	cases := map[string]struct {
		change func(*Measurement)
		want   string
	}{
		"name":     {func(m *Measurement) { m.Name = "" }, "needs a name"},
		"known":    {func(m *Measurement) { m.Name = "icmp_sweep" }, "is always read"},
		"rollup":   {func(m *Measurement) { m.Name = "ping_rollup" }, "is a rollup"},
		"field":    {func(m *Measurement) { m.Field = "" }, "needs the field"},
		"unit":     {func(m *Measurement) { m.Unit = "sec" }, `unit "sec" of field average_response_ms is unknown: use ns, us, ms or s`},
		"target":   {func(m *Measurement) { m.Target = "" }, "needs the tag"},
		"received": {func(m *Measurement) { m.Received = "" }, "or neither"},
		"text":     {func(m *Measurement) { m.Sent = "a\nb" }, "cannot hold the name"},
		"twice":    {func(m *Measurement) { m.Name = "http_response" }, "given twice"},
	}
	for name, k := range cases {
		m := pings
		k.change(&m)
		if err := CheckAll([]Measurement{m, https}); err == nil || !strings.Contains(err.Error(), k.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestForget: what is wanted keeps its pointer, in whatever order its tags come; the rest makes room.
func TestForget(t *testing.T) {
	const text = "icmp_sweep,host=h,target=a sent=1i 1\nicmp_sweep,target=a,host=h sent=1i 2\nicmp_sweep,host=h,target=b sent=1i 1\nicmp_sweep_stats,host=h points=2i 1\n"
	r := NewReader(strings.NewReader(text), nil)
	read := func() (all []*schema.RTTSeries) {
		for {
			k, err := r.Next()
			if err == io.EOF {
				return all
			} else if err != nil {
				t.Fatal(err)
			}
			if k == Point {
				all = append(all, r.Series)
			}
		}
	}
	first := read()
	r.Forget(func(s *schema.RTTSeries) bool { return s.Target == "a" })
	if len(r.heads) != 2 {
		t.Errorf("%d heads are left", len(r.heads))
	}
	r.Reset(strings.NewReader(text))
	if again := read(); again[0] != first[0] || again[1] != first[0] || again[2] == first[2] || again[2].Target != "b" {
		t.Error("the wrong series was forgotten")
	}
}
