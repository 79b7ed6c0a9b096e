package source

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"echogram/plugins/schema"
)

const head = "name,tags,time,sent,received,late,duplicates,corrupt,rtt_ns,rtt_min_ns,rtt_max_ns\n"

type taken struct {
	series *schema.Series
	row    schema.SweepRow
}

func take(t *testing.T, text string) ([]taken, error) {
	t.Helper()
	var all []taken
	err := readCSV(strings.NewReader(text), func(s *schema.Series, r *schema.SweepRow) { all = append(all, taken{s, *r}) })
	return all, err
}

func TestReadCSV(t *testing.T) {
	all, err := take(t, head+
		`icmp_sweep,"block=10.0.0.0/24,host=h,instance=i,network=10.0.0.0/16,target=10.0.0.1",1000000000,1,1,,,,250,,`+"\n"+
		`icmp_sweep,"block=10.0.0.0/24,host=h,instance=i,network=10.0.0.0/16,target=10.0.0.1",2000000000,3,2,1,4,5,-7,6,8`+"\n"+
		`icmp_sweep,"block=10.0.0.0/24,host=h,instance=i,network=10.0.0.0/16,target=10.0.0.1",3000000000,,,1,,,,,`+"\n"+
		`icmp_sweep,"block=10.0.0.0/24,host=h,instance=i,name=,network=10.0.0.0/16,site=a\ ""b""\,c\=d\e,target=10.0.0.2",1,1,0,,,,,,`+"\n"+
		"\n"+head+`icmp_sweep,target=x,1,9,0,,,,,,`+"\n")
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 4 {
		t.Fatalf("%d rows, want 4: one has no sent", len(all))
	}
	if all[0].series != all[1].series {
		t.Error("a series changed between its rows")
	}
	want := schema.SweepRow{Time: 2e9, Sent: 3, Received: 2, Late: 1, Duplicates: 4, Corrupt: 5,
		RTT: schema.Some(-7), RTTMin: schema.Some(6), RTTMax: schema.Some(8)}
	if !reflect.DeepEqual(all[1].row, want) {
		t.Errorf("got %+v", all[1].row)
	}
	if r := all[0].row; r.RTT != schema.Some(250) || r.RTTMin.Set || r.Late != 0 {
		t.Errorf("got %+v", r)
	}
	labelled := schema.Series{Host: "h", Instance: "i", Network: "10.0.0.0/16", Block: "10.0.0.0/24", Target: "10.0.0.2",
		Labels: []schema.Tag{{Key: "site", Value: `a "b",c=d\e`}}}
	if !reflect.DeepEqual(*all[2].series, labelled) {
		t.Errorf("got %+v", *all[2].series)
	}
	if all[3].series.Target != "x" || all[3].row.Sent != 9 {
		t.Errorf("got %+v", all[3])
	}
}

func TestReadCSVErrors(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"server":   {"error\nout of memory\n", `source: line 2 of the answer: the server says "out of memory"`},
		"no head":  {"icmp_sweep,a=b,1\n", `source: line 1 of the answer: "icmp_sweep,a=b,1" is not a header`},
		"html":     {"<html>", `source: line 1 of the answer: "<html>" is not a header`},
		"number":   {head + "icmp_sweep,a=b,1,x\n", `source: line 2 of the answer: strconv.ParseInt: parsing "x": invalid syntax`},
		"float":    {head + "icmp_sweep,a=b,1,1.5\n", `source: line 2 of the answer: strconv.ParseInt: parsing "1.5": invalid syntax`},
		"no tags":  {head + "icmp_sweep\n", "source: line 2 of the answer: it has no tags"},
		"quote":    {head + `icmp_sweep,"a=b,1` + "\n", "source: line 2 of the answer: a quote does not end"},
		"behind":   {head + `icmp_sweep,"a=b"c,1` + "\n", "source: line 2 of the answer: text behind a quote"},
		"bad tags": {head + "icmp_sweep,ab,1,1\n", `source: line 2 of the answer: schema: line protocol, byte 14: tag "ab" has no value`},
	} {
		if _, err := take(t, c.text); err == nil || err.Error() != c.want {
			t.Errorf("%s:\n got %v\nwant %s", name, err, c.want)
		}
	}
	if all, err := take(t, ""); err != nil || len(all) != 0 {
		t.Errorf("an empty answer: %v, %v", all, err)
	}
}

func TestQuoting(t *testing.T) {
	if got := qlString(`a'b\`); got != `'a\'b\\'` {
		t.Error(got)
	}
	if got := fluxString("a\"b\\${x}"); got != `"a\"b\\\${x}"` {
		t.Error(got)
	}
}

func BenchmarkReadCSV(b *testing.B) {
	var text strings.Builder
	text.WriteString(head)
	for target := range 256 {
		for sweep := range 60 {
			fmt.Fprintf(&text, "icmp_sweep,\"block=10.0.0.0/24,host=h,instance=i,network=10.0.0.0/16,target=10.0.0.%d\",17000000%02d000000000,1,1,,,,123456789,,\n", target, sweep)
		}
	}
	b.SetBytes(int64(text.Len()))
	for b.Loop() {
		n := 0
		if err := readCSV(strings.NewReader(text.String()), func(*schema.Series, *schema.SweepRow) { n++ }); err != nil || n != 256*60 {
			b.Fatal(n, err)
		}
	}
}

// FuzzReadCSV: whatever a server answers, reading it ends, and what is taken has a series.
func FuzzReadCSV(f *testing.F) {
	f.Add(head + `icmp_sweep,"block=a,target=10.0.0.1",1000000000,1,1,,,,250,,` + "\n")
	f.Add("error\nx\n")
	f.Add(head + `icmp_sweep,"a=""b\,c=",1,1` + "\n\n" + head)
	f.Add(head + "icmp_sweep,,1,1\n")
	f.Fuzz(func(t *testing.T, text string) {
		readCSV(strings.NewReader(text), func(s *schema.Series, r *schema.SweepRow) {
			if s == nil || r == nil {
				t.Error("a row without a series")
			}
		})
	})
}
