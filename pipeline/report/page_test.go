package report

import (
	"crypto/sha256"
	"encoding/base64"
	"html"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestTemp(t *testing.T) {
	zone, _ := time.LoadLocation("Europe/Berlin")
	l := &pageLife{networks: []string{"198.18.0.0/20", "203.0.112.0/21", "2001:db8:1::/120"}, sweeps: 4 * 48, every: 30 * time.Minute, location: zone}
	start := time.Now()
	c := l.collect(t)
	t.Log("collect", time.Since(start))
	start = time.Now()
	text := pageOf(t, c, PageConfig{})
	t.Log(len(text), time.Since(start))
	os.WriteFile("/tmp/w/pagetmp/small.html", []byte(text), 0o644)
	l = &pageLife{networks: []string{"198.18.0.0/16"}, sweeps: 36, every: 2 * time.Hour, location: time.UTC}
	c = l.collect(t)
	start = time.Now()
	text = pageOf(t, c, PageConfig{})
	t.Log(len(text), time.Since(start))
	os.WriteFile("/tmp/w/pagetmp/big.html", []byte(text), 0o644)
	_, _, _, _, _ = sha256.New, base64.StdEncoding, html.EscapeString, regexp.MustCompile, strings.Contains
}
