package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/selkie-go/selkie"
)

// maxSeedAddrs is how many addresses one --join may give. Of more, some are
// chosen: whoever can change a name must not make us ask the whole world.
const maxSeedAddrs = 64

// A seed is one way to find members.
type seed struct {
	kind  string // plain, dns, dnssrv, file or exec
	value string
}

// parseJoin reads a value of --join.
func parseJoin(s string) (seed, error) {
	for _, kind := range []struct{ name, prefix, want string }{
		{"dns", "dns+", "dns+name:port"},
		{"dnssrv", "dnssrv+", "dnssrv+name"},
		{"file", "file=", "file=PATH"},
		{"exec", "exec=", "exec=COMMAND"},
	} {
		value, ok := strings.CutPrefix(s, kind.prefix)
		if !ok {
			continue
		}
		if value == "" || kind.name == "dns" && !isHostPort(value) {
			return seed{}, fmt.Errorf("%q is not %s", s, kind.want)
		}
		return seed{kind.name, value}, nil
	}
	if !isHostPort(s) {
		return seed{}, fmt.Errorf("%q is not host:port", s)
	}
	return seed{"plain", s}, nil
}

// A resolver looks up names, as net.Resolver does.
type resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
	LookupSRV(ctx context.Context, service, proto, name string) (string, []*net.SRV, error)
}

// find returns where a seed says that members are, as host:port.
func (s seed) find(ctx context.Context, names resolver) (found []string, err error) {
	switch s.kind {
	case "plain":
		return []string{s.value}, nil
	case "dns":
		host, port, err := net.SplitHostPort(s.value)
		if err != nil {
			return nil, err
		}
		found, err = addresses(ctx, names, host, port)
		if err != nil {
			return nil, err
		}
	case "dnssrv":
		found, err = s.services(ctx, names)
	case "file":
		var text []byte
		if text, err = os.ReadFile(s.value); err == nil {
			found, err = seedLines(text)
		}
	case "exec":
		found, err = s.execute(ctx)
	}
	if err != nil {
		return nil, err
	}
	if len(found) > maxSeedAddrs {
		rand.Shuffle(len(found), func(i, j int) { found[i], found[j] = found[j], found[i] })
		found = found[:maxSeedAddrs]
	}
	return found, nil
}

func addresses(ctx context.Context, names resolver, host, port string) ([]string, error) {
	ips, err := names.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, err
	}
	var found []string
	for _, ip := range ips {
		found = append(found, net.JoinHostPort(ip.Unmap().String(), port))
	}
	return found, nil
}

// services returns where SRV records say that members are. A target that can
// not be found does not hide the others.
func (s seed) services(ctx context.Context, names resolver) ([]string, error) {
	_, records, err := names.LookupSRV(ctx, "", "", s.value)
	if err != nil {
		return nil, err
	}
	var found []string
	var failed error
	for _, r := range records[:min(len(records), maxSeedAddrs)] {
		at, err := addresses(ctx, names, strings.TrimSuffix(r.Target, "."), strconv.Itoa(int(r.Port)))
		failed = errors.Join(failed, err)
		found = append(found, at...)
	}
	if len(found) > 0 {
		failed = nil
	}
	return found, failed
}

// execute asks a command, which has ten seconds for its answer.
func (s seed) execute(ctx context.Context) ([]string, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, 10*time.Second, errors.New("it took more than 10s"))
	defer cancel()
	said, complained := &tail{limit: 64 << 10}, &tail{limit: hookOutput}
	c := shell(ctx, s.value)
	c.Stdout, c.Stderr = said, complained
	if err := c.Run(); err != nil {
		if why := context.Cause(ctx); why != nil {
			err = why
		}
		return nil, fmt.Errorf("%w: %v", err, complained)
	}
	return seedLines(said.text)
}

// seedLines reads a host:port a line. Empty lines, and those that begin with
// #, say nothing.
func seedLines(text []byte) ([]string, error) {
	var found []string
	lines := bufio.NewScanner(bytes.NewReader(text))
	for number := 1; lines.Scan(); number++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if !isHostPort(line) {
			return nil, fmt.Errorf("line %d: %q is not host:port", number, line)
		}
		found = append(found, line)
	}
	return found, lines.Err()
}

