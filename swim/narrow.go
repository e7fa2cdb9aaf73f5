package swim

// A Narrow is a [Codec] of a format that can not express all that a core says.
// The core then keeps to what it can. A codec that wraps another one has to pass
// its limits on, see [LimitsOf].
type Narrow interface {
	Limits() Limits
}

// Limits are what a format can express.
type Limits struct {
	// Incarnation is the highest one. A member that would have to go beyond it
	// to refute renews its identity instead.
	Incarnation Incarnation
	// Number is the highest number of a probe, after which they begin anew: one
	// less than a power of two.
	Number uint32
	// Unpadded is of a format without padding: an announce has no room for its
	// answer, and so a feed may be larger. Whoever lies about its address can
	// have that sent there.
	Unpadded bool
	// Unsynced is of a format without digests and sketches: feeds repair what
	// gossip lost.
	Unsynced bool
}

// unlimited is what a format can express that is not narrow.
var unlimited = Limits{Incarnation: 1<<64 - 1, Number: 1<<32 - 1}

// LimitsOf returns what a codec can express: all, unless it is a [Narrow] one.
func LimitsOf[ID any](codec Codec[ID]) Limits {
	if narrow, ok := codec.(Narrow); ok {
		return narrow.Limits()
	}
	return unlimited
}

// number returns the number of the probe after another.
func (l *Limits) number(last uint32) uint32 { return (last + 1) & l.Number }

// between reports whether the number of a probe lies between two others, or is
// one of them.
func (l *Limits) between(first, number, last uint32) bool {
	return (number-first)&l.Number <= (last-first)&l.Number
}
