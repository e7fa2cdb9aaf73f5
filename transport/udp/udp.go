// Package udp carries datagrams over a UDP socket as they are, and knows nothing
// of what they hold.
package udp

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// MaxPayload is the most bytes that one datagram carries, which is what an IPv4
// packet has room for.
const MaxPayload = 65507

// Sizes that we ask the system for. A cluster speaks in bursts (everybody
// answers at once), and what the socket can not hold is lost; the system may
// grant less.
const (
	readBuffer  = 4 << 20
	writeBuffer = 1 << 20
)

// A Conn is a socket. All its methods may be called at the same time.
type Conn struct {
	socket *net.UDPConn
	local  netip.AddrPort

	close  sync.Once
	closed chan struct{}

	sent, sentBytes         atomic.Uint64
	received, receivedBytes atomic.Uint64
	readErrors, writeErrors [NumErrorKinds]atomic.Uint64
}

// Listen opens a socket. Port 0 lets the system choose one; [Conn.LocalAddr] says
// which. The IPv6 wildcard serves IPv4 too, every other address only its own
// family. The error is one of package net, or says that bind is no address.
func Listen(bind netip.AddrPort) (*Conn, error) {
	if !bind.IsValid() {
		return nil, errors.New("udp: no address to listen on")
	}
	bind = unmap(bind)
	network := "udp"
	if bind.Addr().Is4() {
		network = "udp4" // else 0.0.0.0 would mean IPv6 as well
	}
	socket, err := net.ListenUDP(network, net.UDPAddrFromAddrPort(bind))
	if err != nil {
		return nil, err
	}
	// Smaller buffers lose more in a burst, but work: no reason to give up.
	_ = socket.SetReadBuffer(readBuffer)
	_ = socket.SetWriteBuffer(writeBuffer)
	return &Conn{
		socket: socket,
		local:  unmap(socket.LocalAddr().(*net.UDPAddr).AddrPort()),
		closed: make(chan struct{}),
	}, nil
}

// unmap gives an IPv4 address its own form, so that every address has one.
func unmap(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}

// ReadFrom waits for the next datagram, puts it at the beginning of b, and says
// where it came from. One that fills b to the last byte may have been cut: it is
// refused, and counted as [ErrorTooBig].
//
// Errors of the socket are counted and passed over. After [Conn.Close] the error is
// [net.ErrClosed], the only one there is.
func (c *Conn) ReadFrom(b []byte) (n int, from netip.AddrPort, err error) {
	failures := 0
	for {
		n, from, err := c.socket.ReadFromUDPAddrPort(b)
		if err != nil {
			if !c.survive(err, failures) {
				return 0, netip.AddrPort{}, net.ErrClosed
			}
			failures++
			continue
		}
		failures = 0
		if n == len(b) {
			c.readErrors[ErrorTooBig].Add(1)
			continue
		}
		c.received.Add(1)
		c.receivedBytes.Add(uint64(n))
		return n, unmap(from), nil
	}
}

// survive counts an error of reading and reports whether to go on. A socket
// that fails over and over is given a pause, so that it can not take a whole
// processor.
func (c *Conn) survive(err error, failures int) bool {
	if errors.Is(err, net.ErrClosed) {
		return false
	}
	c.readErrors[kindOf(err)].Add(1)
	if failures < 16 {
		return true
	}
	select {
	case <-c.closed:
		return false
	case <-time.After(10 * time.Millisecond):
		return true
	}
}

// WriteTo sends a payload of at most [MaxPayload] bytes, and returns as soon as the
// system has taken it. An error is counted and means that this one datagram is
// lost, nothing more; after [Conn.Close] it is [net.ErrClosed].
func (c *Conn) WriteTo(b []byte, to netip.AddrPort) error {
	if len(b) > MaxPayload {
		c.writeErrors[ErrorTooBig].Add(1)
		return fmt.Errorf("udp: a payload of %d bytes: no more than %d fit", len(b), MaxPayload)
	}
	if _, err := c.socket.WriteToUDPAddrPort(b, unmap(to)); err != nil {
		if errors.Is(err, net.ErrClosed) {
			return net.ErrClosed
		}
		c.writeErrors[kindOf(err)].Add(1)
		return err
	}
	c.sent.Add(1)
	c.sentBytes.Add(uint64(len(b)))
	return nil
}

// LocalAddr is the address that the socket is bound to, with the port that the
// system chose.
func (c *Conn) LocalAddr() netip.AddrPort { return c.local }

// Close closes the socket. A waiting ReadFrom returns. Closing again does
// nothing.
func (c *Conn) Close() error {
	err := error(nil)
	c.close.Do(func() {
		close(c.closed)
		err = c.socket.Close()
	})
	return err
}

// Stats are the counters of a [Conn], by value. They only grow; those read
// together may differ by what happened meanwhile.
type Stats struct {
	// Sent and Received count datagrams, and their bytes.
	Sent, SentBytes         uint64
	Received, ReceivedBytes uint64
	// ReadErrors and WriteErrors count errors of the socket, by [ErrorKind].
	ReadErrors, WriteErrors [NumErrorKinds]uint64
}

// Stats returns the counters.
func (c *Conn) Stats() Stats {
	s := Stats{
		Sent:          c.sent.Load(),
		SentBytes:     c.sentBytes.Load(),
		Received:      c.received.Load(),
		ReceivedBytes: c.receivedBytes.Load(),
	}
	for i := range NumErrorKinds {
		s.ReadErrors[i] = c.readErrors[i].Load()
		s.WriteErrors[i] = c.writeErrors[i].Load()
	}
	return s
}
