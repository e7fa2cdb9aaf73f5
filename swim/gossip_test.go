package swim

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// queue lets a core tell records.
func (c *testCore) queue(updates ...Update[who]) {
	c.t.Helper()
	if err := c.Apply(slices.Values(updates), true, c.out); err != nil {
		c.t.Error(err)
	}
}

// Rule 63: refutations first, then down and left, then suspects, then the rest.
func TestMostUrgentNewsComesFirst(t *testing.T) {
	c := newTestCore(t, calm(), "a", "b")
	c.know(claim("e", 1, Suspect, 0, "x"))
	c.queue(claim("p", 1, Alive, 0), claim("q", 1, Suspect, 0, "x"), claim("r", 1, Left, 0), claim("s", 1, Down, 0, "x"), claim("e", 1, Alive, 1))
	c.told()
	c.know(claim("p", 1, Left, 0), claim("q", 1, Left, 0)) // only b and e are left to gossip to
	c.backlog = backlog{}
	c.queue(claim("u", 1, Alive, 0), claim("v", 1, Suspect, 0, "x"), claim("w", 1, Down, 0, "x"))
	c.know(claim("e", 1, Suspect, 1, "x"))
	c.queue(claim("e", 1, Alive, 2))
	if err := c.hear("b", Header[who]{Message: MessagePing, Number: 1}); err != nil {
		t.Error(err)
	}
	if got := c.sends(); len(got) != 1 || got[0] != "-> b ack #1 [e alive 2, w down 0 by x, v suspect 0 by x, u alive 0]" {
		t.Errorf("sent %q", got)
	}
}

// Rules 62 and 103, D5: each item is told as often as the limit says, which is
// read when it is sent, and then the backlog is empty.
func TestNewsIsToldAsOftenAsTheLimitSays(t *testing.T) {
	c := newTestCore(t, calm(), "a", "b", "d")
	c.queue(claim("c", 1, Left, 0))
	told := 0
	for range 20 {
		if err := c.hear("b", Header[who]{Message: MessagePing, Number: 1}); err != nil {
			t.Error(err)
		}
		if strings.Contains(strings.Join(c.sends(), ""), "c left") {
			told++
		}
	}
	if told != 4 || c.Stats().Backlog != 0 {
		t.Errorf("told %d times, %d in the backlog", told, c.Stats().Backlog)
	}
}

// Rules 64 and 65: what does not fit stays, smaller ones go; no packet is too long.
func TestPacketsTakeWhatFits(t *testing.T) {
	c := newTestCore(t, Config{MaxPacket: 202, Gossip: Task{Every: Off}}, "a", "b")
	for i := range 26 {
		c.queue(claim(strings.Repeat(string(rune('c'+i%20)), 1+i%13), 1, Left, 0))
	}
	seen := make(map[string]int)
	for range 40 {
		if err := c.hear("b", Header[who]{Message: MessagePing, Number: 1}); err != nil {
			t.Error(err)
		}
		for _, d := range c.out.Packets {
			var p Packet[who]
			if err := names.Parse(d.Data, &p); err != nil || len(d.Data) > 202 {
				t.Fatalf("%d bytes, %v", len(d.Data), err)
			}
			for _, u := range p.Updates {
				seen[u.ID.name]++
			}
		}
		c.out.Reset()
	}
	if c.Stats().Backlog != 0 {
		t.Errorf("%d were never told often enough", c.Stats().Backlog)
	}
	for name, times := range seen {
		if times != 4 {
			t.Errorf("%s was told %d times", name, times)
		}
	}
}

