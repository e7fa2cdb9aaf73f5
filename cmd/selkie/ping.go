package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/spf13/cobra"
)

// A pinger asks an agent to ping a member again and again.
type pinger struct {
	count    int
	interval time.Duration
	timeout  time.Duration
}

// A pingResult is what came of one ping.
type pingResult struct {
	Number int    `json:"number"`
	Name   string `json:"name"`
	Addr   string `json:"addr"`
	*pingInfo
	Error string `json:"error,omitempty"`
}

func (a *app) pingCommand() *cobra.Command {
	var p pinger
	c := &cobra.Command{
		Use:   "ping MEMBER",
		Short: "Measure how long a member takes to answer an agent",
		Long: `Let an agent send packets to another member, outside of the protocol, and print
how long each of them and its answer took. The member is named by its name or its
address. If some are not answered the exit code is 5, and 1 if none is.`,
		Example: "  selkie ping web-3 --count 10 --interval 200ms",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			switch {
			case p.count < 1:
				return fail(exitUsage, "--count must be at least 1")
			case p.interval < 0:
				return fail(exitUsage, "--interval must not be negative")
			case p.timeout <= 0 || p.timeout > time.Hour:
				return fail(exitUsage, "--timeout must be more than 0 and at most 1h")
			}
			return a.ping(c.Context(), args[0], p)
		},
	}
	c.Flags().IntVar(&p.count, "count", 4, "how many packets")
	c.Flags().DurationVar(&p.interval, "interval", time.Second, "time between them")
	c.Flags().DurationVar(&p.timeout, "timeout", time.Second, "most time to wait for an answer")
	c.ValidArgsFunction = a.completeMembers
	return a.prints(a.talks(c), "text", "jsonl")
}

func (a *app) ping(ctx context.Context, name string, p pinger) error {
	agent, err := a.dial()
	if err != nil {
		return err
	}
	asking, cancel := patient(ctx, askFor)
	defer cancel()
	to, err := agent.named(asking, name)
	if err != nil {
		return err
	}
	if to.Self {
		return fail(exitUsage, "%s is the agent itself", name)
	}
	var times []time.Duration
	for i := range p.count {
		if i > 0 {
			select {
			case <-time.After(p.interval):
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
		rtt, err := a.pingOnce(ctx, agent, to, i+1, p.timeout)
		if err != nil {
			return err
		}
		if rtt > 0 {
			times = append(times, rtt)
		}
	}
	return a.pinged(to, p.count, times)
}

// pingOnce prints what came of one ping, and returns how long it took, or 0 if
// there was no answer.
func (a *app) pingOnce(ctx context.Context, agent *client, to memberInfo, number int, timeout time.Duration) (time.Duration, error) {
	result := pingResult{Number: number, Name: to.Name, Addr: to.Addr}
	var info pingInfo
	asking, cancel := patient(ctx, timeout+askFor)
	defer cancel()
	err := agent.call(asking, http.MethodPost, "/api/v1/ping", pingRequest{To: to.Addr, TimeoutSeconds: timeout.Seconds()}, &info)
	if exit, ok := errors.AsType[*exitError](err); ok && exit.code != exitNothing || ctx.Err() != nil {
		return 0, err // the agent is the one who can not be asked
	}
	text := fmt.Sprintf("%d  %s  %s", number, to.called(), info.RTT)
	if err != nil {
		result.Error = err.Error()
		text = fmt.Sprintf("%d  %s  %v", number, to.called(), err)
	} else {
		result.pingInfo = &info
	}
	if a.output == "jsonl" {
		err = printLine(a.out, result)
	} else {
		_, err = fmt.Fprintln(a.out, text)
	}
	return time.Duration(info.RTTSeconds * float64(time.Second)), err
}

// pinged sums up.
func (a *app) pinged(to memberInfo, count int, times []time.Duration) error {
	lost := count - len(times)
	if lost < count {
		slices.Sort(times)
		fmt.Fprintf(a.err, "%d of %d answered: least %v, median %v, most %v\n", len(times), count,
			times[0].Round(time.Microsecond), times[len(times)/2].Round(time.Microsecond), times[len(times)-1].Round(time.Microsecond))
	}
	switch lost {
	case 0:
		return nil
	case count:
		return fail(exitFailed, "%s did not answer", to.called())
	default:
		return fail(exitSome, "%s did not answer %d of %d times", to.called(), lost, count)
	}
}
