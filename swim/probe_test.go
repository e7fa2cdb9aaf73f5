package swim

import (
	"errors"
	"testing"
	"time"
)

// Rules 43, 44 and 45: probes are numbered in turn, and each member has one
// probe a round; of one member every probe is.
func TestEveryMemberIsProbedOnceARound(t *testing.T) {
	for _, known := range [][]string{{"b"}, {"b", "c"}, {"b", "c", "d", "e", "f"}} {
		c := newTestCore(t, calm(), "a", known...)
		var number uint32
		for range 4 {
			seen := make(map[string]bool)
			for range known {
				c.now = c.tasks[TimerProbe].due
				c.probe.acked = true
				if err := c.HandleTimer(Timer[who]{Kind: TimerProbe, Token: c.tasks[TimerProbe].token}, c.out); err != nil {
					t.Fatal(err)
				}
				if number++; c.probe.number != number {
					t.Errorf("probe %d has number %d", number, c.probe.number)
				}
				seen[c.probe.target.name] = true
			}
			if len(seen) != len(known) {
				t.Errorf("a round of %v probed %v", known, seen)
			}
		}
	}
}

// prober returns a core that has just pinged b.
func prober(t *testing.T, cfg Config, known ...string) *testCore {
	t.Helper()
	c := newTestCore(t, cfg, "a", append([]string{"b"}, known...)...)
	for c.probe.target.name != "b" {
		c.probe.acked, c.probe.asked = true, true
		c.now = c.tasks[TimerProbe].due
		if err := c.HandleTimer(Timer[who]{Kind: TimerProbe, Token: c.tasks[TimerProbe].token}, c.out); err != nil {
			t.Fatal(err)
		}
	}
	c.sends()
	return c
}

// indirect lets the round trip of the running probe pass.
func (c *testCore) indirect() error {
	c.now = c.tasks[TimerIndirect].due
	return c.HandleTimer(Timer[who]{Kind: TimerIndirect, Token: c.tasks[TimerIndirect].token}, c.out)
}

// Rule 48: k others are asked, never the target, suspects last.
func TestSuspectsAreAskedForHelpLast(t *testing.T) {
	cfg := calm()
	cfg.IndirectProbes = 2
	for range 20 {
		c := prober(t, cfg, "c", "d", "e", "f")
		c.know(claim("c", 1, Suspect, 0, "x"), claim("d", 1, Suspect, 0, "x"), claim("e", 1, Suspect, 0, "x"))
		if err := c.indirect(); err != nil {
			t.Fatal(err)
		}
		helpers := c.probe.helpers
		if len(helpers) != 2 || helpers[0].id.name != "f" || helpers[1].id.name == "b" || helpers[1].id.name == "f" {
			t.Fatalf("asked %v", helpers)
		}
	}
	few := prober(t, cfg, "c")
	if err := few.indirect(); err != nil {
		t.Fatal(err)
	}
	few.want("there is only one", "", "-> c ping-req #1 b")
}

// Rules 46, 47 and 49: only the right answer from the right member counts, each
// once, and silence is counted.
func TestOnlyTheRightAckSettlesAProbe(t *testing.T) {
	cfg := calm()
	c := prober(t, cfg, "c", "d")
	n := c.probe.number
	if err := c.indirect(); err != nil {
		t.Fatal(err)
	}
	c.sends()
	stale := func(why, from string, h Header[who]) {
		t.Helper()
		before := c.Stats().Drops[DropStaleAck]
		if err := c.hear(from, h); err != DropStaleAck {
			t.Errorf("%s: %v", why, err)
		}
		if c.Stats().Drops[DropStaleAck] != before+1 || c.probe.acked {
			t.Errorf("%s: settled %v", why, c.probe.acked)
		}
		c.wantQuiet(why)
	}
	stale("another number", "b", Header[who]{Message: MessageAck, Number: n + 1})
	stale("another member", "c", Header[who]{Message: MessageAck, Number: n})
	vouch := Header[who]{Message: MessageForwardedAck, Number: n, About: who{"b", 1}}
	other := vouch
	other.About = who{"d", 1}
	stale("another target", "c", other)
	other = vouch
	other.Number--
	stale("another number of a helper", "c", other)
	c.know(claim("e", 1, Alive, 0))
	c.told()
	stale("a member that we did not ask", "e", vouch)
	if err := c.hear("c", vouch); err != nil || !c.probe.acked {
		t.Errorf("one that we asked: %v", err)
	}
	c.probe.acked = false
	stale("it vouches twice", "c", vouch)
	if err := c.hear("d", vouch); err != nil || !c.probe.acked {
		t.Errorf("another that we asked: %v", err)
	}
}

// Rule 55, D13: if the indirect stage was skipped, nobody is judged, and
// probing goes on.
func TestProbeWithoutItsIndirectStageIsVoid(t *testing.T) {
	c := prober(t, calm(), "c")
	c.now = c.tasks[TimerProbe].due
	number := c.probe.number
	err := c.HandleTimer(Timer[who]{Kind: TimerProbe, Token: c.tasks[TimerProbe].token}, c.out)
	if !errors.Is(err, ErrIncompleteProbe) {
		t.Errorf("error %v", err)
	}
	if s := c.Stats(); s.ProbesVoid != 1 || s.ProbesFailed != 0 || s.Suspect != 0 {
		t.Errorf("%+v", s)
	}
	if !c.probe.running || c.probe.number != number+1 || !c.tasks[TimerProbe].armed {
		t.Error("probing has stopped")
	}
}

