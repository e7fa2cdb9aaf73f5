package selkie

import (
	"context"
	"errors"
	"net"
	"net/netip"

	tcp "github.com/selkie-go/selkie/transport/stream"
	"github.com/selkie-go/selkie/transport/udp"
)

// sockets are UDP and TCP on one port.
type sockets struct {
	*udp.Conn
	streams *tcp.Listener
}

// listenBoth opens both. If the system is to choose the port, one that is free
// for UDP may be taken for TCP; then another one is tried.
func listenBoth(at netip.AddrPort) (*sockets, error) {
	var failed error
	for range 16 {
		conn, err := udp.Listen(at)
		if err != nil {
			return nil, errors.Join(failed, err)
		}
		streams, err := tcp.Listen(netip.AddrPortFrom(at.Addr(), conn.LocalAddr().Port()), tcp.Limits{})
		if err == nil {
			return &sockets{conn, streams}, nil
		}
		failed = errors.Join(err, conn.Close())
		if at.Port() != 0 {
			break
		}
	}
	return nil, failed
}

// Dial implements [StreamTransport].
func (s *sockets) Dial(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
	conn, err := tcp.Dial(ctx, s.LocalAddr(), to, tcp.Limits{})
	if err != nil {
		return nil, err // not a nil *Conn in an interface
	}
	return conn, nil
}

// Accept implements [StreamTransport].
func (s *sockets) Accept() (net.Conn, error) {
	conn, err := s.streams.Accept()
	if err != nil {
		return nil, err
	}
	return conn, nil
}

// Close implements [Transport].
func (s *sockets) Close() error { return errors.Join(s.Conn.Close(), s.streams.Close()) }
