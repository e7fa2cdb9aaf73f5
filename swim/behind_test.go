package swim

import "testing"

// Rule 113: whoever says less of itself than we know finds our record of it in
// the next packet to it that has room, not merely in the next.
func TestReminderIsOwedUntilItIsSent(t *testing.T) {
	c := newTestCoreOf(t, calm(), who{"a", 2}, nil, "c")
	c.know(claim("b", 1, Alive, 5))
	c.told()
	c.us.untold = 0
	c.hear("b", Header[who]{Message: MessageGossip, SrcIncarnation: 3})
	c.wantQuiet("a reminder waits for a packet")
	if err := c.hear("b", Header[who]{Message: MessageGossip, Dst: who{"a", 1}, SrcIncarnation: 3}); err != DropMisaddressed {
		t.Error(err)
	}
	c.want("an answer as short as the question has no room for it", "", "-> b gossip")
	c.cfg.Gossip.Num = 2
	if err := c.Gossip(c.out); err != nil {
		t.Fatal(err)
	}
	c.want("the next packet has", "", "-> b gossip [b alive 5]", "-> c gossip")
}
