package swim

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"
)

// Rules 50-53 and 54: one indirect ping for each request, one forwarded ack for
// each answer, and no more relays than the limits say.
func TestRelaysAreBounded(t *testing.T) {
	c := newTestCore(t, Config{MaxRelays: 10}, "a", "b", "c", "d")
	ask := func(from string, number uint32) error {
		return c.hear(from, Header[who]{Message: MessagePingReq, Number: number, About: who{"d", 1}})
	}
	for i := range uint32(8) {
		if err := ask("b", i); err != nil {
			t.Error(err)
		}
	}
	c.sends()
	if err := ask("b", 8); err != DropRelayFull {
		t.Errorf("a ninth for one asker: %v", err)
	}
	c.wantQuiet("a ninth for one asker")
	for i := range uint32(3) {
		if err := ask("c", 20+i); err != nil {
			t.Error(err)
		}
	}
	if s := c.Stats(); s.Relays != 10 || s.Drops[DropRelayFull] != 2 {
		t.Errorf("%d relays, %d dropped: the oldest makes room", s.Relays, s.Drops[DropRelayFull])
	}
	c.sends()
	ack := Header[who]{Message: MessageIndirectAck, Number: 0, About: who{"b", 1}}
	if err := c.hear("d", ack); err != DropNoRelay {
		t.Errorf("the oldest relay: %v", err)
	}
	ack.Number = 3
	if err := c.hear("c", ack); err != DropNoRelay {
		t.Errorf("an ack of another member: %v", err)
	}
	if err := c.hear("d", ack); err != nil {
		t.Error(err)
	}
	c.want("the asker hears of it once", "", "-> b forwarded-ack #3 d")
	if err := c.hear("d", ack); err != DropNoRelay {
		t.Errorf("twice: %v", err)
	}
	c.now = c.now.Add(c.Config().Period)
	if err := c.hear("d", Header[who]{Message: MessagePing}); err != nil || c.Stats().Relays != 0 {
		t.Errorf("after the deadline: %v, %d relays are said to be in flight", err, c.Stats().Relays)
	}
	ack.Number = 4
	if err := c.hear("d", ack); err != DropNoRelay {
		t.Errorf("after the deadline: %v", err)
	}
}

// Rules 50-53: relays go only to active members, for members that answered us.
func TestRelaysServeOnlyVerifiedAskersAndActiveTargets(t *testing.T) {
	c := newTestCore(t, calm(), "a", "b", "d")
	c.know(claim("n", 1, Alive, 0), claim("e", 1, Down, 0, "x", "y"))
	c.told()
	for _, test := range []struct {
		why, from string
		about     who
	}{
		{"an asker that never answered", "n", who{"d", 1}},
		{"a target that is down", "b", who{"e", 1}},
		{"an unknown target", "b", who{"q", 1}},
		{"another life of the target", "b", who{"d", 2}},
		{"the asker itself", "b", who{"b", 1}},
	} {
		h := Header[who]{Message: MessagePingReq, Number: 1, About: test.about}
		if err := c.hear(test.from, h); err != DropRelayRefused {
			t.Errorf("%s: %v", test.why, err)
		}
		c.wantQuiet(test.why)
	}
	if got := c.Stats().Drops[DropRelayRefused]; got != 5 {
		t.Errorf("%d counted", got)
	}
}

// Rule 54, and an asker that is gone when its answer comes.
func TestAnswerForAnAskerThatIsGoneIsNotPassedOn(t *testing.T) {
	c := newTestCore(t, calm(), "a", "b", "d")
	if err := c.hear("b", Header[who]{Message: MessagePingReq, Number: 1, About: who{"d", 1}}); err != nil {
		t.Error(err)
	}
	c.want("the request", "", "-> d indirect-ping #1 b")
	c.know(claim("b", 1, Left, 0))
	c.told()
	if err := c.hear("d", Header[who]{Message: MessageIndirectAck, Number: 1, About: who{"b", 1}}); err != nil {
		t.Error(err)
	}
	c.wantQuiet("nobody asks any more")
}

// askRelay has a member ask for a probe of another, and for a nack after some
// milliseconds, and overlooks what that sends.
func (c *testCore) askRelay(from string, number uint32, about string, nackAfter uint32) {
	c.t.Helper()
	if err := c.hear(from, Header[who]{Message: MessagePingReq, Number: number, NackAfter: nackAfter, About: who{about, 1}}); err != nil {
		c.t.Fatal(err)
	}
	c.sends()
}

// D7: a relay whose target is silent says so when the asker said, once. A late
// answer is passed on all the same.
func TestRelaySaysNackInTimeAndOnce(t *testing.T) {
	c := newTestCore(t, calm(), "a", "b", "c", "d")
	c.noProbes()
	c.askRelay("b", 1, "d", 400)
	c.run(400*time.Millisecond - 1)
	c.wantQuiet("it is early")
	c.run(1)
	c.want("now", "", "-> b nack #1 d")
	c.run(50 * time.Millisecond)
	if err := c.hear("d", Header[who]{Message: MessageIndirectAck, Number: 1, About: who{"b", 1}}); err != nil {
		t.Error(err)
	}
	c.want("a late answer", "", "-> b forwarded-ack #1 d")
	c.run(10 * time.Second)
	c.wantQuiet("nothing more")
}

