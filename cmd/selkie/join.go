package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/spf13/cobra"
)

func (a *app) joinCommand() *cobra.Command {
	var timeout time.Duration
	c := &cobra.Command{
		Use:   "join host:port...",
		Short: "Let an agent join the cluster of other members",
		Long: `Let an agent ask other members to let it in. All are asked at once; the command
is done when the first one has answered.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, seeds []string) error {
			if timeout <= 0 || timeout > time.Hour {
				return fail(exitUsage, "--timeout must be more than 0 and at most 1h")
			}
			for _, seed := range seeds {
				if !isHostPort(seed) {
					return fail(exitUsage, "%q is not host:port", seed)
				}
			}
			return a.join(c.Context(), seeds, timeout)
		},
	}
	c.Flags().DurationVar(&timeout, "timeout", 10*time.Second, "most time to wait for an answer")
	return a.talks(c)
}

func (a *app) join(ctx context.Context, seeds []string, timeout time.Duration) error {
	agent, err := a.dial()
	if err != nil {
		return err
	}
	ctx, cancel := patient(ctx, timeout+askFor)
	defer cancel()
	var members []memberInfo
	request := joinRequest{Seeds: seeds, TimeoutSeconds: timeout.Seconds()}
	if err := agent.call(ctx, http.MethodPost, "/api/v1/join", request, &members); err != nil {
		return err
	}
	fmt.Fprintf(a.err, "joined: %s\n", summary(countStates(members)))
	return nil
}
