package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/selkie-go/selkie/sim"
	"github.com/selkie-go/selkie/swim"
	"github.com/spf13/cobra"
)

// A viewing is how somebody wants to see a run, as the flags say it that verbs
// share which show a single one.
type viewing struct {
	trace, ndjson   bool
	explain, shrink bool
	save            string
	plant           string // a bug
	nodes           string // those whose events to show
	from, to        time.Duration

	filter sim.Filter
}

func (v *viewing) add(c *cobra.Command) {
	f := c.Flags()
	f.BoolVar(&v.trace, "trace", false, "print every event as a line, with a column for each node")
	f.BoolVar(&v.ndjson, "ndjson", false, "print every event as a line of JSON, and nothing else")
	f.StringVar(&v.nodes, "trace-nodes", "all", "of a trace, only events of these nodes, such as 3 or 0-4")
	f.DurationVar(&v.from, "trace-from", 0, "of a trace, only events from this virtual time on")
	f.DurationVar(&v.to, "trace-to", 0, "of a trace, only events until this virtual time")
	f.BoolVar(&v.explain, "explain", false, "tell how the first broken promise came to be, from its origin on")
	f.BoolVar(&v.shrink, "shrink", false, "look for the smallest plan that breaks the same promise, and show that")
	f.StringVar(&v.save, "save", "", "write a plan that broke a promise to this file, to be kept in sim/testdata/bugs")
	f.StringVar(&v.plant, "plant", "", "plant this bug of selkie sim mutants, a name or number")
}

