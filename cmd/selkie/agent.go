package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/signal"
	"strings"
	"sync"
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
	flags layer     // what its command line said
	set   *settings // as it was started

	port  uint16   // of --bind; zero lets the system choose
	at    endpoint // of --admin; zero means the socket named after the port
	token string   // who talks over HTTP must show it

	log    *slog.Logger
	level  slog.LevelVar
	node   *selkie.Node
	events *eventLog
	tags   *tagbook
	seeds  *seeker
	keys   *keyring // nil if packets are not sealed
	hooks  []*hook
	left   chan struct{} // closed when somebody made us leave

	reloading sync.Mutex
	now       *settings // as the last reload found them
}

func (a *app) agentCommand() *cobra.Command {
	line := newSettings()
	c := &cobra.Command{
		Use:   "agent",
		Short: "Run a member",
		Long: `Run a member of the cluster until it is told to leave, by SIGINT, SIGTERM or
'selkie leave'. A second signal ends it at once.

The first line of standard output is the address that others reach it at.

With --key-file all that it says is sealed; 'selkie keygen' makes a key. Without
one it only receives from this machine, unless --insecure is given.

--join says where other members may be found. host:port is a member, contacted
for as long as it is not active. The others are asked while the agent is alone,
and now and then: dns+name:port for all addresses of a name, dnssrv+name for SRV
records, file=PATH for a file with a host:port on each line, and exec=COMMAND for
a command that prints such lines.

The command of --on-event gets each event as JSON on its standard input, and in
its environment SELKIE_EVENT, the kind of it, and SELKIE_MEMBER and SELKIE_NAME,
whom it is about. It runs for one event after another, 30 seconds at the most.

Every flag can be a variable of the environment, as SELKIE_LOG_LEVEL for
--log-level (--join and --tag: several with commas between them), and a line of
the file that --config names: log-level = "debug". Lists are lists there, and
tags a table, [tags]. A flag goes before a variable, and that before the file.

SIGHUP, or 'selkie reload', reads log level, tags, seeds and keys again. SIGUSR1
logs all that the agent knows.

With --wire foca it is a member of a cluster of the Rust library foca, with the
identity of its example agent. Packets are neither sealed nor framed then: nothing
tells those of another cluster, so --cluster can not be given.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			g := &agent{app: a, flags: givenFlags(c.Flags()), left: make(chan struct{}, 1)}
			return g.run(c.Context())
		},
	}
	c.Flags().AddFlagSet(line.flags)
	complete(c, "wire", func() []string { return wireWords })
	complete(c, "profile", func() []string { return profileWords })
	complete(c, "log-level", func() []string { return levelWords })
	complete(c, "log-format", func() []string { return formatWords })
	return c
}

func (g *agent) run(ctx context.Context) error {
	var signals signals
	signals.ask()
	defer signals.stop()

	var err error
	if g.set, err = loadSettings(g.flags, osEnvironment()); err != nil {
		return err
	}
	cfg, err := g.config()
	if err != nil {
		return err
	}
	if g.node, err = selkie.Start(ctx, cfg); err != nil {
		if invalid, ok := errors.AsType[*swim.ConfigError](err); ok {
			return fail(exitUsage, "%w", invalid)
		}
		return err
	}
	defer g.node.Close()
	defer g.accompany(cfg)()
	admin, err := g.serve(ctx)
	if err != nil {
		return err
	}
	defer admin.stop()
	defer g.node.Close() // before that: it ends the event streams
	fmt.Fprintln(g.out, g.node.Self().Addr())
	return g.wait(&signals)
}

// signals are those that an agent is told something by.
type signals struct {
	end, reload, dump chan os.Signal
}

func (s *signals) ask() {
	s.end, s.reload, s.dump = make(chan os.Signal, 2), make(chan os.Signal, 1), make(chan os.Signal, 1)
	signal.Notify(s.end, os.Interrupt, syscall.SIGTERM)
	notifyMore(s.reload, s.dump)
}

func (s *signals) stop() {
	for _, c := range []chan os.Signal{s.end, s.reload, s.dump} {
		signal.Stop(c)
	}
}

// accompany starts all that runs beside the node, and returns what ends it.
func (g *agent) accompany(cfg selkie.Config) (end func()) {
	g.tags = newTagbook(g.set.tags, g.node.SetTags)
	if g.keys != nil {
		g.keys.quiet = quietTime(cfg.Protocol, cfg.Protocol.Members)
		g.keys.grace = cfg.Protocol.WithDefaults().ForgetAfter
		g.keys.attach(g.node)
	}
	ctx, cancel := context.WithCancel(context.Background())
	for _, command := range g.set.onEvent {
		h := newHook(command, g.log, g.hookVariables()...)
		g.hooks = append(g.hooks, h)
		g.events.listen(h.push)
		go h.run(ctx)
	}
	g.seeds = newSeeker(g.node, net.DefaultResolver, g.log, cfg.Seeds)
	g.seeds.use(g.set.join)
	g.events.listen(func(e happened) {
		if e.kind == selkie.EventIdle.String() {
			g.seeds.nudge()
		}
	})
	go g.events.follow(g.node, g.log)
	g.seeds.start()
	return func() {
		g.seeds.stop()
		if g.keys != nil {
			g.keys.close()
		}
		g.node.Close()
		<-g.events.ended
		g.farewell()
		cancel()
		for _, h := range g.hooks {
			<-h.done
		}
	}
}

// hookVariables are what the command of a hook is told beside the event: how to
// talk to us, unless the system chooses that later.
func (g *agent) hookVariables() []string {
	at := g.admins()
	if strings.HasSuffix(at.addr, ":0") {
		return nil
	}
	return []string{"SELKIE_ADMIN=" + at.String()}
}

// farewell lets hooks finish with what waits for them, for a while.
func (g *agent) farewell() {
	for _, h := range g.hooks {
		h.close()
	}
	end := time.After(hookGoodbye)
	for _, h := range g.hooks {
		select {
		case <-h.done:
		case <-end:
			return
		}
	}
}

// wait returns when we are to end, after saying goodbye.
func (g *agent) wait(signals *signals) error {
	input := make(chan struct{})
	if g.set.whileInput {
		go func() {
			_, _ = io.Copy(io.Discard, g.in)
			close(input)
		}()
	}
	for {
		select {
		case <-g.left:
			return nil
		case <-signals.reload:
			_, _ = g.reload() // the log says what came of it
			continue
		case <-signals.dump:
			g.dump()
			continue
		case <-input:
		case s := <-signals.end:
			g.log.Info("leaving", "signal", s)
		}
		go func() {
			<-signals.end
			os.Exit(exitInterrupted)
		}()
		return g.leave(context.Background())
	}
}

// leave says goodbye within the time that is allowed for it.
func (g *agent) leave(ctx context.Context) error {
	g.seeds.stop() // it would bring us back
	// The protocol gives up first, so that a goodbye that nobody confirmed
	// is told from one that hangs.
	ctx, cancel := context.WithTimeout(ctx, g.set.leaveTimeout+time.Second/4)
	defer cancel()
	if err := g.node.Leave(ctx); err != nil {
		return fail(exitFailed, "not everybody may know that we left: %w", err)
	}
	return nil
}

// config returns the configuration of the node that the settings ask for.
func (g *agent) config() (selkie.Config, error) {
	bind, err := g.checkNetwork()
	if err != nil {
		return selkie.Config{}, err
	}
	if err := g.prepareAdmin(); err != nil {
		return selkie.Config{}, err
	}
	g.log, g.port, g.events, g.now = g.logger(), bind.Port(), newEventLog(), g.set
	cfg := selkie.Config{
		Bind:        bind,
		Advertise:   g.set.advertise,
		Wire:        g.set.wire.wire(),
		Name:        g.set.name,
		Tags:        g.set.tags,
		DataDir:     g.set.dataDir,
		Seeds:       plainSeeds(g.set.join),
		Protocol:    profiles[g.set.profile],
		OnMessage:   func(from selkie.ID, payload []byte) { g.events.deliver(kindMessage, from, "", payload) },
		OnBroadcast: func(from selkie.ID, key string, payload []byte) { g.events.deliver(kindBroadcast, from, key, payload) },
		Log:         g.log,
	}
	if cfg.Wire != selkie.WireFoca {
		cfg.Cluster = g.set.cluster
	}
	if g.set.given["leave-timeout"] {
		cfg.Protocol.LeaveTimeout = g.set.leaveTimeout
	}
	if g.set.keyFile == "" {
		g.log.Warn("packets are not sealed: whoever can send one to this address can take part", "bind", bind)
		return cfg, nil
	}
	file, err := openKeyFile(g.set.keyFile)
	if err != nil {
		return selkie.Config{}, err
	}
	cfg.Keys, _ = file.accepted(time.Now())
	g.keys = &keyring{log: g.log, file: file}
	g.log.Info("packets are sealed", "key", cfg.Keys[0].ID().String(), "accepted", len(cfg.Keys))
	return cfg, nil
}

// checkNetwork finds the mistakes in what was said about whom to talk to, and
// returns where.
func (g *agent) checkNetwork() (netip.AddrPort, error) {
	s := g.set
	bind, err := netip.ParseAddrPort(s.bind)
	foca := s.wire.wire() == selkie.WireFoca
	switch {
	case err != nil:
		return bind, fail(exitUsage, "--bind %q is not IP:port", s.bind)
	case s.insecure && s.keyFile != "":
		return bind, fail(exitUsage, "--insecure and --key-file contradict each other: packets are sealed, or they are not")
	case foca && s.keyFile != "":
		return bind, fail(exitUsage, "--key-file: packets of foca can not be sealed")
	case !bind.Addr().IsLoopback() && !s.insecure && foca:
		return bind, fail(exitUsage, "--bind %v is not a loopback address, and packets of foca can not be sealed: add --insecure if everybody on that network can be trusted", bind)
	case !bind.Addr().IsLoopback() && !s.insecure && s.keyFile == "":
		return bind, fail(exitUsage, "--bind %v is not a loopback address, and nothing is sealed without a key: make one with 'selkie keygen FILE', give it to every member, and name it with --key-file, or add --insecure if everybody on that network can be trusted", bind)
	case bind.Addr().IsUnspecified() && s.advertise == "":
		return bind, fail(exitUsage, "--bind %v is all addresses of this machine: name the one that others reach with --advertise", bind)
	case s.leaveTimeout <= 0:
		return bind, fail(exitUsage, "--leave-timeout must be more than 0, not %v", s.leaveTimeout)
	case foca && s.given["cluster"]:
		return bind, fail(exitUsage, "--cluster %q: packets of foca name no cluster", s.cluster)
	case foca && (s.name != "" || len(s.tags) > 0):
		return bind, fail(exitUsage, "--name and --tag: packets of foca have no place for them")
	}
	return bind, s.checkSeeds()
}

// checkSeeds finds the first --join that makes no sense.
func (s *settings) checkSeeds() error {
	for _, value := range s.join {
		if _, err := parseJoin(value); err != nil {
			return fail(exitUsage, "--join %w", err)
		}
	}
	return nil
}

func (g *agent) logger() *slog.Logger {
	g.level.Set(g.set.slogLevel())
	if g.set.logFormat == "json" {
		return slog.New(slog.NewJSONHandler(g.err, &slog.HandlerOptions{Level: &g.level}))
	}
	return slog.New(tint.NewTextHandler(g.err, &tint.Options{
		Level:      &g.level,
		TimeFormat: "15:04:05.000",
		NoColor:    !colourful(g.err),
	}))
}

func (s *settings) slogLevel() (level slog.Level) {
	if err := level.UnmarshalText([]byte(s.logLevel)); err != nil {
		panic(err) // the flag takes only levels
	}
	return level
}

// prepareAdmin finds the mistakes in what was said about the admin endpoint,
// before anybody hears of the member.
func (g *agent) prepareAdmin() (err error) {
	if g.set.endpoint == "" {
		return nil
	}
	if g.at, err = parseEndpoint(g.set.endpoint); err != nil {
		return err
	}
	if g.at.network != "unix" {
		g.token, err = g.readToken()
	}
	return err
}

// admins returns the admin endpoint: the one that was named, or the socket
// that is named after the port.
func (g *agent) admins() endpoint {
	if g.at == (endpoint{}) {
		// That there is no place for it is found when it is opened.
		at, _ := localEndpoint(cmp.Or(g.port, g.node.Self().Addr().Port()))
		return at
	}
	return g.at
}

// serve opens the admin endpoint.
func (g *agent) serve(ctx context.Context) (*server, error) {
	if _, err := runtimeDir(); err != nil && g.at == (endpoint{}) {
		return nil, err
	}
	at := g.admins()
	l, err := at.listen(ctx)
	if err != nil {
		return nil, fmt.Errorf("admin endpoint: %w", err)
	}
	if at.network != "unix" {
		at.addr = l.Addr().String()
	}
	s := g.server()
	s.profiling = at.network == "unix" || isLoopback(l.Addr())
	g.log.Info("serving", "admin", at)
	s.serve(l, g.log)
	return s, nil
}

func (g *agent) server() *server {
	cluster := g.set.cluster
	if g.set.wire.wire() == selkie.WireFoca {
		cluster = ""
	}
	return &server{
		node:    g.node,
		about:   selfInfo{Wire: g.set.wire.name, Cluster: cluster, Profile: g.set.profile, Version: version(), Sealed: g.keys != nil},
		started: time.Now(),
		seeds:   g.seeds.wanted,
		token:   g.token,
		reload:  g.reload,
		events:  g.events,
		tags:    g.tags,
		keys:    g.keys,
		metrics: http.Handler(metricsHandler(g.node, g.events, g.hooks)),
		leave: func(ctx context.Context) error {
			err := g.leave(ctx)
			select {
			case g.left <- struct{}{}:
			default: // told before
			}
			return err
		},
	}
}

// isLoopback reports whether only this machine can reach an address.
func isLoopback(at net.Addr) bool {
	addr, err := netip.ParseAddrPort(at.String())
	return err == nil && addr.Addr().Unmap().IsLoopback()
}

// readToken returns the token for HTTP, where anybody who can reach us can ask.
func (g *agent) readToken() (string, error) {
	token := os.Getenv(tokenVariable)
	if g.set.tokenFile != "" {
		b, err := os.ReadFile(g.set.tokenFile)
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
