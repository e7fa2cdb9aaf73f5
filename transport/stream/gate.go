package stream

import (
	"net/netip"
	"sync"
)

// A gate counts the connections that are open, and who may come in.
type gate struct {
	limits Limits // none is zero

	mu        sync.Mutex
	strangers int                // open and not trusted
	sources   map[netip.Addr]int // where those come from; none is zero
	trusted   int                // open and trusted
	stats     Stats
}

// Stats are the counters of a [Listener], by value. They only grow.
type Stats struct {
	Accepted       uint64 // connections that were let in
	RefusedConns   uint64 // too many that are not trusted were open
	RefusedSource  uint64 // too many of them from that address
	RefusedTrusted uint64 // times that Trust found too many trusted ones open
	Errors         uint64 // errors of the socket
}

// A pass is the place of one connection. Everything in it is guarded by the
// mutex of its gate.
type pass struct {
	gate   *gate
	source netip.Addr
	is     standing
}

type standing uint8

const (
	stranger standing = iota
	trusted
	gone
)

// enter gives a new connection its place; nil means that there is none.
func (g *gate) enter(source netip.Addr) *pass {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.strangers >= g.limits.Conns:
		g.stats.RefusedConns++
		return nil
	case g.sources[source] >= g.limits.PerSource:
		g.stats.RefusedSource++
		return nil
	}
	g.stats.Accepted++
	g.strangers++
	g.sources[source]++
	return &pass{gate: g, source: source}
}

// failed counts an error of the socket.
func (g *gate) failed() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.stats.Errors++
}

// trust moves a stranger to the trusted, and reports whether it is among them.
func (p *pass) trust() bool {
	g := p.gate
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case p.is != stranger:
		return p.is == trusted
	case g.trusted >= g.limits.Trusted:
		g.stats.RefusedTrusted++
		return false
	}
	p.forgetStranger()
	g.trusted++
	p.is = trusted
	return true
}

func (p *pass) isTrusted() bool {
	p.gate.mu.Lock()
	defer p.gate.mu.Unlock()
	return p.is == trusted
}

// leave gives the place back. Leaving again does nothing.
func (p *pass) leave() {
	p.gate.mu.Lock()
	defer p.gate.mu.Unlock()
	switch p.is {
	case stranger:
		p.forgetStranger()
	case trusted:
		p.gate.trusted--
	}
	p.is = gone
}

// forgetStranger leaves nothing behind of an address that nobody comes from.
func (p *pass) forgetStranger() {
	g := p.gate
	g.strangers--
	if g.sources[p.source]--; g.sources[p.source] == 0 {
		delete(g.sources, p.source)
	}
}
