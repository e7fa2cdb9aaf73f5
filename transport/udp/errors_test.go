//go:build !windows

package udp

import (
	"errors"
	"net"
	"os"
	"syscall"
	"testing"
)

// What package net wraps around an error number.
func wrapped(errno syscall.Errno) error {
	return &net.OpError{Op: "write", Net: "udp", Err: os.NewSyscallError("sendto", errno)}
}

func TestEveryErrorOfASocketHasAKind(t *testing.T) {
	for _, test := range []struct {
		err  error
		want ErrorKind
		name string
	}{
		{wrapped(syscall.ECONNREFUSED), ErrorRefused, "refused"},
		{wrapped(syscall.EMSGSIZE), ErrorTooBig, "too-big"},
		{wrapped(syscall.ENOBUFS), ErrorNoBuffers, "no-buffers"},
		{wrapped(syscall.EPERM), ErrorForbidden, "forbidden"},
		{wrapped(syscall.EAGAIN), ErrorAgain, "again"},
		{wrapped(syscall.ENETUNREACH), ErrorUnreachable, "unreachable"},
		{wrapped(syscall.EIO), ErrorOther, "other"},
		{errors.New("not of the system"), ErrorOther, "other"},
	} {
		if got := kindOf(test.err); got != test.want || got.String() != test.name {
			t.Errorf("%v is %v, want %q", test.err, got, test.name)
		}
	}
}

func TestAnErrorOfTheSocketIsCountedAndSurvived(t *testing.T) {
	c := &Conn{closed: make(chan struct{})}
	for failures := range 18 { // the last two after a pause
		if !c.survive(wrapped(syscall.ECONNREFUSED), failures) {
			t.Fatalf("gave up after %d failures", failures)
		}
	}
	if got := c.Stats().ReadErrors[ErrorRefused]; got != 18 {
		t.Errorf("counted %d, want 18", got)
	}
	if c.survive(&net.OpError{Op: "read", Err: net.ErrClosed}, 0) {
		t.Error("a closed socket is read again")
	}
	close(c.closed)
	if c.survive(wrapped(syscall.EIO), 16) {
		t.Error("closing does not end the pause")
	}
}
