// Package stream carries reliable streams of bytes over TCP, and knows nothing
// of what they hold. Who connects is a stranger until the caller says
// otherwise: there are few of those at once, fewer from one address, and none
// has long.
package stream

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
)

// A Listener is where others connect to. All its methods may be called at the
// same time.
type Listener struct {
	socket net.Listener
	local  netip.AddrPort
	gate   gate

	close  sync.Once
	closed chan struct{}
}

// Listen opens a socket that others connect to. Port 0 lets the system choose
// one; [Listener.LocalAddr] says which. The IPv6 wildcard serves IPv4 too,
// every other address only its own family. The error is one of package net, or
// says that at is no address.
func Listen(at netip.AddrPort, limits Limits) (*Listener, error) {
	if !at.IsValid() {
		return nil, errors.New("stream: no address to listen on")
	}
	at = unmap(at)
	network := "tcp"
	if at.Addr().Is4() {
		network = "tcp4" // else 0.0.0.0 would mean IPv6 as well
	}
	// A connection lives for seconds, which is no time for keepalive. Paths
	// that the other side adds are more than the limits know of.
	config := net.ListenConfig{KeepAlive: -1}
	config.SetMultipathTCP(false)
	socket, err := config.Listen(context.Background(), network, at.String())
	if err != nil {
		return nil, err
	}
	return newListener(socket, limits), nil
}

func newListener(socket net.Listener, limits Limits) *Listener {
	return &Listener{
		socket: socket,
		local:  addrOf(socket.Addr()),
		gate:   gate{limits: limits.withDefaults(), sources: make(map[netip.Addr]int)},
		closed: make(chan struct{}),
	}
}

// addrOf returns the address of one side, or none if the system did not say.
func addrOf(a net.Addr) netip.AddrPort {
	tcp, _ := a.(*net.TCPAddr)
	return unmap(tcp.AddrPort())
}

// unmap gives an IPv4 address its own form, so that every address has one.
func unmap(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}

// Accept waits for the next connection that the limits let in. The caller
// closes it, sooner or later, and has [Limits.Handshake] to find out whether to
// trust it. Accepting takes no goroutine but the caller's, who should not make
// others wait: what waits for Accept is limited by the system alone.
//
// Connections that are refused and errors of the socket are counted and passed
// over. After [Listener.Close] the error is [net.ErrClosed], the only one there
// is.
func (l *Listener) Accept() (*Conn, error) {
	for {
		socket, err := l.socket.Accept()
		if err != nil {
			if !l.survive(err) {
				return nil, net.ErrClosed
			}
			continue
		}
		if c := l.admit(socket); c != nil {
			return c, nil
		}
	}
}

// admit lets a connection in, or closes it and returns nil.
func (l *Listener) admit(socket net.Conn) *Conn {
	p := l.gate.enter(addrOf(socket.RemoteAddr()).Addr())
	if p == nil {
		refuse(socket)
		return nil
	}
	c, err := newConn(socket, l.gate.limits, p)
	if err != nil {
		l.gate.failed()
		c.Close()
		return nil
	}
	return c
}

// refuse closes a connection by a reset: the system has nothing to remember of
// it then, however many there are.
func refuse(socket net.Conn) {
	if tcp, ok := socket.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // else it is closed the long way
	}
	socket.Close()
}

// LocalAddr is the address that the socket is bound to, with the port that the
// system chose.
func (l *Listener) LocalAddr() netip.AddrPort { return l.local }

// Close closes the socket. A waiting Accept returns; connections that it
// returned before are left alone. Closing again does nothing.
func (l *Listener) Close() error {
	err := error(nil)
	l.close.Do(func() {
		close(l.closed)
		err = l.socket.Close()
	})
	return err
}

// Stats returns the counters.
func (l *Listener) Stats() Stats {
	l.gate.mu.Lock()
	defer l.gate.mu.Unlock()
	return l.gate.stats
}
