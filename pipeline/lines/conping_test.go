package lines

import (
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"echogram/plugins/schema"
)

func TestConPing(t *testing.T) {
	const name = "testdata/192.0.2.0-27-1590469441.txt"
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := OpenConPing(name, f, "h")
	if err != nil {
		t.Fatal(err)
	}
	var got []byte
	for {
		k, err := r.Next()
		if err == io.EOF {
			break
		}
		var row schema.Row = &r.Row
		if k == Manifest {
			row = &r.Stats
		}
		if got, err = schema.AppendLine(got, row); err != nil {
			t.Fatal(err)
		}
	}
	const tags = "icmp_sweep,block=192.0.2.0/24,host=h,instance=con-ping,network=192.0.2.0/27,target=192.0.2."
	const at = " 1590469441000000000\n"
	want := tags + "0 sent=1i,received=0i,result_code=1i" + at +
		tags + "1 sent=1i,received=1i,rtt_ns=203748000i,result_code=0i" + at +
		tags + "2 sent=1i,received=1i,rtt_ns=1500i,result_code=0i" + at +
		tags + "3 sent=1i,received=0i,result_code=1i" + at +
		tags + "17 sent=1i,received=1i,rtt_ns=1250000000i,result_code=0i" + at
	rows, stats, _ := strings.Cut(string(got), "icmp_sweep_stats")
	if rows != want || !strings.HasPrefix(stats, ",host=h,instance=con-ping points=5i,targets=5i,sent=5i,received=3i,") || !strings.HasSuffix(stats, at) {
		t.Errorf("got\n%s", got)
	}
}

func TestConPingSeriesStay(t *testing.T) {
	r, err := OpenConPing("10.0.0.0-8-7.txt", strings.NewReader("10.1.2.3,1\n"), "h")
	if err != nil {
		t.Fatal(err)
	}
	if k, err := r.Next(); k != Point || err != nil {
		t.Fatal(k, err)
	}
	first := r.Series
	if err := r.ResetConPing(`C:\scans\10.0.0.0-8-8.txt.gz`, strings.NewReader("10.1.2.3,1\r\n"), "h"); err != nil {
		t.Fatal(err)
	}
	if k, err := r.Next(); k != Point || err != nil || r.Series != first || r.Row.Time != 8e9 {
		t.Error(k, err, r.Series, r.Row.Time)
	}
}

func TestConPingMalformed(t *testing.T) {
	bad := map[string]string{
		"192.0.2.1": "no comma", "host,1": "is no address", "2001:db8::1,1": "lies outside", "192.0.3.1,1": "lies outside", "192.0.2.9,1": "a second line",
		"192.0.2.2,": "neither", "192.0.2.2,-1": "neither", "192.0.2.2,NaN": "neither", "192.0.2.2,1e10": "neither", "192.0.2.2,Unreachable": "neither",
	}
	for line, want := range bad {
		r, err := OpenConPing("192.0.2.0-24-1590469441.txt", strings.NewReader("192.0.2.9,unreachable\n"+line+"\n"), "h")
		if err != nil {
			t.Fatal(err)
		}
		got := all(t, r)
		n, first, at := r.Malformed()
		if len(got) != 2 || !strings.Contains(got[1], "points=2 ") || n != 1 || at != 2 || !strings.HasPrefix(first, fmt.Sprintf("%q: ", line)) || !strings.Contains(first, want) {
			t.Errorf("%q: %q, %d malformed, line %d: %s", line, got, n, at, first)
		}
	}
}

func TestLooksLikeConPing(t *testing.T) {
	for line, want := range map[string]bool{"192.0.2.1,0.25": true, "192.0.2.1,unreachable": true, "192.0.2.1": false, "192.0.2.1,": false, "a,1": false, "cpu,a=b c=1": false} {
		if LooksLikeConPing(line) != want {
			t.Errorf("%q: %v", line, !want)
		}
	}
}

// TestOnlyMalformed: the manifest that a file of con-ping ends with was in no line.
func TestOnlyMalformed(t *testing.T) {
	for text, want := range map[string]bool{"": false, "x\n": true, "x\n192.0.2.1,1\n": false, "cpu a=1 1\n": true} {
		r, err := OpenConPing("192.0.2.0-24-1.txt", strings.NewReader(text), "h")
		if err != nil {
			t.Fatal(err)
		}
		all(t, r)
		if r.OnlyMalformed() != want {
			t.Errorf("%q: %v", text, !want)
		}
	}
	for text, want := range map[string]bool{"": false, "x\n": true, "x\ncpu a=1 1\n": false, "x\nicmp_sweep_stats points=1i 1\n": false} {
		r := NewReader(strings.NewReader(text), nil)
		all(t, r)
		if r.OnlyMalformed() != want {
			t.Errorf("%q: %v", text, !want)
		}
	}
}

func TestConPingNames(t *testing.T) {
	for _, name := range []string{"", "a.txt", "192.0.2.0-24.txt", "192.0.2.0-33-1.txt", "192.0.2.0-24-x.txt", "192.0.2.0-24--1.txt", "2001:db8::-64-1.txt",
		"192.0.2.0-24-1-2.txt", "192.0.2.0-24-99999999999.txt"} {
		if _, err := OpenConPing("folder/"+name, nil, "h"); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("%q is no name of a con-ping file", name)) {
			t.Errorf("%q: %v", name, err)
		}
	}
}
