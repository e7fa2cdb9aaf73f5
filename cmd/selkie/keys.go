package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/selkie-go/selkie/transport/sealed"
	"github.com/spf13/cobra"
)

func (a *app) keysCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "keys",
		Short: "Change the key of a running cluster",
		Long: `Change the key of a running cluster, without anybody being cut off:

  1. selkie keygen NEW, and copy the file to every machine
  2. selkie keys add NEW, at every agent: it accepts both keys now
  3. selkie keys use ID, at every agent, when all accept it: it is used now
  4. selkie keys retire OLD-ID, at every agent, when nobody uses it any more:
     it is still accepted for a while, for those who were away

selkie keys list says how far that is. Agents have their keys from their key
files, and tell each other the names of them, and never the keys.`,
	}
	c.AddCommand(a.keysListCommand(), a.keysAddCommand(), a.keysUseCommand(), a.keysRetireCommand())
	return c
}

func (a *app) keysListCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "list",
		Short: "List the keys that an agent or a member it knows has",
		Long: `List the keys that an agent has, and those that the others say they have.

HEARD is when a packet under a key last came. MISSING are the active members that
do not accept the key, as far as they have said so, and would be cut off if it
were used; USING are those that seal with it, or do not say what with.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			agent, err := a.dial()
			if err != nil {
				return err
			}
			ctx, cancel := patient(c.Context(), askFor)
			defer cancel()
			info, err := agent.keys(ctx)
			if err != nil {
				return err
			}
			return a.printKeys(info)
		},
	}
	return a.prints(a.talks(c), "text", "wide", "json")
}

func (c *client) keys(ctx context.Context) (info keysInfo, err error) {
	err = c.call(ctx, http.MethodGet, "/api/v1/keys", nil, &info)
	return info, err
}

func (a *app) printKeys(info keysInfo) error {
	if a.output == "json" {
		return printJSON(a.out, info)
	}
	rows := [][]string{{"KEY", "HELD", "PRIMARY", "HEARD", "MISSING", "USING"}}
	for _, k := range info.Keys {
		rows = append(rows, []string{k.ID, k.held(), yes(k.Primary), k.heard(), a.members(k.Missing), a.members(k.Using)})
	}
	return printTable(a.out, rows)
}

func yes(is bool) string {
	if is {
		return "yes"
	}
	return "-"
}

func (k keyInfo) held() string {
	if k.Retired != nil {
		return "until " + k.Retired.Format(time.RFC3339)
	}
	return yes(k.Held)
}

func (k keyInfo) heard() string {
	if k.Heard == nil {
		return "never"
	}
	return age(*k.Heard) + " ago"
}

// members says how many there are, or names them where there is room.
func (a *app) members(members []memberRef) string {
	if a.output != "wide" || len(members) == 0 {
		return fmt.Sprint(len(members))
	}
	var names []string
	for _, m := range members {
		names = append(names, m.Name)
	}
	return strings.Join(names, ",")
}

func (a *app) keysAddCommand() *cobra.Command {
	return a.talks(&cobra.Command{
		Use:   "add FILE",
		Short: "Let an agent accept one more key",
		Long: `Let an agent accept the key in FILE, too: write it into the key file of the agent,
