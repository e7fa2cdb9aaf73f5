package swim

import (
	"slices"
	"testing"
	"time"
)

// restored is a core that was handed the state of another one.
func restored(t *testing.T, self who, from *testCore) *testCore {
	t.Helper()
	c := newTestCoreOf(t, calm(), self, nil)
	c.now = from.now.Add(time.Minute)
	saved := slices.Collect(func(yield func(Update[who]) bool) {
		for u := range from.State() {
			u.By = slices.Clone(u.By)
			if !yield(u) {
				return
			}
		}
	})
	if err := c.Apply(slices.Values(saved), false, c.out); err != nil {
		t.Fatal(err)
	}
	return c
}

// What is saved is everybody who is known, those who are gone with the time that
// they are still remembered.
func TestStateSurvivesARestart(t *testing.T) {
	old := newTestCore(t, calm(), "a", "b", "c", "d", "e")
	old.noProbes()
	old.know(claim("b", 1, Suspect, 2, "c"), claim("d", 1, Left, 0))
	if err := old.hear("c", gossip, claim("e", 1, Down, 0, "b", "c"), claim("f", 3, Down, 1, "b", "c")); err != nil {
		t.Fatal(err)
	}
	old.run(time.Hour)
	if err := old.Gossip(old.out); err != nil { // an input tells it the time
		t.Fatal(err)
	}
	c := restored(t, who{"a", 2}, old)
	for name, want := range map[string]string{"c": "c alive 0", "d": "d left", "f": "f3 down 1 by b+c"} {
		c.wantMember(name, want)
	}
	slot, _ := c.roster.find("f")
	if left := c.roster.times(slot).until.Sub(c.now); left != c.Config().ForgetAfter-time.Hour {
		t.Errorf("f is remembered for %v more", left)
	}
	if got := c.Stats().Backlog; got != 0 {
		t.Errorf("%d updates of it are news", got)
	}
}

// A process that restarts is the successor of the one before, whatever its clock
// says: what was saved names the life that it follows.
func TestRestoredProcessSucceedsItself(t *testing.T) {
	old := newTestCoreOf(t, calm(), who{"a", 7}, nil, "b", "c")
	for life, want := range map[int]string{3: "a8", 7: "a7", 9: "a9"} {
		c := restored(t, who{"a", life}, old)
		if got := c.Self().ID.String(); got != want {
			t.Errorf("life %d became %s, want %s", life, got, want)
		}
		if got := c.NumActive(); got != 2 {
			t.Errorf("life %d knows %d", life, got)
		}
	}
}
