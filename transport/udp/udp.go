// Package udp carries datagrams over a UDP socket, each in a frame of package
// frame or as it is, and knows nothing of what they hold.
package udp

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/selkie-go/selkie/transport/frame"
)

// maxDatagram is the most bytes that an IPv4 packet has room for.
const maxDatagram = 65507

// MaxPayload is the most bytes that one datagram carries in a frame; without one
// [frame.Overhead] more.
const MaxPayload = maxDatagram - frame.Overhead

// Sizes that we ask the system for. A cluster speaks in bursts (everybody
// answers at once), and what the socket can not hold is lost; the system may
// grant less.
const (
	readBuffer  = 4 << 20
	writeBuffer = 1 << 20
)

// A Conn is a socket that speaks for one cluster. All its methods may be
// called at the same time.
type Conn struct {
	socket  *net.UDPConn
	local   netip.AddrPort
	cluster frame.Cluster
	bare    bool // no frames

	close  sync.Once
	closed chan struct{}

	mu  sync.Mutex
	out []byte // the frame being sent, guarded by mu

	sent, sentBytes         atomic.Uint64
	received, receivedBytes atomic.Uint64
	refused                 [frame.NumFaults]atomic.Uint64
	readErrors, writeErrors [NumErrorKinds]atomic.Uint64
}

// Listen opens a socket for the cluster of that name. Port 0 lets the system
// choose one; [Conn.LocalAddr] says which. The IPv6 wildcard serves IPv4 too,
// every other address only its own family. The error is one of package net, or
// says that bind is no address.
func Listen(bind netip.AddrPort, cluster string) (*Conn, error) {
	c, err := ListenBare(bind)
	if err != nil {
		return nil, err
	}
	c.bare, c.cluster = false, frame.ClusterOf(cluster)
	return c, nil
}

// ListenBare is [Listen] for datagrams without a frame: to speak with programs
// of others. Nothing tells a damaged one then, or one of another cluster.
// [Conn.ReadFrom] refuses a datagram that fills its memory to the last byte, which
// may have been cut, and counts it as [ErrorTooBig].
func ListenBare(bind netip.AddrPort) (*Conn, error) {
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
		bare:   true,
		closed: make(chan struct{}),
		out:    make([]byte, 0, maxDatagram),
	}, nil
}

// unmap gives an IPv4 address its own form, so that every address has one.
func unmap(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}

// ReadFrom waits for the next datagram of this cluster, puts its payload at
// the beginning of b, and says where it came from. It uses the rest of b too:
// b must have room for [Conn.Overhead] bytes more than the payload, and what
// is longer is refused as damaged.
//
// Datagrams that are refused and errors of the socket are counted and passed
// over. After [Conn.Close] the error is [net.ErrClosed], the only one there is.
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
		if c.bare && n == len(b) {
			c.readErrors[ErrorTooBig].Add(1)
			continue
		}
		payload, err := c.unwrap(b[:n])
		if err != nil {
			c.refused[err.(frame.Fault)].Add(1)
			continue
		}
		c.received.Add(1)
		c.receivedBytes.Add(uint64(n))
		return copy(b, payload), unmap(from), nil
	}
}

// unwrap takes a payload out of its frame; an error is a [frame.Fault].
func (c *Conn) unwrap(datagram []byte) (payload []byte, err error) {
	if c.bare {
		return datagram, nil
	}
	return frame.Open(datagram, c.cluster)
}

// wrap puts a payload into its frame.
func (c *Conn) wrap(b, payload []byte) []byte {
	if c.bare {
		return append(b, payload...)
	}
	return frame.Append(b, c.cluster, payload)
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

// WriteTo sends a payload of at most [MaxPayload] bytes, or without a frame
// [frame.Overhead] more, and returns as soon as
// the system has taken it. An error is counted and means that this one
// datagram is lost, nothing more; after [Conn.Close] it is [net.ErrClosed].
func (c *Conn) WriteTo(b []byte, to netip.AddrPort) error {
	if most := maxDatagram - c.Overhead(); len(b) > most {
		c.writeErrors[ErrorTooBig].Add(1)
		return fmt.Errorf("udp: a payload of %d bytes: no more than %d fit", len(b), most)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.out = c.wrap(c.out[:0], b)
	if _, err := c.socket.WriteToUDPAddrPort(c.out, unmap(to)); err != nil {
		if errors.Is(err, net.ErrClosed) {
			return net.ErrClosed
		}
		c.writeErrors[kindOf(err)].Add(1)
		return err
	}
	c.sent.Add(1)
	c.sentBytes.Add(uint64(len(c.out)))
	return nil
}

// LocalAddr is the address that the socket is bound to, with the port that the
// system chose.
func (c *Conn) LocalAddr() netip.AddrPort { return c.local }

// Overhead is how many bytes of each datagram are not the payload.
func (c *Conn) Overhead() int {
	if c.bare {
		return 0
	}
	return frame.Overhead
}

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
	// Sent and Received count datagrams, and their bytes with the frame.
	Sent, SentBytes         uint64
	Received, ReceivedBytes uint64
	// Refused counts what was received but is no frame of this cluster, by
	// [frame.Fault].
	Refused [frame.NumFaults]uint64
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
	for i := range s.Refused {
		s.Refused[i] = c.refused[i].Load()
	}
	for i := range NumErrorKinds {
		s.ReadErrors[i] = c.readErrors[i].Load()
		s.WriteErrors[i] = c.writeErrors[i].Load()
	}
	return s
}
