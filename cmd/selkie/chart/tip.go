package chart

import (
	"fmt"
	"html"
	"math"

	"github.com/selkie-go/selkie/sim"
)

// A tip is what is shown to whoever points at a place in the picture: a line or
// two for each series that has a value there.
type tip struct {
	x, y   float64
	hit    string // what to point at
	lines  []string
	series int // how many have a say
	of     int // which was the last one
}

// Values nearer to each other than this share a tip, as nobody could point at
// just one of them. It speaks of at most so many series.
const (
	tipReach  = 6.0
	tipSeries = 5
)

// tips adds what is known of the values.
func (d *drawing) tips() {
	var all []*tip
	near := map[[2]int][]*tip{} // by squares as wide as the reach
	for i, s := range d.figure.Series {
		for p := range d.points(s) {
			x, y, width := d.place(i, p)
			t := nearest(near, x, y)
			if t == nil {
				t = &tip{x: x, y: y, of: -1, hit: `<circle class="hit" r="5"/>`}
				all = append(all, t)
				near[square(x, y)] = append(near[square(x, y)], t)
			}
			if s.Mark == sim.MarkBars {
				t.hit = d.barHit(x, y, width, t)
			}
			if t.of != i && t.series < tipSeries {
				t.lines = append(t.lines, d.told(s.Name, named(d.figure.X, p.x)+" → "+named(d.figure.Y, p.y))...)
				t.of = i
				t.series++
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

// barHit is a bar and some room above it, as the top of a bar is hard to hit.
func (d *drawing) barHit(x, y, width float64, t *tip) string {
	upper, lower := min(y, d.base())-5, max(y, d.base())
	return fmt.Sprintf(`<rect class="hit" x="%.1f" y="%.1f" width="%.1f" height="%.1f"/>`, x-width*0.46-t.x, upper-t.y, width*0.92, lower-upper)
}

// told returns what is said of a value: in two lines if one does not fit into
// the picture.
func (d *drawing) told(name, value string) []string {
	if line := name + ": " + value; textWidth(line) < d.width*0.9 {
		return []string{line}
	}
	return []string{name + ":", value}
}

// tip adds one, above or below its place and within the picture.
func (d *drawing) tip(t *tip) {
	wide := 0.0
	for _, line := range t.lines {
		wide = max(wide, textWidth(line))
	}
	left := max(min(t.x+8, d.width-wide-4), 4) - t.x
	up := -12 - lineHeight*float64(len(t.lines)-1)
	if t.y+up < lineHeight {
		up = 24
	}
	fmt.Fprintf(d, `<g class="at" transform="translate(%.1f %.1f)">%s<text class="tip" y="%.0f">`, t.x, t.y, t.hit, up)
	for i, line := range t.lines {
		down := ""
		if i > 0 {
			down = fmt.Sprintf(` dy="%.0f"`, lineHeight)
		}
		fmt.Fprintf(d, `<tspan x="%.0f"%s>%s</tspan>`, left, down, html.EscapeString(line))
	}
	d.WriteString("</text></g>")
}

// named returns what a value of an axis is called.
func named(axis sim.Axis, v float64) string {
	if name, ok := Name(axis, v); ok {
		return name
	}
	return Number(v)
}
