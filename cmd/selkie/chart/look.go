package chart

import (
	"fmt"
	"strings"

	"github.com/selkie-go/selkie/sim"
)

// A look is how a series is drawn.
type look struct {
	colour string
	// beside is the place among those that stand beside each other over one
	// name, or -1 for what is drawn across all of them.
	beside int
}

// hues are colours that also people can tell apart who see fewer of them, after
// Okabe and Ito, and each in a dark shade: what is expected lies on top of what
// was measured, and both have to be seen even if they are the same.
var hues = []struct{ measured, expected string }{
	{"#0072b2", "#002f4a"}, {"#e07b1a", "#5e2f00"}, {"#009e73", "#00402e"}, {"#cc79a7", "#5c2a45"},
	{"#56b4e9", "#144e70"}, {"#d5b000", "#574800"}, {"#d55e00", "#571f00"}, {"#888888", "#333333"},
}

// noHue is the colour of what is expected of no series in particular.
const noHue = "#222222"

// looks decides how each series is drawn. What is expected gets the colour of
// what it is expected of.
func looks(series []sim.Series) []look {
	all := make([]look, len(series))
	var measured, theory []int
	for i, s := range series {
		if s.Mark == sim.MarkTheory {
			theory = append(theory, i)
			continue
		}
		all[i] = look{hues[len(measured)%len(hues)].measured, len(measured)}
		measured = append(measured, i)
	}
	for n, i := range theory {
		all[i] = look{noHue, -1}
		of := counterpart(series, measured, i)
		if of < 0 && len(theory) == len(measured) && len(measured) > 1 {
			of = n
		}
		if of >= 0 {
			all[i] = look{hues[of%len(hues)].expected, of}
		}
	}
	return all
}

// counterpart returns the place of the measured series that the name of an
// expected one mentions, and of several the one with the longest name, or -1.
func counterpart(series []sim.Series, measured []int, theory int) int {
	best := -1
	for place, i := range measured {
		name := series[i].Name
		mentioned := name != "" && (strings.Contains(series[theory].Name, name) || series[theory].Name != "" && strings.Contains(name, series[theory].Name))
		if mentioned && (best < 0 || len(name) > len(series[measured[best]].Name)) {
			best = place
		}
	}
	return best
}

// An Entry is a line of the legend of a figure.
type Entry struct {
	Swatch string // a small picture
	Name   string
}

// Legend says what the lines and colours of a figure mean.
func Legend(f sim.Figure) []Entry {
	var entries []Entry
	for i, l := range looks(f.Series) {
		var mark string
		switch f.Series[i].Mark {
		case sim.MarkTheory:
			mark = fmt.Sprintf(`<path d="M0 7h30" stroke="%s" stroke-width="2" stroke-dasharray="6 4"/>`, l.colour)
		case sim.MarkPoints:
			mark = fmt.Sprintf(`<circle cx="15" cy="7" r="4" fill="%s"/>`, l.colour)
		case sim.MarkBars:
			mark = fmt.Sprintf(`<rect x="8" y="0" width="14" height="14" fill="%s"/>`, l.colour)
		default:
			mark = fmt.Sprintf(`<path d="M0 7h30" stroke="%s" stroke-width="3"/>`, l.colour)
		}
		entries = append(entries, Entry{`<svg width="30" height="14" viewBox="0 0 30 14" aria-hidden="true">` + mark + `</svg>`, f.Series[i].Name})
	}
	return entries
}
