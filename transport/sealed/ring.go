package sealed

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
)

// MaxKeys is the most keys that can be in use at once.
const MaxKeys = 16

// A held is a key with what follows from it.
type held struct {
	*secrets
	id    KeyID
	heard int64 // when a packet under it was last accepted; 0 if never
}

// secrets are two pointers away from whatever is printed: package fmt follows one
// for a struct, and another one if the verb does not fit, as %s.
type secrets struct {
	key       Key
	intro     sipKey // of introductions
	challenge sipKey // of challenges
	greeting  sipKey // of the greetings of those who dial
}

// ring returns keys in the order that they were given in, of which the first
// one seals.
func ring(keys []Key) ([]*held, error) {
	if len(keys) == 0 || len(keys) > MaxKeys {
		return nil, fmt.Errorf("%w: there must be 1 to %d of them, not %d", ErrKey, MaxKeys, len(keys))
	}
	ring := make([]*held, len(keys))
	for i, k := range keys {
		if k == (Key{}) {
			return nil, fmt.Errorf("%w: one is all zeros", ErrKey)
		}
		id := k.ID()
		for _, other := range ring[:i] {
			if other.id == id {
				return nil, fmt.Errorf("%w: %v is there twice", ErrKey, id)
			}
		}
		sip := func(purpose string) sipKey { return newSipKey([16]byte(expand(k, nil, purpose, 16))) }
		ring[i] = &held{secrets: &secrets{k, sip("introduction"), sip("challenge"), sip("greeting")}, id: id}
	}
	return ring, nil
}

// expand returns bytes that follow from a key for one purpose.
func expand(k Key, salt []byte, purpose string, size int) []byte {
	b, err := hkdf.Key(sha256.New, k[:], salt, "selkie 1 "+purpose, size)
	if err != nil {
		panic(err) // the size is too large for HKDF
	}
	return b
}

// A subkey seals for one session.
type subkey struct {
	cipher.AEAD
	nonce [12]byte
}

func newSubkey(k Key, salt []byte, purpose string) *subkey {
	block, err := aes.NewCipher(expand(k, salt, purpose, 32))
	if err != nil {
		panic(err) // the key has another length than AES-256 takes
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		panic(err) // the block has another length than GCM takes
	}
	return &subkey{AEAD: gcm}
}

// at returns the nonce of a counter, valid until the next call.
func (s *subkey) at(counter uint64) []byte {
	binary.BigEndian.PutUint64(s.nonce[4:], counter)
	return s.nonce[:]
}
