package stream

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"
)

// A Conn is a connection with a deadline that everything on it must keep. All
// its methods may be called at the same time.
//
// From the beginning it has [Limits.Handshake]; only [Conn.Trust] and
// [Conn.Expect] give it more. A peer gains nothing by sending a byte now and
// then. When the deadline has passed, reading and writing fail with
// [os.ErrDeadlineExceeded]; the caller closes. A deadline that the caller sets
// replaces this one until the next Trust or Expect.
type Conn struct {
	net.Conn
	limits Limits
	pass   *pass // nil if we dialled

	mu       sync.Mutex
	deadline time.Time // the last that we set

	close sync.Once
}

// newConn sets the first deadline.
func newConn(socket net.Conn, limits Limits, p *pass) (*Conn, error) {
	c := &Conn{Conn: socket, limits: limits, pass: p}
	return c, c.allow(0, false)
}

// Dial connects to an address before the context ends, from the IP address of
// local unless that is unspecified or no address at all; its port is ignored.
// Of the limits only Handshake and MinRate count: Handshake begins when the
// connection stands, so it is the context that limits how long that takes. The
// error is one of package net, which wraps that of the context if it ended, or
// says that there is no address.
func Dial(ctx context.Context, local, to netip.AddrPort, limits Limits) (*Conn, error) {
	if !to.IsValid() {
		return nil, errors.New("stream: no address to dial")
	}
	to = unmap(to)
	network := "tcp6"
	if to.Addr().Is4() {
		network = "tcp4"
	}
	dialer := net.Dialer{KeepAlive: -1}
	if ip := local.Addr().Unmap(); ip.IsValid() && !ip.IsUnspecified() {
		dialer.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(ip, 0))
	}
	socket, err := dialer.DialContext(ctx, network, to.String())
	if err != nil {
		return nil, err
	}
	c, err := newConn(socket, limits.withDefaults(), nil)
	if err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// Trust says that the other side has proven that it belongs to us, and that
// size more bytes are about to be moved, in both directions together. The
// deadline becomes [Limits.Handshake] from now and the time that they take at
// [Limits.MinRate], which is never more than a day. The connection counts among
// [Limits.Trusted] from now on and no longer as one of a stranger.
//
// If it reports false, too many are trusted or the connection is closed;
// nothing changed, and the caller closes it. One that we dialled has no limit.
func (c *Conn) Trust(size int64) bool {
	if c.pass != nil && !c.pass.trust() {
		return false
	}
	return c.allow(size, false) == nil
}

// Expect says that size more bytes are about to be moved: the deadline becomes
// [Limits.Handshake] from now and the time that they take at [Limits.MinRate],
// if that is later than it was. A connection that was accepted and is not
// trusted gets no more time.
func (c *Conn) Expect(size int64) {
	if c.pass != nil && !c.pass.isTrusted() {
		return
	}
	_ = c.allow(size, true) // fails if it is closed, as will whatever comes next
}

// allow sets the deadline to what that many bytes get from now on, or leaves it
// where it is if that is later and to be kept.
func (c *Conn) allow(size int64, keep bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	deadline := time.Now().Add(c.limits.timeFor(size))
	if keep && deadline.Before(c.deadline) {
		deadline = c.deadline
	}
	c.deadline = deadline
	return c.SetDeadline(deadline)
}

// Close closes the connection and gives its place to others. What waits on it
// fails with [net.ErrClosed]. Closing again does nothing.
func (c *Conn) Close() error {
	err := error(nil)
	c.close.Do(func() {
		err = c.Conn.Close()
		if c.pass != nil {
			c.pass.leave()
		}
	})
	return err
}
