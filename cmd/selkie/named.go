package main

import (
	"context"
	"net/netip"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// named returns the member that people call by a name or an address. Those that
// are gone count only if nobody else is called so.
func (c *client) named(ctx context.Context, name string) (memberInfo, error) {
	members, err := c.members(ctx)
	if err != nil {
		return memberInfo{}, err
	}
	return findNamed(members, name)
}

func findNamed(members []memberInfo, name string) (memberInfo, error) {
	var active, gone []memberInfo
	at, _ := netip.ParseAddrPort(name) // a name is none
	for _, m := range members {
		switch {
		case m.Name != name && m.Addr != name && (!at.IsValid() || m.at() != at):
		case m.State == "alive" || m.State == "suspect":
			active = append(active, m)
		default:
			gone = append(gone, m)
		}
	}
	found := active
	if len(found) == 0 {
		found = gone
	}
	switch len(found) {
	case 0:
		return memberInfo{}, fail(exitNothing, "no member is called %s", name)
	case 1:
		return found[0], nil
	}
	var addrs []string
	for _, m := range found {
		addrs = append(addrs, m.Addr)
	}
	return memberInfo{}, fail(exitUsage, "%d members are called %s: name one by its address: %s", len(found), name, strings.Join(addrs, " "))
}

// completeMembers offers the names of members to a shell.
func (a *app) completeMembers(c *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	return a.completeFirst(c, args, func(ctx context.Context, agent *client) (names []string, err error) {
		members, err := agent.members(ctx)
		for _, m := range members {
			if !m.Self {
				names = append(names, m.Name)
			}
		}
		return names, err
	})
}

// completeFirst offers a shell what an agent knows for the first argument, and
// nothing if there is no agent.
func (a *app) completeFirst(c *cobra.Command, args []string, offer func(context.Context, *client) ([]string, error)) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	agent, err := a.dial()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	ctx, cancel := patient(c.Context(), time.Second)
	defer cancel()
	words, err := offer(ctx, agent)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return words, cobra.ShellCompDirectiveNoFileComp
}
