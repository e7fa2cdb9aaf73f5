package main

import (
	"context"
	"fmt"
	"io"
	"net/http"

	"github.com/spf13/cobra"
)

// maxPayload is the most bytes that an agent takes for another member.
const maxPayload = 1 << 20

func (a *app) sendCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "send MEMBER [PAYLOAD|-]",
		Short: "Let an agent send a payload to another member",
		Long: `Let an agent send a payload to another member, which is named by its name or its
address. The payload is the argument, or else standard input, at most 1 MiB.
One that does not fit into a packet arrives, or the exit code is 1; a small one
may get lost.

Agents report what they are sent as an event of the kind message, which
'selkie watch --all' prints, and give it to the commands of --on-event.`,
		Example: "  selkie send web-3 'reload, please'\n  selkie send 10.0.0.5:7946 < report.json",
		Args:    cobra.RangeArgs(1, 2),
		RunE: func(c *cobra.Command, args []string) error {
			payload, err := a.payload(args[1:])
			if err != nil {
				return err
			}
			return a.send(c.Context(), args[0], payload)
		},
	}
	c.ValidArgsFunction = a.completeMembers
	return a.talks(c)
}

// payload returns what the arguments say is to be sent.
func (a *app) payload(args []string) ([]byte, error) {
	if len(args) > 0 && args[0] != "-" {
		return []byte(args[0]), nil
	}
	b, err := io.ReadAll(io.LimitReader(a.in, maxPayload+1))
	if err == nil && len(b) > maxPayload {
		err = fail(exitUsage, "the payload has more than %d bytes", maxPayload)
	}
	return b, err
}

func (a *app) send(ctx context.Context, name string, payload []byte) error {
	agent, err := a.dial()
	if err != nil {
		return err
	}
	ctx, cancel := patient(ctx, 2*askFor) // it may need a stream
	defer cancel()
	to, err := agent.named(ctx, name)
	if err != nil {
		return err
	}
	if to.Self {
		return fail(exitUsage, "%s is the agent itself", name)
	}
	if err := agent.call(ctx, http.MethodPost, "/api/v1/send", sendRequest{To: to.Addr, Payload: payload}, nil); err != nil {
		return err
	}
	fmt.Fprintf(a.err, "sent %d bytes to %s\n", len(payload), to.called())
	return nil
}
