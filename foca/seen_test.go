package foca

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/selkie-go/selkie/swim"
)

func TestPayloadIsNewOnceInTenMinutes(t *testing.T) {
	var s Seen
	start := swim.Instant(time.Hour)
	for _, step := range []struct {
		after time.Duration
		what  string
		want  bool
	}{
		{0, "one", true},
		{0, "one", false},
		{0, "", true},
		{time.Minute, "two", true},
		{10*time.Minute - 1, "one", false},
		{10 * time.Minute, "one", true},
		{10 * time.Minute, "two", false},
		{19 * time.Minute, "one", false},
		{20 * time.Minute, "one", true},
	} {
		key, isNew := s.Add([]byte(step.what), start.Add(step.after))
		if isNew != step.want || isNew != (len(key.Name) == 32) {
			t.Errorf("%q after %v: new %v under %q", step.what, step.after, isNew, key.Name)
		}
	}
}

func TestPayloadsHaveKeysOfTheirOwn(t *testing.T) {
	var s Seen
	one, _ := s.Add([]byte("one"), 1)
	two, _ := s.Add([]byte("two"), 1)
	if one.Name == two.Name {
		t.Error("two payloads replace each other")
	}
}

func TestSeenIsBounded(t *testing.T) {
	var s Seen
	number := func(i int) []byte { return binary.BigEndian.AppendUint64(nil, uint64(i)) }
	const more = 100
	for i := range maxSeen + more {
		if _, isNew := s.Add(number(i), 1); !isNew {
			t.Fatalf("payload %d is known", i)
		}
	}
	if len(s.at) != maxSeen || len(s.order) != maxSeen {
		t.Errorf("it remembers %d, %d in order", len(s.at), len(s.order))
	}
	if _, isNew := s.Add(number(more), 1); isNew {
		t.Error("one of the latest is forgotten")
	}
	if _, isNew := s.Add(number(0), 1); !isNew {
		t.Error("the oldest is remembered")
	}
}

func TestForgottenPayloadIsNew(t *testing.T) {
	var s Seen
	s.Forget([]byte("never there"))
	s.Add([]byte("one"), 1)
	s.Forget([]byte("one"))
	if _, isNew := s.Add([]byte("one"), 2); !isNew {
		t.Error("it is known")
	}
	if _, isNew := s.Add([]byte("one"), 3); isNew {
		t.Error("it is new twice")
	}
}

func TestPayloadThatIsNewAgainIsRemembered(t *testing.T) {
	var s Seen
	s.Add([]byte("again"), 1)
	again := swim.Instant(keepSeen) + 1
	s.Add([]byte("again"), again)
	for i := range maxSeen - 1 {
		s.Add(binary.BigEndian.AppendUint64(nil, uint64(i)), again)
	}
	if _, isNew := s.Add([]byte("again"), again); isNew {
		t.Error("its older place was a reason to forget it")
	}
}