// How often seeds are asked: soon while we are alone, ever more seldom, and now
// and then when we are not, because a cluster may have fallen apart.
const (
	seekSoon = 2 * time.Second
	seekSlow = time.Minute
	seekRest = 5 * time.Minute
	seekTime = 5 * time.Second // for one answer
)

// A seeker joins those whom seeds name, for as long as the agent is alone. The
// node itself takes care of seeds that are a host:port and were there when it
// started.
type seeker struct {
	node  seekNode
	names resolver
	log   *slog.Logger
	plain []string // what the node takes care of

	mu    sync.Mutex
	seeds []seed
	any   bool // some were named, of whatever kind

	wake chan struct{}
	end  context.CancelFunc
	done chan struct{}
}

// A seekNode is what a seeker needs of a node.
type seekNode interface {
	Join(ctx context.Context, seeds ...string) error
	Self() selkie.Member
	Member(at netip.AddrPort) (selkie.Member, bool)
	Stats() selkie.Stats
}

func newSeeker(node seekNode, names resolver, log *slog.Logger, plain []string) *seeker {
	return &seeker{node: node, names: names, log: log, plain: plain, wake: make(chan struct{}, 1), done: make(chan struct{})}
}

// plainSeeds returns those that are a host:port.
func plainSeeds(values []string) []string {
	var plain []string
	for _, v := range values {
		if s, err := parseJoin(v); err == nil && s.kind == "plain" {
			plain = append(plain, v)
		}
	}
	return plain
}

// use replaces the seeds.
func (k *seeker) use(values []string) {
	k.mu.Lock()
	k.seeds, k.any = nil, len(values) > 0
	for _, v := range values {
		if s, err := parseJoin(v); err == nil && !slices.Contains(k.plain, v) {
			k.seeds = append(k.seeds, s)
		}
	}
	k.mu.Unlock()
	k.nudge()
}

// wanted reports whether there is a cluster to find.
func (k *seeker) wanted() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.any
}

// nudge has the seeds asked at once.
func (k *seeker) nudge() {
	select {
	case k.wake <- struct{}{}:
	default: // it was woken before and has not come yet
	}
}

// start asks seeds until stop is called.
func (k *seeker) start() {
	var ctx context.Context
	ctx, k.end = context.WithCancel(context.Background())
	go func() {
		defer close(k.done)
		k.run(ctx)
	}()
}

// stop returns when nobody is asked any more: who says goodbye must not join.
func (k *seeker) stop() {
	k.end()
	<-k.done
}

func (k *seeker) run(ctx context.Context) {
	wait := seekSoon
	for {
		k.seek(ctx)
		pause := seekRest
		if k.alone() {
			pause, wait = wait, min(2*wait, seekSlow)
		} else {
			wait = seekSoon
		}
		select {
		case <-k.wake:
			wait = seekSoon
		case <-time.After(pause/2 + rand.N(pause)): // not all at the same moment
		case <-ctx.Done():
			return
		}
	}
}

// alone reports whether we know nobody who is alive.
func (k *seeker) alone() bool {
	p := k.node.Stats().Protocol
	return p.Alive+p.Suspect == 0
}

// seek asks all seeds at once, and joins those who are no active members.
func (k *seeker) seek(ctx context.Context) {
	k.mu.Lock()
	seeds := k.seeds
	k.mu.Unlock()
	var all sync.WaitGroup
	var mu sync.Mutex
	var found []string
	for _, s := range seeds {
		all.Go(func() {
			at, err := s.find(ctx, k.names)
			if err != nil && ctx.Err() == nil {
				k.log.Warn("seed not found", "kind", s.kind, "seed", s.value, "error", err)
			}
			mu.Lock()
			defer mu.Unlock()
			found = append(found, at...)
		})
	}
	all.Wait()
	found = slices.DeleteFunc(found, k.isKnown)
	if len(found) == 0 || ctx.Err() != nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, seekTime)
	defer cancel()
	if err := k.node.Join(ctx, found...); err != nil {
		k.log.Debug("seeds do not answer", "error", err)
	}
}

// isKnown reports whether an address is ours, or of an active member, or of
// the other family than ours.
func (k *seeker) isKnown(hostport string) bool {
	at, err := netip.ParseAddrPort(hostport)
	if err != nil {
		return false // a name may be anybody
	}
	self := k.node.Self().Addr()
	if at == self || at.Addr().Is4() != self.Addr().Is4() {
		return true
	}
	m, ok := k.node.Member(at)
	return ok && m.State.Active()
}
