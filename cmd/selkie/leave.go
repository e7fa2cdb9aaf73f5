package main

import (
	"fmt"
	"net/http"

	"github.com/spf13/cobra"
)

func (a *app) leaveCommand() *cobra.Command {
	return a.talks(&cobra.Command{
		Use:   "leave",
		Short: "Let an agent say goodbye and end",
		Long: `Let an agent say goodbye, so that the others report it as left and not as down,
and end. The command is done when the goodbye was heard, or had time to be.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			agent, err := a.dial()
			if err != nil {
				return err
			}
			var self memberInfo
			if err := agent.call(c.Context(), http.MethodPost, "/api/v1/leave", nil, &self); err != nil {
				return err
			}
			fmt.Fprintf(a.err, "%s has left\n", self.Addr)
			return nil
		},
	})
}
