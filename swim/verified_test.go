package swim

import (
	"testing"
	"time"
)

// A ping from a member that never answered us may be answered with no more
// bytes than it has. That must not silence those whose header is the longer.

// pinged lets b, whom a never probed, ping a, and returns the sizes of the
// ping and of the answer.
func pinged(t *testing.T, c *cluster) (ping, ack int) {
	t.Helper()
	a, b := c.node("a"), c.node("b")
	slot, _ := a.core.find(who{"b", 1})
	a.core.roster.at(slot).flags &^= isVerified
	slot, _ = b.core.find(who{"a", 1})
	b.core.roster.at(slot).flags |= isVerified
	b.core.enter(b.out)
	if err := b.core.post(slot, Header[who]{Dst: who{"a", 1}, Message: MessagePing, Number: 1}, b.core.cfg.MaxPacket, bare); err != nil {
		t.Fatal(err)
	}
	b.core.exit()
	data := b.out.Packets[0].Data
	ping = len(data)
	if err := a.core.HandleData(data, a.rt); err != nil {
		t.Fatal(err)
	}
	ack = len(a.out.Packets[0].Data)
	if ack > ping {
		t.Errorf("a ping of %d bytes was answered with %d", ping, ack)
	}
	b.out.Reset()
	c.flush(a)
	return ping, ack
}

func TestMemberWithMetadataAnswersThoseItNeverProbed(t *testing.T) {
	c := newCluster(t, Local(), "a", "b")
	c.meet()
	c.run(3 * time.Second)
	c.do("a", func(core *Core[who, string], rt Runtime[who]) error { return core.SetMetadata(1<<40, rt) })
	pinged(t, c)
	c.run(time.Second)
	if m, _ := c.core("b").Member("a"); m.Metadata != 1<<40 {
		t.Errorf("b was not told the metadata of %+v", m)
	}
}

func TestMemberWithALongIncarnationAnswersThoseItNeverProbed(t *testing.T) {
	c := newCluster(t, Local(), "a", "b")
	c.meet()
	c.core("a").us.inc = 1 << 40
	c.node("a").watch() // its guard would say that nobody accused it
	c.run(3 * time.Second)
	if m, _ := c.core("b").Member("a"); m.Incarnation != 1<<40 {
		t.Fatalf("b knows %v", m)
	}
	pinged(t, c)
}
