package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"echogram/pipeline/outlier"
	"echogram/pipeline/path"
)

// textWidth is how wide paragraphs are.
const textWidth = 100

// writeText explains a finding, a paragraph a question.
func writeText(w io.Writer, f *finding) error {
	head := f.subject.address.String()
	if f.subject.name != head {
		head = f.subject.name + " (" + head + ")"
	}
	if _, err := fmt.Fprintln(w, head); err != nil {
		return err
	}
	if err := writeParagraph(w, f.measured()); err != nil {
		return err
	}
	if err := f.writeSizes(w); err != nil {
		return err
	}
	for _, paragraph := range [][]string{f.bySlope(), f.byOffset(), f.answer()} {
		if err := writeParagraph(w, paragraph); err != nil {
			return err
		}
	}
	return nil
}

func writeParagraph(w io.Writer, sentences []string) error {
	line := ""
	for _, sentence := range sentences {
		for word := range strings.FieldsSeq(sentence) {
			if line != "" && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > textWidth {
				if _, err := fmt.Fprintln(w, " ", line); err != nil {
					return err
				}
				line = ""
			}
			line = strings.TrimLeft(line+" "+word, " ")
		}
	}
	if line == "" {
		return nil
	}
	_, err := fmt.Fprintln(w, " ", line)
	return err
}

// measured says what was sent, what came back, and what was cut and why.
func (f *finding) measured() []string {
	s, n := f.subject, 0
	for i := range f.Sizes {
		n += f.Sizes[i].Filter.N
	}
	text := []string{fmt.Sprintf("%s%s, %d answered.", counted(f.Probes, "echo request"), f.pace(), n)}
	if s.behind > 0 {
		text = append(text, fmt.Sprintf("%s more left less than %v behind another and may have waited for it: left out.", counted(s.behind, "request"), leastInterval))
	}
	if s.behind > s.sent {
		text = append(text, "That is most of them: "+apart+".")
	}
	if len(s.distrust) > 0 {
		text = append(text, "Beware: what echogram sweep says of its own trust is "+strings.Join(s.distrust, "; ")+".")
	}
	if len(f.Sizes) == 1 {
		text = append(text, f.onlySize(&f.Sizes[0]))
	}
	return append(text, f.doubts()...)
}

// apart is how to sweep so that no request waits behind another.
const apart = "sweep with --burst 1 and --rate 500, or one target at a time"

// pace says how the requests were sent.
func (f *finding) pace() string {
	text := ""
	switch {
	case len(f.Sizes) == 1:
		text = fmt.Sprintf(" of %d bytes", f.Sizes[0].Payload)
	case len(f.Sizes) > 1:
		text = fmt.Sprintf(" of %d sizes in turn", len(f.Sizes))
	}
	if f.Facts.Interval > 0 {
		text += ", one every " + strconv.FormatFloat(f.Facts.Interval.Seconds()*1e3, 'g', 4, 64) + " ms"
	}
	return text
}

// noiseIs is what a filter takes for it.
func noiseIs(c outlier.Config) string {
	switch c.Method {
	case outlier.Density:
		return fmt.Sprintf("more than %v times the densest RTT", c.K)
	case outlier.MAD:
		return fmt.Sprintf("more than %v scaled median deviations above the median", c.K)
	}
	return fmt.Sprintf("more than %v σ above the mean of the others", c.K)
}

// onlySize says what the RTTs are where there is one payload size.
func (f *finding) onlySize(s *path.Size) string {
	r := &s.Filter
	text := "No RTT was cut as noise: they"
	if r.Cut > 0 {
		text = fmt.Sprintf("%s above %s cut as noise, %s: the other %d", counted(r.Cut, "RTT"), ns(r.Limit), noiseIs(f.filter), r.Kept)
	}
	return text + fmt.Sprintf(" have a mean of %s and their floor at %s.", plusMinus(r.Mean, half(s)), floorOf(s))
}

func floorOf(s *path.Size) string { return plusMinus(s.Level.Value, s.Level.Half()) }

// writeSizes says the same of several sizes as a table.
func (f *finding) writeSizes(w io.Writer) error {
	if len(f.Sizes) < 2 {
		return nil
	}
	const row = "    %7s %8s %5s  %-11s  %-22s  %s\n"
	if _, err := fmt.Fprintf(w, row, "payload", "answered", "cut", "above", "mean of the others", "floor"); err != nil {
		return err
	}
	for i := range f.Sizes {
		s := &f.Sizes[i]
		r, limit := &s.Filter, ""
		if r.Cut > 0 {
			limit = ns(r.Limit)
		}
		if _, err := fmt.Fprintf(w, row, strconv.Itoa(s.Payload), strconv.Itoa(r.N), strconv.Itoa(r.Cut), limit, plusMinus(r.Mean, half(s)), floorOf(s)); err != nil {
			return err
		}
	}
	return nil
}

// doubts says why the errors of means may not hold.
func (f *finding) doubts() []string {
	found := map[string]bool{}
	for i := range f.Sizes {
		for word := range strings.SplitSeq(f.Sizes[i].Filter.Error, ",") {
			found[word] = true
		}
	}
	var why []string
	for _, d := range [][2]string{{outlier.Few, "there are few RTTs"}, {outlier.Autocorrelated, "RTTs that follow each other are alike"}, {outlier.Modes, "they have several modes"}} {
		if found[d[0]] {
			why = append(why, d[1])
		}
	}
	if why == nil {
		return nil
	}
	return []string{"The mean's error may be greater: " + strings.Join(why, ", and ") + "."}
}

