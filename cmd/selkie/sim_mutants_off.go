//go:build !mutants

package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// mutants builds this command again with the bugs in it, and runs that.
func (a *app) mutants(ctx context.Context, _ *hunt) error {
	const pkg = "github.com/selkie-go/selkie/cmd/selkie"
	dir, err := os.MkdirTemp("", "selkie-mutants")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	program := filepath.Join(dir, "selkie-mutants")
	if output, err := exec.CommandContext(ctx, "go", "build", "-tags", "mutants", "-o", program, pkg).CombinedOutput(); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		why := strings.TrimSpace(string(output))
		if why == "" {
			why = err.Error()
		}
		return fail(exitFailed, "this selkie has no bugs to plant, and can not build the one that has: run it in a checkout of its source, with Go installed, or build it with -tags mutants\n%s", why)
	}
	again := exec.CommandContext(ctx, program, a.args...)
	again.Cancel = func() error { return again.Process.Signal(os.Interrupt) } // it sums up, and ends by itself
	again.Stdin, again.Stdout, again.Stderr = a.in, a.out, a.err
	err = again.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return &exitError{exit.ExitCode(), errSaid}
	}
	return err
}
