package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// A plantable is a bug that can be planted.
type plantable struct {
	number     int
	name, does string
	breaks     []string // the promises that it should break
}

// findPlantable returns the bug of a name or a number.
func findPlantable(all []plantable, name string) (plantable, bool) {
	at := slices.IndexFunc(all, func(p plantable) bool { return p.name == name || strconv.Itoa(p.number) == name })
	if at < 0 {
		return plantable{}, false
	}
	return all[at], true
}

// withBugs runs something in which bugs are planted: here, if this program has
// any, else in one that is built for it.
func (a *app) withBugs(ctx context.Context, run func() error) error {
	if planting {
		return run()
	}
	dir, err := os.MkdirTemp("", "selkie-mutants")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	program := filepath.Join(dir, "selkie-mutants")
	const source = "github.com/selkie-go/selkie/cmd/selkie"
	output, err := exec.CommandContext(ctx, "go", "build", "-tags", "mutants", "-o", program, source).CombinedOutput()
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		why := strings.TrimSpace(string(output) + "\n" + err.Error())
		return fail(exitFailed, "this selkie has no bugs to plant, and the one that has can not be built here: "+
			"run it in a checkout of the source, with Go installed, or build it with -tags mutants\n%s", why)
	}
	again := exec.CommandContext(ctx, program, a.args...)
	again.Stdin, again.Stdout, again.Stderr = a.in, a.out, a.err
	// On an interrupt it sums up, and ends by itself.
	again.Cancel = func() error { return again.Process.Signal(os.Interrupt) }
	err = again.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.Exited() {
		return &exitError{exit.ExitCode(), errSaid}
	}
	return err
}