// Rules 56 and 57: if the target was replaced or is gone, nobody is asked and
// nobody is judged; going idle clears the probe.
func TestProbeOfOneThatIsGoneIsDropped(t *testing.T) {
	for _, gone := range []Update[who]{claim("b", 2, Alive, 0), claim("b", 1, Left, 0)} {
		c := prober(t, calm(), "c")
		c.know(gone)
		c.told()
		if err := c.indirect(); err != nil {
			t.Error(err)
		}
		c.wantQuiet("nobody is asked about " + gone.String())
		if c.probe.running {
			t.Errorf("%v: still probing", gone)
		}
		c.know(claim("c", 1, Left, 0), claim("b", 2, Left, 0))
		if c.probe.running || c.tasks[TimerProbe].armed {
			t.Errorf("%v: probing while idle", gone)
		}
	}
}

// Rule 92: a failed probe is told on request, with its number.
func TestFailedProbeIsToldOnRequest(t *testing.T) {
	cfg := calm()
	cfg.Notify.ProbeFailed = true
	c := prober(t, cfg)
	if err := c.indirect(); err != nil {
		t.Error(err)
	}
	c.run(time.Second)
	if got := c.told(); got != "probe-failed #1 b" {
		t.Errorf("told %q", got)
	}
}

// D16, D9: one that lost its identity, and waits to renew, judges nobody.
func TestWhoLostItsIdentityJudgesNobody(t *testing.T) {
	c := prober(t, calm(), "c", "d")
	c.know(claim("c", 1, Suspect, 0, "x", "y"))
	c.renewal = renewal[who]{wanted: true, newest: who{"a", 1}, heard: true, last: c.now, trigger: c.now, wait: maxRenewalWait}
	c.run(time.Minute)
	if s := c.Stats(); s.ProbesFailed != 0 || s.Suspect != 1 || s.Down != 0 || s.ProbesVoid == 0 {
		t.Errorf("%+v", s)
	}
	c.renewal.wanted = false
	c.run(time.Minute)
	if s := c.Stats(); s.Down == 0 {
		t.Errorf("afterwards it still judges nobody: %+v", s)
	}
}

// Rules 46, 47 and 49, D7: a nack counts once from each helper, only for this
// probe and only until the helper vouches; it settles nothing.
func TestOnlyHelpersSayNackAndOnce(t *testing.T) {
	c := prober(t, patient(), "c", "d")
	nack := Header[who]{Message: MessageNack, Number: c.probe.number, About: who{"b", 1}}
	stale := func(why, from string, h Header[who]) {
		t.Helper()
		before := c.Stats().Drops[DropStaleAck]
		if err := c.hear(from, h); err != DropStaleAck || c.Stats().Drops[DropStaleAck] != before+1 {
			t.Errorf("%s: %v", why, err)
		}
		c.wantQuiet(why)
	}
	stale("nobody was asked yet", "c", nack)
	if err := c.indirect(); err != nil {
		t.Fatal(err)
	}
	c.sends()
	c.know(claim("e", 1, Alive, 0))
	c.told()
	stale("one that was not asked", "e", nack)
	stale("the target", "b", nack)
	other := nack
	other.About = who{"d", 1}
	stale("about another", "c", other)
	other = nack
	other.About = who{"b", 2}
	stale("about another life", "c", other)
	other = nack
	other.Number--
	stale("about another probe", "c", other)
	slot := must(c.roster.find("c"))
	c.roster.at(slot).flags &^= isVerified
	if err := c.hear("c", nack); err != nil {
		t.Error(err)
	}
	if c.roster.at(slot).flags&isVerified == 0 {
		t.Error("who answers with a nack has answered us")
	}
	stale("it says nack twice", "c", nack)
	if c.probe.acked {
		t.Error("a nack settles the probe")
	}
	vouch := nack
	vouch.Message = MessageForwardedAck
	if err := c.hear("d", vouch); err != nil || !c.probe.acked {
		t.Errorf("the other vouches: %v", err)
	}
	stale("it vouched before", "d", nack)
}

// D7: the answer that comes after the nack counts: nack and ack are a success.
func TestNackAndAckAreASuccess(t *testing.T) {
	for _, late := range []struct {
		why, from string
		message   Message
	}{
		{"the helper vouches after its nack", "c", MessageForwardedAck},
		{"the target answers itself", "b", MessageAck},
	} {
		c := prober(t, patient(), "c")
		c.health.doubt = 2
		if err := c.indirect(); err != nil {
			t.Fatal(err)
		}
		h := Header[who]{Message: MessageNack, Number: c.probe.number, About: who{"b", 1}}
		if err := c.hear("c", h); err != nil {
			t.Error(err)
		}
		h.Message = late.message
		if !h.Message.HasAbout() {
			h.About = who{}
		}
		if err := c.hear(late.from, h); err != nil {
			t.Errorf("%s: %v", late.why, err)
		}
		c.nextEvent(TimerProbe, 0)
		c.wantHealth(late.why, 1)
		if s := c.Stats(); s.ProbesFailed != 0 || s.Suspect != 0 {
			t.Errorf("%s: %d probes failed, %d suspects", late.why, s.ProbesFailed, s.Suspect)
		}
	}
}

// D7: a nack after the verdict is late, and takes nothing back.
func TestNackAfterTheVerdictIsStale(t *testing.T) {
	c := prober(t, patient(), "c")
	if err := c.indirect(); err != nil {
		t.Fatal(err)
	}
	nack := Header[who]{Message: MessageNack, Number: c.probe.number, About: who{"b", 1}}
	c.nextEvent(TimerProbe, 0)
	c.wantHealth("no nack came", 1)
	if err := c.hear("c", nack); err != DropStaleAck {
		t.Error(err)
	}
	c.wantHealth("it came too late", 1)
}
