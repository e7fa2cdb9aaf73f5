package selkie

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/selkie-go/selkie/swim"
)

// How often names are looked up: soon if one was not found, and now and then
// because names move.
const (
	lookupSoon = 5 * time.Second
	lookupRest = time.Minute
)

// names are what has to be looked up for as long as the node lives: its seeds, and
// where it is itself.
type names struct {
	seeds     []string
	known     [][]ID // what each seed was when it was last found
	advertise string // "" if it can not move
	bound     netip.AddrPort
}

func newNames(cfg Config, bound netip.AddrPort) *names {
	m := &names{seeds: slices.Clone(cfg.Seeds), bound: bound}
	m.known = make([][]ID, len(m.seeds))
	if cfg.Advertise != "" {
		if m.advertise = withPort(cfg.Advertise, bound.Port()); isLiteral(m.advertise) {
			m.advertise = ""
		}
	}
	return m
}

func (m *names) any() bool { return len(m.seeds) > 0 || m.advertise != "" }

// keepNames tells the core where the seeds are, and where we are, as long as any
// of that can change. Of a name that can not be found any more, it goes on with
// what it was.
func (n *Node) keepNames(m *names) {
	for first := true; ; first = false {
		again := n.findSeeds(m.seeds, m.known)
		if len(m.seeds) > 0 {
			n.useSeeds(slices.Concat(m.known...), first)
		}
		if m.advertise != "" {
			again = lookupRest
			if !first {
				n.follow(m)
			}
		}
		if again == 0 {
			return
		}
		select {
		case <-time.After(again + rand.N(again/4)):
		case <-n.life.Done():
			return
		}
	}
}

// useSeeds tells the core where the seeds are.
func (n *Node) useSeeds(all []ID, first bool) {
	err := n.try(func() error {
		if err := n.core.SetSeeds(all, n.out); err != nil || !first {
			return err
		}
		return n.announceTo(all) // the core would only begin after a period
	})
	if err != nil && !errors.Is(err, ErrClosed) {
		n.log.Warn("seeds not set", "error", err)
	}
}

// follow takes a new identity if the name that we are reached at has moved.
func (n *Node) follow(m *names) {
	found, err := lookup(n.life, m.advertise, m.bound)
	if err != nil {
		n.log.Warn("our own name was not found", "error", err)
		return
	}
	err = n.try(func() error {
		self := n.core.Self().ID
		if n.defunct || n.core.Self().State == swim.Left {
			return nil // it would bring back a node that said goodbye
		}
		for _, at := range found {
			if id, err := identify(at, 0); err == nil && id.Addr() == self.Addr() {
				return nil // still one of them
			}
		}
		next, err := identify(found[0], max(n.wire.generation(time.Now()), self.Generation()+1))
		if err != nil {
			return err
		}
		if err := n.core.ChangeIdentity(next, n.out); err != nil {
			return err
		}
		n.messages.self = next.Addr()
		n.log.Info("we have moved", "from", self.Addr(), "to", next.Addr())
		return nil
	})
	if err != nil {
		n.log.Warn("we have moved, and could not follow", "error", err)
	}
}

// withPort returns "host:port" of what may be a host alone.
func withPort(at string, port uint16) string {
	host, service, err := net.SplitHostPort(at)
	if err != nil {
		host, service = at, fmt.Sprint(port)
	}
	return net.JoinHostPort(host, service)
}

// findSeeds looks up all seeds at once, and returns when to do it again; 0
// means never.
func (n *Node) findSeeds(seeds []string, known [][]ID) time.Duration {
	waits := make([]time.Duration, len(seeds))
	var all sync.WaitGroup
	for i, seed := range seeds {
		all.Go(func() {
			ids, err := n.identities(n.life, seed)
			switch {
			case err != nil:
				n.log.Warn("seed not found", "error", err)
				waits[i] = lookupSoon
				return
			case !isLiteral(seed):
				waits[i] = lookupRest
			}
			known[i] = ids
		})
	}
	all.Wait()
	again := time.Duration(0)
	for _, wait := range waits {
		if wait != 0 && (again == 0 || wait < again) {
			again = wait
		}
	}
	return again
}

// isLiteral reports whether a "host:port" needs no lookup.
func isLiteral(hostport string) bool {
	_, err := netip.ParseAddrPort(hostport)
	return err == nil
}

// maxAddresses is how many addresses of one name are asked.
const maxAddresses = 64

// identities returns who may be at a "host:port". Generation 0 stands for
// whatever life is there. Our own address is not among them.
func (n *Node) identities(ctx context.Context, hostport string) ([]ID, error) {
	self := n.Self()
	found, err := lookup(ctx, hostport, self.Addr())
	if err != nil {
		return nil, err
	}
	found = found[:min(len(found), maxAddresses)]
	ids := make([]ID, 0, len(found))
	for _, at := range found {
		id, err := identify(at, 0)
		if err != nil {
			return nil, err
		}
		if id.Addr() != self.ID.Addr() {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

// splitHostPort takes a "host:port" apart. Neither may be missing.
func splitHostPort(hostport string) (host string, port uint16, err error) {
	host, service, err := net.SplitHostPort(hostport)
	if err != nil {
		return "", 0, err
	}
	if host == "" {
		return "", 0, fmt.Errorf("%s: the host is missing", hostport)
	}
	number, err := strconv.ParseUint(service, 10, 16)
	if err != nil || number == 0 {
		return "", 0, fmt.Errorf("%s: the port is not a number from 1 to 65535", hostport)
	}
	return host, uint16(number), nil
}

// lookup returns the addresses of a "host:port". If there are some of our
// family, the others are left out: our socket may not reach them.
func lookup(ctx context.Context, hostport string, self netip.AddrPort) ([]netip.AddrPort, error) {
	host, port, err := splitHostPort(hostport)
	if err != nil {
		return nil, err
	}
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", hostport, err)
	}
	var ours, all []netip.AddrPort
	for _, ip := range ips {
		at := netip.AddrPortFrom(ip.Unmap(), port)
		all = append(all, at)
		if at.Addr().Is4() == self.Addr().Is4() {
			ours = append(ours, at)
		}
	}
	if len(ours) == 0 {
		return all, nil
	}
	return ours, nil
}

// identify returns the identity of a life at an address. The zone of an IPv6
// address may be the name of an interface.
func identify(at netip.AddrPort, generation uint64) (ID, error) {
	zone := at.Addr().Zone()
	if iface, err := net.InterfaceByName(zone); zone != "" && err == nil {
		at = netip.AddrPortFrom(at.Addr().WithZone(strconv.Itoa(iface.Index)), at.Port())
	}
	return swim.NewID(at, generation)
}
