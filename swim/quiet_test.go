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
