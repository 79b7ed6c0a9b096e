package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const blockLines = `icmp_sweep,block=198.18.0.0/24,host=probe,instance=lab,network=198.18.0.0/24,target=198.18.0.1 sent=1i,received=1i,rtt_ns=1200000i,ttl=64i,result_code=0i 1772409600000000000
icmp_sweep,block=198.18.0.0/24,host=probe,instance=lab,network=198.18.0.0/24,target=198.18.0.2 sent=1i,received=0i,result_code=1i 1772409600000000000
`

func TestReportWritesThePage(t *testing.T) {
	for name, pictures := range map[string][]string{"alone": nil, "beside pictures": {"--out", t.TempDir(), "--picture", "map"}} {
		dir := t.TempDir()
		file := filepath.Join(dir, "page.html")
		stdout, stderr, err := runReport(blockLines, append([]string{"--page", file}, pictures...)...)
		if err != nil || stderr != "" {
			t.Fatalf("%s: %v\n%s", name, err, stderr)
		}
		text, err := os.ReadFile(file)
		if err != nil || !strings.Contains(string(text), "<h1><span>198.18.0.0/24</span></h1>") {
			t.Errorf("%s: the page holds %d bytes: %v", name, len(text), err)
		}
		if !strings.HasPrefix(stdout, file+"\t") || strings.Contains(stdout, "map") != (pictures != nil) {
			t.Errorf("%s: STDOUT says %q", name, stdout)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
			t.Errorf("%s: %v lie there: %v", name, left, err)
		}
	}
}

func TestReportWritesNoPageOfNothing(t *testing.T) {
	dir := t.TempDir()
	for text, file := range map[string]string{echoLines: filepath.Join(dir, "page.html"), blockLines: filepath.Join(dir, "none", "page.html")} {
		if _, _, err := runReport(text, "--page", file); err == nil {
			t.Errorf("%s is written", file)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("%v lie there: %v", left, err)
	}
}
