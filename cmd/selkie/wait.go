package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
)

func (a *app) waitCommand() *cobra.Command {
	var members int
	var timeout time.Duration
	c := &cobra.Command{
		Use:   "wait --members N",
		Short: "Wait until so many members are alive",
		Long: `Wait until an agent knows at least N members that are alive, itself included.
An agent that does not answer yet is waited for, too. If the time is over
first, the exit code is 1, or 4 if the agent never answered.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			switch {
			case members < 1:
				return fail(exitUsage, "--members must be at least 1")
			case timeout <= 0:
				return fail(exitUsage, "--timeout must be more than 0")
			}
			return a.wait(c.Context(), members, timeout)
		},
	}
	c.Flags().IntVar(&members, "members", 0, "how many, the agent itself included")
	c.Flags().DurationVar(&timeout, "timeout", 30*time.Second, "most time to wait")
	_ = c.MarkFlagRequired("members")
	return a.talks(c)
}

// retry is how long wait pauses before it tries an agent again.
const retry = 100 * time.Millisecond

func (a *app) wait(ctx context.Context, want int, timeout time.Duration) error {
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	alive := -1
	failed := fail(exitUnreachable, "the agent did not answer within %v", timeout)
	for {
		err := a.waitOnce(limited, want, &alive)
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case limited.Err() != nil && alive < 0:
			return failed
		case limited.Err() != nil:
			return fmt.Errorf("%d of %d members are alive after %v", alive, want, timeout)
		}
		if exit, ok := errors.AsType[*exitError](err); !ok || exit.code != exitUnreachable {
			return err
		}
		failed = err
		select {
		case <-limited.Done():
		case <-time.After(retry):
		}
	}
}

// waitOnce watches an agent until enough members are alive. It keeps the last
// number of them in alive.
func (a *app) waitOnce(ctx context.Context, want int, alive *int) error {
	agent, err := a.dial()
	if err != nil {
		return err
	}
	var known beliefs
	for e, err := range agent.events(ctx) {
		if err != nil {
			return err
		}
		known = known.learn(e)
		if *alive = known.alive(); *alive >= want {
			return nil
		}
	}
	return context.Cause(ctx)
}
