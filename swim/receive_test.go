package swim

import (
	"testing"
)

// Rules 93, 94, 95, 96, 97 and 98, D10: what is no packet for us is dropped as a
// whole, counted by its reason, and changes nothing.
func TestBadPacketsChangeNothing(t *testing.T) {
	c := newTestCoreOf(t, Config{MaxReceive: 300}, who{"a", 1}, &testNode{values: map[string]uint64{}}, "b", "c")
	packet := func(h Header[who], payloads [][]byte, updates ...Update[who]) []byte {
		if h.Src == (who{}) {
			h.Src = who{"b", 1}
		}
		if h.Dst == (who{}) {
			h.Dst = who{"a", 1}
		}
		return c.encode(&Packet[who]{Header: h, Updates: updates, Payloads: payloads})
	}
	news := packet(gossip, nil, claim("x", 1, Alive, 0), claim("y", 1, Alive, 0))
	said := packet(gossip, [][]byte{[]byte("x=1")})
	spoilt := append([]byte(nil), news...)
	spoilt[len(spoilt)-4] = 0xff // the head of the second update
	for _, test := range []struct {
		name string
		drop Drop
		data []byte
	}{
		{"nothing", DropMalformed, nil},
		{"another version", DropMalformed, append([]byte{0x40}, news[1:]...)},
		{"cut short", DropMalformed, news[:len(news)-1]},
		{"a bad second update", DropMalformed, spoilt},
		{"bytes behind the updates", DropMalformed, append(append([]byte(nil), news...), 0)},
		{"a payload that is cut short", DropMalformed, said[:len(said)-1]},
		{"an empty payload", DropMalformed, append(append([]byte(nil), said...), 0)},
		{"padding that is not zero", DropMalformed, append(packet(Header[who]{Message: MessageAnnounce}, nil), 0, 1)},
		{"larger than we accept", DropTooBig, append(packet(Header[who]{Message: MessageAnnounce}, nil), make([]byte, 300)...)},
		{"from ourselves", DropEcho, packet(Header[who]{Src: who{"a", 1}, Message: MessageGossip}, nil)},
		{"from another life of ours", DropEcho, packet(Header[who]{Src: who{"a", 9}, Message: MessageGossip}, nil)},
		{"for somebody else", DropMisaddressed, packet(Header[who]{Dst: who{"c", 1}, Message: MessagePing}, nil)},
		{"a relay of our own probe", DropSelfRelay, packet(Header[who]{Message: MessageIndirectPing, About: who{"a", 1}}, nil)},
		{"a relay to ourselves", DropSelfRelay, packet(Header[who]{Message: MessagePingReq, About: who{"a", 1}}, nil)},
	} {
		c.wantDrop(test.name, test.drop, func() error { return c.HandleData(test.data, c.out) })
	}
	if err := c.HandleData(news, c.out); err != nil {
		t.Error(err)
	}
	c.want("the same, whole", "up x, up y")
}

// Rule 93: we send no more than MaxPacket, but accept more.
func TestLargerPacketsThanWeSendAreAccepted(t *testing.T) {
	c := newTestCore(t, Config{MaxPacket: 400, MaxNewMembers: 1000}, "a", "b")
	var news []Update[who]
	for i := range 200 {
		news = append(news, claim(string([]byte{'m', byte('a' + i/20), byte('a' + i%20)}), 1, Alive, 0))
	}
	if err := c.hear("b", gossip, news...); err != nil || c.NumActive() != 201 {
		t.Errorf("%d active, %v", c.NumActive(), err)
	}
	for range 10 {
		if err := c.Gossip(c.out); err != nil {
			t.Error(err)
		}
	}
	for _, d := range c.out.Packets {
		if len(d.Data) > 400 {
			t.Errorf("sent %d bytes", len(d.Data))
		}
	}
}

// Rules 95 and 101: records about ourselves inside a packet do not disturb the
// others in it.
func TestRecordsAboutOurselvesDisturbNobody(t *testing.T) {
	c := newTestCore(t, Config{Gossip: Task{Every: Off}}, "a", "b", "c")
	err := c.hear("b", Header[who]{Message: MessagePing, Number: 4},
		claim("x", 1, Suspect, 2, "p", "q"), claim("a", 1, Suspect, 0, "b", "c"), claim("y", 1, Suspect, 3, "r"))
	if err != nil {
		t.Error(err)
	}
	c.told()
	c.wantMember("x", "x suspect 2 by p+q")
	c.wantMember("y", "y suspect 3 by r")
	if c.Self().Incarnation != 1 {
		t.Errorf("we are %v", c.Self())
	}
}

