package swim

import (
	"testing"
	"time"
)

func TestSeedThatLeftIsContactedUntilItIsBack(t *testing.T) {
	cfg := Local()
	cfg.AnnounceDown.Every = 2 * time.Second
	c := newCluster(t, cfg, "a", "b", "c")
	c.do("b", func(core *Core[who, string], rt Runtime[who]) error { return core.SetSeeds([]who{{"a", 0}}, rt) })
	c.meet()
	c.run(5 * time.Second)
	c.do("a", (*Core[who, string]).Leave)
	c.run(5 * time.Second)
	c.wantView("b", "a left, c alive 0")
	c.start("a", 2) // which knows nobody
	c.run(5 * time.Second)
	c.wantView("b", "a2 alive 0, c alive 0")
}

func TestLostMemberIsContactedOnceAtATime(t *testing.T) {
	cfg := Local()
	cfg.AnnounceDown = Task{Every: time.Second, Num: 3}
	c := newCluster(t, cfg, "a", "b", "c", "d")
	c.meet()
	c.run(2 * time.Second)
	c.crash("c")
	c.crash("d")
	c.run(10 * time.Second)
	c.wantView("a", "b alive 0, c down 0, d down 0")
	before := c.core("a").Stats().Sent[MessageAnnounce]
	c.core("a").cfg.Announce.Every = Off
	c.core("a").disarm(TimerAnnounce)
	c.run(10 * time.Second)
	if sent := c.core("a").Stats().Sent[MessageAnnounce] - before; sent != 20 {
		t.Errorf("two lost members were contacted %d times in ten rounds", sent)
	}
}

func TestSettingSeedsKeepsWhomTheOwnerAnnouncedTo(t *testing.T) {
	c := newCluster(t, Local(), "a", "b")
	c.do("b", func(core *Core[who, string], rt Runtime[who]) error { return core.Announce(who{"a", 0}, rt) })
	c.flights = nil // it gets lost
	c.do("b", func(core *Core[who, string], rt Runtime[who]) error { return core.SetSeeds([]who{{"x", 0}}, rt) })
	c.run(10 * time.Second)
	c.wantView("b", "a alive 0")
}
