package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/selkie-go/selkie/sim"
	"github.com/spf13/cobra"
)

func (a *app) simReportCommand() *cobra.Command {
	full, dir := false, ""
	c := &cobra.Command{
		Use:   "report --out DIR ID...|all",
		Short: "Carry out experiments, and write a page about them",
		Long: `Carry out experiments as selkie sim experiment does, and write what came of them
into a directory, which is made if there is none:

  index.html  a page with all findings and figures; it needs no network
  ID.json     the findings and the data of the figures of an experiment
  ID.csv      the same as a table: one line for each finding and each value

What is in the directory under these names is replaced. The exit code is 1 if
something is not as expected; the page is written all the same.`,
		Example: "  selkie sim report --out report all\n  selkie sim report --out report E1 E5 --full",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			chosen, err := a.chooseExperiments(args)
			if err != nil {
				return err
			}
			if err := makeDirectory(dir); err != nil {
				return err
			}
			return a.report(c.Context(), chosen, full, dir)
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return append([]string{"all"}, a.experimentIDs()...), cobra.ShellCompDirectiveNoFileComp
		},
	}
	addFull(c, &full)
	c.Flags().StringVar(&dir, "out", "", "the directory to write into")
	if err := errors.Join(c.MarkFlagRequired("out"), c.MarkFlagDirname("out")); err != nil {
		panic(err) // the flag does not exist
	}
	return c
}

// makeDirectory makes sure that there is a directory, before hours of work are
// spent on what is to be written there.
func makeDirectory(dir string) error {
	if dir == "" {
		return fail(exitUsage, "--out must name a directory")
	}
	info, err := os.Stat(dir)
	switch {
	case err == nil && !info.IsDir():
		return fail(exitUsage, "--out %s is not a directory", dir)
	case err == nil || !errors.Is(err, fs.ErrNotExist):
		return err
	}
	return os.MkdirAll(dir, 0o755)
}

// report carries out experiments, and writes what came of them.
func (a *app) report(ctx context.Context, chosen []sim.Experiment, full bool, dir string) error {
	results, err := a.carryOut(ctx, chosen, full, func(r *experimentResult) error {
		a.printFindings(r)
		return writeData(dir, r)
	})
	if err != nil {
		return err
	}
	page := filepath.Join(dir, "index.html")
	if err := writeFile(page, func(f *os.File) error { return writePage(f, results, full) }); err != nil {
		return err
	}
	fmt.Fprintf(a.out, "wrote %s\n", page)
	return judgeExperiments(results)
}

// writeFile makes a file, or replaces it once the new one is whole.
func writeFile(name string, write func(*os.File) error) error {
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return err
	}
	err = errors.Join(write(f), f.Chmod(0o644), f.Close())
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return os.Rename(f.Name(), name)
}
