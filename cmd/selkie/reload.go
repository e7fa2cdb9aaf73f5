package main

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/spf13/cobra"
)

func (a *app) reloadCommand() *cobra.Command {
	return a.talks(&cobra.Command{
		Use:   "reload",
		Short: "Let an agent read its settings again",
		Long: `Let an agent read its file again: log level, tags and seeds of it count from now
on, and so do the keys of its key file. Other settings need a restart. If
anything is wrong, the agent keeps all that it had, and the exit code is 1.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			agent, err := a.dial()
			if err != nil {
				return err
			}
			ctx, cancel := patient(c.Context(), askFor)
			defer cancel()
			var info reloadInfo
			if err := agent.call(ctx, http.MethodPost, "/-/reload", nil, &info); err != nil {
				return err
			}
			changed := "nothing changed"
			if len(info.Changed) > 0 {
				changed = strings.Join(info.Changed, ", ")
			}
			fmt.Fprintf(a.err, "reloaded: %s\n", changed)
			if len(info.Restart) > 0 {
				fmt.Fprintf(a.err, "changed, but not before a restart: %s\n", strings.Join(info.Restart, ", "))
			}
			return nil
		},
	})
}