// bySlope reads the slope over frame size.
func (f *finding) bySlope() []string {
	if f.Slope == nil {
		return nil
	}
	text := []string{fmt.Sprintf("Each further byte of the frame takes %.2f ns (%.2f to %.2f).", f.Slope.Value, f.Slope.Low, f.Slope.High)}
	return append(text, f.count(f.BySlope, "store-and-forward switch", "store-and-forward switches")...)
}

// byOffset reads what the target has beyond the reference.
func (f *finding) byOffset() []string {
	if f.Offset == nil {
		return nil
	}
	where := "beyond"
	offset := *f.Offset
	if offset.Value < 0 {
		where, offset = "short of", path.Interval{Value: -offset.Value, Low: -offset.High, High: -offset.Low}
	}
	text := []string{fmt.Sprintf("The floor lies %s (%s to %s) %s that of %s.", ns(offset.Value), ns(offset.Low), ns(offset.High), where, f.Reference)}
	if f.HopDelay != nil {
		text = append(text, fmt.Sprintf("A switch adds %s (%s to %s).", ns(f.HopDelay.Value), ns(f.HopDelay.Low), ns(f.HopDelay.High)))
	}
	return append(text, f.count(f.ByOffset, "switch", "switches")...)
}

// count says how many switches, how sure that is, and what else it could be.
func (f *finding) count(c *path.Count, one, many string) []string {
	said := func(text string) bool { return strings.Contains(text, c.Why) }
	switch {
	case c == nil:
		return nil
	case !c.Told && (slices.ContainsFunc(f.Reasons, said) || slices.ContainsFunc(f.Notes, said)):
		return nil // the answer says why
	case !c.Told:
		return []string{"That does not tell the number of switches: " + c.Why + "."}
	}
	noun := many
	if c.Hops == 1 {
		noun = one
	}
	text := fmt.Sprintf("That makes %d %s", c.Hops, noun)
	if c.Rate > 0 {
		text += " on links of " + rate(c.Rate)
	}
	text += " with a confidence of " + percent(c.Confidence)
	if c.RunnerUp >= 0 {
		text += fmt.Sprintf(", next best %d", c.RunnerUp)
	}
	return []string{text + "."}
}

// answer is the verdict.
func (f *finding) answer() []string {
	var told []string
	if f.Hops != nil && f.Hops.Told {
		told = append(told, counted(f.Hops.Hops, "switch"))
	}
	if f.Cable != nil {
		told = append(told, f.cable())
	}
	var text []string
	if len(told) > 0 {
		text = append(text, "In between: "+strings.Join(told, ", ")+".")
	}
	text = append(text, sentences("", f.Notes)...)
	alone := f.Slope == nil && len(f.cal.Known) == 0 && len(f.Sizes) > 0
	if !alone || f.saved == "" {
		text = append(text, sentences("Cannot be told: ", f.Reasons)...)
	}
	switch {
	case f.saved != "":
		text = append(text, "Stored as "+f.saved+".")
	case alone:
		text = append(text, "Several --sizes, a --reference or a --baseline tell more.")
	}
	return text
}

// cable says how many metres, and than what they are more when nobody said how many those are.
func (f *finding) cable() string {
	more := ""
	for i := range f.cal.Known {
		if k := &f.cal.Known[i]; k.Name == f.Reference && k.Metres == 0 {
			more = " more than to " + k.Name
		}
	}
	if more == "" && f.Cable.Low <= 0 && f.Cable.High > 0 {
		return fmt.Sprintf("at most %s of cable, one way", metres(f.Cable.High))
	}
	return fmt.Sprintf("%s of cable%s, one way (%s to %s)", metres(f.Cable.Value), more, metres(f.Cable.Low), metres(f.Cable.High))
}

func sentences(lead string, texts []string) []string {
	var out []string
	for _, t := range texts {
		t = lead + t
		out = append(out, strings.ToUpper(t[:1])+strings.TrimSuffix(t[1:], ".")+".")
	}
	return out
}

// counted writes a number with its noun.
func counted(n int, noun string) string {
	switch {
	case n == 1:
	case strings.HasSuffix(noun, "ch"):
		noun += "es"
	default:
		noun += "s"
	}
	return strconv.Itoa(n) + " " + noun
}

func percent(p float64) string {
	if p > 0.999 {
		return "more than 99.9 %"
	}
	return strconv.FormatFloat(100*p, 'f', 1, 64) + " %"
}

func metres(m float64) string {
	digit := 10.0
	if math.Abs(m) >= 10 {
		digit = 1
	}
	return strconv.FormatFloat(math.Round(m*digit)/digit+0, 'f', -1, 64) + " m"
}

// rate writes bit/s as switches have it on their lids.
func rate(bits int64) string {
	if bits >= 1e9 {
		return strconv.FormatFloat(float64(bits)/1e9, 'g', 4, 64) + " Gbit/s"
	}
	return strconv.FormatFloat(float64(bits)/1e6, 'g', 4, 64) + " Mbit/s"
}

// ns writes a duration in the unit that fits.
func ns(v float64) string {
	for _, u := range []struct {
		name string
		ns   float64
	}{{"s", 1e9}, {"ms", 1e6}, {"µs", 1e3}} {
		if math.Abs(v) >= u.ns {
			return strconv.FormatFloat(v/u.ns, 'f', 3, 64) + " " + u.name
		}
	}
	return strconv.FormatFloat(math.Round(v)+0, 'f', -1, 64) + " ns"
}

// plusMinus writes a value and its error; an error of 0 is unknown.
func plusMinus(v, err float64) string {
	if err == 0 || math.IsInf(err, 0) || math.IsNaN(err) {
		return ns(v)
	}
	return ns(v) + " ± " + ns(err)
}