and let the agent read that. It must run on this machine, and the key does not
leave it.`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.addKey(c.Context(), args[0])
		},
	})
}

func (a *app) addKey(ctx context.Context, path string) error {
	file, err := readKeyFile(path)
	if err != nil {
		return fail(exitUsage, "%w", err)
	}
	keys, _ := file.accepted(time.Now())
	if len(keys) != 1 {
		return fail(exitUsage, "%s has %d keys: give one that has the new key alone", path, len(keys))
	}
	agent, err := a.dial()
	if err != nil {
		return err
	}
	if !agent.endpoint.isLocal() {
		return fail(exitUsage, "keys are added where the agent runs: call its socket there, or reach it at a loopback address")
	}
	ctx, cancel := patient(ctx, askFor)
	defer cancel()
	info, err := agent.keys(ctx)
	if err != nil {
		return err
	}
	theirs, err := readKeyFile(info.File)
	if err != nil {
		return err
	}
	if err := theirs.add(keys[0]).write(); err != nil {
		return err
	}
	if err := agent.call(ctx, http.MethodPost, "/-/reload", nil, nil); err != nil {
		return fmt.Errorf("the key is in %s, but the agent does not accept it yet: %w", info.File, err)
	}
	return a.saidOfKey(ctx, agent, keys[0].ID().String(), "is accepted")
}

// isLocal reports whether who listens at the endpoint runs on this machine.
func (e endpoint) isLocal() bool {
	if e.network == "unix" {
		return true
	}
	at, err := net.ResolveTCPAddr(e.network, e.addr)
	return err == nil && isLoopback(at)
}

// saidOfKey says what happened to a key, and whether others are still to do it.
func (a *app) saidOfKey(ctx context.Context, agent *client, id, what string) error {
	info, err := agent.keys(ctx)
	if err != nil {
		return err
	}
	for _, k := range info.Keys {
		if k.ID != id {
			continue
		}
		if !k.Held {
			return fmt.Errorf("key %s is in %s, but the agent does not hold it", id, info.File)
		}
		fmt.Fprintf(a.err, "key %s %s; %s\n", id, what, countOf(len(k.Missing), "other member does not accept it yet", "other members do not accept it yet"))
		return nil
	}
	return fmt.Errorf("the agent does not know key %s", id)
}

func (a *app) keysUseCommand() *cobra.Command {
	var force bool
	c := &cobra.Command{
		Use:   "use ID",
		Short: "Let an agent seal with a key",
		Long: `Let an agent seal with a key that it accepts. If an active member does not accept
it, nothing is changed, those who would be cut off are named, and the exit code
is 1.`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.changeKey(c.Context(), "use", keyRequest{ID: args[0], Force: force}, "is used")
		},
	}
	c.Flags().BoolVar(&force, "force", false, "even if members are cut off")
	c.ValidArgsFunction = a.completeKeys
	return a.talks(c)
}

func (a *app) keysRetireCommand() *cobra.Command {
	var force bool
	var grace time.Duration
	c := &cobra.Command{
		Use:   "retire ID",
		Short: "Let an agent stop accepting a key after a while",
		Long: `Let an agent accept a key for a while longer, for those who were away, and then no
more. As long as the agent or an active member seals with it, or somebody did in
the last minutes, nothing is changed, and the exit code is 1.`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			request := keyRequest{ID: args[0], Force: force}
			if c.Flags().Changed("grace") {
				if grace < 0 || grace > maxGrace {
					return fail(exitUsage, "--grace must be from 0s to %v", maxGrace)
				}
				seconds := grace.Seconds()
				request.GraceSeconds = &seconds
			}
			return a.changeKey(c.Context(), "retire", request, "is retired")
		},
	}
	c.Flags().BoolVar(&force, "force", false, "even if somebody uses it")
	c.Flags().DurationVar(&grace, "grace", 0, "how long it is still accepted; by default as long as members that are down are remembered, 24h")
	c.ValidArgsFunction = a.completeKeys
	return a.talks(c)
}

func (a *app) changeKey(ctx context.Context, verb string, request keyRequest, what string) error {
	// A key that was given by mistake is neither sent nor said.
	if _, err := sealed.ParseKeyID(request.ID); err != nil {
		return fail(exitUsage, "%s", strings.TrimPrefix(err.Error(), "sealed: "))
	}
	agent, err := a.dial()
	if err != nil {
		return err
	}
	ctx, cancel := patient(ctx, askFor)
	defer cancel()
	var info keysInfo
	if err := agent.call(ctx, http.MethodPost, "/api/v1/keys/"+verb, request, &info); err != nil {
		return err
	}
	for _, k := range info.Keys {
		if k.ID == request.ID && k.Retired != nil {
			what += ", and accepted " + k.held()
		}
	}
	fmt.Fprintf(a.err, "key %s %s\n", request.ID, what)
	return nil
}

// completeKeys offers the names of keys to a shell.
func (a *app) completeKeys(c *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	return a.completeFirst(c, args, func(ctx context.Context, agent *client) (ids []string, err error) {
		info, err := agent.keys(ctx)
		for _, k := range info.Keys {
			ids = append(ids, k.ID)
		}
		return ids, err
	})
}
