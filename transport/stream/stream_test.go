package stream_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/selkie-go/selkie/transport/stream"
)

// patient are limits that no test reaches, unless something is wrong.
var patient = stream.Limits{Handshake: 20 * time.Second}

// listen opens a socket on loopback for the duration of the test.
func listen(t *testing.T, at string, limits stream.Limits) *stream.Listener {
	t.Helper()
	if testing.Short() {
		t.Skip("needs real sockets")
	}
	l, err := stream.Listen(netip.MustParseAddrPort(at), limits)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func dial(t *testing.T, to netip.AddrPort) *stream.Conn {
	t.Helper()
	c, err := stream.Dial(t.Context(), netip.AddrPort{}, to, patient)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// accept takes the next connection, which must be there already or on its way.
func accept(t *testing.T, l *stream.Listener) *stream.Conn {
	t.Helper()
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// connect returns both sides of a new connection.
func connect(t *testing.T, l *stream.Listener) (theirs, ours *stream.Conn) {
	t.Helper()
	theirs = dial(t, l.LocalAddr())
	return theirs, accept(t, l)
}

// wantRefused dials while the listener accepts, and sees that nothing comes of
// it. Then free makes a place, and the next one gets it.
func wantRefused(t *testing.T, l *stream.Listener, free func()) {
	t.Helper()
	accepted := make(chan error, 1)
	go func() {
		c, err := l.Accept()
		if err == nil {
			c.Close()
		}
		accepted <- err
	}()
	// The reset may arrive before the connection seems to stand.
	c, err := stream.Dial(t.Context(), netip.AddrPort{}, l.LocalAddr(), patient)
	if err == nil {
		defer c.Close()
		_, err = c.Read(make([]byte, 1))
	}
	if err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("who should be refused reads: %v", err)
	}
	free()
	dial(t, l.LocalAddr())
	if err := <-accepted; err != nil {
		t.Error(err)
	}
}

func wantRead(t *testing.T, c net.Conn, want string) {
	t.Helper()
	b := make([]byte, len(want))
	if _, err := io.ReadFull(c, b); err != nil || string(b) != want {
		t.Fatalf("read %q, %v; want %q", b, err, want)
	}
}

func write(t *testing.T, c net.Conn, text string) {
	t.Helper()
	if _, err := c.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
}

func hasIPv6() bool {
	l, err := net.ListenTCP("tcp6", &net.TCPAddr{IP: net.IPv6loopback})
	if err == nil {
		l.Close()
	}
	return err == nil
}

func TestBothSidesTalk(t *testing.T) {
	for _, at := range []string{"127.0.0.1:0", "[::1]:0"} {
		t.Run(at, func(t *testing.T) {
			if at[0] == '[' && !hasIPv6() {
				t.Skip("no IPv6 on this host")
			}
			l := listen(t, at, patient)
			theirs, ours := connect(t, l)
			write(t, theirs, "question")
			wantRead(t, ours, "question")
			write(t, ours, "answer")
			wantRead(t, theirs, "answer")
			if theirs.RemoteAddr().String() != l.LocalAddr().String() ||
				theirs.LocalAddr().String() != ours.RemoteAddr().String() {
				t.Errorf("%v speaks to %v, and %v to %v", theirs.LocalAddr(), theirs.RemoteAddr(), ours.LocalAddr(), ours.RemoteAddr())
			}
			ours.Close()
			if _, err := theirs.Read(make([]byte, 1)); err != io.EOF {
				t.Errorf("after the other side closed: %v", err)
			}
			if want := (stream.Stats{Accepted: 1}); l.Stats() != want {
				t.Errorf("counted %+v, want %+v", l.Stats(), want)
			}
		})
	}
}

func TestTheWildcardOfIPv6ServesIPv4(t *testing.T) {
	if !hasIPv6() {
		t.Skip("no IPv6 on this host")
	}
	l := listen(t, "[::]:0", stream.Limits{PerSource: 1, Handshake: 20 * time.Second})
	port := l.LocalAddr().Port()
	for _, ip := range []string{"127.0.0.1", "::ffff:127.0.0.1", "::1"} {
		theirs := dial(t, netip.AddrPortFrom(netip.MustParseAddr(ip), port))
		ours := accept(t, l)
		write(t, theirs, ip)
		wantRead(t, ours, ip)
		ours.Close()
	}
}

func TestTheWildcardOfIPv4ServesIPv4Alone(t *testing.T) {
	l := listen(t, "0.0.0.0:0", patient)
	if !l.LocalAddr().Addr().Is4() {
		t.Errorf("bound to %v", l.LocalAddr())
	}
}

func TestListeningWhereSomebodyListensIsAnError(t *testing.T) {
	l := listen(t, "127.0.0.1:0", patient)
	if again, err := stream.Listen(l.LocalAddr(), patient); err == nil {
		again.Close()
		t.Errorf("%v was given twice", l.LocalAddr())
	}
	if _, err := stream.Listen(netip.AddrPort{}, patient); err == nil {
		t.Error("the zero address was listened on")
	}
}

func TestOneSourceGetsItsPlacesAndGivesThemBack(t *testing.T) {
	l := listen(t, "127.0.0.1:0", stream.Limits{Handshake: 20 * time.Second})
	connect(t, l)
	_, second := connect(t, l)
	wantRefused(t, l, func() { second.Close() })
	if want := (stream.Stats{Accepted: 3, RefusedSource: 1}); l.Stats() != want {
		t.Errorf("counted %+v, want %+v", l.Stats(), want)
	}
}

func TestAnotherSourceHasPlacesOfItsOwn(t *testing.T) {
	l := listen(t, "127.0.0.1:0", stream.Limits{PerSource: 1, Handshake: 20 * time.Second})
	connect(t, l)
	from := netip.MustParseAddrPort("127.0.0.2:7946")
	theirs, err := stream.Dial(t.Context(), from, l.LocalAddr(), patient)
	if err != nil {
		t.Skipf("this host has one loopback address only: %v", err)
	}
	defer theirs.Close()
	ours := accept(t, l)
	if at := ours.RemoteAddr().(*net.TCPAddr).AddrPort(); at.Addr() != from.Addr() || at.Port() == from.Port() {
		t.Errorf("dialled from %v, want %v and any port", at, from.Addr())
	}
}

func TestAllStrangersTogetherAreLimited(t *testing.T) {
	l := listen(t, "127.0.0.1:0", stream.Limits{Conns: 3, PerSource: 10, Handshake: 20 * time.Second})
	connect(t, l)
	connect(t, l)
	_, third := connect(t, l)
	wantRefused(t, l, func() { third.Trust(0) })
	if want := (stream.Stats{Accepted: 4, RefusedConns: 1}); l.Stats() != want {
		t.Errorf("counted %+v, want %+v", l.Stats(), want)
	}
}

func TestTheTrustedAreLimitedToo(t *testing.T) {
	l := listen(t, "127.0.0.1:0", stream.Limits{Trusted: 1, Handshake: 20 * time.Second})
	_, first := connect(t, l)
	_, second := connect(t, l)
	if !first.Trust(0) {
		t.Error("the first is not trusted")
	}
	if second.Trust(0) {
		t.Error("the second is trusted")
	}
	first.Close()
	if !second.Trust(0) {
		t.Error("the second is not trusted when the first is gone")
	}
	if want := (stream.Stats{Accepted: 2, RefusedTrusted: 1}); l.Stats() != want {
		t.Errorf("counted %+v, want %+v", l.Stats(), want)
	}
}

func TestClosingEndsAWaitingAccept(t *testing.T) {
	l := listen(t, "127.0.0.1:0", patient)
	theirs, ours := connect(t, l)
	done := make(chan error)
	go func() {
		_, err := l.Accept()
		done <- err
	}()
	if err := l.Close(); err != nil {
		t.Errorf("closing: %v", err)
	}
	if err := <-done; err != net.ErrClosed {
		t.Errorf("accepting ended with %v", err)
	}
	if _, err := l.Accept(); err != net.ErrClosed {
		t.Errorf("accepting later ended with %v", err)
	}
	if err := l.Close(); err != nil {
		t.Errorf("closing again: %v", err)
	}
	write(t, theirs, "left alone")
	wantRead(t, ours, "left alone")
}

func TestNoGoroutineIsLeftAndNoneIsNeeded(t *testing.T) {
	l := listen(t, "127.0.0.1:0", patient)
	connect(t, l) // what package net starts once, has started
	before := runtime.NumGoroutine()
	for range 10 {
		theirs, ours := connect(t, l)
		ours.Trust(100)
		theirs.Close()
		ours.Close()
	}
	l.Close()
	// One that was told to end may take its time.
	for start := time.Now(); runtime.NumGoroutine() > before; runtime.Gosched() {
		if time.Since(start) > 10*time.Second {
			t.Fatalf("%d goroutines, %d before", runtime.NumGoroutine(), before)
		}
	}
}

func TestManyMayConnectAtOnce(t *testing.T) {
	l := listen(t, "127.0.0.1:0", stream.Limits{Conns: 8, PerSource: 4, Trusted: 4, Handshake: 20 * time.Second})
	var servers, clients sync.WaitGroup
	for range 2 {
		servers.Go(func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				servers.Go(func() {
					defer c.Close()
					if c.Trust(1) {
						c.Expect(1)
						_, _ = c.Write([]byte("x")) // they may be gone
					}
				})
			}
		})
	}
	const each, many = 20, 8
	for range many {
		clients.Go(func() {
			for range each {
				c, err := stream.Dial(context.Background(), netip.AddrPort{}, l.LocalAddr(), patient)
				if err != nil {
					continue // refused
				}
				if _, err := c.Read(make([]byte, 1)); errors.Is(err, os.ErrDeadlineExceeded) {
					t.Error(err)
				}
				c.Close()
			}
		})
	}
	clients.Wait()
	// Places are free again, as soon as the last to be served are gone.
	dialled := uint64(each * many)
	for served, start := 0, time.Now(); served < 20; dialled++ {
		if time.Since(start) > 10*time.Second {
			t.Fatal("nobody is let in any more")
		}
		c, err := stream.Dial(t.Context(), netip.AddrPort{}, l.LocalAddr(), patient)
		if err != nil {
			continue // refused
		}
		if n, _ := c.Read(make([]byte, 1)); n > 0 {
			served++
		}
		c.Close()
	}
	l.Close()
	servers.Wait()
	if s := l.Stats(); s.Accepted+s.RefusedConns+s.RefusedSource != dialled || s.Errors != 0 {
		t.Errorf("counted %+v", s)
	}
}
