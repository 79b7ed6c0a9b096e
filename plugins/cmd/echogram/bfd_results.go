package main

import (
	"fmt"
	"os"

	"echogram/plugins/internal/prober"
	"echogram/plugins/schema"
)

// bfdResults takes what the engine of one capture point after another gives, and writes what was asked for.
type bfdResults struct {
	form    format
	w       *writer
	only    bfdFilter
	stats   schema.BFDStatsRow // of the capture so far
	report  *bfdReport         // the table, which is written when all is known; else nil
	packets *packetFormat      // --packets; else nil
}

// newResults makes the results of a format; its errors are the user's to mend.
func (f *bfdFlags) newResults() (*bfdResults, error) {
	r := &bfdResults{only: f.only}
	var err error
	switch {
	case f.packets:
		if r.packets, err = newPacketFormat(f.format, f.columns); err == nil {
			r.form.head = r.packets.head
		}
	case f.format == "table" && len(f.columns) == 0:
		r.report = newBFDReport(pageWidth(f.output), f.config.Period, f.verbose || len(f.sessions) > 0, f.verbose)
	case f.format == "csv":
		r.form, err = newEchoCSV(f.columns)
	default:
		r.form, err = newFormat(f.format, formatOptions{columns: f.columns})
	}
	return r, err
}

// open opens the file of --output, or STDOUT.
func (r *bfdResults) open(name string) (done func() error, err error) {
	out, done, err := openOutput(name)
	if err == nil {
		r.w = newWriter(out, r.form)
	}
	return done, err
}

// pageWidth is the width of the terminal that the table goes to, else a width that suits most.
func pageWidth(output string) int {
	if output != "" || !isTerminal(os.Stdout) {
		return 100
	}
	width, _ := terminalSize(os.Stdout)
	return max(width, 60)
}

// begin says what comes next, and how its capture points are called.
func (r *bfdResults) begin(name string, tap func(ifindex int32) string) {
	r.stats = schema.BFDStatsRow{}
	if r.report != nil {
		r.report.begin(name)
	}
	if r.packets != nil {
		r.packets.begin(tap)
	}
}

// row takes a row of the engine.
func (r *bfdResults) row(row schema.Row) {
	if s := seriesOf(row); s != nil && !r.only.hasText(s.Local, s.Peer) {
		return
	}
	if s, ok := row.(*schema.BFDStatsRow); ok {
		addStats(&r.stats, s)
	}
	switch {
	case r.packets != nil:
	case r.report != nil:
		r.write(r.report.row(nil, row))
	default:
		r.w.emit(row)
	}
}

// trace is packet where somebody needs it.
func (r *bfdResults) trace() func(*prober.BFDPacket) {
	if r.report == nil && r.packets == nil {
		return nil
	}
	return r.packet
}

// packet takes a packet as the engine reads it.
func (r *bfdResults) packet(p *prober.BFDPacket) {
	if r.report != nil {
		r.report.saw(p.Packet.Stamp)
	}
	if r.packets != nil && r.only.has(p.Datagram.Src, p.Datagram.Dst) {
		r.w.line = r.packets.append(r.w.line[:0], p)
		r.write(r.w.line)
	}
}

// end writes what is left to say of a capture point: the table itself, or a summary beside the results.
func (r *bfdResults) end() {
	if r.report != nil {
		r.write(r.report.end(nil))
		return
	}
	if r.w.out.Flush() == nil {
		s := &r.stats
		fmt.Fprintln(os.Stderr, count(s.Sessions, "session")+", "+count(s.EchoStreams, "stream")+" of echoes in "+packetCounts(s))
		if text := packetLosses(s); text != "" {
			fmt.Fprintln(os.Stderr, text)
		}
	}
}

func (r *bfdResults) write(b []byte) {
	if r.w.err == nil && len(b) > 0 {
		_, r.w.err = r.w.out.Write(b)
	}
}

// listed writes parts as the continuation of a list.
func listed(parts ...string) (s string) {
	for _, p := range parts {
		if p != "" {
			s += ", " + p
		}
	}
	return s
}

// count is "1 session" or "2 sessions".
func count(n int64, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return thousands(n) + " " + noun
}

// some is count, or nothing for none.
func some(n int64, noun string) string {
	if n == 0 {
		return ""
	}
	return count(n, noun)
}

// seriesOf is what a row about BFD is about; nil for what is about a capture as a whole.
func seriesOf(row schema.Row) *schema.BFDSeries {
	switch r := row.(type) {
	case *schema.BFDSessionRow:
		return &r.BFDSeries
	case *schema.BFDEchoRow:
		return &r.BFDSeries
	case *schema.BFDEchoRTTRow:
		return &r.BFDSeries
	case *schema.BFDEventRow:
		return &r.BFDSeries
	}
	return nil
}
