package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
)

// Exit codes. Scripts rely on them.
const (
	exitDone        = 0
	exitFailed      = 1
	exitUsage       = 2
	exitNothing     = 3
	exitUnreachable = 4
	exitSome        = 5
	exitInterrupted = 130
)

// An exitError is an error that ends the command with a code of its own.
// Every other error of a verb means exitFailed.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

// errSaid is what was said already.
var errSaid = errors.New("it said so itself")

// fail returns an error that ends the command with a code.
func fail(code int, format string, args ...any) error {
	return &exitError{code, fmt.Errorf(format, args...)}
}

func exitCodesTopic() *cobra.Command {
	return &cobra.Command{
		Use:   "exit-codes",
		Short: "What the exit codes mean",
		Long: `Exit codes:

    0  done
    1  failed
    2  usage or configuration is wrong
    3  nothing matched
    4  no agent can be reached
    5  some members failed
  130  interrupted`,
	}
}
