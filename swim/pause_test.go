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

// heard has a member say something that changes nothing.
func (c *testCore) heard(name string) {
	c.t.Helper()
	if err := c.hear(name, gossip); err != nil {
		c.t.Fatal(err)
	}
}

// convinced returns a core that could judge b after 7 s: Min, and the time that
// gossip takes. It hears nobody from now on.
func convinced(t *testing.T, cfg Config, known ...string) *testCore {
	t.Helper()
	c := newTestCore(t, cfg, "a", append([]string{"b"}, known...)...)
	c.noProbes()
	if err := c.hear("c", gossip, claim("b", 1, Suspect, 0, "c", "d", "e", "f")); err != nil {
		t.Fatal(err)
	}
	if got := c.doubtAbout("b").deadline().Sub(c.now); got != 7*time.Second {
		t.Fatalf("b has %v to refute", got)
	}
	return c
}

// deafening is patient, and hears that it is deaf.
func deafening() Config {
	cfg := patient()
	cfg.DeafLimit = 0
	return cfg
}

// D7, D11: who hears nobody for DeafLimit gives no verdict for as long as a
// suspicion lasts that nobody confirms; then the others may really be gone.
func TestWhoHearsNobodyGivesNoVerdict(t *testing.T) {
	c := convinced(t, deafening(), "c", "d", "e", "f")
	c.run(29*time.Second - 1) // 5 s of silence, and Max
	c.wantMember("b", "b suspect 0 by c+d+e+f")
	c.wantQuiet("it judges nobody")
	c.run(1)
	c.want("a last word", "", "-> b gossip [b suspect 0 by c+d+e+f]")
	c.run(c.Config().RoundTrip)
	c.wantMember("b", "b down 0 by c+d+e+f")
	if got := c.Stats().Deaf; got == 0 {
		t.Error("it was not counted that a verdict was put off")
	}
}

// D7, D11: the first packet of somebody who is not down ends it, within a period.
func TestPacketLetsVerdictsFallAgain(t *testing.T) {
	c := convinced(t, deafening(), "c", "d", "e", "f")
	c.know(claim("g", 1, Down, 0, "x", "y"))
	c.run(10 * time.Second)
	if err := c.hear("g", gossip); err != DropDownSender {
		t.Error(err)
	}
	c.run(5 * time.Second)
	c.wantMember("b", "b suspect 0 by c+d+e+f")
	c.heard("e")
	c.wantMember("b", "b suspect 0 by c+d+e+f")
	c.run(time.Second + c.Config().RoundTrip)
	c.wantMember("b", "b down 0 by c+d+e+f")
}

// D7, D11: who hears somebody is not deaf.
func TestWhoHearsSomebodyJudgesInTime(t *testing.T) {
	c := convinced(t, deafening(), "c", "d", "e", "f")
	c.run(2 * time.Second) // exactly DeafLimit before the verdict
	c.heard("e")
	c.run(5*time.Second - 1)
	c.wantMember("b", "b suspect 0 by c+d+e+f")
	c.run(1)
	c.wantMember("b", "b down 0 by c+d+e+f")
	if got := c.Stats().Deaf; got != 0 {
		t.Errorf("%d verdicts were put off", got)
	}
}

// D7: switched off, silence says nothing about ourselves.
func TestDeafnessIsSwitchedOff(t *testing.T) {
	cfg := deafening()
	cfg.DeafLimit = Off
	c := convinced(t, cfg, "c", "d", "e", "f")
	c.run(7 * time.Second)
	c.wantMember("b", "b down 0 by c+d+e+f")
	if got := c.Stats().Deaf; got != 0 {
		t.Errorf("%d verdicts were put off", got)
	}
}

// D7, D17: in a cluster of two nobody else can be heard. Then being deaf lasts no
// longer than the least time, and the owner learns that the other is gone.
func TestDeafnessOfTwoMembersIsShort(t *testing.T) {
	c := newTestCore(t, deafening(), "a", "b")
	c.noProbes()
	c.run(3 * time.Second)
	c.failProbe("b")
	c.run(6*time.Second - 1) // 5 s of silence, and Min: 9 s in all
	c.wantMember("b", "b suspect 0 by a")
	c.told()
	c.run(1)
	c.want("a last word", "", "-> b gossip [b suspect 0 by a]")
	c.run(c.Config().RoundTrip)
	c.want("now", "down b (accused by a, 0 confirmed, own deadline), idle")
}

// D7, D11: a core that connects has heard somebody right now.
func TestWhoConnectsIsNotDeaf(t *testing.T) {
	c := newTestCore(t, deafening(), "a")
	c.now = c.now.Add(time.Hour)
	for _, name := range []string{"b", "c", "d", "e", "f"} {
		c.know(claim(name, 1, Alive, 0))
	}
	if c.pause.heard != c.now {
		t.Errorf("it heard somebody at %v, now is %v", c.pause.heard, c.now)
	}
}

// D7, D11: a pause is no silence: it moves when somebody was heard last.
func TestPauseIsNotDeafness(t *testing.T) {
	c := newTestCore(t, deafening(), "a", "b", "c", "d")
	c.heard("c")
	began := c.now
	c.now = c.tasks[TimerProbe].due.Add(time.Hour)
	if err := c.HandleTimer(Timer[who]{Kind: TimerProbe, Token: c.tasks[TimerProbe].token}, c.out); err != nil {
		t.Error(err)
	}
	if got, want := c.pause.heard, began.Add(time.Hour); got != want {
		t.Errorf("heard somebody at %v, want %v", got, want)
	}
}
