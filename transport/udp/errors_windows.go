package udp

import "syscall"

// The numbers of Winsock, which package syscall names only in part. Windows
// reports a refused datagram as a reset of the next read.
var errnoKinds = map[syscall.Errno]ErrorKind{
	10061: ErrorRefused,     // WSAECONNREFUSED
	10054: ErrorRefused,     // WSAECONNRESET
	10052: ErrorRefused,     // WSAENETRESET
	10040: ErrorTooBig,      // WSAEMSGSIZE
	10055: ErrorNoBuffers,   // WSAENOBUFS
	10013: ErrorForbidden,   // WSAEACCES
	10035: ErrorAgain,       // WSAEWOULDBLOCK
	10004: ErrorAgain,       // WSAEINTR
	10065: ErrorUnreachable, // WSAEHOSTUNREACH
	10051: ErrorUnreachable, // WSAENETUNREACH
	10064: ErrorUnreachable, // WSAEHOSTDOWN
	10050: ErrorUnreachable, // WSAENETDOWN
}
