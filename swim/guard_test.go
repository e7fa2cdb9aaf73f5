package swim

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

// A guarded is a test core with a guard, which knows b, c and d.
type guarded struct {
	*testCore
	guard *Guard[who, string]
	rt    Runtime[who]
}

func newGuarded(t testing.TB, cfg Config) *guarded {
	t.Helper()
	g := &guarded{testCore: newTestCore(t, cfg, "a", "b", "c", "d")}
	g.guard = NewGuard(g.Core)
	g.rt = g.guard.Watch(g.out)
	return g
}

// inside does something as if it was part of an input.
func (g *guarded) inside(do func()) {
	g.enter(g.rt)
	do()
	g.exit()
}

// record returns the slot and the record of a member.
func (g *guarded) record(name string) (uint32, *record[who]) {
	slot, known := g.roster.find(name)
	if !known {
		g.t.Fatalf("%s is not known", name)
	}
	return slot, g.roster.at(slot)
}

// know applies records of the owner.
func (g *guarded) know(updates ...Update[who]) error {
	return g.Apply(slices.Values(updates), false, g.rt)
}

// handle hands over a packet from a member in its first life.
func (g *guarded) handle(from string, h Header[who], updates ...Update[who]) error {
	h.Src = who{from, 1}
	if h.Dst == (who{}) {
		h.Dst = g.us.id
	}
	data := g.encode(&Packet[who]{Header: h, Updates: updates})
	g.guard.Received(data)
	return g.HandleData(data, g.rt)
}

// pass lets time pass, with nobody answering and the guard watching.
func (g *guarded) pass(d time.Duration) {
	g.t.Helper()
	for end := g.now.Add(d); ; {
		wake := g.out.Wake()
		if wake == Never || g.now.Add(wake) > end {
			g.now = end
			return
		}
		g.now = g.now.Add(wake)
		for event := range g.out.Due() {
			g.guard.Fired(event)
			_ = g.HandleTimer(event, g.rt)
			g.fine()
		}
	}
}

// fine checks that the guard has nothing to say.
func (g *guarded) fine() {
	g.t.Helper()
	if err := g.guard.CheckAll(); err != nil {
		g.t.Fatal(err)
	}
}

// brokenInvariants are the names in what a guard says.
func brokenInvariants(err error) (names []string) {
	if err == nil {
		return nil
	}
	for _, line := range strings.Split(err.Error(), "\n") {
		name, _, _ := strings.Cut(line, ":")
		names = append(names, name)
	}
	return names
}

