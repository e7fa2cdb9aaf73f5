package foca

import (
	"crypto/sha256"
	"time"

	"github.com/selkie-go/selkie/swim"
)

// What a [Seen] remembers.
const (
	maxSeen  = 1 << 14
	keepSeen = 10 * time.Minute
)

// A Seen knows payloads by their content, because nobody says what is in them:
// each is new once, and again ten minutes after it was new. It remembers the
// latest 16,384. The zero value is ready for use, by one goroutine at a time.
type Seen struct {
	at    map[contentHash]swim.Instant // when it was new
	order []seen                       // in that order; a ring once it is full
	next  int
}

type contentHash [sha256.Size]byte

type seen struct {
	hash contentHash
	at   swim.Instant
}

// Add notes a payload, and reports whether it is new, and then under which key
// it is told to others.
func (s *Seen) Add(payload []byte, now swim.Instant) (key swim.Key, isNew bool) {
	hash := contentHash(sha256.Sum256(payload))
	if at, known := s.at[hash]; known && now < at.Add(keepSeen) {
		return swim.Key{}, false
	}
	s.note(hash, now)
	return swim.Key{Name: string(hash[:]), Version: uint64(now)}, true
}

// Forget takes back that a payload was noted, of which nobody was told.
func (s *Seen) Forget(payload []byte) { delete(s.at, sha256.Sum256(payload)) }

// note remembers a payload in the place of the oldest. One that is new again
// keeps its older place too, which then is no reason to forget it.
func (s *Seen) note(hash contentHash, now swim.Instant) {
	if s.at == nil {
		s.at = make(map[contentHash]swim.Instant)
	}
	entry := seen{hash, now}
	if len(s.order) < maxSeen {
		s.order = append(s.order, entry)
	} else {
		if oldest := s.order[s.next]; s.at[oldest.hash] == oldest.at {
			delete(s.at, oldest.hash)
		}
		s.order[s.next] = entry
		s.next = (s.next + 1) % maxSeen
	}
	s.at[hash] = now
}
