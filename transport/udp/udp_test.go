package udp_test

import (
	"bytes"
	"errors"
	"net"
	"net/netip"
	"sync"
	"testing"

	"github.com/selkie-go/selkie/transport/udp"
)

// listen opens a socket on loopback for the duration of the test.
func listen(t *testing.T, bind string) *udp.Conn {
	t.Helper()
	if testing.Short() {
		t.Skip("needs real sockets")
	}
	c, err := udp.Listen(netip.MustParseAddrPort(bind))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func send(t *testing.T, from *udp.Conn, payload string, to netip.AddrPort) {
	t.Helper()
	if err := from.WriteTo([]byte(payload), to); err != nil {
		t.Fatalf("sending %d bytes to %v: %v", len(payload), to, err)
	}
}

func wantRead(t *testing.T, c *udp.Conn, payload string, from netip.AddrPort) {
	t.Helper()
	b := make([]byte, 1<<16)
	n, got, err := c.ReadFrom(b)
	if err != nil || string(b[:n]) != payload || got != from {
		t.Fatalf("read %d bytes %.20q from %v, %v; want %d bytes %.20q from %v",
			n, b[:n], got, err, len(payload), payload, from)
	}
}

func TestDatagramsArriveWithTheirSender(t *testing.T) {
	for _, bind := range []string{"127.0.0.1:0", "[::1]:0"} {
		t.Run(bind, func(t *testing.T) {
			if bind[0] == '[' && !hasIPv6() {
				t.Skip("no IPv6 on this host")
			}
			a, b := listen(t, bind), listen(t, bind)
			for _, payload := range []string{"hello", "", string(bytes.Repeat([]byte("x"), 1391))} {
				send(t, a, payload, b.LocalAddr())
				wantRead(t, b, payload, a.LocalAddr())
			}
			if s := a.Stats(); s.Sent != 3 || s.SentBytes != 5+1391 {
				t.Errorf("the sender counts %+v", s)
			}
			if s := b.Stats(); s.Received != 3 || s.ReceivedBytes != 5+1391 {
				t.Errorf("the receiver counts %+v", s)
			}
		})
	}
}

func hasIPv6() bool {
	c, err := net.ListenUDP("udp6", &net.UDPAddr{IP: net.IPv6loopback})
	if err == nil {
		c.Close()
	}
	return err == nil
}

func TestTheLargestPayloadArrivesAndALargerOneIsRefused(t *testing.T) {
	a, b := listen(t, "127.0.0.1:0"), listen(t, "127.0.0.1:0")
	largest := string(bytes.Repeat([]byte("x"), udp.MaxPayload))
	send(t, a, largest, b.LocalAddr())
	wantRead(t, b, largest, a.LocalAddr())
	if err := a.WriteTo(make([]byte, udp.MaxPayload+1), b.LocalAddr()); err == nil {
		t.Error("a larger payload was sent")
	}
	if got := a.Stats().WriteErrors[udp.ErrorTooBig]; got != 1 {
		t.Errorf("counted %d, want 1", got)
	}
}

func TestTheWildcardOfIPv6ServesIPv4(t *testing.T) {
	if !hasIPv6() {
		t.Skip("no IPv6 on this host")
	}
	a, b := listen(t, "[::]:0"), listen(t, "127.0.0.1:0")
	at := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), a.LocalAddr().Port())
	send(t, b, "four to six", at)
	wantRead(t, a, "four to six", b.LocalAddr())
	send(t, a, "six to four", b.LocalAddr())
	wantRead(t, b, "six to four", at)
}

func TestADatagramLongerThanTheBufferIsRefused(t *testing.T) {
	a, b := listen(t, "127.0.0.1:0"), listen(t, "127.0.0.1:0")
	send(t, a, "this is too long", b.LocalAddr())
	send(t, a, "short", b.LocalAddr())
	buffer := make([]byte, 6)
	n, _, err := b.ReadFrom(buffer)
	if err != nil || string(buffer[:n]) != "short" {
		t.Errorf("read %q, %v", buffer[:n], err)
	}
	if s := b.Stats(); s.ReadErrors[udp.ErrorTooBig] != 1 {
		t.Errorf("read errors %v", s.ReadErrors)
	}
}