// Rule 66: Gossip goes to k distinct active members, even if there is nothing
// to tell; rule 81: the periodic one does not.
func TestOnlyGossipOnRequestMayBeEmpty(t *testing.T) {
	c := newTestCore(t, Config{Gossip: Task{time.Second, 2}, Announce: Task{Every: Off}}, "a", "b", "c", "d")
	c.noProbes()
	if err := c.Gossip(c.out); err != nil {
		t.Error(err)
	}
	sent := c.sends()
	slices.Sort(sent)
	if len(slices.Compact(sent)) != 2 {
		t.Errorf("sent %q", sent)
	}
	c.run(time.Minute)
	c.wantQuiet("nothing to tell")
	if c.tasks[TimerGossip].armed {
		t.Error("a timer runs for nothing")
	}
}

// Rule 67: a header is an update about its sender, and only about that.
func TestHeaderIsAnUpdateAboutItsSender(t *testing.T) {
	c := newTestCore(t, calm(), "a", "b", "c")
	c.know(claim("b", 1, Suspect, 2, "c"))
	for _, test := range []struct {
		h    Header[who]
		want string
	}{
		{Header[who]{SrcIncarnation: 1}, "b suspect 2 by c"},
		{Header[who]{SrcIncarnation: 2}, "b suspect 2 by c"},
		{Header[who]{SrcIncarnation: 3}, "b alive 3"},
		{Header[who]{SrcIncarnation: 3, SrcState: Left}, "b left"},
	} {
		test.h.Message = MessageGossip
		if err := c.hear("b", test.h); err != nil {
			t.Error(err)
		}
		c.wantMember("b", test.want)
	}
}

// D19: every packet to a suspect carries the suspicion, outside the budget;
// switched off, it is told like anything else.
func TestEveryPacketToASuspectCarriesTheSuspicion(t *testing.T) {
	for _, silent := range []bool{false, true} {
		cfg := calm()
		cfg.Rules.SilentSuspicion = silent
		c := newTestCore(t, cfg, "a", "b", "c")
		c.queue(claim("b", 1, Suspect, 0, "c"))
		told := 0
		for range 30 {
			if err := c.hear("b", Header[who]{Message: MessagePing, Number: 1}); err != nil {
				t.Error(err)
			}
			told += strings.Count(strings.Join(c.sends(), ""), "b suspect 0 by c")
		}
		if want := map[bool]int{false: 30, true: 4}[silent]; told != want {
			t.Errorf("silent %v: told %d times, want %d", silent, told, want)
		}
	}
}

// D8: a sender that never answered us gets no more bytes than it sent.
func TestUnverifiedSenderGetsNoMoreThanItSent(t *testing.T) {
	c := newTestCore(t, calm(), "a", "b")
	c.queue(claim("x", 1, Left, 0), claim("y", 1, Left, 0))
	for _, h := range []Header[who]{
		{Message: MessagePing, Number: 1},
		{Message: MessageIndirectPing, Number: 1, About: who{"b", 1}},
		{Message: MessageAnnounce},
		{Message: MessageGossip},
		{Dst: who{"a", 0}, Message: MessagePing, Number: 1},
	} {
		h.Src = who{"n", 1}
		if h.Dst.name == "" {
			h.Dst = who{"a", 1}
		}
		data := c.encode(&Packet[who]{Header: h})
		_ = c.HandleData(data, c.out)
		for _, d := range c.out.Packets {
			if len(d.Data) > len(data) {
				t.Errorf("%v of %d bytes is answered by %d", h, len(data), len(d.Data))
			}
		}
		if len(c.out.Packets) > 1 {
			t.Errorf("%v has %d answers", h, len(c.out.Packets))
		}
		c.out.Reset()
	}
}

