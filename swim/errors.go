package swim

import (
	"errors"
	"fmt"
)

// Errors of the owner's inputs. After each of them nothing has changed,
// unless its text says so.
var (
	// ErrNotUndead: the identity was not declared down, so there is nothing
	// to reuse.
	ErrNotUndead = errors.New("swim: identity was not declared down")
	// ErrSameIdentity: the new identity is the current one.
	ErrSameIdentity = errors.New("swim: already this identity")
	// ErrNotSuperseding: the new identity does not supersede whoever has its
	// address: ourselves, or the member that is known there.
	ErrNotSuperseding = errors.New("swim: identity does not supersede the current one")
	// ErrNotConnected: no active member is known.
	ErrNotConnected = errors.New("swim: no active member")
	// ErrLeft: the core has said goodbye, or is doing so. To [Core.Announce] it
	// is all the same if we are down for good.
	ErrLeft = errors.New("swim: left the cluster")
	// ErrIncompleteProbe: the events of a probe came out of order, so nobody
	// was judged. A new probe was started.
	ErrIncompleteProbe = errors.New("swim: incomplete probe cycle")
	// ErrEmpty: an empty payload can not be broadcast.
	ErrEmpty = errors.New("swim: empty payload")
	// ErrTooBig: what was given does not fit into a packet.
	ErrTooBig = errors.New("swim: too big for a packet")
	// ErrFull: a limit is reached. [Core.Apply] has taken what found room; of a
	// packet all but a payload counted.
	ErrFull = errors.New("swim: limit reached")
	// ErrNoHandler: the core has no [BroadcastHandler].
	ErrNoHandler = errors.New("swim: no broadcast handler")
	// ErrEncode: the codec can not express the packet, or the identity.
	ErrEncode = errors.New("swim: encode")
	// ErrStaleVersion: the version is not higher than the current one.
	ErrStaleVersion = errors.New("swim: metadata version is not higher")
	// ErrMalformed: the bytes are no packet. [Core.Apply] met a record that is
	// none, and has taken the others.
	ErrMalformed = errors.New("swim: malformed packet")
)

// A ConfigError names the field of a [Config] that is out of its range.
type ConfigError struct {
	Field, Range string
}

// Error names the field and what it may be.
func (e *ConfigError) Error() string {
	return fmt.Sprintf("swim: Config.%s must be %s", e.Field, e.Range)
}