func TestGuardFindsEveryBrokenInvariant(t *testing.T) {
	type g = *guarded
	ping := Header[who]{Message: MessagePing, Number: 1}
	probe := func(g g) Timer[who] { return Timer[who]{Kind: TimerProbe, Token: g.tasks[TimerProbe].token} }
	suspect := func(g g) (uint32, *record[who]) {
		_ = g.handle("c", gossip, claim("b", 1, Suspect, 0, "c", "d"))
		g.fine()
		return g.record("b")
	}
	for _, test := range []struct {
		want, how string
		cfg       Config
		do        func(g g)
	}{
		{"S1", "an incarnation falls", Config{}, func(g g) {
			slot, r := g.record("b")
			r.inc = 5
			g.touch(slot)
			g.fine()
			r.inc = 4
			g.touch(slot)
		}},
		{"S1", "metadata fall", Config{}, func(g g) {
			_ = g.know(Update[who]{Member: Member[who]{ID: who{"b", 1}, Metadata: 7}})
			g.fine()
			slot, r := g.record("b")
			r.meta = 6
			g.touch(slot)
		}},
		{"S1", "an accuser is lost", Config{}, func(g g) {
			slot, r := suspect(g)
			g.doubts.at(r.doubt).n--
			g.touch(slot)
		}},
		{"S1", "a record changes without a word", Config{}, func(g g) {
			_, r := g.record("b")
			r.meta = 1
		}},
		{"S1", "a record vanishes without a word", Config{}, func(g g) {
			_, r := g.record("b")
			r.flags = 0
		}},
		{"S2", "one that is down comes back as it was", Config{Rules: Rules{SoleVerdict: true}}, func(g g) {
			_ = g.handle("c", gossip, claim("b", 1, Down, 0))
			g.fine()
			slot, r := g.record("b")
			g.inside(func() { g.touch(slot); g.clear(slot, r) })
		}},
		{"S2", "one that left comes back", Config{}, func(g g) {
			_ = g.handle("c", gossip, claim("b", 1, Left, 0))
			g.fine()
			slot, r := g.record("b")
			g.inside(func() { g.touch(slot); r.inc = 1000; g.clear(slot, r) })
		}},
		{"S3", "our incarnation falls", Config{}, func(g g) {
			_ = g.handle("c", gossip, claim("a", 1, Suspect, 3, "c"))
			g.fine()
			g.us.inc--
		}},
		{"S3", "a header says another incarnation", Config{}, func(g g) {
			g.inside(func() {
				g.out.Reset()
				g.Core.out.Header = Header[who]{Src: who{"a", 1}, SrcIncarnation: 9, Dst: who{"b", 1}, Message: MessagePing}
				g.rt.SendTo(who{"b", 1}, nil)
			})
		}},
		{"S5", "a member accuses itself", Config{}, func(g g) {
			_, r := suspect(g)
			g.doubts.at(r.doubt).by[0] = r.id
		}},
		{"S6", "up twice", Config{}, func(g g) {
			g.guard.Told(Notification[who]{Kind: NotifyUp, Member: Member[who]{ID: who{"b", 2}}})
		}},
		{"S6", "down and never up", Config{}, func(g g) {
			g.guard.Told(Notification[who]{Kind: NotifyDown, Member: Member[who]{ID: who{"x", 1}, State: Down}})
		}},
		{"S6", "renamed to an older one", Config{}, func(g g) {
			g.guard.Told(Notification[who]{Kind: NotifyRename, Member: Member[who]{ID: who{"b", 0}}, Old: who{"b", 1}})
		}},
		{"S7", "an event too many", Config{}, func(g g) {
			g.guard.Told(Notification[who]{Kind: NotifyUp, Member: Member[who]{ID: who{"x", 1}}})
		}},
		{"S7", "an event too few", Config{}, func(g g) {
			slot, r := g.record("b")
			g.touch(slot)
			g.roster.leave(&g.roster.active, slot)
			g.become(r, Left, false)
		}},
		{"S7", "a member is counted twice", Config{}, func(g g) { g.tally[Alive]++ }},
		{"S8", "judged at once", Config{}, func(g g) {
			slot, r := suspect(g)
			g.inside(func() { g.judge(slot, r, g.doubts.at(r.doubt)) })
		}},
		{"S8", "judged a moment early", Config{}, func(g g) {
			slot, r := suspect(g)
			g.now = g.now.Add(g.doubts.at(r.doubt).least - 1)
			g.inside(func() { g.judge(slot, r, g.doubts.at(r.doubt)) })
		}},
		{"S8", "judged alone at once", Config{}, func(g g) {
			slot, r := g.record("b")
			g.inside(func() { g.accuseByProbe(slot, r, 0); g.settle() })
			g.fine()
			g.inside(func() { g.judge(slot, r, g.doubts.at(r.doubt)) })
		}},
		{"S8", "down without a suspicion", Config{}, func(g g) {
			slot, r := g.record("b")
			g.inside(func() { g.touch(slot); g.end(slot, r, Down, 0, true) })
		}},
		{"S8", "judged although it answered", Config{}, func(g g) {
			slot, r := suspect(g)
			g.guard.Fired(probe(g))
			g.now = g.tasks[TimerProbe].due
			g.roster.active.soon = append(g.roster.active.soon, slot)
			_ = g.HandleTimer(probe(g), g.rt)
			g.fine()
			began := g.doubts.at(r.doubt).since
			_ = g.handle("b", Header[who]{Message: MessageAck, Number: g.probe.number})
			g.fine()
			if g.doubts.at(r.doubt).since == began {
				g.t.Fatal("an ack is no excuse")
			}
			g.now = began.Add(g.doubts.at(r.doubt).least)
			g.inside(func() { g.judge(slot, r, g.doubts.at(r.doubt)) })
		}},
		{"S8", "a suspect without a doubt", Config{}, func(g g) {
			_, r := suspect(g)
			r.doubt = 0
		}},
		{"S9", "the roster holds our own address", Config{}, func(g g) {
			g.inside(func() {
				slot := g.roster.insert(who{"a", 1})
				g.touch(slot)
				g.Core.tally[Alive]++
				g.activate(slot, g.roster.at(slot))
			})
		}},
		{"S9", "a packet to ourselves", Config{}, func(g g) {
			g.inside(func() { _ = g.post(none, Header[who]{Dst: g.us.id, Message: MessageGossip}, 1000, bare) })
		}},
		{"S9", "an update about ourselves", Config{}, func(g g) { g.sendUpdate(claim("a", 1, Alive, 0)) }},
		{"S10", "a packet for another counts", Config{}, func(g g) {
			h := gossip
			h.Dst = who{"x", 1}
			_ = g.handle("b", h)
			slot, r := g.record("b")
			r.meta++
			g.touch(slot)
		}},
		{"S11", "a probe is answered by nobody", Config{}, func(g g) { g.probe.running, g.probe.acked = true, true }},
		{"S11", "a probe is answered by the ack for another", Config{}, func(g g) {
			g.pass(g.tasks[TimerProbe].due.Sub(g.now))
			_ = g.handle("b", Header[who]{Message: MessageAck, Number: g.probe.number + 1})
			g.probe.acked = true
		}},
		{"S13", "a packet is too long", Config{}, func(g g) { g.guard.Sent(who{"b", 1}, make([]byte, 1401)) }},
		{"S13", "a packet does not parse", Config{}, func(g g) { g.guard.Sent(who{"b", 1}, []byte{99}) }},
		{"S13", "a packet has a byte too many", Config{}, func(g g) {
			h := gossip
			h.Src, h.Dst = g.us.id, who{"b", 1}
			g.guard.Sent(h.Dst, append(g.encode(&Packet[who]{Header: h}), 0))
		}},
		{"S14", "a storm", Config{}, func(g g) {
			g.inside(func() {
				for range 20 {
					slot, r := g.record("b")
					_ = g.post(slot, Header[who]{Dst: r.id, Message: MessageGossip}, 1000, bare)
				}
			})
		}},
		{"S14", "more bytes than a stranger sent", Config{}, func(g g) {
			_ = g.know(claim("x", 1, Suspect, 0, "c", "d"))
			g.fine()
			_, r := g.record("x")
			r.flags |= isVerified
			_ = g.handle("x", ping)
		}},
		{"S14", "a ping verifies", Config{}, func(g g) {
			_ = g.know(claim("x", 1, Alive, 0))
			g.fine()
			_ = g.handle("x", ping)
			_, r := g.record("x")
			r.flags |= isVerified
		}},
		{"S15", "told too often", Config{}, func(g g) {
			slot, _ := g.record("b")
			for range 5 {
				g.inside(func() {
					g.backlog.push(g.roster, slot, prioAlive)
					to, r := g.record("c")
					_ = g.post(to, Header[who]{Dst: r.id, Message: MessageGossip}, 1000, full)
				})
				if g.backlog.len() == 0 {
					g.t.Fatal("nothing was told")
				}
				g.backlog.remove(g.roster, slot)
			}
		}},
		{"S15", "told what is not known", Config{}, func(g g) { g.sendUpdate(claim("b", 1, Alive, 77)) }},
		{"S15", "told of one who is forgotten", Config{}, func(g g) { g.sendUpdate(claim("x", 1, Alive, 0)) }},
		{"S15", "queued twice", Config{}, func(g g) {
			g.backlog.rings[prioAlive].push(0, g.roster)
			g.backlog.rings[prioDown].push(0, g.roster)
		}},
		{"S16", "too many relays", Config{}, func(g g) { g.relays = make([]relay[who], 257) }},
		{"S16", "too many members", Config{MaxMembers: 3}, func(g g) {
			g.cfg.MaxMembers = 9
			_ = g.Apply(slices.Values([]Update[who]{claim("x", 1, Alive, 0)}), false, g.rt)
			g.cfg.MaxMembers = 3
		}},
		{"S16", "a doubt is lost", Config{}, func(g g) { g.doubts.used++ }},
		{"S16", "too many events", Config{}, func(g g) {
			g.guard.Fired(probe(g))
			for range 200 {
				g.guard.Submitted(Timer[who]{Kind: TimerGossip}, time.Second)
			}
		}},
		{"S17", "a stale event is acted on", Config{}, func(g g) {
			event := probe(g)
			event.Token--
			g.guard.Fired(event)
			g.inside(func() { _ = g.nextProbe() })
		}},
		{"S17", "a stale suspicion is acted on", Config{}, func(g g) {
			slot, r := suspect(g)
			g.guard.Fired(Timer[who]{Kind: TimerSuspicion, ID: r.id, Token: 99})
			g.now = g.now.Add(time.Hour)
			g.inside(func() { g.judge(slot, r, g.doubts.at(r.doubt)) })
		}},
		{"S18", "an early event is acted on", Config{}, func(g g) {
			g.guard.Fired(probe(g))
			g.inside(func() { _ = g.nextProbe() })
		}},
		{"S18", "an early event is lost", Config{}, func(g g) {
			slot, _ := g.record("b")
			g.inside(func() { g.touch(slot); g.arm(TimerIndirect, time.Second) }) // the guard is told of events
			g.fine()
			g.guard.Fired(probe(g))
		}},
		{"S18", "a pause is not noticed", Config{}, func(g g) {
			g.guard.Fired(probe(g))
			g.now = g.tasks[TimerProbe].due.Add(time.Minute)
			g.inside(func() {})
		}},
		{"S18", "time goes back", Config{}, func(g g) { g.Core.now-- }},
		{"S19", "we refute what nobody said", Config{}, func(g g) {
			_ = g.handle("b", gossip, claim("a", 1, Suspect, 0, "b"))
			g.us.inc++
		}},
		{"S24", "back without another identity", Config{}, func(g g) {
			_ = g.Leave(g.rt)
			g.fine()
			g.us.phase = connected
		}},
		{"S24", "renewed after leaving", Config{}, func(g g) {
			_ = g.Leave(g.rt)
			g.fine()
			_ = g.handle("b", ping)
			g.us.take(who{"a", 2})
			g.us.phase = disconnected
		}},
		{"S24", "alive after leaving", Config{}, func(g g) {
			_ = g.Leave(g.rt)
			g.fine()
			g.us.phase = connected
			g.inside(func() { _ = g.post(none, Header[who]{Dst: who{"b", 1}, Message: MessageGossip}, 1000, bare) })
			g.us.phase = saysGoodbye
		}},
		{"S25", "an older identity comes back", Config{}, func(g g) {
			slot, _ := g.record("b")
			g.touch(slot)
			g.roster.rename(slot, who{"b", 0})
		}},
		{"S25", "a member is not found", Config{}, func(g g) { g.roster.index.remove(g.roster.hash("b"), 0) }},
		{"S25", "we become older", Config{}, func(g g) { g.us.take(who{"a", 0}) }},
		{"S27", "forgotten early", Config{Rules: Rules{SoleVerdict: true}}, func(g g) {
			_ = g.handle("c", gossip, claim("b", 1, Down, 0))
			g.fine()
			slot, _ := g.record("b")
			g.now = g.now.Add(24*time.Hour - 1)
			g.inside(func() { g.forget(slot) })
		}},
		{"S27", "a tombstone is for an hour", Config{Rules: Rules{SoleVerdict: true}}, func(g g) {
			_ = g.handle("c", gossip, claim("b", 1, Down, 0))
			slot, _ := g.record("b")
			g.roster.times(slot).until = g.now.Add(time.Hour)
		}},
		{"S27", "nobody will forget", Config{Rules: Rules{SoleVerdict: true}}, func(g g) {
			_ = g.handle("c", gossip, claim("b", 1, Down, 0))
			g.disarm(TimerForget)
		}},
		{"D6", "nothing ends a suspicion", Config{}, func(g g) {
			_, r := suspect(g)
			g.doubts.at(r.doubt).armed = false
		}},
		{"S8", "a single accuser has its way too early", Config{StallLimit: Off, DeafLimit: Off}, func(g g) {
			_ = g.handle("c", gossip, claim("b", 1, Suspect, 0, "c"))
			g.judgeAfter("b", func(d *doubt[who, string]) time.Duration { return d.least + d.lag })
		}},
		{"S8", "a moment before the confirmations say", Config{StallLimit: Off, DeafLimit: Off}, func(g g) {
			_ = suspectBy(g, "c", "d")
			g.judgeAfter("b", func(d *doubt[who, string]) time.Duration { return d.patience.wait(1) - d.lag - 1 })
		}},
		{"S8", "an accuser whom our owner names confirms", Config{StallLimit: Off, DeafLimit: Off}, func(g g) {
			_ = suspectBy(g, "c")
			_ = g.know(claim("b", 1, Suspect, 0, "d"))
			g.judgeAfter("b", func(d *doubt[who, string]) time.Duration { return d.patience.wait(1) })
		}},
		{"S15", "what is synchronised is told", Config{}, func(g g) {
			_ = g.Announce(who{"c", 0}, g.rt)
			g.fine()
			_ = g.handle("c", Header[who]{Message: MessageFeed}, claim("x", 1, Alive, 0), claim("y", 1, Alive, 0))
			for _, name := range []string{"x", "y"} {
				slot, _ := g.record(name)
				g.backlog.push(g.roster, slot, prioAlive)
			}
		}},
		{"S8", "nobody asks for a last word", Config{StallLimit: Off, DeafLimit: Off}, func(g g) {
			_ = suspectBy(g, "c", "d")
			g.judgeAfter("b", func(d *doubt[who, string]) time.Duration { return d.patience.wait(1) })
			g.cfg.RoundTrip++ // so it had no time to answer
		}},
		{"S8", "who hears nobody judges", Config{StallLimit: Off}, func(g g) {
			_ = suspectBy(g, "c", "d")
			g.judgeAfter("b", func(d *doubt[who, string]) time.Duration { return d.patience.wait(1) })
		}},
		{"D7", "we doubt ourselves less than not at all", Config{}, func(g g) { g.inside(func() { g.health.doubt = -1 }) }},
		{"D7", "we doubt ourselves more than there is", Config{}, func(g g) { g.inside(func() { g.health.doubt = maxHealth + 1 }) }},
		{"D7", "a probe that was answered takes no doubt", Config{}, func(g g) {
			g.probeAnswered()
			g.health.doubt = 2
			g.tasks[TimerProbe].due, g.tasks[TimerIndirect].due = g.now.Add(3*time.Second), g.now.Add(1500*time.Millisecond)
		}},
		{"D7", "a probe that was answered takes two doubts", Config{}, func(g g) {
			g.probeAnswered()
			g.health.doubt = 0
			g.tasks[TimerProbe].due, g.tasks[TimerIndirect].due = g.now.Add(time.Second), g.now.Add(500*time.Millisecond)
		}},
		{"D7", "doubt does not stretch the period", Config{}, func(g g) {
			g.probeAnswered()
			g.tasks[TimerProbe].due = g.now.Add(time.Second)
		}},
		{"D7", "doubt does not stretch the round trip", Config{}, func(g g) {
			g.probeAnswered()
			g.tasks[TimerIndirect].due = g.now.Add(500 * time.Millisecond)
		}},
		{"D13", "nothing probes", Config{}, func(g g) { g.disarm(TimerProbe) }},
		{"L3", "news are not passed on", Config{}, func(g g) {
			_ = g.handle("c", gossip, claim("b", 1, Alive, 7))
			slot, _ := g.record("b")
			g.backlog.remove(g.roster, slot)
		}},
		{"L3", "somebody is missing in the digest", Config{}, func(g g) {
			g.digest()
			slot, _ := g.record("b")
			g.unsee(slot)
		}},
		{"L3", "the digest is not that of its parts", Config{}, func(g g) { g.view.sum++ }},
		{"L7", "nothing contacts the lost", Config{}, func(g g) {
			g.contacts.list = append(g.contacts.list, contact[who]{id: who{"x", 1}, seed: true})
		}},
		{"L8", "nothing gossips", Config{}, func(g g) { g.us.untold = 1 }},
		{"L9", "a member is not at its place", Config{}, func(g g) {
			s := g.roster.active.slots
			s[0], s[1] = s[1], s[0]
		}},
	} {
		t.Run(test.want+" "+test.how, func(t *testing.T) {
			g := newGuarded(t, test.cfg)
			g.fine()
			test.do(g)
			err := g.guard.CheckAll()
			if names := brokenInvariants(err); !slices.Contains(names, test.want) {
				t.Errorf("the guard says %q", names)
			}
			var v *Violation
			if err != nil && (!errors.As(err, &v) || v.What == "") {
				t.Errorf("%v is no violation", err)
			}
		})
	}
}

