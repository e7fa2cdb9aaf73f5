package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

var states = []string{"alive", "suspect", "down", "left"}

func (a *app) membersCommand() *cobra.Command {
	var status []string
	c := &cobra.Command{
		Use:   "members",
		Short: "List the members that an agent knows",
		Long: `List every member that an agent knows: the agent itself first, then the others
by address; those that are down or left until they are forgotten.

If --status is given and no member has it, the exit code is 3.`,
		Example: "  selkie members --status down,left -o json",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			for _, s := range status {
				if !slices.Contains(states, s) {
					return fail(exitUsage, "--status %q is not one of %s", s, strings.Join(states, ", "))
				}
			}
			return a.listMembers(c.Context(), status)
		},
	}
	c.Flags().StringSliceVar(&status, "status", nil, "only members in these states: "+strings.Join(states, ","))
	complete(c, "status", func() []string { return states })
	return a.prints(a.talks(c), "text", "wide", "json", "jsonl")
}

func (a *app) listMembers(ctx context.Context, status []string) error {
	agent, err := a.dial()
	if err != nil {
		return err
	}
	ctx, cancel := patient(ctx, askFor)
	defer cancel()
	members, err := agent.members(ctx)
	if err != nil {
		return err
	}
	if len(status) > 0 {
		members = slices.DeleteFunc(members, func(m memberInfo) bool { return !slices.Contains(status, m.State) })
	}
	if err := a.printMembers(members); err != nil {
		return err
	}
	if len(members) == 0 {
		return fail(exitNothing, "no member is %s", strings.Join(status, " or "))
	}
	return nil
}

func (a *app) printMembers(members []memberInfo) error {
	switch a.output {
	case "json":
		return printJSON(a.out, members)
	case "jsonl":
		for _, m := range members {
			if err := printLine(a.out, m); err != nil {
				return err
			}
		}
		return nil
	}
	if len(members) == 0 {
		return nil
	}
	wide := a.output == "wide"
	header := []string{"ADDRESS", "STATE", "FOR"}
	if wide {
		header = append(header, "INCARNATION", "GENERATION")
	}
	rows := [][]string{header}
	for _, m := range members {
		row := []string{m.Addr, m.State, age(m.Since)}
		if wide {
			row = append(row, fmt.Sprint(m.Incarnation), fmt.Sprint(m.Generation))
		}
		if m.Self {
			row = append(row, "this agent")
		}
		rows = append(rows, row)
	}
	if err := printTable(a.out, rows); err != nil {
		return err
	}
	fmt.Fprintln(a.out, summary(countStates(members)))
	return nil
}

// summary returns how many members are in each state as a line.
func summary(count map[string]int) string {
	return fmt.Sprintf("%d alive, %d suspect, %d down, %d left", count["alive"], count["suspect"], count["down"], count["left"])
}