// Rule 92: what is received and sent is told on request, after decoding.
func TestTrafficIsToldOnRequest(t *testing.T) {
	cfg := calm()
	cfg.Notify.Received, cfg.Notify.Sent = true, true
	c := newTestCore(t, cfg, "a", "b")
	if err := c.hear("b", Header[who]{Message: MessagePing, Number: 4}); err != nil {
		t.Error(err)
	}
	c.want("a ping", "received ping b, sent ack b", "-> b ack #4")
	if err := c.HandleData([]byte{1, 2, 3}, c.out); err != DropMalformed {
		t.Error(err)
	}
	c.wantQuiet("what can not be read is not told")
}

// Rule 79: one that is down or lost its address is answered, naming the
// incarnation and the identity that won, not more than once in a period.
func TestSenderThatIsDownIsToldSo(t *testing.T) {
	for _, test := range []struct {
		known Update[who]
		src   who
		alive Incarnation
		want  string
	}{
		{claim("b", 1, Down, 4, "c", "d"), who{"b", 1}, 2, "-> b turn-undead b down 4"},
		{claim("b", 1, Left, 0), who{"b", 1}, 2, "-> b turn-undead b down 2"},
		{claim("b", 3, Alive, 0), who{"b", 1}, 2, "-> b turn-undead b3 down 2"},
	} {
		c := newTestCore(t, calm(), "a", "c")
		c.know(test.known)
		c.told()
		h := Header[who]{Src: test.src, SrcIncarnation: test.alive, Message: MessagePing, Number: 1}
		x := []Update[who]{claim("x", 1, Alive, 0), claim("y", 1, Alive, 0)}
		if err := c.hear("b", h, x...); err != DropDownSender {
			t.Errorf("%v: %v", test.known, err)
		}
		c.want(test.known.String(), "", test.want)
		if err := c.hear("b", h, x...); err != DropDownSender {
			t.Errorf("%v: %v", test.known, err)
		}
		c.wantQuiet("again")
		c.now = c.now.Add(c.Config().Period)
		h.Message = MessageAck
		if err := c.hear("b", h); err != DropDownSender {
			t.Errorf("%v: %v", test.known, err)
		}
		c.wantQuiet("an answer causes nothing (D8)")
		c.wantMember("x", "unknown")
	}
}

// Rule 80: a turn-undead is obeyed if it is for our current life at our
// incarnation or above, even from one that we hold down.
func TestTurnUndeadIsObeyedOnlyIfItIsAboutThisLife(t *testing.T) {
	undead := func(inc Incarnation) Header[who] {
		return Header[who]{Message: MessageTurnUndead, About: who{"a", 1}, AboutIncarnation: inc}
	}
	c := newTestCore(t, calm(), "a", "b")
	c.us.inc = 3
	c.know(claim("d", 1, Down, 0, "b", "c"))
	c.told()
	c.wantDrop("at an earlier incarnation", DropStaleUndead, func() error { return c.hear("b", undead(2)) })
	wrong := undead(3)
	wrong.About = who{"b", 1}
	c.wantDrop("about somebody else", DropMalformed, func() error { return c.hear("b", wrong) })
	if err := c.hear("d", undead(3)); err != nil {
		t.Error(err)
	}
	c.want("from one that is down", "rejoin a2 (was a)", "-> d announce", "-> b gossip")
}

// Rule 106: in the steady state nothing is allocated.
func TestHandlingAPingAllocatesNoMoreThanParsingIt(t *testing.T) {
	c := newTestCore(t, calm(), "a", "b", "c")
	ping := c.encode(&Packet[who]{Header: Header[who]{Src: who{"b", 1}, Dst: who{"a", 1}, Message: MessagePing, Number: 1}, Updates: []Update[who]{claim("c", 1, Alive, 0)}})
	rt := &counting{now: c.now}
	names := testing.AllocsPerRun(100, func() { parseOnly(c, ping) })
	got := testing.AllocsPerRun(100, func() {
		if err := c.HandleData(ping, rt); err != nil {
			t.Fatal(err)
		}
	})
	// The names of the tests' identities are strings, made anew by each parse.
	if got > names {
		t.Errorf("handling a ping allocates %v times, parsing it %v", got, names)
	}
}

func parseOnly(c *testCore, data []byte) {
	if err := c.codec.Parse(data, &c.in); err != nil {
		c.t.Fatal(err)
	}
}