// suspectBy has b suspected by some.
func suspectBy(g *guarded, by ...string) error {
	err := g.handle("c", gossip, claim("b", 1, Suspect, 0, by...))
	g.fine()
	return err
}

// judgeAfter judges a suspect so long after its suspicion began, as if its own
// event said so.
func (g *guarded) judgeAfter(name string, wait func(d *doubt[who, string]) time.Duration) {
	g.fine()
	slot, r := g.record(name)
	d := g.doubts.at(r.doubt)
	g.now = d.since.Add(wait(d))
	d.asked = g.now.Add(-g.cfg.RoundTrip)
	g.guard.Fired(Timer[who]{Kind: TimerSuspicion, Token: d.token, ID: r.id})
	g.inside(func() { g.judge(slot, r, d) })
}

// probeAnswered ends an answered probe of one who doubted itself twice, and
// begins the next.
func (g *guarded) probeAnswered() {
	g.pass(g.tasks[TimerProbe].due.Sub(g.now))
	if err := g.handle(g.probe.target.name, Header[who]{Message: MessageAck, Number: g.probe.number}); err != nil {
		g.t.Fatal(err)
	}
	g.inside(func() { g.health.doubt = 2 })
	g.fine()
	g.now = g.tasks[TimerProbe].due
	event := Timer[who]{Kind: TimerProbe, Token: g.tasks[TimerProbe].token}
	g.guard.Fired(event)
	if err := g.HandleTimer(event, g.rt); err != nil {
		g.t.Fatal(err)
	}
}

