package main

import (
	"encoding/csv"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"

	"github.com/selkie-go/selkie/cmd/selkie/chart"
	"github.com/selkie-go/selkie/sim"
)

// An outcomeInfo is what came of an experiment, as it is written for programs.
// There is no time of the clock in it, so the same code writes the same.
type outcomeInfo struct {
	experimentInfo
	Error    string        `json:"error,omitempty"`
	Findings []findingInfo `json:"findings"`
	Figures  []figureInfo  `json:"figures"`
}

// A figureInfo is the data of a figure.
type figureInfo struct {
	Title  string       `json:"title"`
	Text   string       `json:"text"`
	X      sim.Axis     `json:"x"`
	Y      sim.Axis     `json:"y"`
	Series []seriesInfo `json:"series"`
}

// A seriesInfo is the data of a series. What is no finite number is null.
type seriesInfo struct {
	Name string         `json:"name"`
	Mark sim.SeriesMark `json:"mark"`
	X    []number       `json:"x"`
	Y    []number       `json:"y"`
}

func newOutcomeInfo(r *experimentResult) outcomeInfo {
	info := outcomeInfo{experimentInfo: experimentInfo{r.ID, r.Title, r.Source}, Findings: newFindingInfos(r.Findings), Figures: []figureInfo{}}
	if r.err != nil {
		info.Error = r.err.Error()
	}
	for _, f := range r.Figures {
		figure := figureInfo{f.Title, f.Text, f.X, f.Y, []seriesInfo{}}
		for _, s := range f.Series {
			figure.Series = append(figure.Series, seriesInfo{s.Name, s.Mark, finite(s.X), finite(s.Y)})
		}
		info.Figures = append(info.Figures, figure)
	}
	return info
}

func finite(values []float64) []number {
	all := make([]number, len(values))
	for i, v := range values {
		all[i] = number(v)
	}
	return all
}

// writeData writes what came of an experiment for programs.
func writeData(dir string, r *experimentResult) error {
	name := filepath.Join(dir, r.ID)
	err := writeFile(name+".json", func(f *os.File) error { return printJSON(f, newOutcomeInfo(r)) })
	if err != nil {
		return err
	}
	return writeFile(name+".csv", func(f *os.File) error { return writeCSV(f, r) })
}

// csvHead names the columns. A line is a finding, with a metric, or a value of
// a figure; what the other kind has stays empty.
var csvHead = []string{
	"id", "kind", "metric", "expected", "tolerance", "measured", "samples", "ok",
	"figure", "series", "mark", "x_label", "x", "x_name", "y_label", "y",
}

// writeCSV writes what came of an experiment as one long table.
func writeCSV(w io.Writer, r *experimentResult) error {
	rows := [][]string{csvHead}
	for _, f := range newFindingInfos(r.Findings) {
		rows = append(rows, []string{
			r.ID, "finding", f.Metric, cell(float64(f.Expected)), f.Tolerance, cell(float64(f.Measured)), strconv.Itoa(f.Samples), strconv.FormatBool(f.OK),
			"", "", "", "", "", "", "", "",
		})
	}
	for _, f := range r.Figures {
		for _, s := range f.Series {
			for i := range min(len(s.X), len(s.Y)) {
				name, _ := chart.Name(f.X, s.X[i])
				rows = append(rows, []string{
					r.ID, "value", "", "", "", "", "", "",
					f.Title, s.Name, string(s.Mark), f.X.Label, cell(s.X[i]), name, f.Y.Label, cell(s.Y[i]),
				})
			}
		}
	}
	return csv.NewWriter(w).WriteAll(rows)
}

// cell returns a value with all its digits, or nothing if it is no number.
func cell(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return ""
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}
