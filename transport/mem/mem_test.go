package mem_test

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/selkie-go/selkie/transport/mem"
)

var (
	atA = netip.MustParseAddrPort("10.0.0.1:7946")
	atB = netip.MustParseAddrPort("10.0.0.2:7946")
)

func listen(t *testing.T, n *mem.Network, at netip.AddrPort) *mem.Conn {
	t.Helper()
	c, err := n.Listen(at)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func send(t *testing.T, c *mem.Conn, payload string, to netip.AddrPort) {
	t.Helper()
	if err := c.WriteTo([]byte(payload), to); err != nil {
		t.Fatal(err)
	}
}

func wantRead(t *testing.T, c *mem.Conn, payload string, from netip.AddrPort) {
	t.Helper()
	b := make([]byte, 100)
	n, got, err := c.ReadFrom(b)
	if err != nil || string(b[:n]) != payload || got != from {
		t.Fatalf("read %q from %v, %v; want %q from %v", b[:n], got, err, payload, from)
	}
}

func wantStats(t *testing.T, n *mem.Network, want mem.Stats) {
	t.Helper()
	if got := n.Stats(); got != want {
		t.Errorf("the network counts %+v, want %+v", got, want)
	}
}

func TestDatagramsArriveWithTheirSender(t *testing.T) {
	n := mem.NewNetwork()
	a, b := listen(t, n, atA), listen(t, n, atB)
	send(t, a, "hello", atB)
	wantRead(t, b, "hello", atA)
	send(t, b, "", atA)
	wantRead(t, a, "", atB)
	if a.LocalAddr() != atA {
		t.Errorf("address %v", a.LocalAddr())
	}
	wantStats(t, n, mem.Stats{Sent: 2, Delivered: 2})
}

func TestTheSenderMayReuseItsBuffer(t *testing.T) {
	n := mem.NewNetwork()
	a, b := listen(t, n, atA), listen(t, n, atB)
	buffer := []byte("first")
	if err := a.WriteTo(buffer, atB); err != nil {
		t.Fatal(err)
	}
	copy(buffer, "other")
	wantRead(t, b, "first", atA)
}

func TestADatagramLongerThanTheBufferIsCut(t *testing.T) {
	n := mem.NewNetwork()
	a, b := listen(t, n, atA), listen(t, n, atB)
	send(t, a, "hello", atB)
	send(t, a, "next", atB)
	buffer := make([]byte, 3)
	if got, _, err := b.ReadFrom(buffer); err != nil || string(buffer[:got]) != "hel" {
		t.Errorf("read %q, %v", buffer[:got], err)
	}
	wantRead(t, b, "next", atA)
}

func TestAPayloadThatNoDatagramCarriesIsAnError(t *testing.T) {
	n := mem.NewNetwork()
	a := listen(t, n, atA)
	if err := a.WriteTo(make([]byte, mem.MaxPayload), atA); err != nil {
		t.Error(err)
	}
	if err := a.WriteTo(make([]byte, mem.MaxPayload+1), atA); !errors.Is(err, mem.ErrTooBig) {
		t.Errorf("got %v", err)
	}
}

func TestWhatNobodyReadsIsDropped(t *testing.T) {
	n := mem.NewNetwork()
	n.Queue = 2
	a, b := listen(t, n, atA), listen(t, n, atB)
	for _, payload := range []string{"1", "2", "3"} {
		send(t, a, payload, atB)
	}
	wantStats(t, n, mem.Stats{Sent: 3, Delivered: 2, Dropped: 1})
	wantRead(t, b, "1", atA)
	send(t, a, "4", atB)
	wantRead(t, b, "2", atA)
	wantRead(t, b, "4", atA)
}

func TestWhereNobodyListensNothingArrives(t *testing.T) {
	n := mem.NewNetwork()
	send(t, listen(t, n, atA), "anybody?", atB)
	wantStats(t, n, mem.Stats{Sent: 1, Nowhere: 1})
}

func TestOneDirectionMayLoseEverything(t *testing.T) {
	n := mem.NewNetwork()
	n.Lost = func(from, to netip.AddrPort) bool { return from == atB && to == atA }
	a, b := listen(t, n, atA), listen(t, n, atB)
	send(t, b, "lost", atA)
	send(t, a, "hello", atB)
	wantRead(t, b, "hello", atA)
	wantStats(t, n, mem.Stats{Sent: 2, Delivered: 1, Lost: 1})
	n.Change(func(n *mem.Network) { n.Lost = nil })
	send(t, b, "healed", atA)
	wantRead(t, a, "healed", atB)
}

func TestEveryDatagramTakesTheLatency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := mem.NewNetwork()
		n.Latency = 20 * time.Millisecond
		a, b := listen(t, n, atA), listen(t, n, atB)
		start := time.Now()
		for range 2 {
			send(t, a, "ping", atB)
			wantRead(t, b, "ping", atA)
			send(t, b, "ack", atA)
			wantRead(t, a, "ack", atB)
		}
		if took := time.Since(start); took != 80*time.Millisecond {
			t.Errorf("two round trips took %v", took)
		}
	})
}

func TestALateDatagramReachesWhoeverListensThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := mem.NewNetwork()
		n.Latency = time.Second
		a, b := listen(t, n, atA), listen(t, n, atB)
		send(t, a, "for the next life", atB)
		b.Close()
		wantRead(t, listen(t, n, atB), "for the next life", atA)
	})
}

func TestClosingEndsAWaitingRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := mem.NewNetwork()
		c := listen(t, n, atA)
		ended := error(nil)
		go func() { _, _, ended = c.ReadFrom(make([]byte, 10)) }()
		synctest.Wait()
		if ended != nil {
			t.Errorf("the read ended too early: %v", ended)
		}
		c.Close()
		synctest.Wait()
		if ended != net.ErrClosed {
			t.Errorf("the read ended with %v", ended)
		}
	})
}

func TestAClosedConnNeitherReadsNorWrites(t *testing.T) {
	n := mem.NewNetwork()
	c := listen(t, n, atA)
	send(t, c, "waiting", atA)
	for range 2 {
		if err := c.Close(); err != nil {
			t.Errorf("closing: %v", err)
		}
	}
	if _, _, err := c.ReadFrom(make([]byte, 10)); err != net.ErrClosed {
		t.Errorf("the read ended with %v", err)
	}
	if err := c.WriteTo([]byte("x"), atA); err != net.ErrClosed {
		t.Errorf("the write ended with %v", err)
	}
}

func TestClosingAnEarlierConnLeavesTheNextAlone(t *testing.T) {
	n := mem.NewNetwork()
	earlier := listen(t, n, atA)
	earlier.Close()
	next := listen(t, n, atA)
	earlier.Close()
	send(t, next, "hello", atA)
	wantRead(t, next, "hello", atA)
}

func TestAnAddressHasOneListener(t *testing.T) {
	n := mem.NewNetwork()
	listen(t, n, atA)
	mapped := netip.AddrPortFrom(netip.AddrFrom16(atA.Addr().As16()), atA.Port())
	for _, at := range []netip.AddrPort{atA, mapped} {
		if _, err := n.Listen(at); !errors.Is(err, mem.ErrInUse) {
			t.Errorf("listening at %v: %v", at, err)
		}
	}
	for _, at := range []netip.AddrPort{{}, netip.MustParseAddrPort("0.0.0.0:7946")} {
		if _, err := n.Listen(at); !errors.Is(err, mem.ErrAddress) {
			t.Errorf("listening at %v: %v", at, err)
		}
	}
}

func TestPortZeroStandsForOneThatIsFree(t *testing.T) {
	n := mem.NewNetwork()
	n.Queue = 1 // sixteen thousand long queues take too much memory
	anyPort := netip.AddrPortFrom(atA.Addr(), 0)
	seen := make(map[netip.AddrPort]bool)
	for range 1<<16 - 49152 {
		at := listen(t, n, anyPort).LocalAddr()
		if seen[at] || at.Addr() != atA.Addr() || at.Port() == 0 {
			t.Fatalf("got %v", at)
		}
		seen[at] = true
	}
	if _, err := n.Listen(anyPort); !errors.Is(err, mem.ErrAddress) {
		t.Errorf("with all ports taken: %v", err)
	}
}

func TestManyMayTalkWhileTheNetworkChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := mem.NewNetwork()
		n.Latency = time.Millisecond
		conns := make([]*mem.Conn, 8)
		for i := range conns {
			conns[i] = listen(t, n, netip.AddrPortFrom(atA.Addr(), uint16(1+i)))
		}
		var readers, writers sync.WaitGroup
		for _, c := range conns {
			readers.Go(func() {
				for b := make([]byte, 10); ; {
					if _, _, err := c.ReadFrom(b); err != nil {
						return
					}
				}
			})
			writers.Go(func() {
				for i := range 100 {
					if err := c.WriteTo([]byte("hello"), conns[i%8].LocalAddr()); err != nil {
						t.Error(err)
					}
					time.Sleep(time.Millisecond)
				}
			})
		}
		count := 0
		n.Change(func(n *mem.Network) {
			n.Lost = func(netip.AddrPort, netip.AddrPort) bool { count++; return count%4 == 0 }
		})
		writers.Wait()
		time.Sleep(time.Second)
		for _, c := range conns {
			c.Close()
		}
		readers.Wait()
		if s := n.Stats(); s.Sent != 800 || s.Lost == 0 || s.Delivered+s.Lost+s.Dropped+s.Nowhere != 800 {
			t.Errorf("the network counts %+v", s)
		}
	})
}
