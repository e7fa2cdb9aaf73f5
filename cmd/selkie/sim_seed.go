package main

import (
	"github.com/spf13/cobra"
)

func (a *app) simSeedCommand() *cobra.Command {
	var m mixture
	var v viewing
	c := &cobra.Command{
		Use:   "seed SEED",
		Short: "Show what happened in one run of a swarm",
		Long: `Draw the plan of a seed, as a swarm with the same --large, --nodes, --least and
--most does, print it, carry it out, and print what came of it.`,
		Example: `  selkie sim seed 1234 --explain
  selkie sim seed 1234 --shrink --save sim/testdata/bugs/lost-goodbye.json`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			seed, err := parseSeed(args[0])
			if err != nil {
				return fail(exitUsage, "SEED %w", err)
			}
			draw, err := m.drawing()
			if err != nil {
				return err
			}
			if err := v.check(a.output); err != nil {
				return err
			}
			return a.view(c.Context(), &v, draw(seed))
		},
	}
	m.add(c)
	v.add(c)
	return a.prints(c, "text", "json")
}
