package swim

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// Rule 25: whoever moved to another address renews above the newest identity
// of that one, whatever was heard of at the old one.
func TestMovedMemberRenewsAboveItsRival(t *testing.T) {
	now := Instant(time.Second)
	out := NewOutbox[who](func() Instant { return now })
	core, err := New(who{"a", 5}, LAN(1), names, rand.New(rand.NewPCG(1, 1)))
	if err != nil {
		t.Fatal(err)
	}
	hear := func(id who, want who) {
		t.Helper()
		rival := Update[who]{Member: Member[who]{ID: id}}
		if err := core.Apply(slices.Values([]Update[who]{rival}), false, out); err != nil {
			t.Fatal(err)
		}
		if got := core.Self().ID; got != want {
			t.Fatalf("after hearing of %v we are %v, want %v", id, got, want)
		}
	}
	hear(who{"a", 6}, who{"a", 7})
	if err := core.ChangeIdentity(who{"b", 1}, out); err != nil {
		t.Fatal(err)
	}
	hear(who{"b", 2}, who{"b", 3})
}
