package report

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"html/template"
	"image"
	"image/color"
	"image/png"
)

const maxStills = 4 // networks that have a picture for readers without JavaScript

// pageStill is a picture of a network's latest answers, a pixel a cell.
type pageStill struct {
	Network, Text string
	Image         template.URL
	Width, Height int
}

func (a *pageAtlas) still() (pageStill, error) {
	h := hilbert{a.order}
	wide, high := h.size()
	out := image.NewPaletted(image.Rect(0, 0, wide, high), a.palette())
	for i, code := range a.plane(func(t *Target) Answer { return t.Last }) {
		x, y := h.cell(i)
		out.SetColorIndex(x, y, code)
	}
	var b bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&b, out); err != nil {
		return pageStill{}, fmt.Errorf("report: page: map of %s: %w", a.net.Name, err)
	}
	text := "no address answers; blank is silent"
	if !a.scale.empty {
		text = fmt.Sprintf("RTT from %s ms (dark) to %s ms (bright); blank is silent", millis(a.scale.min), millis(a.scale.max))
	}
	return pageStill{a.net.Name, text, template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(b.Bytes())),
		wide, high}, nil
}

// palette is a colour a code, as answerPalette has them.
func (a *pageAtlas) palette() color.Palette {
	answers := answerPalette()
	p := color.Palette{codeNone: answers[notProbedColor], codeSilent: answers[silentColor], codeLate: answers[lateColor],
		codeError: answers[icmpErrorColor], codeUntimed: answers[untimedColor]}
	for code := codeRTT; code < codes && !a.scale.empty; code++ {
		p = append(p, shade(a.scale.part(a.rtt(code))))
	}
	return p
}
