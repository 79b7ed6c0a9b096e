package main

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"echogram/plugins/schema"
)

const meansAnswer = "#datatype,string,long,string,string,double\r\n" +
	",result,table,_start,target,_value\r\n" +
	",_result,0,2026-01-10T00:00:00Z,198.18.0.1,1500.5\r\n" +
	",_result,1,2026-01-10T00:00:00Z,198.18.0.2,3\r\n" +
	"\r\n" +
	",result,table,block,target,_value\r\n" +
	",_result,2,198.18.1.0/24,198.18.1.1,7\r\n"

func TestReadMeans(t *testing.T) {
	var got []byte
	err := readMeans(strings.NewReader(meansAnswer), func(p *schema.Point) (err error) {
		got, err = p.AppendLine(got)
		return err
	})
	const want = "flux_mean,target=198.18.0.1 rtt_mean_ns=1500.5 1768003200000000000\n" +
		"flux_mean,target=198.18.0.2 rtt_mean_ns=3 1768003200000000000\n" +
		"flux_mean,block=198.18.1.0/24,target=198.18.1.1 rtt_mean_ns=7 1768003200000000000\n"
	if string(got) != want || err != nil {
		t.Errorf("%v, got\n%swant\n%s", err, got, want)
	}
}

func TestReadMeansRefuses(t *testing.T) {
	for name, answer := range map[string]string{
		"error":    ",error,reference\r\n,memory is short,897\r\n",
		"no value": ",result,table,_value\r\n,_result,0,much\r\n",
		"columns":  ",result,table,_value\r\n,_result,0\r\n",
	} {
		if err := readMeans(strings.NewReader(answer), func(*schema.Point) error { return nil }); !errors.Is(err, errFlux) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The client asks once, and writes all points back in batches.
func TestFluxClient(t *testing.T) {
	asked, lines, writes := "", 0, 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		if r.URL.Path == "/api/v2/query" {
			asked = string(body)
			io.WriteString(w, ",result,table,target,_value\r\n"+strings.Repeat(",_result,0,198.18.0.1,1\r\n", fluxBatch+3))
			return
		}
		lines, writes = lines+strings.Count(string(body), "\n"), writes+1
		w.WriteHeader(http.StatusNoContent)
	}))
	defer server.Close()
	if err := (&fluxClient{server: server.URL}).run(context.Background(), fluxWindow); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(asked, "range(start: 2026-01-10T00:00:00Z, stop: 2026-01-11T00:00:00Z)") || !strings.Contains(asked, "every: 1d") ||
		lines != fluxBatch+3 || writes != 2 {
		t.Errorf("%d lines in %d writes for %s", lines, writes, asked)
	}
}