// D7: a relay whose target has answered does not say nack, and neither does one
// that was not asked to.
func TestRelayThatIsAnsweredSaysNoNack(t *testing.T) {
	c := newTestCore(t, calm(), "a", "b", "c", "d")
	c.noProbes()
	c.askRelay("b", 1, "d", 400)
	c.askRelay("c", 9, "d", 0)
	c.run(399 * time.Millisecond)
	if err := c.hear("d", Header[who]{Message: MessageIndirectAck, Number: 1, About: who{"b", 1}}); err != nil {
		t.Error(err)
	}
	c.want("answered", "", "-> b forwarded-ack #1 d")
	c.run(10 * time.Second)
	c.wantQuiet("no nack")
}

// S16: who asks for a nack ever earlier, and is answered each time, leaves a few
// events behind and not one each time.
func TestNacksThatAreAskedForEverEarlierLeaveFewEvents(t *testing.T) {
	c := newTestCore(t, calm(), "a", "b", "c", "d")
	c.noProbes()
	for i := range uint32(5000) {
		c.askRelay("b", i, "d", 6000-i)
		if err := c.hear("d", Header[who]{Message: MessageIndirectAck, Number: i, About: who{"b", 1}}); err != nil {
			t.Fatal(err)
		}
		c.sends()
		c.run(10 * time.Microsecond)
		if n := c.outstanding(TimerNack); n > 32 {
			t.Fatalf("%d events are outstanding after %d requests", n, i+1)
		}
	}
}

// D7: each nack has its own time, whatever the order in which they were asked for.
func TestRelaysSayNackEachAtItsTime(t *testing.T) {
	c := newTestCore(t, calm(), "a", "b", "c", "d")
	c.noProbes()
	c.askRelay("b", 1, "d", 600)
	c.run(50 * time.Millisecond)
	c.askRelay("c", 2, "d", 100)
	c.run(10 * time.Millisecond)
	c.askRelay("b", 3, "c", 300)
	for _, step := range []struct {
		after time.Duration
		sent  string
	}{{90, "-> c nack #2 d"}, {210, "-> b nack #3 c"}, {240, "-> b nack #1 d"}} {
		c.run(step.after*time.Millisecond - 1)
		c.wantQuiet("before " + step.sent)
		c.run(1)
		c.want("at its time", "", step.sent)
	}
}

// D7: nacks that are due at one instant go out a few at a time, but all of them.
func TestManyNacksOfOneInstantAllGoOut(t *testing.T) {
	c := newTestCore(t, calm(), "a", "b", "c", "d")
	c.noProbes()
	var want []string
	for i := range uint32(7) {
		c.askRelay("b", i, "d", 400)
		c.askRelay("c", i, "d", 400)
		want = append(want, fmt.Sprintf("-> b nack #%d d", i), fmt.Sprintf("-> c nack #%d d", i))
	}
	c.now = c.now.Add(400 * time.Millisecond)
	c.nextEvent(TimerNack, 0)
	if n := len(c.out.Packets); n != mostNacks {
		t.Errorf("one event sent %d nacks", n)
	}
	c.run(0)
	c.want("without time passing", "", want...)
	if c.tasks[TimerNack].armed {
		t.Error("nothing is owed, but the task is armed")
	}
}

// D7, D9: who asked somebody that is no more gets no nack: we are idle, said
// goodbye or have another identity. Nor does an asker that is gone or replaced.
func TestNobodySaysNackForALifeThatIsOver(t *testing.T) {
	for why, end := range map[string]func(c *testCore) error{
		"we are idle": func(c *testCore) error {
			return c.know(claim("b", 1, Left, 0), claim("d", 1, Left, 0))
		},
		"we were idle in between": func(c *testCore) error {
			return errors.Join(c.know(claim("b", 1, Left, 0), claim("d", 1, Left, 0)), c.know(claim("b", 2, Alive, 0)))
		},
		"we leave": func(c *testCore) error { return c.Leave(c.out) },
		"we have another identity": func(c *testCore) error {
			return c.ChangeIdentity(who{"a", 2}, c.out)
		},
		"the asker left":        func(c *testCore) error { return c.know(claim("b", 1, Left, 0)) },
		"the asker is replaced": func(c *testCore) error { return c.know(claim("b", 2, Alive, 0)) },
		"nacks are switched off": func(c *testCore) error {
			cfg := c.Config()
			cfg.Rules.SilentRelay = true
			return c.Configure(cfg, c.out)
		},
	} {
		c := newTestCore(t, calm(), "a", "b", "d")
		c.noProbes()
		c.askRelay("b", 1, "d", 400)
		if err := end(c); err != nil {
			t.Errorf("%s: %v", why, err)
		}
		c.run(10 * time.Second)
		if sent := c.Stats().Sent[MessageNack]; sent != 0 {
			t.Errorf("%s: a nack was sent", why)
		}
	}
}

