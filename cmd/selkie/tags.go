package main

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

func (a *app) tagsCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "tags",
		Short: "List or change the tags of an agent",
		Long: `List the tags of an agent, which all members know. 'selkie tags set' and
'selkie tags unset' change them until the agent ends; what its settings say is
what it starts with again.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return a.changeTags(c.Context(), http.MethodGet, nil)
		},
	}
	set := &cobra.Command{
		Use:     "set key=value...",
		Short:   "Set tags of an agent",
		Example: "  selkie tags set zone=b role=primary",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			var tags tagsFlag
			if err := tags.Replace(args); err != nil {
				return fail(exitUsage, "%w", err)
			}
			return a.changeTags(c.Context(), http.MethodPost, &tagsRequest{Set: tags})
		},
	}
	unset := &cobra.Command{
		Use:   "unset key...",
		Short: "Take tags away from an agent",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.changeTags(c.Context(), http.MethodPost, &tagsRequest{Unset: args})
		},
	}
	for _, verb := range []*cobra.Command{c, set, unset} {
		a.prints(a.talks(verb), "text", "json")
	}
	c.AddCommand(set, unset)
	return c
}

// changeTags changes tags if it is told to, and prints all that there are then.
func (a *app) changeTags(ctx context.Context, method string, request any) error {
	agent, err := a.dial()
	if err != nil {
		return err
	}
	ctx, cancel := patient(ctx, askFor)
	defer cancel()
	var tags map[string]string
	if err := agent.call(ctx, method, "/api/v1/tags", request, &tags); err != nil {
		return err
	}
	if a.output == "json" {
		return printJSON(a.out, tags)
	}
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		fmt.Fprintf(a.out, "%s=%s\n", key, tags[key])
	}
	return nil
}

// describeTags returns tags as a few words.
func describeTags(tags map[string]string) string {
	if len(tags) == 0 {
		return "no tags"
	}
	t := tagsFlag(tags)
	return strings.Join(t.GetSlice(), " ")
}
