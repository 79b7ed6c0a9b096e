package resolve

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// serveDNS answers on loopback: ok.* has two addresses of each family and PTR records exist, no.* does not exist,
// bad.* makes the server fail.
func serveDNS(t *testing.T) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			if reply := answerDNS(buf[:n]); reply != nil {
				conn.WriteTo(reply, from)
			}
		}
	}()
	t.Cleanup(func() {
		conn.Close()
		<-done
	})
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}

func answerDNS(query []byte) []byte {
	var m dnsmessage.Message
	if m.Unpack(query) != nil || len(m.Questions) != 1 {
		return nil
	}
	q := m.Questions[0]
	m.Response, m.Additionals = true, nil
	add := func(body dnsmessage.ResourceBody) {
		m.Answers = append(m.Answers, dnsmessage.Resource{Header: dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class, TTL: 60}, Body: body})
	}
	label, _, _ := strings.Cut(q.Name.String(), ".")
	switch {
	case label == "no":
		m.RCode = dnsmessage.RCodeNameError
	case label == "bad":
		m.RCode = dnsmessage.RCodeServerFailure
	case q.Type == dnsmessage.TypeA:
		add(&dnsmessage.AResource{A: [4]byte{127, 0, 0, 7}})
		add(&dnsmessage.AResource{A: [4]byte{127, 0, 0, 8}})
	case q.Type == dnsmessage.TypeAAAA:
		add(&dnsmessage.AAAAResource{AAAA: netip.MustParseAddr("2001:db8::7").As16()})
	case q.Type == dnsmessage.TypePTR:
		add(&dnsmessage.PTRResource{PTR: dnsmessage.MustNewName("host.example.")})
	}
	reply, _ := m.Pack()
	return reply
}

// TestWithServer holds the meaning of DNS's replies against Go's own resolver.
func TestWithServer(t *testing.T) {
	dns := serveDNS(t)
	names := []string{"ok.example.", "no.example.", "bad.example."}
	r := newResolver(Config{Family: IPv4}, dns, time.Now)
	r.cache = map[string]answer{"no.example.": {netip.MustParseAddr("192.0.2.1"), time.Now()}, "bad.example.": {netip.MustParseAddr("192.0.2.2"), time.Now()}}
	got := r.Addrs(t.Context(), names)
	if got[0].Err != nil || got[0].Addr != netip.MustParseAddr("127.0.0.7") {
		t.Errorf("ok: %+v", got[0])
	}
	if !errors.Is(got[1].Err, ErrNone) || got[1].Addr.IsValid() {
		t.Errorf("no: %+v", got[1])
	}
	if got[2].Err == nil || errors.Is(got[2].Err, ErrNone) || got[2].Addr != netip.MustParseAddr("192.0.2.2") || !strings.Contains(got[2].Err.Error(), "bad.example") {
		t.Errorf("bad: %+v", got[2])
	}
	r = newResolver(Config{Family: IPv6}, dns, time.Now)
	if got := r.Addrs(t.Context(), names)[0]; got.Err != nil || got.Addr != netip.MustParseAddr("2001:db8::7") {
		t.Errorf("ok, IPv6: %+v", got)
	}
	if got := r.Names(t.Context(), addrs("192.0.2.99"))[0]; got != "host.example" {
		t.Errorf("the name of 192.0.2.99 is %q", got)
	}
}
