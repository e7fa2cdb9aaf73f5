//go:build unix

package stream_test

import (
	"net"
	"syscall"
	"testing"

	"github.com/selkie-go/selkie/transport/stream"
)

// option returns a number that the system keeps about a connection.
func option(t *testing.T, c *stream.Conn, level, name int) int {
	t.Helper()
	raw, err := c.Conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	value, failed := 0, error(nil)
	err = raw.Control(func(fd uintptr) { value, failed = syscall.GetsockoptInt(int(fd), level, name) })
	if err != nil || failed != nil {
		t.Fatal(err, failed)
	}
	return value
}

func TestSocketsAreQuickAndSilent(t *testing.T) {
	l := listen(t, "127.0.0.1:0", patient)
	theirs, ours := connect(t, l)
	for _, c := range []*stream.Conn{theirs, ours} {
		if option(t, c, syscall.IPPROTO_TCP, syscall.TCP_NODELAY) == 0 {
			t.Error("small writes wait")
		}
		if option(t, c, syscall.SOL_SOCKET, syscall.SO_KEEPALIVE) != 0 {
			t.Error("keepalive is on")
		}
	}
}
