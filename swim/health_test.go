package swim

import (
	"testing"
	"time"
)

// wantHealth checks how much a core doubts itself.
func (c *testCore) wantHealth(why string, want int) {
	c.t.Helper()
	if got := c.Stats().Health; got != want || c.health.doubt != want {
		c.t.Errorf("%s: we doubt ourselves %d times, Stats say %d, want %d", why, c.health.doubt, got, want)
	}
}

// nextEvent lets the time of a task come, and hands its event back late by some.
func (c *testCore) nextEvent(k TimerKind, late time.Duration) {
	c.t.Helper()
	c.now = c.tasks[k].due.Add(late)
	if err := c.HandleTimer(Timer[who]{Kind: k, Token: c.tasks[k].token}, c.out); err != nil {
		c.t.Fatal(err)
	}
}

// answer has the target of the running probe answer it.
func (c *testCore) answer() {
	c.t.Helper()
	target := c.probe.target
	if err := c.hear(target.name, Header[who]{Src: target, Message: MessageAck, Number: c.probe.number}); err != nil {
		c.t.Fatal(err)
	}
}

// D7: having to refute is a reason to doubt ourselves, once in each incarnation.
// What we need not refute is none.
func TestRefutationsMakeUsDoubtOurselves(t *testing.T) {
	c := newTestCore(t, calm(), "a", "b", "c")
	c.wantHealth("at first", 0)
	for _, test := range []struct {
		why  string
		u    Update[who]
		want int
	}{
		{"suspected", claim("a", 1, Suspect, 0, "b"), 1},
		{"suspected of the same by another", claim("a", 1, Suspect, 0, "c"), 1},
		{"down, below our incarnation", claim("a", 1, Down, 0, "c"), 1},
		{"suspected anew", claim("a", 1, Suspect, 1, "b"), 2},
		{"alive at ours", claim("a", 1, Alive, 2), 2},
		{"somebody else speaks for us", claim("a", 1, Alive, 5), 2},
		{"out of all bounds", claim("a", 1, Suspect, 1<<40, "b"), 2},
		{"a later suspicion", claim("a", 1, Suspect, 9, "b"), 3},
	} {
		if err := c.hear("b", gossip, test.u); err != nil {
			t.Errorf("%s: %v", test.why, err)
		}
		c.wantHealth(test.why, test.want)
	}
}

// D7: who was declared down could not refute in time, which is one more reason,
// once for each life; a newer identity at our address is another process and none.
func TestBeingDeclaredDownMakesUsDoubtOurselves(t *testing.T) {
	c := newTestCore(t, calm(), "a", "b", "c")
	if err := c.hear("b", gossip, claim("a", 1, Down, 0, "b", "c")); err != nil {
		t.Error(err)
	}
	if got := c.Self().ID; got != (who{"a", 2}) {
		t.Fatalf("it is %v", got)
	}
	c.wantHealth("declared down", 1)
	for range 3 { // the renewal has to wait
		if err := c.hear("b", gossip, claim("a", 2, Down, 0, "b", "c")); err != nil {
			t.Error(err)
		}
	}
	c.wantHealth("declared down again, and told three times", 2)
	other := newTestCore(t, calm(), "a", "b", "c")
	if err := other.hear("b", gossip, claim("a", 7, Alive, 0)); err != nil {
		t.Error(err)
	}
	other.wantHealth("somebody else is there", 0)
}

// D7, D11: having stood still is a reason to doubt ourselves.
func TestPausesMakeUsDoubtOurselves(t *testing.T) {
	c := newTestCore(t, calm(), "a", "b", "c")
	c.nextEvent(TimerProbe, c.Config().StallLimit)
	c.wantHealth("as late as may be", 0)
	c.answer()
	c.nextEvent(TimerProbe, c.Config().StallLimit+1)
	c.wantHealth("a moment later", 1)
}

// D7: a probe that is answered takes one doubt away; one without a verdict does
// nothing.
func TestAnsweredProbesMakeUsDoubtOurselvesLess(t *testing.T) {
	c := newTestCore(t, calm(), "a", "b", "c")
	c.health.doubt = 2
	c.nextEvent(TimerProbe, 0)
	c.wantHealth("there was no probe", 2)
	c.answer()
	c.wantHealth("the period is not over", 2)
	c.nextEvent(TimerProbe, 0)
	c.wantHealth("answered", 1)
	c.know(Update[who]{Member: Member[who]{ID: c.probe.target, State: Left}})
	if err := c.indirect(); err != nil {
		t.Error(err)
	}
	c.nextEvent(TimerProbe, 0)
	c.wantHealth("the target left", 1)
	c.now = c.tasks[TimerProbe].due
	if err := c.HandleTimer(Timer[who]{Kind: TimerProbe, Token: c.tasks[TimerProbe].token}, c.out); err != ErrIncompleteProbe {
		t.Error(err)
	}
	c.wantHealth("the probe was void", 1)
	c.answer()
	c.nextEvent(TimerProbe, 0)
	c.wantHealth("answered again", 0)
	c.answer()
	c.nextEvent(TimerProbe, 0)
	c.wantHealth("nothing is left to take away", 0)
}

// D7: doubt is from 0 to MaxHealth, and without a maximum there is none.
func TestDoubtAboutOurselvesHasBounds(t *testing.T) {
	for most, want := range map[int]int{Off: 0, 1: 1, 3: 3, 0: 8, 64: 20} {
		cfg := calm()
		cfg.MaxHealth = most
		c := newTestCore(t, cfg, "a", "b", "c")
		for i := range Incarnation(20) {
			if err := c.hear("b", gossip, claim("a", 1, Suspect, i, "b")); err != nil {
				t.Error(err)
			}
		}
		c.wantHealth("twenty refutations", want)
		c.nextEvent(TimerProbe, 0)
		factor := time.Duration(1 + want)
		if got := c.tasks[TimerProbe].due.Sub(c.now); got != factor*c.Config().Period {
			t.Errorf("MaxHealth %d: a probe takes %v", most, got)
		}
		if got := c.tasks[TimerIndirect].due.Sub(c.now); got != factor*c.Config().RoundTrip {
			t.Errorf("MaxHealth %d: others are asked after %v", most, got)
		}
	}
}

