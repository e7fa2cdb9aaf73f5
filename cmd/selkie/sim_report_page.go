package main

import (
	_ "embed" // the template of the page
	"html/template"
	"io"
	"strings"

	"github.com/selkie-go/selkie/cmd/selkie/chart"
	"github.com/selkie-go/selkie/sim"
)

//go:embed sim_report.html
var pageText string

var pageTemplate = template.Must(template.New("page").Parse(pageText))

// A pageInfo is what the page shows.
type pageInfo struct {
	Style       template.CSS
	Version     string
	Full        bool
	Experiments []pageExperiment
	Judged      int
	Wrong       int
	Failed      int
}

// A pageExperiment is a section of the page.
type pageExperiment struct {
	ID, Title, Source string
	Trials, Took      string
	Failure           string
	Rows              []pageRow
	Judged, Wrong     int
	Figures           []pageFigure
}

// A pageRow is a line of a table of findings.
type pageRow struct {
	Metric string
	Cells  []string
	OK     bool
}

// A pageFigure is a figure, drawn for a screen and for a telephone.
type pageFigure struct {
	sim.Figure
	Wide, Narrow template.HTML
	Legend       []pageEntry
	Omitted      string // what has no place in the pictures
}

// A pageEntry is a line of a legend.
type pageEntry struct {
	Swatch template.HTML
	Name   string
}

// How large figures are drawn. The narrow one is made for a telephone, and its
// letters are as large there.
const (
	wideWidth, wideHeight     = 860, 420
	narrowWidth, narrowHeight = 360, 320
)

// writePage writes the page. It asks for nothing outside of itself.
func writePage(w io.Writer, results []*experimentResult, full bool) error {
	page := pageInfo{Style: template.CSS(chart.Style), Version: version(), Full: full}
	for _, r := range results {
		e := newPageExperiment(r)
		page.Experiments = append(page.Experiments, e)
		page.Judged += e.Judged
		page.Wrong += e.Wrong
		if r.err != nil {
			page.Failed++
		}
	}
	return pageTemplate.Execute(w, page)
}

// together keeps what belongs together in one line.
var together = strings.NewReplacer(" = ", "\u00a0=\u00a0", " %", "\u00a0%")

func newPageExperiment(r *experimentResult) pageExperiment {
	e := pageExperiment{
		ID: r.ID, Title: r.Title, Source: r.Source,
		Trials: chart.Count(r.trials), Took: brief(r.took).String(),
	}
	e.Judged, e.Wrong = r.count()
	if r.err != nil {
		e.Failure = r.err.Error()
	}
	for _, f := range r.Findings {
		e.Rows = append(e.Rows, pageRow{together.Replace(f.Metric), findingCells(f), f.OK})
	}
	for _, f := range r.Figures {
		e.Figures = append(e.Figures, newPageFigure(f))
	}
	return e
}

// newPageFigure draws a figure. The pictures count as markup: package chart
// shows whatever the figure says as text.
func newPageFigure(f sim.Figure) pageFigure {
	p := pageFigure{
		Figure:  f,
		Wide:    template.HTML(chart.SVG(f, wideWidth, wideHeight)),
		Narrow:  template.HTML(chart.SVG(f, narrowWidth, narrowHeight)),
		Omitted: chart.Omitted(f),
	}
	for _, entry := range chart.Legend(f) {
		p.Legend = append(p.Legend, pageEntry{template.HTML(entry.Swatch), entry.Name})
	}
	return p
}