var bugName = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*\.json$`)

// check says which flag makes no sense.
func (v *viewing) check(output string) error {
	switch {
	case v.trace && v.ndjson:
		return fail(exitUsage, "--trace and --ndjson can not both be given")
	case output == "json" && (v.trace || v.ndjson || v.explain):
		return fail(exitUsage, "-o json has no room for a trace or an explanation")
	case v.ndjson && v.explain:
		return fail(exitUsage, "--ndjson and --explain can not both be given")
	case v.to > 0 && v.to < v.from:
		return fail(exitUsage, "--trace-to %v is before --trace-from %v", v.to, v.from)
	case v.save != "" && v.plant != "":
		return fail(exitUsage, "--plant and --save can not both be given: that is no bug of ours")
	case v.save != "" && !bugName.MatchString(filepath.Base(v.save)):
		return fail(exitUsage, "--save %s: name it after what is wrong, such as lost-goodbye.json", v.save)
	}
	v.filter.From, v.filter.To = swim.Instant(v.from), swim.Instant(v.to)
	if v.nodes != "all" {
		nodes, err := parseNodes(v.nodes, mostNodes, nil)
		if err != nil {
			return fail(exitUsage, "--trace-nodes: %w", err)
		}
		v.filter.Nodes = nodes
	}
	return nil
}

// view carries out a plan and shows what came of it.
func (a *app) view(ctx context.Context, v *viewing, plan sim.Plan) error {
	if v.plant == "" {
		return a.show(ctx, v, plan)
	}
	return a.withBugs(ctx, func() error {
		bug, ok := findPlantable(plantables(), v.plant)
		if !ok {
			return fail(exitUsage, "--plant %s: there is no such bug", v.plant)
		}
		plant(bug.number)
		defer plant(0)
		return a.show(ctx, v, plan)
	})
}

// show carries out a plan and shows what came of it. If that is data for
// programs, nothing else goes to standard output.
func (a *app) show(ctx context.Context, v *viewing, plan sim.Plan) error {
	on := func(*sim.World) bool { return ctx.Err() == nil }
	out := bufio.NewWriter(a.out)
	defer out.Flush()
	people := out
	switch {
	case v.ndjson:
		people = bufio.NewWriter(a.err)
		defer people.Flush()
	case a.output == "json":
		people = bufio.NewWriter(io.Discard)
	}
	fmt.Fprint(people, plan)
	fmt.Fprintln(people)
	if v.shrink {
		smaller, err := a.shrink(ctx, plan)
		if err != nil {
			return err
		}
		if smaller != nil {
			plan = *smaller
			fmt.Fprintln(people, "as small as it gets:")
			fmt.Fprint(people, plan)
			fmt.Fprintln(people)
		}
	}
	var trace func(sim.Event)
	switch {
	case v.trace:
		trace = sim.TextTrace(out, plan.Nodes, v.filter)
	case v.ndjson:
		trace = sim.JSONTrace(out, v.filter)
	}
	r, whole := rehearse(func() sim.Plan { return plan }, trace, on)
	if ctx.Err() != nil && !whole {
		return ctx.Err()
	}
	if v.trace {
		fmt.Fprintln(people)
	}
	if a.output == "json" {
		if err := printJSON(out, newResultInfo(&r)); err != nil {
			return err
		}
	}
	printOutcome(people, &r)
	if v.explain && len(r.Violations) > 0 {
		fmt.Fprintf(people, "\n%s", explain(&r))
	}
	if v.save != "" {
		if err := a.saveBug(v.save, &r); err != nil {
			return err
		}
	}
	return broken(&r)
}

// shrink returns a smaller plan that breaks the same promise first, or none if
// every promise holds. An interrupt ends the search, not the command: what was
// found by then is smaller, too.
func (a *app) shrink(ctx context.Context, plan sim.Plan) (*sim.Plan, error) {
	r, _ := rehearse(func() sim.Plan { return plan }, nil, func(w *sim.World) bool {
		return len(w.Violations) == 0 && ctx.Err() == nil
	})
	if len(r.Violations) == 0 {
		return nil, ctx.Err()
	}
	progress := isTerminal(a.err)
	smaller, _ := sim.Shrink(plan, r.Violations[0].Invariant, func(tries int) bool {
		if progress {
			fmt.Fprintf(a.err, "\r\x1b[Kshrinking, run %d", tries)
		}
		return ctx.Err() == nil
	})
	if progress {
		fmt.Fprint(a.err, "\r\x1b[K")
	}
	return &smaller, nil
}

// explain carries a plan out once more, up to the first broken promise, and
// tells how it came to that.
func explain(r *sim.Result) string {
	var record sim.Recorder
	again, _ := rehearse(func() sim.Plan { return r.Plan }, record.Trace, func(w *sim.World) bool { return len(w.Violations) == 0 })
	if len(again.Violations) == 0 {
		return "it did not happen again\n"
	}
	return record.Explain(again.Violations[0])
}

// broken is the error of a run in which a promise did not hold.
func broken(r *sim.Result) error {
	if len(r.Violations) == 0 {
		return nil
	}
	return fail(exitFailed, "%d broken promises, the first is %s", len(r.Violations), r.Violations[0].Invariant)
}

// A resultInfo is what came of a run, as it is printed.
type resultInfo struct {
	Plan       sim.Plan        `json:"plan"`
	Violations []violationInfo `json:"violations"`
	Invalid    string          `json:"invalid"`
	Hash       string          `json:"hash"`
	NodeHours  float64         `json:"node_hours"`
	Marks      map[string]int  `json:"marks"`
	reportInfo
}

func newResultInfo(r *sim.Result) resultInfo {
	info := resultInfo{Plan: r.Plan, Violations: []violationInfo{}, Invalid: r.Invalid, Hash: hash(r), NodeHours: r.NodeHours, Marks: r.Marks, reportInfo: newReportInfo(&r.Report)}
	for _, v := range r.Violations {
		info.Violations = append(info.Violations, newViolationInfo(r.Plan.Seed, v, ""))
	}
	return info
}

// hash returns the hash of a run as people compare it.
func hash(r *sim.Result) string { return fmt.Sprintf("%016x", r.Hash) }

// mostViolations is how many are printed for people; the first ones matter.
const mostViolations = 20

// printOutcome prints what came of a run for people.
func printOutcome(w io.Writer, r *sim.Result) {
	printReport(w, &r.Report)
	fmt.Fprintf(w, "%.2f node-hours, hash %s\n", r.NodeHours, hash(r))
	if r.Invalid != "" {
		fmt.Fprintf(w, "invalid: %s\n", r.Invalid)
	}
	if len(r.Violations) == 0 {
		fmt.Fprintln(w, "every promise held")
		return
	}
	for _, v := range r.Violations[:min(len(r.Violations), mostViolations)] {
		fmt.Fprintf(w, "broken: %v\n", v)
	}
	if more := len(r.Violations) - mostViolations; more > 0 {
		fmt.Fprintf(w, "and %d more\n", more)
	}
}

// saveBug writes a plan that broke a promise down.
func (a *app) saveBug(file string, r *sim.Result) error {
	if len(r.Violations) == 0 {
		return fail(exitNothing, "every promise held: there is nothing to save")
	}
	first := r.Violations[0]
	text, err := json.MarshalIndent(sim.Bug{
		Name:      strings.TrimSuffix(filepath.Base(file), ".json"),
		Found:     time.Now().UTC().Format(time.DateOnly),
		Was:       first.Text,
		Invariant: first.Invariant,
		Plan:      r.Plan,
	}, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(file, append(text, '\n'), 0o644); err != nil {
		return err
	}
	fmt.Fprintf(a.err, "saved to %s: once you know what was wrong, say so in its field Was, as a sentence\n", file)
	return nil
}