// D7: doubt stretches a probe, its period and its round trip, and nothing else:
// neither the time that a suspect has nor gossip.
func TestDoubtAboutOurselvesStretchesProbesAlone(t *testing.T) {
	cfg := patient()
	cfg.Gossip = Task{Every: 200 * time.Millisecond, Num: 3}
	c := newTestCore(t, cfg, "a", "b", "c", "d", "e", "f")
	c.noProbes()
	c.health.doubt = 8
	if err := c.hear("c", gossip, claim("b", 1, Suspect, 0, "c")); err != nil {
		t.Error(err)
	}
	d := c.doubtAbout("b")
	if d.least != 4*time.Second || d.most != 24*time.Second {
		t.Errorf("b has from %v to %v to refute", d.least, d.most)
	}
	if got := c.tasks[TimerGossip].due.Sub(c.now); got != 10*time.Millisecond {
		t.Errorf("gossip comes after %v", got)
	}
}

// D7: whose probes are answered again is well again, one success after the other.
func TestWhoIsAnsweredRecovers(t *testing.T) {
	c := newTestCore(t, calm(), "a", "b", "c")
	c.health.doubt = 8
	c.nextEvent(TimerProbe, 0)
	began := c.now
	for doubt := 8; doubt > 0; doubt-- {
		c.wantHealth("not all is well", doubt)
		c.answer()
		c.nextEvent(TimerProbe, 0)
	}
	c.wantHealth("after eight probes", 0)
	if took := c.now.Sub(began); took != 44*time.Second { // 9 + 8 + ... + 2
		t.Errorf("it took %v", took)
	}
}

// D7, rule 86: a lower MaxHealth holds at once.
func TestLowerMaxHealthHoldsAtOnce(t *testing.T) {
	for _, most := range []int{3, Off} {
		c := newTestCore(t, calm(), "a", "b", "c")
		c.health.doubt = 8
		cfg := c.Config()
		cfg.MaxHealth = most
		if err := c.Configure(cfg, c.out); err != nil {
			t.Fatal(err)
		}
		c.wantHealth("lowered", max(most, 0))
		c.nextEvent(TimerProbe, 0)
		c.answer()
		c.nextEvent(TimerProbe, 0)
		c.wantHealth("a probe was answered", max(most-1, 0))
	}
}

// D7: what a failed probe says about ourselves depends on whom we hear: each
// helper of whom nothing came costs one; with all nacks there it is the target
// that is silent. Where nobody could say nack a failed probe costs one.
func TestFailedProbeMakesUsDoubtOurselvesByTheSilenceOfHelpers(t *testing.T) {
	nobody, deaf := patient(), patient()
	nobody.IndirectProbes, deaf.Rules.SilentRelay = Off, true
	for _, test := range []struct {
		why   string
		cfg   Config
		known []string
		nacks int
		want  int
	}{
		{"all nacks", patient(), []string{"c", "d", "e", "f"}, 3, 0},
		{"one is missing", patient(), []string{"c", "d", "e", "f"}, 2, 1},
		{"two are missing", patient(), []string{"c", "d", "e", "f"}, 1, 2},
		{"no nacks", patient(), []string{"c", "d", "e", "f"}, 0, 3},
		{"a single helper, silent", patient(), []string{"c"}, 0, 1},
		{"a single helper, heard", patient(), []string{"c"}, 1, 0},
		{"nobody to ask", patient(), nil, 0, 1},
		{"nobody is asked", nobody, []string{"c", "d"}, 0, 1},
		{"nobody is asked for nacks", deaf, []string{"c", "d", "e"}, 0, 1},
	} {
		c := prober(t, test.cfg, test.known...)
		if err := c.indirect(); err != nil {
			t.Fatal(err)
		}
		for _, helper := range c.probe.helpers[:test.nacks] {
			if err := c.hear(helper.id.name, Header[who]{Message: MessageNack, Number: c.probe.number, About: who{"b", 1}}); err != nil {
				t.Errorf("%s: %v", test.why, err)
			}
		}
		c.wantHealth(test.why+", too early", 0)
		c.nextEvent(TimerProbe, 0)
		c.wantHealth(test.why, test.want)
		if s := c.Stats(); s.ProbesFailed != 1 || s.Suspect != 1 {
			t.Errorf("%s: %d probes failed, %d suspects", test.why, s.ProbesFailed, s.Suspect)
		}
		if got, want := c.tasks[TimerProbe].due.Sub(c.now), time.Duration(1+test.want)*time.Second; got != want {
			t.Errorf("%s: the next verdict comes after %v, want %v", test.why, got, want)
		}
	}
}

// D7: what says nothing about the target says nothing about us.
func TestProbeWithoutAVerdictIsNoReasonToDoubtOurselves(t *testing.T) {
	c := prober(t, patient(), "c", "d")
	if err := c.indirect(); err != nil {
		t.Fatal(err)
	}
	c.renewal = renewal[who]{wanted: true, newest: who{"a", 1}, heard: true, last: c.now, trigger: c.now, wait: maxRenewalWait}
	c.nextEvent(TimerProbe, 0)
	c.wantHealth("nobody listens to this life any more", 0)
}
