package foca

import (
	"math"
	"slices"
	"sync/atomic"

	"github.com/selkie-go/selkie/swim"
)

// Codec returns foca's format for any identity, given how a single one is
// written and read.
//
// AppendID appends the bytes of an identity, from 1 to maxID of them, and an
// equal identity has the same ones everywhere; zero bytes mean that the
// identity can not be written. ParseID reads one off the front of data, which
// may hold more and may be anything, and returns how many bytes it took. An
// identity that parseID reads from other bytes than appendID writes is
// malformed. Neither may keep what it is handed.
//
// The codec is a [swim.Narrow] one. Append may make b longer than room for a
// moment. It allocates nothing if what it returned is handed back as b,
// emptied.
func Codec[ID comparable](
	appendID func(b []byte, id ID) []byte,
	parseID func(data []byte) (id ID, n int, err error),
	maxID int,
) swim.Codec[ID] {
	return &codec[ID]{appendID: appendID, parseID: parseID, maxID: maxID}
}

type codec[ID comparable] struct {
	appendID func(b []byte, id ID) []byte
	parseID  func(data []byte) (ID, int, error)
	maxID    int
	// spare is memory for one Parse at a time, and means nothing between calls.
	// Whoever finds it taken by another goroutine makes some more.
	spare atomic.Pointer[[]byte]
}

var _ swim.Narrow = (*codec[swim.ID])(nil)

// messages are foca's, in the order of their numbers on the wire.
var messages = [...]swim.Message{
	swim.MessagePing,
	swim.MessageAck,
	swim.MessagePingReq,
	swim.MessageIndirectPing,
	swim.MessageIndirectAck,
	swim.MessageForwardedAck,
	swim.MessageAnnounce,
	swim.MessageFeed,
	swim.MessageGossip,
	swim.MessageBroadcast,
	swim.MessageTurnUndead,
}

var messageNames = [len(messages)]string{"Ping", "Ack", "PingReq", "IndirectPing", "IndirectAck", "ForwardedAck",
	"Announce", "Feed", "Gossip", "Broadcast", "TurnUndead"}

// MessageName returns what foca calls a message, or the name that it has here if
// foca has no such message.
func MessageName(m swim.Message) string {
	if v := variant(m); v >= 0 {
		return messageNames[v]
	}
	return m.String()
}

// variant returns the number of a message on the wire, or less than 0 if foca
// has no such message.
func variant(m swim.Message) int { return slices.Index(messages[:], m) }

// namesAbout reports whether the header of a message names a third identity on
// the wire. A turn-undead does not: whom it is about goes without saying.
func namesAbout(m swim.Message) bool {
	return m.HasAbout() && m != swim.MessageTurnUndead
}

const (
	maxIncarnation = math.MaxUint16
	maxNumber      = math.MaxUint8
	// maxCount is how many updates the count can say, maxLength the longest
	// payload that there can be.
	maxCount  = math.MaxUint16
	maxLength = math.MaxUint16

	lenCount  = 2
	lenLength = 2
	lenState  = 1

	minUpdate  = 1 + 1 + lenState
	updateRest = lenNumber16 + lenState // besides the identity
	// headerRest is what the longest header has besides its identities: that of
	// a ping-req, with the goodbye of its sender, and a payload behind it.
	headerRest = lenNumber16 + 1 + 1 + lenCount + updateRest + lenLength
)

// MaxHeader implements [swim.Codec]. The goodbye of the sender is part of the
// header.
func (c *codec[ID]) MaxHeader() int { return headerRest + 4*c.maxID }

// MaxUpdate implements [swim.Codec].
func (c *codec[ID]) MaxUpdate() int { return updateRest + c.maxID }

// Limits implements [swim.Narrow].
func (c *codec[ID]) Limits() swim.Limits {
	return swim.Limits{Incarnation: maxIncarnation, Number: maxNumber, Unpadded: true, Unsynced: true}
}

// AppendID implements [swim.Codec].
func (c *codec[ID]) AppendID(b []byte, id ID) []byte {
	out, ok := c.put(b, id)
	if !ok {
		return b
	}
	return out
}

// put appends an identity, and reports whether that kept to the contract.
func (c *codec[ID]) put(b []byte, id ID) ([]byte, bool) {
	out := c.appendID(b, id)
	n := len(out) - len(b)
	return out, n > 0 && n <= c.maxID
}
