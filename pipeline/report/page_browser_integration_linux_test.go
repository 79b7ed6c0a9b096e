//go:build integration

package report

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"echogram/plugins/netlab"
	"echogram/plugins/netlab/process"
)

// browser is a Chromium without a window, in a network namespace without a way out, steered over a pipe (Chrome DevTools
// Protocol, a NUL behind each message).
type browser struct {
	t       *testing.T
	to      io.Writer
	from    *bufio.Reader
	id      int
	session string    // of the one tab
	seen    []message // events
}

// message is a command, its result, or an event.
type message struct {
	ID      int             `json:"id,omitempty"`
	Session string          `json:"sessionId,omitempty"`
	Method  string          `json:"method,omitempty"`
	Params  json.RawMessage `json:"params,omitempty"`
	Result  json.RawMessage `json:"result,omitempty"`
	Error   *struct {
		Message string `json:"message"`
	} `json:"error,omitempty"`
}

const browserTime = 90 * time.Second // it is killed then, and what waits for it fails

// newBrowser starts a browser with one empty tab, which ends with the test.
func newBrowser(t *testing.T) *browser {
	t.Helper()
	lab, err := netlab.New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { lab.Close() })
	alone, err := lab.Namespace("page")
	if err != nil {
		t.Fatal(err)
	}
	home, err := os.MkdirTemp("", "echogram-page-*")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(home) })
	ctx, cancel := context.WithTimeout(context.Background(), browserTime)
	t.Cleanup(cancel)
	cmd := alone.Command(ctx, "chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
		"--no-first-run", "--disable-extensions", "--disable-background-networking", "--disable-component-update", "--disable-sync",
		"--force-color-profile=srgb", "--remote-debugging-pipe", "--user-data-dir="+home, "about:blank")
	ours, theirs := pipes(t)
	cmd.ExtraFiles = theirs
	p, err := process.Start(cmd)
	if err != nil {
		t.Fatalf("%v (Debian's package chromium has it)", err)
	}
	for _, f := range theirs {
		f.Close()
	}
	b := &browser{t: t, to: ours[1], from: bufio.NewReaderSize(ours[0], 1<<20)}
	t.Cleanup(func() { b.end(p) })
	b.open()
	return b
}

// pipes makes the two ends that we read from and write to, and theirs, which become the files 3 and 4.
func pipes(t *testing.T) (ours, theirs []*os.File) {
	t.Helper()
	commandsOut, commandsIn, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	resultsOut, resultsIn, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { commandsIn.Close(); resultsOut.Close() })
	return []*os.File{resultsOut, commandsIn}, []*os.File{commandsOut, resultsIn}
}

// end asks the browser to close; what is left of its process group is killed.
func (b *browser) end(p *process.Process) {
	fmt.Fprintf(b.to, "{\"id\":%d,\"method\":\"Browser.close\"}\x00", b.id+1)
	select {
	case <-p.Done():
	case <-time.After(5 * time.Second):
	}
	_ = p.Stop(5 * time.Second)
	_ = syscall.Kill(-p.Pid(), syscall.SIGKILL) // fails when none is left
}

