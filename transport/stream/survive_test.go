package stream

import (
	"net"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// A failingSocket fails a number of times, then has a connection, then waits
// until it is closed.
type failingSocket struct {
	net.Listener
	failures int
	ready    chan net.Conn
}

func (s *failingSocket) Accept() (net.Conn, error) {
	if s.failures > 0 {
		s.failures--
		return nil, &net.OpError{Op: "accept", Net: "tcp", Err: os.NewSyscallError("accept4", syscall.EMFILE)}
	}
	if c, ok := <-s.ready; ok {
		return c, nil
	}
	return nil, &net.OpError{Op: "accept", Net: "tcp", Err: net.ErrClosed}
}

func (s *failingSocket) Addr() net.Addr { return &net.TCPAddr{} }

func (s *failingSocket) Close() error { close(s.ready); return nil }

func TestAnErrorOfTheSocketIsCountedAndSurvived(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		socket := &failingSocket{failures: 100, ready: make(chan net.Conn, 1)}
		l := newListener(socket, Limits{})
		ours, _ := net.Pipe()
		socket.ready <- ours
		start := time.Now()
		c, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		c.Close()
		if took := time.Since(start); took != 100*pause {
			t.Errorf("a hundred pauses took %v", took)
		}
		if want := (Stats{Accepted: 1, Errors: 100}); l.Stats() != want {
			t.Errorf("counted %+v, want %+v", l.Stats(), want)
		}
		l.Close()
		if _, err := l.Accept(); err != net.ErrClosed {
			t.Errorf("after closing: %v", err)
		}
		if got := l.Stats().Errors; got != 100 {
			t.Errorf("closing counts as an error: %d", got)
		}
	})
}

func TestClosingEndsThePauseAfterAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newListener(&failingSocket{failures: 1, ready: make(chan net.Conn)}, Limits{})
		start := time.Now()
		time.AfterFunc(pause/2, func() { l.Close() })
		if _, err := l.Accept(); err != net.ErrClosed {
			t.Errorf("accepting ended with %v", err)
		}
		if took := time.Since(start); took != pause/2 {
			t.Errorf("it took %v", took)
		}
	})
}

func TestAConnectionThatIsGoneAlreadyLeavesItsPlace(t *testing.T) {
	socket := &failingSocket{ready: make(chan net.Conn, 2)}
	l := newListener(socket, Limits{Conns: 1})
	dead, _ := net.Pipe()
	dead.Close() // no deadline can be set
	alive, _ := net.Pipe()
	socket.ready <- dead
	socket.ready <- alive
	c, err := l.Accept()
	if err != nil || c.Conn != alive {
		t.Fatalf("accepted %v, %v", c, err)
	}
	c.Close()
	if l.gate.strangers != 0 {
		t.Errorf("%d places are taken", l.gate.strangers)
	}
	if want := (Stats{Accepted: 2, Errors: 1}); l.Stats() != want {
		t.Errorf("counted %+v, want %+v", l.Stats(), want)
	}
}
