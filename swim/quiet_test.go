package swim

import (
	"testing"
	"time"
)

func TestTwoMembersStopGossiping(t *testing.T) {
	c := newCluster(t, Local(), "a", "b")
	c.meet()
	c.run(10 * time.Second)
	before := c.core("a").Stats().Sent[MessageGossip]
	c.run(10 * time.Second)
	if sent := c.core("a").Stats().Sent[MessageGossip] - before; sent != 0 {
		t.Errorf("with nothing to tell a gossiped %d times", sent)
	}
	// What a has not told about b, a third one still hears.
	c.start("c", 1)
	c.do("c", func(core *Core[who, string], rt Runtime[who]) error { return core.Announce(who{"b", 0}, rt) })
	c.run(2 * time.Second)
	c.wantView("a", "b alive 0, c alive 0")
	c.wantView("c", "a alive 0, b alive 0")
}

func TestRenewalAtAGossipRoundGossipsOnce(t *testing.T) {
	c := newCluster(t, Local(), "a", "b", "c", "d", "e", "f")
	c.meet()
	c.run(5 * time.Second)
	a := c.node("a")
	tell := func() {
		c.do("a", func(core *Core[who, string], rt Runtime[who]) error { return core.SetMetadata(core.us.meta+1, rt) })
	}
	down := func() {
		c.do("a", func(core *Core[who, string], rt Runtime[who]) error {
			return core.Apply(func(yield func(Update[who]) bool) {
				yield(Update[who]{Member: Member[who]{ID: core.us.id, State: Down}})
			}, false, rt)
		})
	}
	down()
	tell()
	down() // this one has to wait
	a.core.renewal.wait = a.core.tasks[TimerGossip].due.Sub(a.core.renewal.last)
	c.run(a.core.tasks[TimerGossip].due.Sub(c.now) - time.Microsecond)
	before := a.core.Stats().Sent[MessageGossip]
	c.run(time.Microsecond)
	if a.core.Stats().Renewals != 2 {
		t.Fatalf("%d renewals", a.core.Stats().Renewals)
	}
	if sent := a.core.Stats().Sent[MessageGossip] - before; sent != 3 {
		t.Errorf("a gossiped to %d members at once", sent)
	}
}
