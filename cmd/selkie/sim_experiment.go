package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/selkie-go/selkie/cmd/selkie/chart"
	"github.com/selkie-go/selkie/sim"
	"github.com/spf13/cobra"
)

func (a *app) simExperimentCommand() *cobra.Command {
	full := false
	c := &cobra.Command{
		Use:   "experiment ID...|list|all",
		Short: "Measure what was published or follows from theory, and compare",
		Long: `Measure in simulated clusters what others published, or what follows from
theory, and print both beside each other. A simulation that does not land on
these is wrong somewhere, and so its other figures would count for nothing.

An experiment consists of trials, each with a seed of its own, and all
processors work on them: what comes of it is the same on every machine. The exit
code is 1 if something is not as expected.

Without --full an experiment takes at most about two minutes of two processors,
but E10 about six.
With it the clusters are as large and the runs as many as in what was published,
which can take hours.`,
		Example: "  selkie sim experiment list\n  selkie sim experiment E1 E4\n  selkie sim experiment all -o json",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 1 && args[0] == "list" {
				return a.listExperiments()
			}
			chosen, err := a.chooseExperiments(args)
			if err != nil {
				return err
			}
			return a.experiment(c.Context(), chosen, full)
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return append([]string{"list", "all"}, a.experimentIDs()...), cobra.ShellCompDirectiveNoFileComp
		},
	}
	addFull(c, &full)
	return a.prints(c, "text", "json")
}

func addFull(c *cobra.Command, full *bool) {
	c.Flags().BoolVar(full, "full", false, "as large as it was published, even if it takes hours")
}

func (a *app) experimentIDs() []string {
	var ids []string
	for _, e := range a.experiments {
		ids = append(ids, e.ID)
	}
	return ids
}

// chooseExperiments returns the experiments that arguments name, each once.
func (a *app) chooseExperiments(args []string) ([]sim.Experiment, error) {
	if len(args) == 1 && args[0] == "all" {
		return a.experiments, nil
	}
	var chosen []sim.Experiment
	for _, arg := range args {
		is := func(e sim.Experiment) bool { return strings.EqualFold(e.ID, arg) }
		i := slices.IndexFunc(a.experiments, is)
		if i < 0 {
			return nil, fail(exitUsage, "there is no experiment %q: there are %s, or all", arg, strings.Join(a.experimentIDs(), ", "))
		}
		if !slices.ContainsFunc(chosen, is) {
			chosen = append(chosen, a.experiments[i])
		}
	}
	return chosen, nil
}

// An experimentInfo is an experiment, as it is printed.
type experimentInfo struct {
	ID     string `json:"id"`
	Title  string `json:"title"`
	Source string `json:"source"`
}

func (a *app) listExperiments() error {
	infos := []experimentInfo{}
	rows := [][]string{}
	for _, e := range a.experiments {
		infos = append(infos, experimentInfo{e.ID, e.Title, e.Source})
		rows = append(rows, []string{e.ID, e.Title, e.Source})
	}
	if a.output == "json" {
		return printJSON(a.out, infos)
	}
	return printTable(a.out, rows)
}

// A findingInfo is a finding, as it is printed for programs. What is no number,
// or was not expected of anything, is null; an expected value without a tolerance
// is shown for comparison.
type findingInfo struct {
	ID        string `json:"id"`
	Metric    string `json:"metric"`
	Expected  number `json:"expected"`
	Tolerance string `json:"tolerance"`
	Measured  number `json:"measured"`
	Samples   int    `json:"samples"`
	OK        bool   `json:"ok"`
}

func newFindingInfos(findings []sim.Finding) []findingInfo {
	infos := []findingInfo{}
	for _, f := range findings {
		info := findingInfo{f.ID, f.Metric, number(f.Expected), f.Tolerance, number(f.Measured), f.Samples, f.OK}
		if !judged(f) && f.Expected == 0 {
			info.Expected = number(math.NaN())
		}
		infos = append(infos, info)
	}
	return infos
}

// judged reports whether there is something to compare a finding with.
func judged(f sim.Finding) bool { return f.Tolerance != "none" }

// A number is a value for programs. JSON has no word for what is not finite.
type number float64

func (n number) MarshalJSON() ([]byte, error) {
	if v := float64(n); !math.IsNaN(v) && !math.IsInf(v, 0) {
		return json.Marshal(v)
	}
	return []byte("null"), nil
}

// experiment carries out some experiments, and prints what came of each.
func (a *app) experiment(ctx context.Context, chosen []sim.Experiment, full bool) error {
	var all []sim.Finding
	results, err := a.carryOut(ctx, chosen, full, func(r *experimentResult) error {
		all = append(all, r.Findings...)
		if a.output == "text" {
			a.printFindings(r)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if a.output == "json" {
		if err := printJSON(a.out, newFindingInfos(all)); err != nil {
			return err
		}
	}
	return judgeExperiments(results)
}

// printFindings prints for people what an experiment found.
func (a *app) printFindings(r *experimentResult) {
	fmt.Fprintf(a.out, "%s  %s\n    %s\n", r.ID, r.Title, r.Source)
	rows := [][]string{{"METRIC", "EXPECTED", "TOLERANCE", "MEASURED", "SAMPLES", ""}}
	for _, f := range r.Findings {
		rows = append(rows, append([]string{f.Metric}, findingCells(f)...))
	}
	if len(rows) > 1 {
		_ = printTable(a.out, rows)
	}
	fmt.Fprintln(a.out)
}

// findingCells returns a finding without its metric, as people read it.
func findingCells(f sim.Finding) []string {
	verdict := "ok"
	switch {
	case !f.OK:
		verdict = "NOT OK"
	case !judged(f) && f.Expected != 0: // a published value that is no bound
		return []string{chart.Number(f.Expected), "-", chart.Number(f.Measured), chart.Count(f.Samples), "-"}
	case !judged(f):
		return []string{"-", "-", chart.Number(f.Measured), chart.Count(f.Samples), "-"}
	}
	return []string{chart.Number(f.Expected), readable(f.Tolerance), chart.Number(f.Measured), chart.Count(f.Samples), verdict}
}

// readable returns a tolerance with its numbers as people read them.
func readable(tolerance string) string {
	words := strings.Fields(tolerance)
	for i, word := range words {
		if v, err := strconv.ParseFloat(word, 64); err == nil {
			words[i] = chart.Number(v)
		}
	}
	return strings.Join(words, " ")
}

// judgeExperiments says what is not as expected.
func judgeExperiments(results []*experimentResult) error {
	failed, wrong, findings := 0, 0, 0
	for _, r := range results {
		compared, off := r.count()
		findings += compared
		wrong += off
		if r.err != nil {
			failed++
		}
	}
	switch {
	case failed > 0:
		return fail(exitFailed, "%d of %d experiments failed, and %d of %d findings are not as expected", failed, len(results), wrong, findings)
	case wrong > 0:
		return fail(exitFailed, "%d of %d findings are not as expected", wrong, findings)
	}
	return nil
}
