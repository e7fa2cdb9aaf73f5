// Package mem is a network in memory: datagrams and streams between addresses
// that exist only in it, with loss and latency as its owner wishes. It knows
// nothing of what they hold.
//
// Like a real network it promises nothing: a datagram may get lost in a full
// queue, and those that are on their way together may arrive in any order. It
// blocks in ways that testing/synctest understands, so that whole clusters run
// in fake time.
package mem

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"
)

// MaxPayload is the most bytes that one datagram carries, as on UDP over IPv4.
const MaxPayload = 65507

// DefaultQueue is how many datagrams wait at an address if Network.Queue does
// not say otherwise.
const DefaultQueue = 1024

// Ports from firstPort on are given to those who listen on port 0.
const firstPort = 49152

var (
	// ErrInUse says that somebody listens at the address. Nothing changed.
	ErrInUse = errors.New("mem: address in use")
	// ErrAddress says that nobody can listen at the address, or that no port
	// is free there. Nothing changed.
	ErrAddress = errors.New("mem: address not available")
	// ErrTooBig says that a payload is longer than MaxPayload; it was not sent.
	ErrTooBig = errors.New("mem: payload too big")
)

// A Network joins all that listen on it. Its fields may be assigned freely
// before the first datagram is sent or stream opened, and later within
// [Network.Change]. All methods may be called at the same time.
type Network struct {
	// Lost reports whether a datagram from one address to another gets lost.
	// It is asked once for each, never twice at the same time, so it may keep
	// a state of its own; it must not call the network. If nil, none is lost.
	Lost func(from, to netip.AddrPort) bool
	// CutStream reports whether a new stream from one address to another gets
	// nowhere: who dials waits until they give up. It is asked once for each,
	// under the same conditions as Lost. If nil, none is cut.
	CutStream func(from, to netip.AddrPort) bool
	// Latency is how long each datagram takes, and opening a stream. If zero,
	// it arrives at once.
	Latency time.Duration
	// Queue is how many datagrams wait at an address that listens from now on,
	// until they are read; more are dropped. If zero, it is DefaultQueue.
	Queue int

	mu    sync.Mutex
	conns map[netip.AddrPort]*Conn
	given int // ports given so far, so that a free one is found at once
	stats Stats
}

// NewNetwork returns a network where nobody listens yet.
func NewNetwork() *Network {
	return &Network{conns: make(map[netip.AddrPort]*Conn)}
}

// Change calls f, which may assign the fields of the network, while nothing is
// sent.
func (n *Network) Change(f func(n *Network)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	f(n)
}

// Stats counts what became of the datagrams that were sent. Those on their way
// are counted only as sent.
type Stats struct {
	Sent      uint64 // all of them
	Delivered uint64 // put into a queue
	Lost      uint64 // as Network.Lost wished
	Dropped   uint64 // the queue was full
	Nowhere   uint64 // nobody listened there
}

// Stats returns the counters.
func (n *Network) Stats() Stats {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.stats
}

// Listen gives the address to the caller until they close it. Port 0 stands
// for any that is free. The error wraps [ErrInUse] or [ErrAddress].
func (n *Network) Listen(at netip.AddrPort) (*Conn, error) {
	if !at.IsValid() || at.Addr().IsUnspecified() {
		return nil, fmt.Errorf("%w: %v", ErrAddress, at)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	at = unmap(at)
	if at.Port() == 0 {
		var ok bool
		if at, ok = n.freePort(at.Addr()); !ok {
			return nil, fmt.Errorf("%w: no free port at %v", ErrAddress, at.Addr())
		}
	}
	if n.conns[at] != nil {
		return nil, fmt.Errorf("%w: %v", ErrInUse, at)
	}
	length := n.Queue
	if length == 0 {
		length = DefaultQueue
	}
	c := &Conn{
		network: n,
		local:   at,
		queue:   make(chan datagram, length),
		streams: make(chan net.Conn, maxStreams),
		closed:  make(chan struct{}),
	}
	n.conns[at] = c
	return c, nil
}

// freePort returns the address with a port that nobody listens on, starting
// after the last one given.
func (n *Network) freePort(ip netip.Addr) (netip.AddrPort, bool) {
	const ports = 1<<16 - firstPort
	for range ports {
		at := netip.AddrPortFrom(ip, uint16(firstPort+n.given%ports))
		n.given++
		if n.conns[at] == nil {
			return at, true
		}
	}
	return netip.AddrPort{}, false
}

// unmap gives an IPv4 address its own form, so that every address has one.
func unmap(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}

// A datagram is a payload on its way.
type datagram struct {
	from    netip.AddrPort
	payload []byte
}

// send decides over the fate of a datagram.
func (n *Network) send(d datagram, to netip.AddrPort) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.stats.Sent++
	switch {
	case n.Lost != nil && n.Lost(d.from, to):
		n.stats.Lost++
	case n.Latency > 0:
		time.AfterFunc(n.Latency, func() {
			n.mu.Lock()
			defer n.mu.Unlock()
			n.deliver(d, to)
		})
	default:
		n.deliver(d, to)
	}
}

// deliver puts a datagram into the queue of whoever listens at the address
// when it arrives, which need not be who did when it was sent.
func (n *Network) deliver(d datagram, to netip.AddrPort) {
	c := n.conns[to]
	if c == nil {
		n.stats.Nowhere++
		return
	}
	select {
	case c.queue <- d:
		n.stats.Delivered++
	default:
		n.stats.Dropped++
	}
}

// A Conn is one address of a [Network]. All its methods may be called at the
// same time.
type Conn struct {
	network *Network
	local   netip.AddrPort
	queue   chan datagram
	streams chan net.Conn // not accepted yet
	closed  chan struct{} // closed under the mutex of the network
}

// ReadFrom waits for the next datagram, puts it at the beginning of b, and says
// where it came from. What does not fit is cut off. After [Conn.Close] the
// error is [net.ErrClosed], the only one there is.
func (c *Conn) ReadFrom(b []byte) (n int, from netip.AddrPort, err error) {
	select {
	case <-c.closed:
		return 0, netip.AddrPort{}, net.ErrClosed
	default:
	}
	select {
	case d := <-c.queue:
		return copy(b, d.payload), d.from, nil
	case <-c.closed:
		return 0, netip.AddrPort{}, net.ErrClosed
	}
}

// WriteTo sends a payload of at most [MaxPayload] bytes and never blocks. That
// it does not arrive is no error; after [Conn.Close] the error is
// [net.ErrClosed].
func (c *Conn) WriteTo(b []byte, to netip.AddrPort) error {
	select {
	case <-c.closed:
		return net.ErrClosed
	default:
	}
	if len(b) > MaxPayload {
		return fmt.Errorf("%w: %d bytes", ErrTooBig, len(b))
	}
	c.network.send(datagram{c.local, bytes.Clone(b)}, unmap(to))
	return nil
}

// LocalAddr is the address that others send to.
func (c *Conn) LocalAddr() netip.AddrPort { return c.local }

// Close gives the address back; what waits there is lost, and streams that
// nobody accepted are closed. A waiting ReadFrom or Accept returns. Closing again
// does nothing.
func (c *Conn) Close() error {
	c.network.mu.Lock()
	defer c.network.mu.Unlock()
	if c.network.conns[c.local] == c {
		delete(c.network.conns, c.local)
		close(c.closed)
		c.closeStreams()
	}
	return nil
}
