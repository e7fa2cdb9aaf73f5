package udp

import (
	"errors"
	"syscall"
)

// An ErrorKind is what an error of the socket means. None of them is a reason
// to give up: each concerns one datagram, or passes.
type ErrorKind uint8

// The kinds.
const (
	ErrorRefused     ErrorKind = iota // the other host said that nobody listens there
	ErrorTooBig                       // too long for the path, the system or the reader's buffer
	ErrorNoBuffers                    // the system is out of memory for packets
	ErrorForbidden                    // a firewall, or its connection table, stopped it
	ErrorAgain                        // interrupted, or not possible just now
	ErrorUnreachable                  // no way to that network or host
	ErrorOther                        // everything else
	numErrorKinds
)

// NumErrorKinds is the number of kinds.
const NumErrorKinds = int(numErrorKinds)

var errorNames = [NumErrorKinds]string{"refused", "too-big", "no-buffers", "forbidden", "again", "unreachable", "other"}

// String returns the kind in lower case, as metrics name it.
func (k ErrorKind) String() string {
	if k < numErrorKinds {
		return errorNames[k]
	}
	return "unknown"
}

// kindOf says what an error of the socket means.
func kindOf(err error) ErrorKind {
	errno, ok := errors.AsType[syscall.Errno](err)
	if !ok {
		return ErrorOther
	}
	if kind, ok := errnoKinds[errno]; ok {
		return kind
	}
	return ErrorOther
}
