package swim

import (
	"testing"
	"time"
)

// A process that stood still reads its packets before it runs its timers, and
// only the timers show that it stood still. What the packets began must not be
// put off with what had begun before.

func TestPauseDoesNotPutOffASuspicionThatBeganAfterIt(t *testing.T) {
	c := newCluster(t, Local(), "a", "b", "c", "d")
	c.meet()
	c.run(5 * time.Second)
	c.pause("a")
	c.run(10 * time.Minute)
	c.crash("d")
	c.run(300 * time.Millisecond)
	c.do("b", func(core *Core[who, string], rt Runtime[who]) error {
		core.enter(rt)
		defer core.exit()
		slot, _ := core.find(who{"d", 1})
		core.accuseByProbe(slot, core.roster.at(slot), core.roster.at(slot).inc)
		core.gossipTo(3, true)
		core.settle()
		return nil
	})
	c.run(10 * time.Millisecond) // it waits for a now
	c.resume("a")
	if pauses := c.core("a").Stats().Pauses; pauses == 0 {
		t.Fatal("the pause went unnoticed")
	}
	c.run(10 * time.Second)
	if m, _ := c.core("a").Member("d"); m.State != Down {
		t.Errorf("long after the pause d is %v", m)
	}
}

func TestPauseDoesNotPutOffATaskThatBeganAfterIt(t *testing.T) {
	c := newCluster(t, Local(), "a", "b", "c")
	c.meet()
	c.run(5 * time.Second)
	if c.core("a").tasks[TimerGossip].armed {
		t.Fatal("there is something to gossip although all is settled")
	}
	c.pause("a")
	c.run(10 * time.Minute)
	if err := c.core("c").SetMetadata(1, c.node("c").rt); err != nil {
		t.Fatal(err)
	}
	c.run(200 * time.Millisecond)
	c.resume("a")
	gossip := c.core("a").tasks[TimerGossip]
	if !gossip.armed || gossip.due > c.now.Add(time.Second) {
		t.Errorf("the news that waited is told at %v, now is %v", gossip.due, c.now)
	}
}

func TestPauseIsNoTimeToRefute(t *testing.T) {
	c := newTestCore(t, Local(), "a", "b", "c", "d")
	c.know(claim("b", 1, Suspect, 0, "c"))
	c.now = c.now.Add(time.Hour) // without any event: a stood still
	// This is the first that it reads.
	c.know(claim("b", 1, Down, 0, "c", "d"))
	if m, _ := c.Member("b"); m.State != Suspect {
		t.Errorf("b, which had no time to refute, is %v", m)
	}
}
