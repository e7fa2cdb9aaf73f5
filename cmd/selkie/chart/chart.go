// Package chart draws the figures of experiments as pictures for a page: no
// script, sharp at every size and on paper, and whoever points at a value sees
// it as a number.
package chart

import (
	"fmt"
	"html"
	"math"
	"strings"

	"github.com/selkie-go/selkie/sim"
)

// Style is what a page needs to have in its style sheet: what is known of a
// value is shown to whoever points at it.
const Style = `
.chart { display: block; width: 100%; height: auto; overflow: visible; font: 13px system-ui, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; }
.chart .hit { fill: transparent; stroke: none; }
.chart .tip { visibility: hidden; pointer-events: none; fill: #000; font-size: 12px; paint-order: stroke; stroke: #fff; stroke-width: 5px; stroke-linejoin: round; }
.chart .at:hover .tip { visibility: visible; }
.chart .at:hover .hit { stroke: #111; stroke-width: 1.5px; }
`

// Roughly how wide a character is, and how high a line, in the picture; and how
// far apart labels are, at least.
const (
	charWidth  = 7.0
	lineHeight = 16.0
	xTickEvery = 60.0
	yTickEvery = 45.0
)

// A drawing is a picture of a figure that is being made.
type drawing struct {
	strings.Builder
	figure                   sim.Figure
	looks                    []look
	x, y                     *scale
	width, height            float64
	left, right, top, bottom float64
	tilted                   bool    // names along x stand at an angle
	slot                     float64 // the room of one bar, or one group of them
}

// SVG returns a figure as a picture of that size. Whatever the figure says is
// shown as text, never taken for markup.
func SVG(f sim.Figure, width, height int) string {
	d := &drawing{figure: f, looks: looks(f.Series), width: float64(width), height: float64(height)}
	fmt.Fprintf(d, `<svg class="chart" viewBox="0 0 %d %d" role="img" aria-label="%s">`, width, height, html.EscapeString(f.Title))
	d.lay()
	d.grid()
	d.marks()
	d.tips()
	d.WriteString("</svg>")
	return d.String()
}

// lay decides which values the axes show, and where.
func (d *drawing) lay() {
	var xs, ys []float64
	bars := false
	for _, s := range d.figure.Series {
		for p := range d.points(s) {
			xs, ys = append(xs, p.x), append(ys, p.y)
		}
		bars = bars || s.Mark == sim.MarkBars
	}
	d.x, d.y = span(d.figure.X, xs), span(d.figure.Y, ys)
	if d.y.begin(0.5); bars {
		d.y.begin(1) // so that the length of a bar means something
	}
	d.y.pad(0.05)
	if bars && d.y.Log {
		d.y.least = math.Floor(d.y.least) // a bar of the least value is one, too
	}
	gap := d.barGap()
	switch {
	case len(d.x.Names) > 0:
	case gap > 0: // half a bar stands outside of the last value
		d.x.least, d.x.most = d.x.least-gap/2, d.x.most+gap/2
	default:
		d.x.begin(0.2)
		d.x.pad(0.03)
	}
	d.top, d.right = 12, d.width-16
	d.roomForLabels()
	d.x.from, d.x.to = d.left, d.right
	d.y.from, d.y.to = d.bottom, d.top
	if gap == 0 {
		gap = 1
	}
	d.slot = gap / (d.x.most - d.x.least) * (d.right - d.left)
}

// roomForLabels finds the left and lower side of the plot from what stands
// there. Names that do not fit beside each other are tilted.
func (d *drawing) roomForLabels() {
	d.left = 24
	for _, t := range d.y.ticks(int(d.height / yTickEvery)) {
		d.left = max(d.left, textWidth(t.label)+14)
	}
	d.bottom = d.height - lineHeight - 10
	if len(d.x.Names) == 0 {
		return
	}
	longest := 0.0
	for _, name := range d.x.Names {
		longest = max(longest, textWidth(name))
	}
	if longest+8 <= (d.right-d.left)/float64(len(d.x.Names)) {
		return
	}
	const angle = tilt * math.Pi / 180
	d.tilted = true
	d.bottom = d.height - min(longest*math.Sin(angle)+lineHeight+8, d.height/2)
	d.left = max(d.left, min(longest*math.Cos(angle)-8, d.right/3))
}

// tilt is the angle at which names stand that are long.
const tilt = 35

func textWidth(text string) float64 { return charWidth * float64(len([]rune(text))) }

// barGap returns the least distance between two bars of a series, in steps of
// the axis, or 0 if there are no bars.
func (d *drawing) barGap() float64 {
	gap := math.Inf(1)
	found := false
	for _, s := range d.figure.Series {
		if s.Mark != sim.MarkBars {
			continue
		}
		before := math.Inf(-1)
		for p := range d.points(s) {
			found = true
			if at := d.x.steps(p.x); at > before {
				gap = min(gap, at-before)
				before = at
			}
		}
	}
	switch {
	case len(d.x.Names) > 0 || found && math.IsInf(gap, 0):
		return 1
	case !found:
		return 0
	}
	return gap
}

// grid draws the axes: lines at the ticks, and labels.
func (d *drawing) grid() {
	for _, t := range d.y.ticks(int(d.height / yTickEvery)) {
		at := d.y.at(t.value)
		d.rule(t, d.left, at, d.right, at)
		if t.label != "" {
			d.label(d.left-8, at+4, "end", "", t.label)
		}
	}
	for _, t := range d.x.ticks(int((d.right - d.left) / xTickEvery)) {
		at := d.x.at(t.value)
		if !d.grouped() {
			d.rule(t, at, d.top, at, d.bottom)
		}
		switch {
		case t.label == "":
		case d.tilted:
			d.label(at+4, d.bottom+lineHeight, "end", fmt.Sprintf(` transform="rotate(-%d %.1f %.1f)"`, tilt, at+4, d.bottom+lineHeight), t.label)
		default:
			d.label(at, d.bottom+lineHeight+4, "middle", "", t.label)
		}
	}
	fmt.Fprintf(d, `<path d="M%.1f %.1fV%.1fH%.1f" fill="none" stroke="#555"/>`, d.left, d.top, d.bottom, d.right)
	if len(d.looks) == 0 || d.empty() {
		d.label((d.left+d.right)/2, (d.top+d.bottom)/2, "middle", "", "nothing was observed")
	}
}

// rule draws the line of a tick through the plot.
func (d *drawing) rule(t tick, x1, y1, x2, y2 float64) {
	colour := "#ddd"
	if t.label == "" {
		colour = "#f0f0f0"
	}
	fmt.Fprintf(d, `<path d="M%.1f %.1fL%.1f %.1f" stroke="%s"/>`, x1, y1, x2, y2, colour)
}

func (d *drawing) label(x, y float64, anchor, more, text string) {
	fmt.Fprintf(d, `<text x="%.1f" y="%.1f" text-anchor="%s" fill="#333"%s>%s</text>`, x, y, anchor, more, html.EscapeString(text))
}

// empty reports whether there is no value to draw.
func (d *drawing) empty() bool {
	for _, s := range d.figure.Series {
		for range d.points(s) {
			return false
		}
	}
	return true
}

// Omitted says which values of a figure have no place in the picture: how many
// of which series, or nothing. Those are no numbers, or on a logarithmic axis
// not above zero.
func Omitted(f sim.Figure) string {
	d := drawing{figure: f}
	var parts []string
	for _, s := range f.Series {
		n := max(len(s.X), len(s.Y))
		for range d.points(s) {
			n--
		}
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d of %s", n, s.Name))
		}
	}
	return strings.Join(parts, ", ")
}
