package selkie

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/selkie-go/selkie/swim"
)

// maxSeen is how many broadcasts are remembered, to know them when they come
// again. They come again for seconds, in which a member receives far fewer.
const maxSeen = 1 << 14

// keyed is the [messageFormat] of our own wire:
//
//	version 1 | sequence uvarint | generation uvarint
//	| length u8, address of the origin | length u8, key | payload
//
// where the sequence is the wall clock of the origin in nanoseconds, so that
// it grows from one life to the next, too.
type keyed struct {
	sequence uint64
	// seen has the highest sequence of each name; order says which one to
	// forget next, and is a ring once it is full.
	seen  map[string]uint64
	order []seenName
	next  int
}

type seenName struct {
	name     string
	sequence uint64
}

const (
	messageVersion     = 1
	descriptionVersion = 2 // not of the owner's: what a member says about itself
)

var errMessage = errors.New("selkie: not a broadcast of a node")

func newKeyed() *keyed { return &keyed{seen: make(map[string]uint64)} }

// compose implements [messageFormat].
func (k *keyed) compose(self ID, key string, payload []byte) ([]byte, error) {
	k.sequence = max(k.sequence+1, uint64(time.Now().UnixNano()))
	addr, err := self.Addr().AddrPort().MarshalBinary()
	if err != nil {
		return nil, err
	}
	item := []byte{messageVersion}
	item = binary.AppendUvarint(item, k.sequence)
	item = binary.AppendUvarint(item, self.Generation())
	item = append(item, byte(len(addr)))
	item = append(item, addr...)
	item = append(item, byte(len(key)))
	item = append(item, key...)
	return append(item, payload...), nil
}

// withdraw implements [messageFormat]. The next try has a sequence of its own.
func (k *keyed) withdraw([]byte) {}

// take implements [messageFormat].
func (k *keyed) take(item []byte, _ ID) (got message, key swim.Key, isNew bool, err error) {
	got, sequence, err := decompose(item)
	if err != nil {
		return got, key, false, err
	}
	name := nameOf(got, sequence)
	if last, ok := k.seen[name]; ok && sequence <= last {
		return got, key, false, nil
	}
	k.remember(name, sequence)
	return got, swim.Key{Name: name, Version: sequence}, true, nil
}

// nameOf returns what replaces what: messages of one key from one address.
func nameOf(m message, sequence uint64) string {
	if m.key == "" {
		return fmt.Sprintf("%v %d", m.from.Addr(), sequence)
	}
	return fmt.Sprintf("%v=%s", m.from.Addr(), m.key)
}

func (k *keyed) remember(name string, sequence uint64) {
	k.seen[name] = sequence
	entry := seenName{name, sequence}
	if len(k.order) < maxSeen {
		k.order = append(k.order, entry)
		return
	}
	oldest := k.order[k.next]
	k.order[k.next] = entry
	k.next = (k.next + 1) % maxSeen
	if k.seen[oldest.name] == oldest.sequence {
		delete(k.seen, oldest.name)
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
