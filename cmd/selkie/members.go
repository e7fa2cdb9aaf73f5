package main

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

var states = []string{"alive", "suspect", "down", "left"}

// A filter chooses members: those that have everything that it names.
type filter struct {
	status []string
	name   *regexp.Regexp
	tags   map[string]*regexp.Regexp
}

func (a *app) membersCommand() *cobra.Command {
	var status, tags []string
	var name string
	c := &cobra.Command{
		Use:   "members",
		Short: "List the members that an agent knows",
		Long: `List every member that an agent knows: the agent itself first, then the others
by address; those that are down or left until they are forgotten.

--status, --name and --tag choose some of them. A regular expression must match
all of a name or value. If no member is chosen, the exit code is 3.`,
		Example: "  selkie members --status down,left -o json\n  selkie members --tag zone='eu-.*' --name 'web-[0-9]+'",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			f, err := newFilter(status, name, tags)
			if err != nil {
				return err
			}
			return a.listMembers(c.Context(), f)
		},
	}
	c.Flags().StringSliceVar(&status, "status", nil, "only members in these states: "+strings.Join(states, ","))
	c.Flags().StringVar(&name, "name", "", "only members whose name matches a regular expression")
	c.Flags().StringArrayVar(&tags, "tag", nil, "only members with a tag whose value matches, key=regexp; repeat it for more")
	complete(c, "status", func() []string { return states })
	return a.prints(a.talks(c), "text", "wide", "json", "jsonl")
}

// newFilter reads the flags that choose members.
func newFilter(status []string, name string, tags []string) (*filter, error) {
	f := &filter{status: status, tags: make(map[string]*regexp.Regexp)}
	for _, s := range status {
		if !slices.Contains(states, s) {
			return nil, fail(exitUsage, "--status %q is not one of %s", s, strings.Join(states, ", "))
		}
	}
	var err error
	if name != "" {
		if f.name, err = whole(name); err != nil {
			return nil, fail(exitUsage, "--name: %w", err)
		}
	}
	for _, tag := range tags {
		key, value, err := parseTag(tag)
		if err != nil {
			return nil, fail(exitUsage, "--tag: %w", err)
		}
		if f.tags[key], err = whole(value); err != nil {
			return nil, fail(exitUsage, "--tag: %w", err)
		}
	}
	return f, nil
}

// whole returns a regular expression that matches whole texts only.
func whole(pattern string) (*regexp.Regexp, error) {
	if _, err := regexp.Compile(pattern); err != nil {
		return nil, err
	}
	return regexp.Compile(`^(?:` + pattern + `)$`)
}

func (f *filter) chooses(m memberInfo) bool {
	if len(f.status) > 0 && !slices.Contains(f.status, m.State) || f.name != nil && !f.name.MatchString(m.Name) {
		return false
	}
	for key, pattern := range f.tags {
		if value, ok := m.Tags[key]; !ok || !pattern.MatchString(value) {
			return false
		}
	}
	return true
}

func (a *app) listMembers(ctx context.Context, f *filter) error {
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
	members = slices.DeleteFunc(members, func(m memberInfo) bool { return !f.chooses(m) })
	if err := a.printMembers(members); err != nil {
		return err
	}
	switch {
	case len(members) > 0:
		return nil
	case f.name == nil && len(f.tags) == 0:
		return fail(exitNothing, "no member is %s", strings.Join(f.status, " or "))
	default:
		return fail(exitNothing, "no member matches")
	}
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
	header := []string{"NAME", "ADDRESS", "STATE", "FOR"}
	if wide {
		header = append(header, "INCARNATION", "GENERATION", "TAGS")
	}
	rows := [][]string{header}
	for _, m := range members {
		name := "-"
		if m.Name != m.Addr {
			name = m.Name
		}
		row := []string{name, m.Addr, m.State, age(m.Since)}
		if wide {
			tags := tagsFlag(m.Tags)
			row = append(row, fmt.Sprint(m.Incarnation), fmt.Sprint(m.Generation), cmp.Or(strings.Join(tags.GetSlice(), ","), "-"))
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
