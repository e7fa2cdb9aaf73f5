package swim

import (
	"math"
	"testing"
)

func TestAgeBringsCountersNearTheirEnds(t *testing.T) {
	c := newTestCore(t, Config{}, "a", "b", "c")
	c.Age(newRand(1))
	if inc := c.Self().Incarnation; inc < math.MaxUint64-2 {
		t.Errorf("incarnation %d", inc)
	}
	if c.probe.number < math.MaxUint32-2 || c.doubts.token < math.MaxUint32-2 {
		t.Errorf("probe %d, token %d", c.probe.number, c.doubts.token)
	}
	// Who is accused at the last incarnation can not refute, and renews.
	if err := c.hear("b", gossip, claim("a", 1, Suspect, math.MaxUint64, "c")); err != nil {
		t.Fatal(err)
	}
	if self := c.Self(); self.ID != (who{"a", 2}) || self.Incarnation != 0 {
		t.Errorf("goes on as %v", self)
	}
}

func TestAgeDoesNotTouchTheProbeUnderWay(t *testing.T) {
	g := newGuarded(t, Config{})
	g.pass(g.tasks[TimerProbe].due.Sub(g.now))
	number := g.probe.number
	if !g.probe.running {
		t.Fatal("no probe runs")
	}
	g.Age(newRand(1))
	g.fine()
	if g.probe.number != number {
		t.Errorf("probe %d is now %d", number, g.probe.number)
	}
}

func TestAgeLeavesAloneWhoLeft(t *testing.T) {
	c := newTestCore(t, Config{}, "a", "b")
	if err := c.Leave(c.out); err != nil {
		t.Fatal(err)
	}
	c.Age(newRand(1))
	if inc := c.Self().Incarnation; inc != 0 {
		t.Errorf("incarnation %d", inc)
	}
}