// open makes the tab.
func (b *browser) open() {
	b.t.Helper()
	var target struct{ TargetID string }
	b.call("Target.createTarget", map[string]any{"url": "about:blank"}, &target)
	var attached struct{ SessionID string }
	b.call("Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &attached)
	b.session = attached.SessionID
	for _, domain := range []string{"Page", "Runtime", "Log", "Network"} {
		b.call(domain+".enable", nil, nil)
	}
}

// call sends a command and waits for its result; events that come meanwhile are kept.
func (b *browser) call(method string, params any, result any) {
	b.t.Helper()
	b.id++
	text, err := json.Marshal(params)
	if err != nil {
		b.t.Fatal(err)
	}
	if params == nil {
		text = []byte("{}")
	}
	command, err := json.Marshal(message{ID: b.id, Session: b.session, Method: method, Params: text})
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := b.to.Write(append(command, 0)); err != nil {
		b.t.Fatalf("%s: %v", method, err)
	}
	for {
		m := b.next()
		switch {
		case m.ID == 0:
			b.seen = append(b.seen, m)
		case m.ID == b.id && m.Error != nil:
			b.t.Fatalf("%s: %s", method, m.Error.Message)
		case m.ID == b.id:
			if result != nil {
				if err := json.Unmarshal(m.Result, result); err != nil {
					b.t.Fatalf("%s: %v", method, err)
				}
			}
			return
		}
	}
}

func (b *browser) next() message {
	b.t.Helper()
	text, err := b.from.ReadBytes(0)
	if err != nil {
		b.t.Fatalf("the browser is gone: %v", err)
	}
	var m message
	if err := json.Unmarshal(text[:len(text)-1], &m); err != nil {
		b.t.Fatalf("%v: %.200q", err, text)
	}
	return m
}

// eval runs an expression in the page, waits for it if it is a promise, and returns its value as text.
func (b *browser) eval(expression string) string {
	b.t.Helper()
	var out struct {
		Result           struct{ Value any }
		ExceptionDetails json.RawMessage
	}
	b.call("Runtime.evaluate", map[string]any{"expression": "(async () => String(await (" + expression + ")))()", "awaitPromise": true, "returnByValue": true}, &out)
	if out.ExceptionDetails != nil {
		b.t.Fatalf("%s: %s", expression, out.ExceptionDetails)
	}
	return fmt.Sprint(out.Result.Value)
}

// await waits until an expression in the page is true.
func (b *browser) await(expression string) {
	b.t.Helper()
	for end := time.Now().Add(20 * time.Second); b.eval(expression) != "true"; <-time.After(20 * time.Millisecond) {
		if time.Now().After(end) {
			b.t.Fatalf("never came: %s", expression)
		}
	}
}

// show loads a file at a width in a colour scheme.
func (b *browser) show(file string, width, height int, scheme string) {
	b.t.Helper()
	b.call("Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}, nil)
	b.call("Emulation.setEmulatedMedia", map[string]any{"features": []map[string]string{{"name": "prefers-color-scheme", "value": scheme}}}, nil)
	b.call("Page.navigate", map[string]any{"url": "file://" + file}, nil)
	b.await("location.protocol === 'file:' && document.readyState === 'complete'")
}

// press presses and releases a key.
func (b *browser) press(key, text string) {
	b.t.Helper()
	codes := map[string]int{"Tab": 9, "Enter": 13, "Home": 36, "ArrowRight": 39, "ArrowDown": 40}
	event := map[string]any{"type": "keyDown", "key": key, "code": key, "windowsVirtualKeyCode": codes[key], "text": text}
	b.call("Input.dispatchKeyEvent", event, nil)
	b.call("Input.dispatchKeyEvent", map[string]any{"type": "keyUp", "key": key, "code": key, "windowsVirtualKeyCode": codes[key]}, nil)
}

// point moves the pointer to a part of an element, 0 to 1 of its size.
func (b *browser) point(selector string, x, y float64) {
	b.t.Helper()
	at := b.eval(fmt.Sprintf("(() => { const e = document.querySelector(%q); e.scrollIntoView({block: 'center', behavior: 'instant'}); "+
		"const r = e.getBoundingClientRect(); return `${r.left + r.width * %g} ${r.top + r.height * %g}`; })()", selector, x, y))
	var px, py float64
	if _, err := fmt.Sscan(at, &px, &py); err != nil {
		b.t.Fatalf("%s lies at %q", selector, at)
	}
	b.call("Input.dispatchMouseEvent", map[string]any{"type": "mouseMoved", "x": px, "y": py}, nil)
}

// faults are errors that the page made, and addresses other than its own that it asked for.
func (b *browser) faults(file string) []string {
	var all []string
	for _, m := range b.seen {
		var p struct {
			Type, URL string
			Request   struct{ URL string }
			Entry     struct{ Level, Text string }
		}
		if err := json.Unmarshal(m.Params, &p); err != nil {
			b.t.Fatal(err)
		}
		switch m.Method {
		case "Runtime.exceptionThrown":
			all = append(all, string(m.Params))
		case "Runtime.consoleAPICalled":
			all = append(all, string(m.Params))
		case "Log.entryAdded":
			all = append(all, p.Entry.Level+": "+p.Entry.Text)
		case "Network.requestWillBeSent":
			if !strings.HasPrefix(p.Request.URL, "data:") && p.Request.URL != "file://"+file && !strings.HasPrefix(p.Request.URL, "file://"+file+"#") {
				all = append(all, "asked for "+p.Request.URL)
			}
		case "Page.javascriptDialogOpening":
			all = append(all, string(m.Params))
		}
	}
	return all
}

// requested tells whether the page itself was seen to be asked for, so that the ear is known to hear.
func (b *browser) requested(file string) bool {
	return slices.ContainsFunc(b.seen, func(m message) bool {
		return m.Method == "Network.requestWillBeSent" && strings.Contains(string(m.Params), "file://"+file)
	})
}

// shoot writes a picture of the whole page.
func (b *browser) shoot(file string) {
	b.t.Helper()
	var m struct {
		CSSContentSize struct{ Width, Height float64 }
	}
	b.call("Page.getLayoutMetrics", nil, &m)
	clip := map[string]any{"x": 0, "y": 0, "width": m.CSSContentSize.Width, "height": m.CSSContentSize.Height, "scale": 1}
	var out struct{ Data string }
	b.call("Page.captureScreenshot", map[string]any{"format": "png", "captureBeyondViewport": true, "clip": clip}, &out)
	data, err := base64.StdEncoding.DecodeString(out.Data)
	if err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(file, data, 0o644); err != nil {
		b.t.Fatal(err)
	}
}
