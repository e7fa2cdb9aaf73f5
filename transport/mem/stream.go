package mem

import (
	"context"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"
)

// maxStreams is how many streams wait at an address until they are accepted.
const maxStreams = 64

// A stream is one side of a pipe, with addresses as those of TCP.
type stream struct {
	net.Conn
	local, remote netip.AddrPort
}

func (s stream) LocalAddr() net.Addr  { return net.TCPAddrFromAddrPort(s.local) }
func (s stream) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(s.remote) }

// Dial opens a stream to whoever listens at the address when it arrives there,
// which takes the latency of the network. Neither loss nor latency touch the
// stream once it is open, nor does closing the Conn.
//
// If nobody listens there, or too many streams wait to be accepted, the error
// wraps [syscall.ECONNREFUSED]. If the context ends before, it is the cause of
// that; after [Conn.Close] it is [net.ErrClosed].
//
// Both sides are what [net.Pipe] returns, but for their addresses: nothing is
// kept between them, so a write waits for reads that take all of it. Where TCP
// says [net.ErrClosed] or that the other side reset it, this is
// [io.ErrClosedPipe]. The addresses are those of the two Conns, of type
// [*net.TCPAddr]; over TCP, the one who dials would have another port.
func (c *Conn) Dial(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	select {
	case <-c.closed:
		return nil, net.ErrClosed
	default:
	}
	to = unmap(to)
	cut, latency := c.network.path(c.local, to)
	if cut {
		<-ctx.Done()
		return nil, context.Cause(ctx)
	}
	if latency > 0 {
		arrived := time.NewTimer(latency)
		defer arrived.Stop()
		select {
		case <-arrived.C:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	return c.network.connect(c.local, to)
}

// path says what becomes of a new stream, before it arrives.
func (n *Network) path(from, to netip.AddrPort) (cut bool, latency time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.CutStream != nil && n.CutStream(from, to), n.Latency
}

// connect hands one side of a new stream to whoever listens at the address, and
// returns the other.
func (n *Network) connect(from, to netip.AddrPort) (net.Conn, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if c := n.conns[to]; c != nil {
		near, far := net.Pipe()
		select {
		case c.streams <- stream{far, to, from}:
			return stream{near, from, to}, nil
		default:
		}
	}
	return nil, &net.OpError{
		Op:     "dial",
		Net:    "tcp",
		Source: net.TCPAddrFromAddrPort(from),
		Addr:   net.TCPAddrFromAddrPort(to),
		Err:    os.NewSyscallError("connect", syscall.ECONNREFUSED),
	}
}

// Accept waits for the next stream that somebody opens to this address, of
// which at most 64 wait. After [Conn.Close] the error is [net.ErrClosed], the
// only one there is.
func (c *Conn) Accept() (net.Conn, error) {
	select {
	case <-c.closed:
		return nil, net.ErrClosed
	default:
	}
	select {
	case s := <-c.streams:
		return s, nil
	case <-c.closed:
		return nil, net.ErrClosed
	}
}

// closeStreams closes those that nobody accepted. No more may arrive.
func (c *Conn) closeStreams() {
	for {
		select {
		case s := <-c.streams:
			s.Close()
		default:
			return
		}
	}
}
