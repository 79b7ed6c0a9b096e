package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"echogram/pipeline/report"
)

func TestPageFlag(t *testing.T) {
	cmd := &cobra.Command{}
	page := pageFlags(cmd)
	if page.wanted() {
		t.Error("a page is wanted before the flag was read")
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "page.html")
	if err := cmd.ParseFlags([]string{"--page", file}); err != nil || !page.wanted() {
		t.Fatalf("no page is wanted: %v", err)
	}
	c := report.NewCollection(report.CollectionConfig{})
	line := "block_state,block=198.18.0.0/24,group=block,host=probe,network=198.18.0.0/24 sweeps=6i,doubted=0i,targets=256i,ever=9i," +
		`percent_responding=3.5,responding_min=8i,responding_max=9i,state="up",class="underused",always=0i,sometimes=0i,intermittent=0i,underused=9i,rate_limited=false 1772409600000000000`
	if ours, err := c.Line([]byte(line)); !ours || err != nil {
		t.Fatal(ours, err)
	}
	c.Finish()
	var said strings.Builder
	if err := page.write(c, &said); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil || !strings.Contains(string(text), "198.18.0.0/24") {
		t.Errorf("the page holds %d bytes: %v", len(text), err)
	}
	if !strings.HasPrefix(said.String(), file+"\t") {
		t.Errorf("STDOUT says %q", said.String())
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("%v lie beside the page: %v", left, err)
	}
}

func TestPageOfNoNetworks(t *testing.T) {
	c := report.NewCollection(report.CollectionConfig{})
	c.Finish()
	page := &pageOutput{file: filepath.Join(t.TempDir(), "page.html")}
	if err := page.write(c, &strings.Builder{}); err == nil || !strings.HasPrefix(err.Error(), "report: ") {
		t.Errorf("a page of nothing: %v", err)
	}
}
