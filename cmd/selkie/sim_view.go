package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/selkie-go/selkie/sim"
	"github.com/spf13/cobra"
)

// A viewing is how somebody wants to see a run, as the flags say it that verbs
// share which show a single one.
type viewing struct {
	save string
}

func (v *viewing) add(c *cobra.Command) {
	c.Flags().StringVar(&v.save, "save", "", "write the plan to this file, to be kept in sim/testdata/bugs")
}

var bugName = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*\.json$`)

// check says which flag makes no sense.
func (v *viewing) check() error {
	if v.save != "" && !bugName.MatchString(filepath.Base(v.save)) {
		return fail(exitUsage, "--save %s: name it after what is wrong, such as lost-goodbye.json", v.save)
	}
	return nil
}

// view carries out a plan and shows what came of it.
func (a *app) view(ctx context.Context, v *viewing, plan func() sim.Plan) error {
	r, whole := rehearse(plan, nil, func(*sim.World) bool { return ctx.Err() == nil })
	if !whole {
		return ctx.Err()
	}
	if err := a.printResult(&r); err != nil {
		return err
	}
	if v.save != "" {
		if err := a.saveBug(v.save, &r); err != nil {
			return err
		}
	}
	return broken(&r)
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
}

func newResultInfo(r *sim.Result) resultInfo {
	info := resultInfo{Plan: r.Plan, Violations: []violationInfo{}, Invalid: r.Invalid, Hash: hash(r), NodeHours: r.NodeHours, Marks: r.Marks}
	for _, v := range r.Violations {
		info.Violations = append(info.Violations, newViolationInfo(r.Plan.Seed, v, ""))
	}
	return info
}

// hash returns the hash of a run as people compare it.
func hash(r *sim.Result) string { return fmt.Sprintf("%016x", r.Hash) }

func (a *app) printResult(r *sim.Result) error {
	if a.output == "json" {
		return printJSON(a.out, newResultInfo(r))
	}
	a.printPlan(&r.Plan)
	fmt.Fprintln(a.out)
	a.printOutcome(r)
	return nil
}

// printPlan prints what is going to happen, one line for each fault.
func (a *app) printPlan(p *sim.Plan) {
	fmt.Fprintf(a.out, "seed %d: %d nodes, %s, %v to find each other, then %v\n", p.Seed, p.Nodes, p.Profile, p.Form, p.For)
	for _, f := range p.Faults {
		fmt.Fprintf(a.out, "  %s\n", f)
	}
	if p.Core != nil {
		fmt.Fprintf(a.out, "then %v are healed, and must agree\n", p.Core)
	}
}

// mostViolations is how many are printed for people; the first ones matter.
const mostViolations = 20

func (a *app) printOutcome(r *sim.Result) {
	fmt.Fprintf(a.out, "%.2f node-hours, hash %s\n", r.NodeHours, hash(r))
	if r.Invalid != "" {
		fmt.Fprintf(a.out, "invalid: %s\n", r.Invalid)
	}
	if len(r.Violations) == 0 {
		fmt.Fprintln(a.out, "every promise held")
		return
	}
	for _, v := range r.Violations[:min(len(r.Violations), mostViolations)] {
		fmt.Fprintf(a.out, "broken: %v\n", v)
	}
	if more := len(r.Violations) - mostViolations; more > 0 {
		fmt.Fprintf(a.out, "and %d more\n", more)
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
