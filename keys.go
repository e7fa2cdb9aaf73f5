package selkie

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/selkie-go/selkie/swim"
	"github.com/selkie-go/selkie/transport/sealed"
)

// A Key is the secret that the members of a cluster share. Whoever has it can
// take part; who has not can neither read nor write a packet.
type Key = sealed.Key

// A KeyID names a key without giving it away.
type KeyID = sealed.KeyID

// NewKey returns a key that nobody can guess.
func NewKey() Key { return sealed.NewKey() }

// ParseKey reads a key as [Key.Reveal] writes it: 32 bytes in base64.
func ParseKey(text string) (Key, error) { return sealed.ParseKey(text) }

// A KeyStatus is what a node knows of one key of the cluster.
type KeyStatus struct {
	ID      KeyID
	Held    bool      // we accept packets under it
	Primary bool      // we seal with it
	Heard   time.Time // when we last accepted a packet under it; zero if never
	// Missing are the active members that do not say that they accept it:
	// those who would be cut off if it were used.
	Missing []Member
	// Using are the active members that say that they seal with it, or do not
	// say what they seal with.
	Using []Member
}

// Keys returns what is known of every key that we hold or an active member
// says that it holds, sorted by ID. It is a local reading: members tell each
// other the names of their keys, and never the keys.
func (n *Node) Keys() []KeyStatus {
	known := make(map[KeyID]*KeyStatus)
	status := func(id KeyID) *KeyStatus {
		if known[id] == nil {
			known[id] = &KeyStatus{ID: id}
		}
		return known[id]
	}
	err := n.do(func() {
		box := n.box()
		if box == nil {
			return
		}
		for i, use := range box.Keys() {
			s := status(use.ID)
			s.Held, s.Primary = true, i == 0
			if use.Heard != 0 {
				s.Heard = time.Now().Add(swim.Instant(use.Heard).Sub(n.clock()))
			}
		}
	})
	if err != nil {
		return nil
	}
	var peers []Member
	for m := range n.Members() {
		if isPeer(m) {
			peers = append(peers, m)
			for _, id := range m.keys() {
				status(id)
			}
		}
	}
	for _, s := range known {
		for _, m := range peers {
			if !slices.Contains(m.keys(), s.ID) {
				s.Missing = append(s.Missing, m)
			}
			if keys := m.keys(); len(keys) == 0 || keys[0] == s.ID {
				s.Using = append(s.Using, m)
			}
		}
	}
	all := slices.SortedFunc(maps.Values(known), func(a, b *KeyStatus) int { return cmp.Compare(a.ID.String(), b.ID.String()) })
	statuses := make([]KeyStatus, len(all))
	for i, s := range all {
		statuses[i] = *s
	}
	return statuses
}

// keys are those that a member says it accepts.
func (m Member) keys() []KeyID {
	if m.described == nil {
		return nil
	}
	return m.described.keys
}

// ReloadKeys replaces the keys: the first one seals from now on, and packets
// under any of them are accepted. Nobody is cut off if keys change in the
// order that docs/operations.md gives. An error wraps sealed.ErrKey, and then
// nothing has changed; a node that began without keys can not get some.
func (n *Node) ReloadKeys(keys ...Key) error {
	return n.try(func() error {
		box := n.box()
		if box == nil {
			return fmt.Errorf("selkie: %w: the node began without keys", sealed.ErrKey)
		}
		if err := box.Reload(keys); err != nil {
			return fmt.Errorf("selkie: %w", err)
		}
		n.keyIDs = idsOf(keys)
		n.secrets.Store(box.Streams())
		next := n.described.edit()
		next.keys = n.keyIDs
		if err := n.describe(next); err != nil {
			n.log.Error("the others are not told of our keys", "error", err)
		}
		return nil
	})
}

func idsOf(keys []Key) []KeyID {
	ids := make([]KeyID, len(keys))
	for i, k := range keys {
		ids[i] = k.ID()
	}
	return ids
}
