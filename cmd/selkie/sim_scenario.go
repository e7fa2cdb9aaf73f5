package main

import (
	"context"
	"fmt"

	"github.com/selkie-go/selkie/sim"
	"github.com/spf13/cobra"
)

func (a *app) simScenarioCommand() *cobra.Command {
	seed := uint64(1)
	c := &cobra.Command{
		Use:   "scenario NAME|list|all",
		Short: "Replay an outage that others had",
		Long: `Replay one of the outages of other gossip systems that were made public, or all
of them, and say whether every promise held. A scenario goes the same way with
every seed, but the luck in it is another.`,
		Example: "  selkie sim scenario list\n  selkie sim scenario all --seed 7",
		Args:    cobra.ExactArgs(1),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return scenarioNames(), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(c *cobra.Command, args []string) error {
			switch args[0] {
			case "list":
				return a.listScenarios()
			case "all":
				return a.playScenarios(c.Context(), sim.Scenarios(), seed)
			}
			for _, s := range sim.Scenarios() {
				if s.Name == args[0] {
					return a.playScenarios(c.Context(), []sim.Scenario{s}, seed)
				}
			}
			return fail(exitUsage, "there is no scenario %q: see selkie sim scenario list", args[0])
		},
	}
	c.Flags().Var(&seedValue{seed: &seed}, "seed", "where the luck comes from")
	return a.prints(c, "text", "json")
}

// scenarioNames returns what can be given as an argument.
func scenarioNames() []string {
	names := []string{"list", "all"}
	for _, s := range sim.Scenarios() {
		names = append(names, s.Name)
	}
	return names
}

// A scenarioInfo is a scenario and, once it was played, what came of it.
type scenarioInfo struct {
	Name       string          `json:"name"`
	Text       string          `json:"text"`
	Seed       *uint64         `json:"seed,omitempty"`
	NodeHours  float64         `json:"node_hours,omitempty"`
	Invalid    string          `json:"invalid,omitempty"`
	Violations []violationInfo `json:"violations,omitempty"`
}

func (a *app) listScenarios() error {
	infos := []scenarioInfo{}
	for _, s := range sim.Scenarios() {
		infos = append(infos, scenarioInfo{Name: s.Name, Text: s.Text})
	}
	if a.output == "json" {
		return printJSON(a.out, infos)
	}
	var rows [][]string
	for _, s := range infos {
		rows = append(rows, []string{s.Name, s.Text})
	}
	return printTable(a.out, rows)
}

// playScenarios plays some scenarios, one after the other.
func (a *app) playScenarios(ctx context.Context, scenarios []sim.Scenario, seed uint64) error {
	infos, failed := []scenarioInfo{}, 0
	for _, s := range scenarios {
		played := make(chan scenarioInfo, 1)
		go func() { played <- playScenario(s, seed) }()
		var info scenarioInfo
		select {
		case info = <-played:
		case <-ctx.Done():
			return ctx.Err() // the process ends, and the scenario with it
		}
		infos = append(infos, info)
		verdict := "held"
		if len(info.Violations) > 0 || info.Invalid != "" {
			failed++
			verdict = "BROKEN"
		}
		if a.output == "text" {
			fmt.Fprintf(a.out, "%-18s %-6s  %.1f node-hours\n", s.Name, verdict, info.NodeHours)
		}
		for _, v := range info.Violations[:min(len(info.Violations), mostViolations)] {
			fmt.Fprintf(a.err, "%s: %s node %d: %s: %s\n", s.Name, v.At, v.Node, v.Invariant, v.Text)
		}
		if info.Invalid != "" {
			fmt.Fprintf(a.err, "%s: invalid: %s\n", s.Name, info.Invalid)
		}
	}
	if a.output == "json" {
		if err := printJSON(a.out, infos); err != nil {
			return err
		}
	}
	if failed > 0 {
		return fail(exitFailed, "%d of %d scenarios failed", failed, len(scenarios))
	}
	return nil
}

// playScenario plays one scenario. A panic is a broken promise.
func playScenario(s sim.Scenario, seed uint64) scenarioInfo {
	r := guarded(func() sim.Result { return s.Run(seed, nil) })
	info := scenarioInfo{Name: s.Name, Text: s.Text, Seed: &seed, NodeHours: r.NodeHours, Invalid: r.Invalid}
	for _, v := range r.Violations {
		info.Violations = append(info.Violations, newViolationInfo(seed, v, fmt.Sprintf("selkie sim scenario %s --seed %d", s.Name, seed)))
	}
	return info
}
