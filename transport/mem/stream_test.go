package mem_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/selkie-go/selkie/transport/mem"
)

func dial(t *testing.T, from *mem.Conn, to netip.AddrPort) net.Conn {
	t.Helper()
	s, err := from.Dial(t.Context(), to)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func accept(t *testing.T, at *mem.Conn) net.Conn {
	t.Helper()
	s, err := at.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// wantSay writes on one side and reads on the other.
func wantSay(t *testing.T, from, to net.Conn, text string) {
	t.Helper()
	var writer sync.WaitGroup
	writer.Go(func() {
		if _, err := from.Write([]byte(text)); err != nil {
			t.Error(err)
		}
	})
	b := make([]byte, len(text))
	if _, err := io.ReadFull(to, b); err != nil || string(b) != text {
		t.Errorf("read %q, %v; want %q", b, err, text)
	}
	writer.Wait()
}

func wantTook(t *testing.T, since time.Time, want time.Duration) {
	t.Helper()
	if took := time.Since(since); took != want {
		t.Errorf("it took %v, want %v", took, want)
	}
}

func TestStreamsGoBothWays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := mem.NewNetwork()
		a, b := listen(t, n, atA), listen(t, n, atB)
		near := dial(t, a, netip.AddrPortFrom(netip.AddrFrom16(atB.Addr().As16()), atB.Port()))
		far := accept(t, b)
		wantSay(t, near, far, "question")
		wantSay(t, far, near, "answer")
		for _, end := range []struct {
			addr net.Addr
			want netip.AddrPort
		}{{near.LocalAddr(), atA}, {near.RemoteAddr(), atB}, {far.LocalAddr(), atB}, {far.RemoteAddr(), atA}} {
			if got := end.addr.(*net.TCPAddr).AddrPort(); got != end.want {
				t.Errorf("the address is %v, want %v", got, end.want)
			}
		}
		far.Close()
		if _, err := near.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("after the other side closed: %v", err)
		}
	})
}

func TestDeadlinesOfStreamsKeepFakeTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := mem.NewNetwork()
		a, b := listen(t, n, atA), listen(t, n, atB)
		near := dial(t, a, atB)
		accept(t, b)
		start := time.Now()
		if err := near.SetDeadline(start.Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		if _, err := near.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("reading ended with %v", err)
		}
		wantTook(t, start, time.Minute)
	})
}

func TestWhereNobodyListensStreamsAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := mem.NewNetwork()
		n.Latency = time.Second
		a, b := listen(t, n, atA), listen(t, n, atB)
		start := time.Now()
		time.AfterFunc(time.Second/2, func() { b.Close() })
		if _, err := a.Dial(t.Context(), atB); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("dialling ended with %v", err)
		}
		wantTook(t, start, time.Second)
	})
}

func TestOpeningAStreamTakesTheLatency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := mem.NewNetwork()
		n.Latency = time.Second
		a, b := listen(t, n, atA), listen(t, n, atB)
		start := time.Now()
		near := dial(t, a, atB)
		far := accept(t, b)
		wantSay(t, near, far, "at once")
		wantTook(t, start, time.Second)
	})
}

func TestACutStreamWaitsUntilTheContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := mem.NewNetwork()
		asked := 0
		n.CutStream = func(from, to netip.AddrPort) bool { asked++; return from == atA && to == atB }
		a, b := listen(t, n, atA), listen(t, n, atB)
		start, enough := time.Now(), errors.New("enough")
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Minute, enough)
		defer cancel()
		if _, err := a.Dial(ctx, atB); err != enough {
			t.Errorf("dialling ended with %v", err)
		}
		wantTook(t, start, time.Minute)
		dial(t, b, atA)
		accept(t, a)
		n.Change(func(n *mem.Network) { n.CutStream = nil })
		dial(t, a, atB)
		accept(t, b)
		if asked != 2 {
			t.Errorf("asked %d times for 2 streams", asked)
		}
	})
}

func TestDialingEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := mem.NewNetwork()
		n.Latency = time.Minute
		a, b := listen(t, n, atA), listen(t, n, atB)
		enough := errors.New("enough")
		ctx, cancel := context.WithCancelCause(t.Context())
		start := time.Now()
		time.AfterFunc(time.Second, func() { cancel(enough) })
		for range 2 { // while it waits, and from the beginning
			if _, err := a.Dial(ctx, atB); err != enough {
				t.Errorf("dialling ended with %v", err)
			}
			wantTook(t, start, time.Second)
		}
		time.AfterFunc(time.Hour, func() { b.Close() })
		if s, err := b.Accept(); err != net.ErrClosed {
			t.Errorf("accepted %v, %v", s, err)
		}
	})
}

func TestStreamsThatNobodyAcceptsAreLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := mem.NewNetwork()
		a, b := listen(t, n, atA), listen(t, n, atB)
		for range 64 {
			dial(t, a, atB)
		}
		if _, err := a.Dial(t.Context(), atB); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("dialling ended with %v", err)
		}
		accept(t, b)
		dial(t, a, atB)
	})
}

func TestClosingEndsAcceptingAndWhatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := mem.NewNetwork()
		a, b := listen(t, n, atA), listen(t, n, atB)
		accepted := dial(t, a, atB)
		far := accept(t, b)
		ended := error(nil)
		go func() { _, ended = a.Accept() }()
		synctest.Wait()
		if ended != nil {
			t.Errorf("accepting ended too early: %v", ended)
		}
		waiting := dial(t, a, atB)
		a.Close()
		b.Close()
		synctest.Wait()
		if ended != net.ErrClosed {
			t.Errorf("accepting ended with %v", ended)
		}
		if _, err := waiting.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("the stream that nobody accepted ended with %v", err)
		}
		if _, err := b.Accept(); err != net.ErrClosed {
			t.Errorf("accepting later ended with %v", err)
		}
		if _, err := a.Dial(t.Context(), atB); err != net.ErrClosed {
			t.Errorf("dialling later ended with %v", err)
		}
		wantSay(t, accepted, far, "left alone")
	})
}

func TestManyMayDialWhileOthersClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := mem.NewNetwork()
		a := listen(t, n, atA)
		var dialers sync.WaitGroup
		for i := range 8 {
			dialers.Go(func() {
				for range 100 {
					time.Sleep(time.Duration(1+i) * time.Millisecond)
					s, err := a.Dial(t.Context(), atB)
					if errors.Is(err, syscall.ECONNREFUSED) {
						continue
					}
					if err != nil {
						t.Error(err)
						return
					}
					// Whoever does not accept it closes it: this ends.
					_, _ = s.Read(make([]byte, 1))
					s.Close()
				}
			})
		}
		for range 100 {
			b := listen(t, n, atB)
			var server sync.WaitGroup
			server.Go(func() {
				for {
					s, err := b.Accept()
					if err != nil {
						return
					}
					s.Close()
				}
			})
			time.Sleep(5 * time.Millisecond)
			b.Close()
			server.Wait()
		}
		dialers.Wait()
	})
}
