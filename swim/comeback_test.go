package swim

import (
	"testing"
	"time"
)

func TestSuspicionsOfBeforeLeavingEndAfterComingBack(t *testing.T) {
	c := newCluster(t, Local(), "a", "b", "c", "d")
	c.meet()
	c.run(5 * time.Second)
	c.crash("d")
	for c.core("a").Stats().Suspect == 0 {
		c.run(10 * time.Millisecond)
	}
	// Alone, so that nobody else tells a what became of d.
	c.crash("b")
	c.crash("c")
	c.do("a", (*Core[who, string]).Leave)
	c.run(10 * time.Second)
	c.do("a", func(core *Core[who, string], rt Runtime[who]) error { return core.ChangeIdentity(who{"a", 2}, rt) })
	c.run(20 * time.Second)
	c.wantView("a", "b down 0, c down 0, d down 0")
}

func TestSuspicionsEndAfterTheirDeadlinesAreSwitchedOn(t *testing.T) {
	cfg := Local()
	cfg.Rules.AccuserDeadline = true
	c := newCluster(t, cfg, "a", "b")
	c.do("a", func(core *Core[who, string], rt Runtime[who]) error {
		return core.Apply(func(yield func(Update[who]) bool) {
			yield(Update[who]{Member: Member[who]{ID: who{"x", 1}, State: Suspect}, By: []who{{"y", 1}}})
		}, false, rt)
	})
	c.core("a").stopTasks() // no probe of its own accuses x
	cfg.Rules.AccuserDeadline = false
	c.do("a", func(core *Core[who, string], rt Runtime[who]) error { return core.Configure(cfg, rt) })
	if slot, _ := c.core("a").find(who{"x", 1}); !c.core("a").doubts.at(c.core("a").roster.at(slot).doubt).armed {
		t.Error("nothing will end the suspicion of x")
	}
}
