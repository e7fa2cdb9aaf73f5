package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/lmittmann/tint"
	"github.com/selkie-go/selkie"
	"github.com/selkie-go/selkie/swim"
	"github.com/spf13/cobra"
)

// An agent is a member that runs until it is told to leave.
type agent struct {
	*app
	bind, advertise, cluster, profile string
	wire                              wireFlag
	join                              []string
	insecure                          bool
	endpoint, tokenFile               string
	leaveTimeout                      time.Duration
	logLevel, logFormat               string
	whileInput                        bool

	port  uint16   // of --bind; zero lets the system choose
	at    endpoint // of --admin; zero means the socket named after the port
	token string   // who talks over HTTP must show it

	log  *slog.Logger
	node *selkie.Node
	left chan struct{} // closed when somebody made us leave
}

func (a *app) agentCommand() *cobra.Command {
	g := &agent{app: a, left: make(chan struct{}, 1), profile: "lan", logLevel: "info", logFormat: "text"}
	c := &cobra.Command{
		Use:   "agent",
		Short: "Run a member",
		Long: `Run a member of the cluster until it is told to leave, by SIGINT, SIGTERM or
'selkie leave'. A second signal ends it at once.

The first line of standard output is the address that others reach it at.

With --wire foca it is a member of a cluster of the Rust library foca, with the
identity of its example agent. Packets have no frame then: nothing tells those of
another cluster, so --cluster can not be given.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return g.run(c.Context(), c.Flags().Changed("leave-timeout"))
		},
	}
	f := c.Flags()
	f.StringVar(&g.bind, "bind", "127.0.0.1:7946", "address to receive at; port 0 lets the system choose")
	f.StringVar(&g.advertise, "advertise", "", "where others reach it, if not at --bind: host or host:port")
	f.StringArrayVar(&g.join, "join", nil, "a member to join, host:port; repeat it for more")
	f.StringVar(&g.cluster, "cluster", "", "name of the cluster; packets of others are refused")
	g.wire.of(c, "what the members of the cluster speak")
	f.Var(&choice{&g.profile, []string{"lan", "wan", "local"}}, "profile", "how quick to be")
	f.BoolVar(&g.insecure, "insecure", false, "receive from a network although packets are not protected")
	f.StringVar(&g.endpoint, "admin", os.Getenv("SELKIE_ADMIN"), "where it is talked to: unix:///path or http://host:port; by default a socket named after the port (SELKIE_ADMIN)")
	f.StringVar(&g.tokenFile, "admin-token-file", "", "file with the token for http; by default $"+tokenVariable)
	f.DurationVar(&g.leaveTimeout, "leave-timeout", 5*time.Second, "most time for saying goodbye")
	f.Var(&choice{&g.logLevel, []string{"debug", "info", "warn", "error"}}, "log-level", "least important thing to log")
	f.Var(&choice{&g.logFormat, []string{"text", "json"}}, "log-format", "how to log")
	f.BoolVar(&g.whileInput, "while-input", false, "leave when standard input ends")
	_ = f.MarkHidden("while-input") // for those who start agents and may be killed
	complete(c, "profile", func() []string { return []string{"lan", "wan", "local"} })
	complete(c, "log-level", func() []string { return []string{"debug", "info", "warn", "error"} })
	complete(c, "log-format", func() []string { return []string{"text", "json"} })
	return c
}

func (g *agent) run(ctx context.Context, leaveTimeoutGiven bool) error {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)

	cfg, err := g.config()
	if err != nil {
		return err
	}
	if leaveTimeoutGiven {
		cfg.Protocol.LeaveTimeout = g.leaveTimeout
	}
	if g.node, err = selkie.Start(ctx, cfg); err != nil {
		if invalid, ok := errors.AsType[*swim.ConfigError](err); ok {
			return fail(exitUsage, "%w", invalid)
		}
		return err
	}
	defer g.node.Close()
	admin, err := g.serve(ctx)
	if err != nil {
		return err
	}
	defer admin.stop()
	defer g.node.Close() // before that: it ends the event streams
	fmt.Fprintln(g.out, g.node.Self().Addr())
	return g.wait(signals)
}

// wait returns when we are to end, after saying goodbye.
func (g *agent) wait(signals <-chan os.Signal) error {
	input := make(chan struct{})
	if g.whileInput {
		go func() {
			_, _ = io.Copy(io.Discard, g.in)
			close(input)
		}()
	}
	select {
	case <-g.left:
		return nil
	case <-input:
	case s := <-signals:
		g.log.Info("leaving", "signal", s)
	}
	go func() {
		<-signals
		os.Exit(exitInterrupted)
	}()
	return g.leave(context.Background())
}

// leave says goodbye within the time that is allowed for it.
func (g *agent) leave(ctx context.Context) error {
	// The protocol gives up first, so that a goodbye that nobody confirmed
	// is told from one that hangs.
	ctx, cancel := context.WithTimeout(ctx, g.leaveTimeout+time.Second/4)
	defer cancel()
	if err := g.node.Leave(ctx); err != nil {
		return fail(exitFailed, "not everybody may know that we left: %w", err)
	}
	return nil
}

// config returns the configuration of the node that the flags ask for.
func (g *agent) config() (selkie.Config, error) {
	bind, err := netip.ParseAddrPort(g.bind)
	if err != nil {
		return selkie.Config{}, fail(exitUsage, "--bind %q is not IP:port", g.bind)
	}
	if !bind.Addr().IsLoopback() && !g.insecure {
		return selkie.Config{}, fail(exitUsage, "--bind %v is not a loopback address, and packets are neither encrypted nor authenticated: add --insecure if everybody on that network can be trusted", bind)
	}
	if bind.Addr().IsUnspecified() && g.advertise == "" {
		return selkie.Config{}, fail(exitUsage, "--bind %v is all addresses of this machine: name the one that others reach with --advertise", bind)
	}
	if g.leaveTimeout <= 0 {
		return selkie.Config{}, fail(exitUsage, "--leave-timeout must be more than 0, not %v", g.leaveTimeout)
	}
	for _, seed := range g.join {
		if !isHostPort(seed) {
			return selkie.Config{}, fail(exitUsage, "--join %q is not host:port", seed)
		}
	}
	if g.wire.wire() == selkie.WireFoca && g.cluster != "" {
		return selkie.Config{}, fail(exitUsage, "--cluster %q: packets of foca name no cluster", g.cluster)
	}
	if err := g.prepareAdmin(); err != nil {
		return selkie.Config{}, err
	}
	g.log, g.port = g.logger(), bind.Port()
	profiles := map[string]swim.Config{"lan": swim.LAN(1), "wan": swim.WAN(1), "local": swim.Local()}
	return selkie.Config{
		Bind:      bind,
		Advertise: g.advertise,
		Wire:      g.wire.wire(),
		Cluster:   g.cluster,
		Seeds:     g.join,
		Protocol:  profiles[g.profile],
		Log:       g.log,
	}, nil
}

func (g *agent) logger() *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(g.logLevel)); err != nil {
		panic(err) // the flag takes only levels
	}
	if g.logFormat == "json" {
		return slog.New(slog.NewJSONHandler(g.err, &slog.HandlerOptions{Level: level}))
	}
	return slog.New(tint.NewTextHandler(g.err, &tint.Options{
		Level:      level,
		TimeFormat: "15:04:05.000",
		NoColor:    !colourful(g.err),
	}))
}

// prepareAdmin finds the mistakes in what was said about the admin endpoint,
// before anybody hears of the member.
func (g *agent) prepareAdmin() (err error) {
	if g.endpoint == "" {
		return nil
	}
	if g.at, err = parseEndpoint(g.endpoint); err != nil {
		return err
	}
	if g.at.network != "unix" {
		g.token, err = g.readToken()
	}
	return err
}

// serve opens the admin endpoint.
func (g *agent) serve(ctx context.Context) (*server, error) {
	at := g.at
	if at == (endpoint{}) {
		var err error
		if at, err = localEndpoint(cmp.Or(g.port, g.node.Self().Addr().Port())); err != nil {
			return nil, err
		}
	}
	s := &server{
		node:    g.node,
		about:   selfInfo{Wire: g.wire.name, Cluster: g.cluster, Profile: g.profile, Version: version()},
		started: time.Now(),
		seeds:   len(g.join) > 0,
		token:   g.token,
		leave: func(ctx context.Context) error {
			err := g.leave(ctx)
			select {
			case g.left <- struct{}{}:
			default: // told before
			}
			return err
		},
	}
	l, err := at.listen(ctx)
	if err != nil {
		return nil, fmt.Errorf("admin endpoint: %w", err)
	}
	if at.network != "unix" {
		at.addr = l.Addr().String()
	}
	g.log.Info("serving", "admin", at)
	s.serve(l, g.log)
	return s, nil
}

// readToken returns the token for HTTP, where anybody who can reach us can ask.
func (g *agent) readToken() (string, error) {
	token := os.Getenv(tokenVariable)
	if g.tokenFile != "" {
		b, err := os.ReadFile(g.tokenFile)
		if err != nil {
			return "", fail(exitUsage, "--admin-token-file: %w", err)
		}
		token = strings.TrimSpace(string(b))
	}
	if token == "" {
		return "", fail(exitUsage, "an admin endpoint over http needs a token, in %s or in --admin-token-file", tokenVariable)
	}
	return token, nil
}
