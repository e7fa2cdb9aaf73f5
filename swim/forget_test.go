package swim

import (
	"fmt"
	"testing"
	"time"
)

// Rules 13, 77 and 78: each is forgotten at its own time; a backlog slot goes
// with it.
func TestEachIsForgottenAtItsOwnTime(t *testing.T) {
	c := newTestCore(t, Config{ForgetAfter: time.Hour}, "a")
	remaining := func(u Update[who], d time.Duration) Update[who] {
		u.Remaining = uint32(d / time.Millisecond)
		return u
	}
	c.queue(
		claim("b", 1, Down, 0, "x"),
		remaining(claim("c", 1, Left, 0), time.Minute),
		remaining(claim("d", 1, Down, 0, "x"), 3*time.Hour), // more than ours counts as ours
	)
	if c.Stats().Backlog != 3 {
		t.Errorf("%d in the backlog", c.Stats().Backlog)
	}
	c.run(time.Minute - 1)
	c.wantMember("c", "c left")
	c.run(1)
	c.wantMember("c", "unknown")
	if c.Stats().Backlog != 2 {
		t.Errorf("%d in the backlog", c.Stats().Backlog)
	}
	c.run(59*time.Minute - 1)
	c.wantMember("b", "b down 0 by x")
	c.wantMember("d", "d down 0 by x")
	c.run(1)
	c.wantMember("b", "unknown")
	c.wantMember("d", "unknown")
	if c.told() != "" || c.roster.len() != 0 {
		t.Error("forgetting is not silent")
	}
}

// Rule 77: equal terminal records keep the later time; what came back is not
// forgotten.
func TestLaterTimeToForgetCounts(t *testing.T) {
	c := newTestCore(t, calm(), "a")
	for _, d := range []time.Duration{time.Minute, 3 * time.Minute, 2 * time.Minute} {
		u := claim("b", 1, Left, 0)
		u.Remaining = uint32(d / time.Millisecond)
		c.know(u)
	}
	down := claim("c", 1, Down, 0, "x")
	down.Remaining = 60_000
	c.know(down, claim("c", 1, Alive, 1))
	c.noProbes()
	c.run(2*time.Minute + time.Second)
	c.wantMember("b", "b left")
	c.wantMember("c", "c alive 1")
	c.run(time.Minute)
	c.wantMember("b", "unknown")
}

// Rule 77: beyond MaxTombstones the one that would be forgotten first is.
func TestTombstonesAreBounded(t *testing.T) {
	c := newTestCore(t, Config{MaxTombstones: 3}, "a")
	for i := range 5 {
		u := claim(fmt.Sprintf("n%c", 'p'+i), 1, Left, 0)
		u.Remaining = uint32(10_000 * (5 - i))
		c.know(u)
	}
	if s := c.Stats(); s.Left != 3 || s.Evicted != 2 {
		t.Errorf("%d are remembered, %d were evicted", s.Left, s.Evicted)
	}
	c.wantMember("np", "np left")
	c.wantMember("nr", "unknown")
}

// Repeating a verdict does not make the queue of those to forget grow.
func TestGravesDoNotOutnumberTombstones(t *testing.T) {
	c := newTestCore(t, calm(), "a")
	for inc := range Incarnation(5000) {
		if inc%3 == 0 {
			c.now++
		}
		c.know(claim("b", 1, Down, inc, "x"))
	}
	if got := c.graves.len(); got > 2+64+1 {
		t.Errorf("%d entries for one tombstone", got)
	}
}
