// Command selkie runs members of a cluster and talks to them.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/selkie-go/selkie/sim"
	"github.com/spf13/cobra"
)

func main() {
	a := &app{in: os.Stdin, out: os.Stdout, err: os.Stderr, experiments: sim.Experiments()}
	os.Exit(a.run(os.Args[1:]))
}

// An app is one run of the command: its streams, and the flags that several
// verbs share. What is data goes to out, what is said to people to err.
type app struct {
	in       io.Reader
	out, err io.Writer
	// experiments are what selkie sim experiment has to offer.
	experiments []sim.Experiment

	admin  string // --admin
	output string // --output
	args   []string
	ran    bool // a verb was reached: arguments and flags were in order
}

// run carries out a command line and returns the exit code.
func (a *app) run(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	root := a.root()
	a.args = args
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitDone
	}
	code := a.code(err, ctx.Err() != nil)
	if code != exitInterrupted && !errors.Is(err, errSaid) {
		fmt.Fprintf(a.err, "selkie: %s\n", strings.TrimPrefix(err.Error(), "selkie: "))
	}
	if code == exitUsage && !a.ran {
		fmt.Fprintf(a.err, "Try 'selkie help'.\n")
	}
	return code
}

func (a *app) code(err error, interrupted bool) int {
	exit, ok := errors.AsType[*exitError](err)
	switch {
	case ok:
		return exit.code
	case interrupted:
		return exitInterrupted
	case !a.ran:
		return exitUsage
	default:
		return exitFailed
	}
}

// root returns the whole command tree.
func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "selkie",
		Short: "Who else is alive?",
		Long: `selkie is cluster membership: every member knows who else is alive, within
seconds, without a server to ask.

Watch it work:     selkie demo
Make a key:        selkie keygen seals.key
Run a member:      selkie agent --key-file seals.key --bind 10.0.0.4:7946 --join 10.0.0.5:7946
Ask the member:    selkie members`,
		Version:       version(),
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetIn(a.in)
	root.SetOut(a.out)
	root.SetErr(a.err)
	root.SetVersionTemplate("selkie {{.Version}}\n")
	root.AddCommand(
		a.agentCommand(), a.decodeCommand(), a.demoCommand(), a.infoCommand(), a.joinCommand(), a.keygenCommand(), a.keysCommand(),
		a.leaveCommand(), a.membersCommand(), a.pingCommand(), a.reloadCommand(), a.sendCommand(), a.simCommand(), a.tagsCommand(), a.waitCommand(), a.watchCommand(), exitCodesTopic(),
	)
	a.noteRun(root)
	return root
}

// noteRun lets every verb below a command note that it was reached.
func (a *app) noteRun(parent *cobra.Command) {
	for _, c := range parent.Commands() {
		if run := c.RunE; run != nil {
			c.RunE = func(c *cobra.Command, args []string) error {
				a.ran = true
				return run(c, args)
			}
		}
		a.noteRun(c)
	}
}

// talks gives a verb that talks to an agent the flag that says to which.
func (a *app) talks(c *cobra.Command) *cobra.Command {
	c.Flags().StringVar(&a.admin, "admin", os.Getenv("SELKIE_ADMIN"),
		"the agent: unix:///path, http://host:port, or the port of one on this machine (SELKIE_ADMIN)")
	complete(c, "admin", localSockets)
	return c
}

// prints gives a verb the flag that says in which form it prints data.
func (a *app) prints(c *cobra.Command, forms ...string) *cobra.Command {
	c.Flags().VarP(&choice{&a.output, forms}, "output", "o", "how to print")
	a.output = forms[0]
	complete(c, "output", func() []string { return forms })
	return c
}

// complete offers values of a flag to a shell.
func complete(c *cobra.Command, flag string, values func() []string) {
	err := c.RegisterFlagCompletionFunc(flag, func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return values(), cobra.ShellCompDirectiveNoFileComp
	})
	if err != nil {
		panic(err) // the flag does not exist
	}
}

// version returns the version of the module and the revision it was built
// from, as far as the build knows them.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	v := info.Main.Version
	if v == "" {
		v = "(devel)"
	}
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			v += " " + s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			v += "+changes"
		}
	}
	return v
}
