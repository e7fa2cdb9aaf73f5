//go:build !windows

package udp

import "syscall"

var errnoKinds = map[syscall.Errno]ErrorKind{
	syscall.ECONNREFUSED: ErrorRefused,
	syscall.ECONNRESET:   ErrorRefused,
	syscall.EMSGSIZE:     ErrorTooBig,
	syscall.ENOBUFS:      ErrorNoBuffers,
	syscall.ENOMEM:       ErrorNoBuffers,
	syscall.EPERM:        ErrorForbidden,
	syscall.EACCES:       ErrorForbidden,
	syscall.EAGAIN:       ErrorAgain,
	syscall.EINTR:        ErrorAgain,
	syscall.EHOSTUNREACH: ErrorUnreachable,
	syscall.ENETUNREACH:  ErrorUnreachable,
	syscall.EHOSTDOWN:    ErrorUnreachable,
	syscall.ENETDOWN:     ErrorUnreachable,
}
