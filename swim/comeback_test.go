package swim

import (
	"testing"
	"time"
)

func TestSuspicionsOfBeforeLeavingEndAfterComingBack(t *testing.T) {
	cfg := Local()
	cfg.LeaveTimeout = 100 * time.Millisecond // less than a suspect has
	c := newCluster(t, cfg, "a", "b", "c", "d")
	c.meet()
	c.run(5 * time.Second)
	c.crash("d")
	accused := func() bool {
		core := c.core("a")
		slot, _ := core.find(who{"d", 1})
		r := core.roster.at(slot)
		return r.doubt != 0 && core.doubts.at(r.doubt).ours
	}
	for !accused() {
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
	cfg.Rules.AccuserDeadline = false
	c.do("a", func(core *Core[who, string], rt Runtime[who]) error { return core.Configure(cfg, rt) })
	// The guard of the cluster complains if nothing will end the suspicion.
}
