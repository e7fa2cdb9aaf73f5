package chart

import (
	"fmt"
	"iter"
	"strings"

	"github.com/selkie-go/selkie/sim"
)

// A point is one value of a series that has a place in the picture.
type point struct{ x, y float64 }

// points yields the values of a series that can be drawn.
func (d *drawing) points(s sim.Series) iter.Seq[point] {
	return func(yield func(point) bool) {
		for i := range min(len(s.X), len(s.Y)) {
			if shows(d.figure.X, s.X[i]) && shows(d.figure.Y, s.Y[i]) && !yield(point{s.X[i], s.Y[i]}) {
				return
			}
		}
	}
}

// marks draws the series, in the order in which they may cover each other: what
// is expected lies on lines and bars, and below dots that are larger.
func (d *drawing) marks() {
	order := []sim.SeriesMark{sim.MarkBars, sim.MarkLine, sim.MarkPoints, sim.MarkTheory}
	if d.grouped() {
		order = []sim.SeriesMark{sim.MarkBars, sim.MarkTheory, sim.MarkLine, sim.MarkPoints}
	}
	for _, mark := range order {
		for i, s := range d.figure.Series {
			if s.Mark != mark {
				continue
			}
			switch {
			case mark == sim.MarkBars:
				d.bars(i, s)
			case mark == sim.MarkPoints:
				d.dots(i, s, d.dotSize(s))
			case mark == sim.MarkTheory && d.grouped():
				d.dashes(i, s)
			case mark == sim.MarkTheory:
				d.line(i, s, `stroke-width="1.8" stroke-dasharray="6 4"`)
			default:
				d.line(i, s, `stroke-width="3" stroke-opacity=".8" stroke-linejoin="round" stroke-linecap="round"`)
				if len(s.X) <= fewPoints {
					d.dots(i, s, 7)
				}
			}
		}
	}
}

// grouped reports whether the values stand at names or in bars, between which
// no line leads.
func (d *drawing) grouped() bool {
	for _, s := range d.figure.Series {
		if s.Mark == sim.MarkBars {
			return true
		}
	}
	return len(d.x.Names) > 0
}

// place returns where a value of a series is, and how wide what is drawn there
// may be: what stands at the same name stands side by side.
func (d *drawing) place(series int, p point) (x, y, width float64) {
	x, y = d.x.at(p.x), d.y.at(p.y)
	group := d.slot * 0.84
	if !d.grouped() || d.figure.Series[series].Mark == sim.MarkLine {
		return x, y, group
	}
	beside := d.looks[series].beside
	if beside < 0 {
		return x, y, group
	}
	places := 0
	for _, s := range d.figure.Series {
		if s.Mark != sim.MarkTheory {
			places++
		}
	}
	width = group / float64(max(places, 1))
	return x - group/2 + width*(float64(beside)+0.5), y, width
}

// base returns where bars begin.
func (d *drawing) base() float64 {
	if d.y.Log {
		return d.bottom
	}
	return min(max(d.y.at(0), d.top), d.bottom)
}

// bars draws a bar for each value, and the value above if there is room.
func (d *drawing) bars(i int, s sim.Series) {
	for p := range d.points(s) {
		x, y, width := d.place(i, p)
		upper, lower := min(y, d.base()), max(y, d.base())
		fmt.Fprintf(d, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s"/>`, x-width*0.46, upper, width*0.92, max(lower-upper, 1), d.looks[i].colour)
	}
}

// dashes draws a short broken line for each value, as wide as what it is
// expected of.
func (d *drawing) dashes(i int, s sim.Series) {
	var path strings.Builder
	for p := range d.points(s) {
		x, y, width := d.place(i, p)
		fmt.Fprintf(&path, "M%.1f %.1fh%.1f", x-width*0.46, y, width*0.92)
	}
	// What is light below them lets them be seen on a bar, too.
	fmt.Fprintf(d, `<path d="%[1]s" fill="none" stroke="#fff" stroke-width="3.6"/><path d="%[1]s" fill="none" stroke="%[2]s" stroke-width="2.4" stroke-dasharray="6 3"/>`, path.String(), d.looks[i].colour)
}

// line draws a line from value to value. It ends where one can not be drawn,
// and goes on after it.
func (d *drawing) line(i int, s sim.Series, how string) {
	var path strings.Builder
	to, last := "M", ""
	for n := range min(len(s.X), len(s.Y)) {
		if !shows(d.figure.X, s.X[n]) || !shows(d.figure.Y, s.Y[n]) {
			to = "M"
			continue
		}
		at := fmt.Sprintf("%.1f %.1f", d.x.at(s.X[n]), d.y.at(s.Y[n]))
		if to == "L" && at == last {
			continue
		}
		path.WriteString(to + at)
		to, last = "L", at
	}
	if path.Len() > 0 {
		fmt.Fprintf(d, `<path d="%s" fill="none" stroke="%s" %s/>`, path.String(), d.looks[i].colour, how)
	}
}

// fewPoints are so few that each is seen for itself.
const fewPoints = 24

// dotSize returns how large dots are: the more, the smaller.
func (d *drawing) dotSize(s sim.Series) float64 {
	switch {
	case len(s.X) <= fewPoints:
		return 9
	case len(s.X) <= 200:
		return 6
	default:
		return 3
	}
}

// dots draws a dot for each value. They are one path, as there may be many.
func (d *drawing) dots(i int, s sim.Series, size float64) {
	var path strings.Builder
	last := ""
	for p := range d.points(s) {
		x, y, _ := d.place(i, p)
		if at := fmt.Sprintf("M%.1f %.1fh0", x, y); at != last {
			path.WriteString(at)
			last = at
		}
	}
	if path.Len() > 0 {
		fmt.Fprintf(d, `<path d="%s" fill="none" stroke="%s" stroke-width="%.0f" stroke-linecap="round"/>`, path.String(), d.looks[i].colour, size)
	}
}
