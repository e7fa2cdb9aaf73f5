package stream

import "time"

// Limits are what strangers, slow peers and hostile ones get. Of each field
// zero means its default.
type Limits struct {
	// Conns is how many connections that are not trusted yet may be open at
	// once, 64 by default; more are refused.
	Conns int
	// PerSource is how many of them may come from one IP address, 2 by
	// default. Who has many addresses, as everybody has with IPv6, is limited
	// by Conns alone.
	PerSource int
	// Trusted is how many trusted connections may be open at once, 256 by
	// default.
	Trusted int
	// Handshake is how long a connection may take to become trusted, and what
	// it gets on top of the time for its bytes later, 1 s by default.
	Handshake time.Duration
	// MinRate is how many bytes per second a trusted connection has to move
	// at least, on average, 16 KiB by default.
	MinRate int
}

// withDefaults returns the limits with no field left at zero.
func (l Limits) withDefaults() Limits {
	positive(&l.Conns, 64)
	positive(&l.PerSource, 2)
	positive(&l.Trusted, 256)
	positive(&l.Handshake, time.Second)
	positive(&l.MinRate, 16<<10)
	return l
}

func positive[T int | time.Duration](v *T, otherwise T) {
	if *v <= 0 {
		*v = otherwise
	}
}

// longest is the most time that any number of bytes gets. Sizes may be what the
// other side says, and must neither overflow nor hold a connection for ever.
const longest = 24 * time.Hour

// timeFor is how long a peer may take for that many bytes.
func (l Limits) timeFor(size int64) time.Duration {
	size, rate := max(size, 0), int64(l.MinRate)
	if size/rate >= int64(longest/time.Second) {
		return l.Handshake + longest
	}
	// The rest is less than the rate, which a float64 divides well enough.
	rest := float64(size%rate) / float64(rate) * float64(time.Second)
	return l.Handshake + time.Duration(size/rate)*time.Second + time.Duration(rest)
}
