package selkie

import (
	"bytes"
	"fmt"
	"sync/atomic"

	"github.com/selkie-go/selkie/swim"
)

// MaxKey is the most bytes that the key of a broadcast may have.
const MaxKey = 255

// Broadcast has a payload told to everybody, once each and within seconds,
// but without a promise: who is away or can not be reached misses it. While it
// is being told, a later payload of ours with the same key replaces it, and who
// has the later one ignores the earlier. With an empty key every payload
// stands for itself.
//
// With [WireFoca] nobody says which payload is whose: one with the content of
// another of the last ten minutes is taken for that one, and not told.
//
// A payload must fit into a packet besides its key; one that does not, or a
// key of more than [MaxKey] bytes, is an error that wraps [swim.ErrTooBig].
// [swim.ErrFull] says that too many payloads are being told. With [WireFoca] a key
// can not travel, which is [swim.ErrEncode], and an empty payload is
// [swim.ErrEmpty].
func (n *Node) Broadcast(key string, payload []byte) error {
	if len(key) > MaxKey {
		return fmt.Errorf("selkie: %w: a key of %d bytes", swim.ErrTooBig, len(key))
	}
	return n.try(func() error {
		item, err := n.messages.format.compose(n.core.Self().ID, key, payload)
		if err != nil {
			return err
		}
		if _, err := n.core.AddBroadcast(item, n.out); err != nil {
			n.messages.format.withdraw(item)
			return fmt.Errorf("selkie: %w", err)
		}
		return nil
	})
}

// A message is a payload on its way to the owner.
type message struct {
	from    ID
	key     string
	payload []byte
	direct  bool // sent to us alone
}

// messages are the broadcasts of a node: the [swim.BroadcastHandler] of its
// core, and the queue in front of its owner. Only run calls it, but for
// deliver.
type messages struct {
	self   swim.Addr
	format messageFormat
	// describe is given what members broadcast about themselves, and reports
	// whether it was new.
	describe func(item []byte) (swim.Key, bool, error)

	owner      func(from ID, key string, payload []byte)
	direct     func(from ID, payload []byte)
	most       int // bytes of a message that direct is given
	queue      chan message
	queued     atomic.Int64  // bytes of messages for direct in the queue
	lost       atomic.Uint64 // broadcasts for which the queue was full
	lostDirect atomic.Uint64
	end        <-chan struct{}
}

// A messageFormat is how broadcasts travel: [keyed] or [opaque].
type messageFormat interface {
	// compose returns a payload of ours as it travels.
	compose(self ID, key string, payload []byte) ([]byte, error)
	// take reads what travels, which the sender passed on. If it is new, it is
	// told to others under a key. The payload may point into the item.
	take(item []byte, sender ID) (got message, key swim.Key, isNew bool, err error)
	// withdraw is told that a payload of ours, which was composed, is not told to
	// anybody.
	withdraw(item []byte)
}

func newMessages(end <-chan struct{}, self ID, format messageFormat, cfg Config) *messages {
	m := &messages{
		self:   self.Addr(),
		format: format,
		owner:  cfg.OnBroadcast,
		direct: cfg.OnMessage,
		most:   cfg.MaxMessage,
		end:    end,
	}
	if m.wanted() {
		m.queue = make(chan message, cfg.EventBuffer)
	}
	return m
}

// wanted reports whether the owner wants any.
func (m *messages) wanted() bool { return m.owner != nil || m.direct != nil }

// Receive implements [swim.BroadcastHandler].
func (m *messages) Receive(item []byte, sender ID) (swim.Key, bool, error) {
	if m.describe != nil && len(item) > 0 && item[0] == descriptionVersion {
		return m.describe(item[1:])
	}
	got, key, isNew, err := m.format.take(item, sender)
	if err != nil || !isNew {
		return swim.Key{}, false, err
	}
	if got.from.Addr() != m.self && m.owner != nil {
		got.payload = bytes.Clone(got.payload)
		select {
		case m.queue <- got:
		default:
			m.lost.Add(1)
		}
	}
	return key, true, nil
}

// Wants implements [swim.BroadcastHandler]: everybody passes payloads on.
func (m *messages) Wants(swim.Member[swim.ID]) bool { return true }

// deliver hands messages to the owner until the end.
func (m *messages) deliver() {
	for {
		select {
		case <-m.end:
			return
		case got := <-m.queue:
			if got.direct {
				m.queued.Add(-int64(len(got.payload)))
				m.direct(got.from, got.payload)
			} else {
				m.owner(got.from, got.key, got.payload)
			}
		}
	}
}
