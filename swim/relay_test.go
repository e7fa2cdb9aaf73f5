package swim

import (
	"testing"
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