// sendUpdate sends a gossip to c with an update in it, whatever is known.
func (g *guarded) sendUpdate(u Update[who]) {
	g.inside(func() {
		p := &g.Core.out
		p.Reset()
		p.Header = Header[who]{Dst: who{"c", 1}, Message: MessageGossip}
		p.Updates = append(p.Updates, u)
		_ = g.transmit(p, 1000)
	})
}

func TestGuardFindsWhatNoInputTouchedWithinARound(t *testing.T) {
	g := newGuarded(t, Config{})
	_, r := g.record("c")
	r.inc = 9
	for range sweepEvery * g.roster.len() {
		if err := g.guard.Check(); err != nil {
			if names := brokenInvariants(err); !slices.Equal(names, []string{"S1"}) {
				t.Error(names)
			}
			return
		}
	}
	t.Error("the guard has not seen it")
}

func TestGuardListsWhatAnInputChanged(t *testing.T) {
	g := newGuarded(t, Config{})
	_ = g.handle("c", gossip, claim("b", 1, Suspect, 0, "c", "d"), claim("x", 1, Alive, 2), claim("d", 1, Alive, 0))
	g.fine()
	var got []string
	for _, ch := range g.guard.Changes() {
		s := ch.After.String()
		if ch.Knew {
			s = ch.Before.String() + " -> " + s
		}
		got = append(got, s)
	}
	if want := []string{"b alive 0 -> b suspect 0 by c+d", "x alive 2"}; !slices.Equal(got, want) {
		t.Errorf("changes %q, want %q", got, want)
	}
	_ = g.handle("c", gossip)
	g.fine()
	if n := len(g.guard.Changes()); n != 0 {
		t.Errorf("%d changes of no news", n)
	}
}

