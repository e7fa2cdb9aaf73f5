package chart

import (
	"fmt"
	"html"
	"math"

	"github.com/selkie-go/selkie/sim"
)

// A tip is what is shown to whoever points at a place in the picture: one line
// for each series that has a value there.
type tip struct {
	x, y  float64
	lines []string
	of    int // the series of the last line
}

// Values nearer to each other than this share a tip, which has at most so many
// lines. A series gets no more tips than the pointer can tell apart.
const (
	tipReach = 6.0
	tipLines = 5
)

// tips adds what is known of the values.
func (d *drawing) tips() {
	var all []*tip
	near := map[[2]int][]*tip{} // by squares as wide as the reach
	for i, s := range d.figure.Series {
		for p := range d.points(s) {
			x, y, _ := d.place(i, p)
			t := nearest(near, x, y)
			if t == nil {
				t = &tip{x: x, y: y, of: -1}
				all = append(all, t)
				near[square(x, y)] = append(near[square(x, y)], t)
			}
			if t.of != i && len(t.lines) < tipLines {
				t.lines = append(t.lines, s.Name+": "+named(d.figure.X, p.x)+" → "+named(d.figure.Y, p.y))
				t.of = i
			}
		}
	}
	for _, t := range all {
		d.tip(t)
	}
}

func square(x, y float64) [2]int {
	return [2]int{int(math.Floor(x / tipReach)), int(math.Floor(y / tipReach))}
}

// nearest returns the tip that is in reach of a place, or nil.
func nearest(near map[[2]int][]*tip, x, y float64) *tip {
	var best *tip
	least := tipReach
	at := square(x, y)
	for dx := -1; dx <= 1; dx++ {
		for dy := -1; dy <= 1; dy++ {
			for _, t := range near[[2]int{at[0] + dx, at[1] + dy}] {
				if far := math.Hypot(t.x-x, t.y-y); far < least {
					best, least = t, far
				}
			}
		}
	}
	return best
}

// tip adds one, on the side of its place on which there is room.
func (d *drawing) tip(t *tip) {
	anchor, beside := "start", 12.0
	if t.x > (d.left+d.right)/2 {
		anchor, beside = "end", -12
	}
	up := -12 - lineHeight*float64(len(t.lines)-1)
	if t.y+up < d.top+lineHeight {
		up = 22
	}
	fmt.Fprintf(d, `<g class="at" transform="translate(%.1f %.1f)"><circle class="hit" r="5"/><text class="tip" text-anchor="%s" y="%.0f">`, t.x, t.y, anchor, up)
	for i, line := range t.lines {
		down := ""
		if i > 0 {
			down = fmt.Sprintf(` dy="%.0f"`, lineHeight)
		}
		fmt.Fprintf(d, `<tspan x="%.0f"%s>%s</tspan>`, beside, down, html.EscapeString(line))
	}
	d.WriteString("</text></g>")
}

// named returns what a value of an axis is called.
func named(axis sim.Axis, v float64) string {
	if i := int(v); v == float64(i) && i >= 0 && i < len(axis.Names) {
		return axis.Names[i]
	}
	return Number(v)
}