func TestAnAddressWhereNobodyListensDoesNotEndReading(t *testing.T) {
	a, b := listen(t, "127.0.0.1:0"), listen(t, "127.0.0.1:0")
	gone := listen(t, "127.0.0.1:0")
	gone.Close()
	for range 10 {
		// Whether the system reports the refusal, and when, is its own affair.
		_ = a.WriteTo([]byte("anybody?"), gone.LocalAddr())
	}
	send(t, b, "still there?", a.LocalAddr())
	wantRead(t, a, "still there?", b.LocalAddr())
}

func TestClosingEndsAWaitingRead(t *testing.T) {
	c := listen(t, "127.0.0.1:0")
	done := make(chan error)
	go func() {
		_, _, err := c.ReadFrom(make([]byte, 100))
		done <- err
	}()
	if err := c.Close(); err != nil {
		t.Errorf("closing: %v", err)
	}
	if err := <-done; err != net.ErrClosed {
		t.Errorf("the read ended with %v", err)
	}
	if _, _, err := c.ReadFrom(make([]byte, 100)); err != net.ErrClosed {
		t.Errorf("a later read ended with %v", err)
	}
	if err := c.WriteTo([]byte("x"), c.LocalAddr()); err != net.ErrClosed {
		t.Errorf("a later write ended with %v", err)
	}
	if err := c.Close(); err != nil {
		t.Errorf("closing again: %v", err)
	}
}

func TestListeningWhereSomebodyListensIsAnError(t *testing.T) {
	c := listen(t, "127.0.0.1:0")
	if again, err := udp.Listen(c.LocalAddr()); err == nil {
		again.Close()
		t.Errorf("%v was given twice", c.LocalAddr())
	}
	if _, err := udp.Listen(netip.AddrPort{}); err == nil {
		t.Error("the zero address was listened on")
	}
}

func TestManyMaySendAtOnce(t *testing.T) {
	a, b := listen(t, "127.0.0.1:0"), listen(t, "127.0.0.1:0")
	var senders sync.WaitGroup
	for i := range 8 {
		senders.Go(func() {
			payload := bytes.Repeat([]byte{byte(i)}, 100)
			for range 20 {
				if err := a.WriteTo(payload, b.LocalAddr()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	senders.Wait()
	if err := a.WriteTo([]byte("last"), b.LocalAddr()); err != nil {
		t.Fatal(err)
	}
	for buffer := make([]byte, 200); ; {
		n, _, err := b.ReadFrom(buffer)
		if err != nil {
			t.Fatal(err)
		}
		if string(buffer[:n]) == "last" {
			break
		}
		if n != 100 || !bytes.Equal(buffer[:n], bytes.Repeat(buffer[:1], n)) {
			t.Errorf("two senders mixed: %v", buffer[:n])
		}
	}
}

func TestAPacketAllocatesNothing(t *testing.T) {
	a, b := listen(t, "127.0.0.1:0"), listen(t, "127.0.0.1:0")
	payload, buffer, to := make([]byte, 1391), make([]byte, 1<<16), b.LocalAddr()
	allocs := testing.AllocsPerRun(200, func() {
		if err := a.WriteTo(payload, to); err != nil {
			t.Fatal(err)
		}
		if _, _, err := b.ReadFrom(buffer); err != nil {
			t.Fatal(err)
		}
	})
	if allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}

func BenchmarkSendAndReceive(b *testing.B) {
	bind := netip.MustParseAddrPort("127.0.0.1:0")
	from, err := udp.Listen(bind)
	if err != nil {
		b.Fatal(err)
	}
	defer from.Close()
	to, err := udp.Listen(bind)
	if err != nil {
		b.Fatal(err)
	}
	defer to.Close()
	payload, buffer := make([]byte, 1391), make([]byte, 1<<16)
	b.ReportAllocs()
	b.SetBytes(int64(len(payload)))
	for b.Loop() {
		if err := from.WriteTo(payload, to.LocalAddr()); err != nil {
			b.Fatal(err)
		}
		if _, _, err := to.ReadFrom(buffer); errors.Is(err, net.ErrClosed) {
			b.Fatal(err)
		}
	}
}
