package stream_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/selkie-go/selkie/transport/stream"
)

// wantCut waits until reading fails because the deadline has passed.
func wantCut(t *testing.T, c net.Conn) {
	t.Helper()
	for b := make([]byte, 1); ; {
		if _, err := c.Read(b); errors.Is(err, os.ErrDeadlineExceeded) {
			return
		} else if err != nil {
			t.Fatalf("reading ended with %v", err)
		}
	}
}

func wantAtLeast(t *testing.T, since time.Time, least time.Duration) {
	t.Helper()
	if took := time.Since(since); took < least {
		t.Errorf("it took %v, want at least %v", took, least)
	}
}

func TestWhoSendsNothingIsCutAfterTheHandshake(t *testing.T) {
	l := listen(t, "127.0.0.1:0", stream.Limits{Handshake: 50 * time.Millisecond})
	dial(t, l.LocalAddr())
	start := time.Now()
	ours := accept(t, l)
	ours.Expect(1 << 40) // a stranger may promise what it likes
	wantCut(t, ours)
	wantAtLeast(t, start, 50*time.Millisecond)
}

func TestWhoSendsWithoutEndIsCutAfterTheHandshake(t *testing.T) {
	l := listen(t, "127.0.0.1:0", stream.Limits{Handshake: 50 * time.Millisecond})
	theirs, ours := connect(t, l)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for b := make([]byte, 100); ; {
			if _, err := theirs.Write(b); err != nil {
				return
			}
		}
	}()
	wantCut(t, ours)
	ours.Close()
	<-done
}

func TestTheTrustedOutliveTheHandshake(t *testing.T) {
	l := listen(t, "127.0.0.1:0", stream.Limits{Handshake: 50 * time.Millisecond, MinRate: 1})
	theirs, ours := connect(t, l)
	if !ours.Trust(3600) {
		t.Fatal("not trusted")
	}
	_, later := connect(t, l)
	wantCut(t, later) // so the time of the first is over too
	write(t, theirs, "still here")
	wantRead(t, ours, "still here")
}

func TestTheTrustedMustMoveTheirBytesInTime(t *testing.T) {
	l := listen(t, "127.0.0.1:0", stream.Limits{Handshake: 10 * time.Millisecond, MinRate: 1000})
	_, ours := connect(t, l)
	start := time.Now()
	if !ours.Trust(50) {
		t.Fatal("not trusted")
	}
	wantCut(t, ours)
	wantAtLeast(t, start, 60*time.Millisecond)
	start = time.Now()
	ours.Expect(50)
	ours.Expect(0) // which takes nothing away
	wantCut(t, ours)
	wantAtLeast(t, start, 60*time.Millisecond)
	start = time.Now()
	ours.Expect(3600_000)
	if !ours.Trust(0) {
		t.Fatal("no longer trusted")
	}
	wantCut(t, ours) // Trust says what is left
	wantAtLeast(t, start, 10*time.Millisecond)
}

func TestWhoReadsNothingIsCutToo(t *testing.T) {
	l := listen(t, "127.0.0.1:0", stream.Limits{Handshake: 50 * time.Millisecond})
	_, ours := connect(t, l)
	for b := make([]byte, 1<<16); ; {
		if _, err := ours.Write(b); errors.Is(err, os.ErrDeadlineExceeded) {
			return
		} else if err != nil {
			t.Fatalf("writing ended with %v", err)
		}
	}
}

func TestTheOneThatDialsHasADeadlineToo(t *testing.T) {
	l := listen(t, "127.0.0.1:0", patient)
	start := time.Now()
	theirs, err := stream.Dial(t.Context(), netip.AddrPort{}, l.LocalAddr(),
		stream.Limits{Handshake: 10 * time.Millisecond, MinRate: 1000})
	if err != nil {
		t.Fatal(err)
	}
	defer theirs.Close()
	wantCut(t, theirs)
	wantAtLeast(t, start, 10*time.Millisecond)
	start = time.Now()
	if !theirs.Trust(0) {
		t.Error("whom we dialled is not trusted")
	}
	theirs.Expect(50)
	wantCut(t, theirs)
	wantAtLeast(t, start, 60*time.Millisecond)
}

func TestAClosedConnIsOfNoUse(t *testing.T) {
	l := listen(t, "127.0.0.1:0", patient)
	theirs, ours := connect(t, l)
	for _, c := range []*stream.Conn{theirs, ours} {
		for range 2 {
			if err := c.Close(); err != nil {
				t.Errorf("closing: %v", err)
			}
		}
		if c.Trust(10) {
			t.Error("it is trusted")
		}
		c.Expect(10)
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
			t.Errorf("reading ended with %v", err)
		}
	}
}

func TestClosingEndsAWaitingRead(t *testing.T) {
	l := listen(t, "127.0.0.1:0", patient)
	_, ours := connect(t, l)
	done := make(chan error)
	go func() {
		_, err := ours.Read(make([]byte, 1))
		done <- err
	}()
	ours.Close()
	if err := <-done; !errors.Is(err, net.ErrClosed) {
		t.Errorf("reading ended with %v", err)
	}
}

func TestDialingNobodyIsAnError(t *testing.T) {
	l := listen(t, "127.0.0.1:0", patient)
	l.Close()
	if c, err := stream.Dial(t.Context(), netip.AddrPort{}, l.LocalAddr(), patient); err == nil {
		c.Close()
		t.Error("somebody answered")
	}
	if _, err := stream.Dial(t.Context(), netip.AddrPort{}, netip.AddrPort{}, patient); err == nil {
		t.Error("the zero address was dialled")
	}
}

func TestDialingEndsWithTheContext(t *testing.T) {
	l := listen(t, "127.0.0.1:0", patient)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := stream.Dial(ctx, netip.AddrPort{}, l.LocalAddr(), patient)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("dialling ended with %v", err)
	}
}

func TestTheSourceMayBeUnspecified(t *testing.T) {
	l := listen(t, "127.0.0.1:0", patient)
	for _, local := range []string{"0.0.0.0:7946", "[::]:7946", "127.0.0.1:7946", "[::ffff:127.0.0.1]:0"} {
		c, err := stream.Dial(t.Context(), netip.MustParseAddrPort(local), l.LocalAddr(), patient)
		if err != nil {
			t.Errorf("from %v: %v", local, err)
			continue
		}
		c.Close()
		accept(t, l).Close()
	}
}
