package selkie

import (
	"context"
	"errors"
	"time"
)

// ErrNotMember: the one who was named is no active member.
var ErrNotMember = errors.New("selkie: not an active member")

// Send hands a payload to one member, where [Config.OnMessage] is given it: in
// a datagram if it fits into one, which may get lost, else over a stream, and
// then an error says whether it arrived. It is at most [Config.MaxMessage]
// bytes, else the error wraps [swim.ErrTooBig]. ErrNotMember says that to is no
// active member, in just this life.
func (n *Node) Send(ctx context.Context, to ID, payload []byte) error { return errors.ErrUnsupported }

// Ping measures how long a packet to a member and its answer take, outside of
// the protocol. It is asked again every second until the context ends.
func (n *Node) Ping(ctx context.Context, to ID) (time.Duration, error) {
	return 0, errors.ErrUnsupported
}
