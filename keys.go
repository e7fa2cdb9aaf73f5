package selkie

import (
	"errors"
	"time"

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
func (n *Node) Keys() []KeyStatus { return nil }

// ReloadKeys replaces the keys: the first one seals from now on, and packets
// under any of them are accepted. Nobody is cut off if keys change in the
// order that docs/operations.md gives. An error wraps sealed.ErrKey, and then
// nothing has changed; a node that began without keys can not get some.
func (n *Node) ReloadKeys(keys ...Key) error { return errors.ErrUnsupported }
