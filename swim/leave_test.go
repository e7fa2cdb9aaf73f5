package swim

import (
	"testing"
	"time"
)

// Rule 76: until enough have acked, members that have not are told again each
// gossip interval; then we are Defunct.
func TestGoodbyeIsRepeatedUntilEnoughKnow(t *testing.T) {
	c := newTestCore(t, Config{IndirectProbes: 2, Gossip: Task{time.Second, 1}}, "a", "b", "c", "d")
	if err := c.Leave(c.out); err != nil {
		t.Error(err)
	}
	if got := c.sends(); len(got) != 2 {
		t.Errorf("sent %q", got)
	}
	number := c.probe.number
	ack := Header[who]{Message: MessageAck, Number: number}
	if err := c.hear("b", ack); err != nil {
		t.Error(err)
	}
	if err := c.hear("b", ack); err != DropStaleAck {
		t.Errorf("the same twice: %v", err)
	}
	ack.Number--
	if err := c.hear("c", ack); err != DropStaleAck {
		t.Errorf("an ack of before the goodbye: %v", err)
	}
	c.run(time.Second)
	c.want("the others once more", "", "-> c ping #2 (left)", "-> d ping #2 (left)")
	if err := c.hear("d", Header[who]{Message: MessagePing, Number: 70}); err != nil {
		t.Error(err)
	}
	c.want("pings are answered", "", "-> d ack #70 (left)")
	ack.Number = number + 1
	if err := c.hear("c", ack); err != nil {
		t.Error(err)
	}
	c.want("enough", "defunct a")
	if got := c.Self().State; got != Left {
		t.Errorf("we are %v", got)
	}
	c.run(time.Minute)
	c.wantQuiet("gone")
}

// Rules 29, 76 and 99: neither a leaving nor a left core renews by itself.
func TestWhoLeavesNeverRenews(t *testing.T) {
	c := newTestCore(t, Config{}, "a", "b")
	if err := c.Leave(c.out); err != nil {
		t.Error(err)
	}
	c.sends()
	for range 2 {
		_ = c.hear("b", gossip, claim("a", 1, Suspect, 0, "b"), claim("a", 1, Down, 5, "b", "c"), claim("a", 9, Alive, 0))
		c.wantDropOnly("undead", DropDefunct, c.hear("b", Header[who]{Message: MessageTurnUndead, About: who{"a", 1}}))
		if got := c.Self(); got.ID.life != 1 || got.Incarnation != 0 || got.State != Left {
			t.Errorf("we are %v", got)
		}
		c.run(10 * time.Second)
		c.told()
	}
	c.wantDropOnly("a ping", DropDefunct, c.hear("b", Header[who]{Message: MessagePing, Number: 1}))
}