func TestGuardAllowsWhatRulesSwitchOff(t *testing.T) {
	g := newGuarded(t, Config{Rules: Rules{SoleVerdict: true}})
	_ = g.handle("c", gossip, claim("b", 1, Down, 0))
	g.fine()
}

// D7: what the guard demands holds for a core that does it right, whoever
// accuses and however it is confirmed.
func TestGuardAllowsVerdictsAtTheirTime(t *testing.T) {
	for _, by := range [][]string{{"c"}, {"c", "d"}, {"c", "d", "x"}} {
		for _, limit := range []time.Duration{0, Off} {
			g := newGuarded(t, Config{DeafLimit: limit})
			_ = suspectBy(g, by...)
			g.pass(5 * time.Minute)
			if m, _ := g.Member("b"); m.State != Down {
				t.Errorf("by %v: %v", by, m)
			}
		}
	}
	g := newGuarded(t, Config{StallLimit: Off, DeafLimit: Off})
	_ = suspectBy(g, "c", "d")
	g.judgeAfter("b", func(d *doubt[who, string]) time.Duration { return d.patience.wait(1) - d.lag })
	g.fine()
	g = newGuarded(t, Config{})
	g.probeAnswered()
	g.fine()
}

// D7: a packet that does not count is no sign of life, for the guard neither: a
// core that stays deaf then may judge when its time without a word is over.
func TestGuardAllowsVerdictsAfterPacketsThatDoNotCount(t *testing.T) {
	for _, anew := range []bool{false, true} { // a guard that comes later
		g := newGuarded(t, Config{Gossip: Task{Every: Off}})
		_ = suspectBy(g, "c", "d", "x")
		for range 3 {
			g.now = g.now.Add(time.Second)
			echo := g.encode(&Packet[who]{Header: Header[who]{Src: g.us.id, Dst: who{"b", 1}, Message: MessageGossip}})
			g.guard.Received(echo)
			if err := g.HandleData(echo, g.rt); err != DropEcho {
				t.Error(err)
			}
			g.fine()
		}
		if anew {
			g.guard = NewGuard(g.Core)
			g.rt = g.guard.Watch(g.out)
		}
		g.pass(time.Minute)
		if m, _ := g.Member("b"); m.State != Down || g.Stats().Deaf == 0 {
			t.Errorf("b is %v, %d verdicts were put off", m, g.Stats().Deaf)
		}
	}
}

