package sealed

import (
	"errors"
	"testing"
)

func TestOnlySoundRingsAreTaken(t *testing.T) {
	full := make([]Key, MaxKeys)
	for i := range full {
		full[i] = Key{byte(i + 1)}
	}
	for name, keys := range map[string][]Key{
		"none":            nil,
		"too many":        append([]Key{{99}}, full...),
		"zeros":           {keyA, {}},
		"the same twice":  {keyA, keyB, keyA},
		"only the zeros":  {{}},
		"twice and alone": {keyA, keyA},
	} {
		if _, err := ring(keys); !errors.Is(err, ErrKey) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := New(start, Config[byte]{Keys: keys}); !errors.Is(err, ErrKey) {
			t.Errorf("a box with %s: %v", name, err)
		}
	}
	held, err := ring(full)
	if err != nil || len(held) != MaxKeys || held[0].id != full[0].ID() {
		t.Errorf("%d keys, %v", len(held), err)
	}
}

// TestEveryPurposeHasAKeyOfItsOwn: with one key for introductions and greetings, who
// is dialled and chooses the greeting would sometimes be handed the introduction
// of a packet, because both hash 42 bytes.
func TestEveryPurposeHasAKeyOfItsOwn(t *testing.T) {
	held, err := ring([]Key{keyA})
	if err != nil {
		t.Fatal(err)
	}
	k := held[0]
	if k.intro == k.challenge || k.intro == k.greeting || k.challenge == k.greeting {
		t.Error("two purposes share a key")
	}
}