// D7, D19: which packets to a suspect carry the suspicion although it was told
// often enough. Pings are Lifeguard's part, all others D19's, and each is
// switched off alone.
func TestPacketsToASuspectCarryTheSuspicion(t *testing.T) {
	for _, test := range []struct {
		rules         Rules
		pings, others bool
	}{
		{Rules{}, true, true},
		{Rules{SilentPing: true}, false, true},
		{Rules{SilentSuspicion: true}, true, false},
		{Rules{SilentPing: true, SilentSuspicion: true}, false, false},
	} {
		cfg := calm()
		cfg.Rules = test.rules
		c := newTestCore(t, cfg, "a", "b", "c")
		c.know(claim("c", 1, Suspect, 0, "x")) // known to us alone: there is nothing to tell
		carried := func(carries bool, packet string) string {
			if carries {
				return "-> c " + packet + " [c suspect 0 by x]"
			}
			return "-> c " + packet
		}
		if err := c.hear("b", Header[who]{Message: MessagePingReq, Number: 3, About: who{"c", 1}}); err != nil {
			t.Error(err)
		}
		c.want("a ping for another", "", carried(test.pings, "indirect-ping #3 b"))
		if err := c.hear("c", Header[who]{Message: MessagePing, Number: 4}); err != nil {
			t.Error(err)
		}
		c.want("an ack", "", carried(test.others, "ack #4"))
		if err := c.hear("c", Header[who]{Message: MessagePingReq, Number: 5, NackAfter: 100, About: who{"b", 1}}); err != nil {
			t.Error(err)
		}
		c.want("a ping to one who is no suspect", "", "-> b indirect-ping #5 c")
		c.tasks[TimerProbe].due = c.tasks[TimerProbe].due.Add(time.Hour)
		c.run(100 * time.Millisecond)
		c.want("a nack", "", carried(test.others, "nack #5 b"))
		c.tasks[TimerProbe].due = c.now
		for c.probe.target.name != "c" {
			c.probe.acked = true
			c.sends()
			c.now = c.tasks[TimerProbe].due
			c.enter(c.out)
			_ = c.nextProbe()
			c.exit()
		}
		if got := c.sends(); len(got) != 1 || got[0] != carried(test.pings, fmt.Sprintf("ping #%d", c.probe.number)) {
			t.Errorf("%+v: a ping of ours is %q", test.rules, got)
		}
	}
}

// Rule 58, D19: the gossip that tells a suspect at once goes with
// SilentSuspicion, and with nothing else.
func TestSuspectIsToldAtOnce(t *testing.T) {
	for _, rules := range []Rules{{}, {SilentPing: true}, {SilentSuspicion: true}, {SilentSuspicion: true, SilentPing: true}} {
		cfg := calm()
		cfg.Rules = rules
		c := prober(t, cfg, "c")
		c.probe.asked = true
		c.enter(c.out)
		if err := c.judgeProbe(c.probeOutcome()); err != nil {
			t.Error(err)
		}
		c.exit()
		if rules.SilentSuspicion {
			c.wantQuiet("it is left to gossip")
			continue
		}
		c.want("at once", "", "-> b gossip [b suspect 0 by a]")
	}
}

// Rule 63, D7: a refutation takes its place before all other news, however many
// wait and however small the packet: who is wrongly suspected waits for it.
func TestRefutationsGoFirstHoweverMuchIsToTell(t *testing.T) {
	c := newTestCore(t, Config{MaxPacket: 202, Gossip: Task{Every: Off}}, "a", "b", "c")
	c.know(claim("c", 1, Suspect, 3, "x"))
	for i := range 60 {
		c.queue(claim("m"+strings.Repeat("m", i%9)+string(rune('a'+i%26)), 1+i, []State{Alive, Suspect, Down, Left}[i%4], 0))
	}
	if err := c.hear("c", Header[who]{Message: MessageGossip, SrcIncarnation: 4}); err != nil {
		t.Error(err)
	}
	c.wantMember("c", "c alive 4")
	c.sends()
	for range c.size().transmissions {
		if err := c.hear("b", Header[who]{Message: MessagePing, Number: 1}); err != nil {
			t.Error(err)
		}
		if got := c.sends(); len(got) != 1 || !strings.HasPrefix(got[0], "-> b ack #1 [c alive 4, ") {
			t.Fatalf("sent %q", got)
		}
	}
}