// D19: who vouches for a suspect without having been asked gives it no time.
func TestGuardKnowsThatNobodyVouchesUnasked(t *testing.T) {
	g := newGuarded(t, Config{SuspicionFactor: 20, MaxHealth: Off, DeafLimit: Off, Gossip: Task{Every: Off}})
	nextProbe := func() { g.pass(g.tasks[TimerProbe].due.Sub(g.now)) }
	for g.probe.target.name != "b" {
		nextProbe()
	}
	nextProbe()
	_ = suspectBy(g, "c", "d")
	for g.probe.target.name != "b" {
		nextProbe()
	}
	_ = g.handle("b", Header[who]{Message: MessageAck, Number: g.probe.number})
	g.fine()
	g.pass(100 * time.Millisecond)
	vouches := Header[who]{Message: MessageForwardedAck, Number: g.probe.number, About: who{"b", 1}}
	if err := g.handle("c", vouches); err != DropStaleAck {
		t.Error(err)
	}
	g.fine()
	g.pass(time.Minute)
	if m, _ := g.Member("b"); m.State != Down {
		t.Errorf("b is %v", m)
	}
}

// D7: a sender was heard also if its own packet says that it was replaced since.
func TestGuardHearsASenderWhoseLaterLifeIsInItsPacket(t *testing.T) {
	g := newGuarded(t, Config{Gossip: Task{Every: Off}})
	_ = suspectBy(g, "c", "d", "x")
	g.pass(3 * time.Second)
	_ = g.handle("d", gossip, claim("d", 2, Alive, 0))
	g.fine()
	g.pass(time.Minute)
	if m, _ := g.Member("b"); m.State != Down {
		t.Errorf("b is %v", m)
	}
}

