package sealed

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
)

// A Key is the secret that the members of a cluster share: 32 bytes that
// nobody can guess. It prints as its [KeyID], never as what it is.
type Key [32]byte

// A KeyID names a key without giving it away: the first bytes of its SHA-256.
type KeyID [4]byte

// ErrKey says that a text is no key, or that a set of keys can not be used.
var ErrKey = errors.New("sealed: no usable key")

// NewKey returns a key from the randomness of the system.
func NewKey() (k Key) {
	rand.Read(k[:]) // never fails
	return k
}

// ParseKey reads a key as [Key.Reveal] writes it. The error wraps [ErrKey] and
// does not quote the text, which may be most of a key.
func ParseKey(text string) (k Key, err error) {
	b, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
	if err != nil || len(b) != len(k) {
		return k, fmt.Errorf("%w: it must be %d bytes in base64", ErrKey, len(k))
	}
	return Key(b), nil
}

// Reveal returns the key itself, in base64.
func (k Key) Reveal() string { return base64.StdEncoding.EncodeToString(k[:]) }

// ID returns the name of the key.
func (k Key) ID() KeyID {
	sum := sha256.Sum256(k[:])
	return KeyID(sum[:])
}

// String returns the name of the key.
func (k Key) String() string { return "key " + k.ID().String() }

// GoString returns the name of the key, so that %#v gives nothing away either.
func (k Key) GoString() string { return k.String() }

// Format prints the name of the key whatever the verb is: %d and %x would give
// away all of it.
func (k Key) Format(f fmt.State, _ rune) { io.WriteString(f, k.String()) }

// MarshalText returns the name of the key, so that no log in JSON gives it away.
// There is no way back: a file for keys takes what [Key.Reveal] returns.
func (k Key) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// String returns the name in hexadecimal.
func (id KeyID) String() string { return hex.EncodeToString(id[:]) }

// ParseKeyID reads a name as String writes it. The error does not quote the text,
// which may be a key.
func ParseKeyID(text string) (id KeyID, err error) {
	b, err := hex.DecodeString(text)
	if err != nil || len(b) != len(id) {
		return id, fmt.Errorf("sealed: no name of a key: it has %d hexadecimal digits", 2*len(id))
	}
	return KeyID(b), nil
}
