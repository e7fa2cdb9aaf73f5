package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
)

func (a *app) watchCommand() *cobra.Command {
	var all bool
	var count int
	c := &cobra.Command{
		Use:   "watch",
		Short: "Print what happens, as it happens",
		Long: `Print what happens to the members that an agent knows, as it happens, until
interrupted.

Kinds of events: up, down, left, renamed (a new life took over the address of
an active one); and of the agent itself: active, idle, defunct, rejoined,
conflict. With --all also the snapshot that everything follows on, suspect,
refuted, updated (name or tags changed), message (another member sent a payload
to this one) and broadcast (it sent one to all). A snapshot is printed in any
case if events were lost because they were not read quickly enough.`,
		Example: "  selkie watch -o jsonl | jq 'select(.kind == \"down\")'",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if count < 0 {
				return fail(exitUsage, "--count must not be negative")
			}
			return a.watch(c.Context(), all, count)
		},
	}
	c.Flags().BoolVar(&all, "all", false, "also doubts, changed tags, and payloads")
	c.Flags().IntVar(&count, "count", 0, "end after this many events; 0 means never")
	return a.prints(a.talks(c), "text", "jsonl")
}

// details are the kinds of events that most people do not want to see.
var details = []string{"suspect", "refuted", "updated", kindMessage, kindBroadcast}

func (a *app) watch(ctx context.Context, all bool, count int) error {
	agent, err := a.dial()
	if err != nil {
		return err
	}
	printed, first := 0, true
	for e, err := range agent.events(ctx) {
		if err != nil {
			return err
		}
		wanted := all || !slices.Contains(details, e.Kind)
		if first {
			fmt.Fprintf(a.err, "watching from %s: %s\n", e.Addr, summary(countStates(e.Members)))
			first, wanted = false, all
		}
		if !wanted {
			continue
		}
		if err := a.printEvent(e); err != nil {
			return err
		}
		if printed++; printed == count {
			return nil
		}
	}
	return context.Cause(ctx)
}

func (a *app) printEvent(e eventInfo) error {
	if a.output == "jsonl" {
		return printLine(a.out, e)
	}
	_, err := fmt.Fprintf(a.out, "%s  %-9s %-21s %s\n", e.Time.Local().Format("15:04:05.000"), e.Kind, e.Addr, strings.TrimSpace(e.label()+remark(e)))
	return err
}

// label returns the name of whom an event is about, if there is one.
func (e eventInfo) label() string {
	if e.Name == e.Addr {
		return ""
	}
	return e.Name + "  "
}

// payloadText returns what was sent, as far as that is fit for a line.
func payloadText(e eventInfo) string {
	const most = 200
	text := fmt.Sprintf("%d bytes", len(e.Payload))
	if e.PayloadText != nil && len(*e.PayloadText) <= most {
		text = strconv.Quote(*e.PayloadText)
	}
	if e.Key != "" {
		text = strconv.Quote(e.Key) + " " + text
	}
	return text
}

// remark returns what there is to say besides who and what.
func remark(e eventInfo) string {
	switch {
	case e.Kind == "snapshot":
		return summary(countStates(e.Members))
	case e.Cause != nil:
		return e.Cause.Text
	case e.Kind == "up" || e.Kind == "renamed" || e.Kind == "rejoined":
		return fmt.Sprintf("generation %d", e.Generation)
	case e.Kind == "refuted":
		return fmt.Sprintf("incarnation %d", e.Incarnation)
	case e.Kind == "updated":
		return describeTags(e.Tags)
	case e.Kind == kindMessage || e.Kind == kindBroadcast:
		return payloadText(e)
	case e.Self:
		return "this agent"
	}
	return ""
}