func TestGuardAllowsThatALaterLifeIsDownAfterAGoodbye(t *testing.T) {
	g := newGuarded(t, Config{})
	_ = g.handle("c", gossip, claim("b", 1, Suspect, 0, "c"))
	g.fine()
	_ = g.handle("c", gossip, claim("b", 1, Left, 0), claim("b", 2, Down, 0))
	g.fine()
	g.wantMember("b", "b2 down 0")
}

func TestGuardTakesTheLoosestLimitOfAllConfigurations(t *testing.T) {
	g := newGuarded(t, Config{MaxMembers: 20})
	if err := g.Apply(slices.Values([]Update[who]{claim("x", 1, Alive, 0), claim("y", 1, Alive, 0)}), false, g.rt); err != nil {
		t.Fatal(err)
	}
	g.fine()
	if err := g.Configure(Config{MaxMembers: 1}, g.rt); err != nil {
		t.Fatal(err)
	}
	g.fine()
}

func TestGuardSeesALifeWithoutComplaint(t *testing.T) {
	g := newGuarded(t, Config{})
	g.pass(time.Minute)
	if g.Stats().LoneVerdicts == 0 {
		t.Error("nobody was judged")
	}
	if err := g.ChangeIdentity(who{"a", 2}, g.rt); err != nil {
		t.Fatal(err)
	}
	g.fine()
	if err := g.Leave(g.rt); err != nil {
		t.Fatal(err)
	}
	g.fine()
	g.pass(25 * time.Hour)
	if n := g.roster.len(); n != 0 {
		t.Errorf("%d members are not forgotten", n)
	}
}

func TestCloneHasNoGuard(t *testing.T) {
	g := newGuarded(t, Config{})
	clone := g.Clone(newRand(1))
	if err := clone.Apply(slices.Values([]Update[who]{claim("x", 1, Alive, 0)}), false, g.out); err != nil {
		t.Fatal(err)
	}
	if n := len(g.guard.journal.touched); n != 0 {
		t.Errorf("the clone wrote %d slots into the journal of the original", n)
	}
}

func TestGuardAllocatesNothingWhileNothingHappens(t *testing.T) {
	r := newRounds(t, 64, true)
	if n := testing.AllocsPerRun(200, r.run); n != 0 {
		t.Errorf("%v allocations a round", n)
	}
}
