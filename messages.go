package selkie

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"sync/atomic"
	"time"

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
// A payload must fit into a packet besides its key; one that does not, or a
// key of more than [MaxKey] bytes, is an error that wraps [swim.ErrTooBig].
// [swim.ErrFull] says that too many payloads are being told.
func (n *Node) Broadcast(key string, payload []byte) error {
	if len(key) > MaxKey {
		return fmt.Errorf("selkie: %w: a key of %d bytes", swim.ErrTooBig, len(key))
	}
	return n.try(func() error {
		item := n.messages.compose(n.core.Self().ID, key, payload)
		if _, err := n.core.AddBroadcast(item, n.out); err != nil {
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
}

// maxSeen is how many broadcasts are remembered, to know them when they come
// again. They come again for seconds, in which a member receives far fewer.
const maxSeen = 1 << 14

// messages are the broadcasts of a node: the [swim.BroadcastHandler] of its
// core, and the queue in front of its owner. Only run calls it, but for
// deliver.
//
// A broadcast travels as
//
//	version 1 | sequence uvarint | generation uvarint
//	| length u8, address of the origin | length u8, key | payload
//
// where the sequence is the wall clock of the origin in nanoseconds, so that
// it grows from one life to the next, too.
type messages struct {
	self     swim.Addr
	sequence uint64
	// seen has the highest sequence of each name; order says which one to
	// forget next, and is a ring once it is full.
	seen  map[string]uint64
	order []seenName
	next  int

	owner func(from ID, key string, payload []byte)
	queue chan message
	lost  atomic.Uint64 // the queue was full
	end   <-chan struct{}
}

type seenName struct {
	name     string
	sequence uint64
}

const messageVersion = 1

var errMessage = errors.New("selkie: not a broadcast of a node")

func newMessages(end <-chan struct{}, self ID, owner func(ID, string, []byte), queue int) *messages {
	return &messages{
		self:  self.Addr(),
		seen:  make(map[string]uint64),
		owner: owner,
		queue: make(chan message, queue),
		end:   end,
	}
}

// compose returns a payload of ours as it travels.
func (m *messages) compose(self ID, key string, payload []byte) []byte {
	m.sequence = max(m.sequence+1, uint64(time.Now().UnixNano()))
	addr, _ := self.Addr().AddrPort().MarshalBinary() // never fails
	item := []byte{messageVersion}
	item = binary.AppendUvarint(item, m.sequence)
	item = binary.AppendUvarint(item, self.Generation())
	item = append(item, byte(len(addr)))
	item = append(item, addr...)
	item = append(item, byte(len(key)))
	item = append(item, key...)
	return append(item, payload...)
}

// Receive implements [swim.BroadcastHandler].
func (m *messages) Receive(item []byte, _ ID) (swim.Key, bool, error) {
	got, sequence, err := decompose(item)
	if err != nil {
		return swim.Key{}, false, err
	}
	name := nameOf(got, sequence)
	if last, ok := m.seen[name]; ok && sequence <= last {
		return swim.Key{}, false, nil
	}
	m.remember(name, sequence)
	if got.from.Addr() != m.self && m.owner != nil {
		got.payload = bytes.Clone(got.payload)
		select {
		case m.queue <- got:
		default:
			m.lost.Add(1)
		}
	}
	return swim.Key{Name: name, Version: sequence}, true, nil
}

// Wants implements [swim.BroadcastHandler]: everybody passes payloads on.
func (m *messages) Wants(swim.Member[swim.ID]) bool { return true }

// nameOf returns what replaces what: messages of one key from one address.
func nameOf(m message, sequence uint64) string {
	if m.key == "" {
		return fmt.Sprintf("%v %d", m.from.Addr(), sequence)
	}
	return fmt.Sprintf("%v=%s", m.from.Addr(), m.key)
}

func (m *messages) remember(name string, sequence uint64) {
	m.seen[name] = sequence
	entry := seenName{name, sequence}
	if len(m.order) < maxSeen {
		m.order = append(m.order, entry)
		return
	}
	oldest := m.order[m.next]
	m.order[m.next] = entry
	m.next = (m.next + 1) % maxSeen
	if m.seen[oldest.name] == oldest.sequence {
		delete(m.seen, oldest.name)
	}
}

// decompose reads what compose wrote. The payload points into the item.
func decompose(item []byte) (m message, sequence uint64, err error) {
	if len(item) == 0 || item[0] != messageVersion {
		return m, 0, errMessage
	}
	rest := item[1:]
	sequence, n := binary.Uvarint(rest)
	if n <= 0 {
		return m, 0, errMessage
	}
	rest = rest[n:]
	generation, n := binary.Uvarint(rest)
	if n <= 0 {
		return m, 0, errMessage
	}
	addr, rest, ok := cutShort(rest[n:])
	if !ok {
		return m, 0, errMessage
	}
	key, rest, ok := cutShort(rest)
	if !ok {
		return m, 0, errMessage
	}
	var at netip.AddrPort
	if at.UnmarshalBinary(addr) != nil {
		return m, 0, errMessage
	}
	from, err := swim.NewID(at, generation)
	if err != nil {
		return m, 0, errMessage
	}
	return message{from: from, key: string(key), payload: rest}, sequence, nil
}

// cutShort cuts off bytes that follow their length.
func cutShort(b []byte) (head, rest []byte, ok bool) {
	if len(b) == 0 || len(b) < 1+int(b[0]) {
		return nil, nil, false
	}
	n := 1 + int(b[0])
	return b[1:n], b[n:], true
}

// deliver hands messages to the owner until the end.
func (m *messages) deliver() {
	for {
		select {
		case <-m.end:
			return
		case got := <-m.queue:
			m.owner(got.from, got.key, got.payload)
		}
	}
}