// D7: SilentRelay neither says nack nor asks for it.
func TestSilentRelayNeitherSaysNackNorAsksForIt(t *testing.T) {
	cfg := calm()
	cfg.Rules.SilentRelay = true
	c := newTestCore(t, cfg, "a", "b", "d")
	c.noProbes()
	c.askRelay("b", 1, "d", 400)
	if c.tasks[TimerNack].armed {
		t.Error("a nack is owed")
	}
	for silent, want := range map[bool]uint32{false: 400, true: 0} {
		cfg.Rules.SilentRelay = silent
		c := prober(t, cfg, "c", "d")
		c.out.Reset()
		if err := c.indirect(); err != nil {
			t.Fatal(err)
		}
		if got := c.nackAfters(); !slices.Equal(got, []uint32{want, want}) {
			t.Errorf("SilentRelay %v: nacks are asked for after %v ms", silent, got)
		}
	}
}

// nackAfters returns what the requests that were sent say about nacks.
func (c *testCore) nackAfters() (all []uint32) {
	c.t.Helper()
	for _, d := range c.out.Packets {
		var p Packet[who]
		if err := names.Parse(d.Data, &p); err != nil {
			c.t.Fatal(err)
		}
		if p.Header.Message == MessagePingReq {
			all = append(all, p.Header.NackAfter)
		}
	}
	c.out.Reset()
	return all
}

// D7: nacks are asked for at 80 % of the time that is left until the verdict,
// so that they come before it, also when probes are stretched.
func TestNacksAreAskedForInTime(t *testing.T) {
	for _, test := range []struct {
		period, roundTrip time.Duration
		doubt             int
		want              uint32
	}{
		{time.Second, 500 * time.Millisecond, 0, 400},
		{time.Second, 500 * time.Millisecond, 2, 1200},
		{time.Second, 750 * time.Millisecond, 0, 200},
		{200 * time.Millisecond, 50 * time.Millisecond, 0, 120},
		{time.Millisecond, 750 * time.Microsecond, 0, 0}, // less than a millisecond is left
		{24 * time.Hour, time.Second, 8, 0},              // worked out below
	} {
		cfg := calm()
		cfg.Period, cfg.RoundTrip, cfg.StallLimit = test.period, test.roundTrip, Off
		c := newTestCore(t, cfg, "a", "b", "c")
		c.health.doubt = test.doubt
		c.nextEvent(TimerProbe, 0)
		c.out.Reset()
		left := c.tasks[TimerProbe].due.Sub(c.tasks[TimerIndirect].due)
		if err := c.indirect(); err != nil {
			t.Fatal(err)
		}
		want := test.want
		if test.period == 24*time.Hour {
			want = uint32(left * 4 / 5 / time.Millisecond)
		}
		if got := c.nackAfters(); !slices.Equal(got, []uint32{want}) {
			t.Errorf("a period of %v, asking after %v, %d doubts: nacks after %v ms, want %d", test.period, test.roundTrip, test.doubt, got, want)
		}
		if want == 0 && c.probe.nacks {
			t.Error("nobody was asked for nacks, but they are missed")
		}
	}
}

// D7: whatever a request says about nacks, it is remembered for a bounded time.
func TestRelayIsNotRememberedForAsLongAsSomebodySays(t *testing.T) {
	for _, after := range []uint32{1 << 31, 1<<32 - 1} {
		c := newTestCore(t, calm(), "a", "b", "d")
		c.noProbes()
		c.askRelay("b", 1, "d", after)
		c.run(maxRelayPeriods*time.Second*4/5 - 1)
		c.wantQuiet("it is early")
		c.run(1)
		c.want("after 80 % of the longest", "", "-> b nack #1 d")
		if c.Stats().Relays != 1 {
			t.Error("a late answer would be lost")
		}
		c.run(maxRelayPeriods * time.Second / 5)
		c.hear("d", gossip) // now it knows the time
		if n := c.Stats().Relays; n != 0 {
			t.Errorf("%d relays after the longest time", n)
		}
	}
}

// D7, rule 51: a relay for somebody with a longer period than ours lasts for
// that, so that a late answer is passed on.
func TestRelayLastsUntilTheAskerJudges(t *testing.T) {
	c := newTestCore(t, calm(), "a", "b", "d")
	c.noProbes()
	c.askRelay("b", 1, "d", 4000) // 5 s are left
	c.run(4900 * time.Millisecond)
	c.want("in between", "", "-> b nack #1 d")
	if err := c.hear("d", Header[who]{Message: MessageIndirectAck, Number: 1, About: who{"b", 1}}); err != nil {
		t.Error(err)
	}
	c.want("late", "", "-> b forwarded-ack #1 d")
	c.askRelay("b", 2, "d", 4000)
	c.run(5 * time.Second)
	c.hear("d", gossip) // now it knows the time
	if n := c.Stats().Relays; n != 0 {
		t.Errorf("%d relays when the asker has judged", n)
	}
}
