package swim

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
)

// This file walks through "SWIM: Scalable Weakly-consistent Infection-style
// Process Group Membership Protocol" (Das, Gupta, Motivala 2002), a test for
// each paragraph that says what a member does. The configuration is [Paper].

// paperCluster returns members who know each other, with an empty backlog.
func paperCluster(t *testing.T, members ...string) *cluster {
	t.Helper()
	c := newCluster(t, Paper(), members...)
	for _, n := range c.nodes {
		var others []Update[who]
		for _, name := range members {
			if name != n.name {
				others = append(others, claim(name, 1, Alive, 0))
			}
		}
		if err := n.core.Apply(slices.Values(others), false, n.rt); err != nil {
			t.Fatal(err)
		}
		for _, r := range n.core.roster.each {
			r.flags |= isVerified
		}
		c.flush(n)
		n.events = nil
	}
	return c
}

// traffic counts the packets of a cluster by message and sender.
func traffic(c *cluster) func(name string, m Message) uint64 {
	return func(name string, m Message) uint64 { return c.core(name).Stats().Sent[m] }
}

// "during each protocol period of T' time units (at Mi), a random member is
// selected from Mi's membership list - say Mj - and a ping message sent to it.
// Mi then waits for a replying ack from Mj."
//
// SWIM, section 3.1.
func TestPaperPingsOneMemberInEachPeriod(t *testing.T) {
	c := paperCluster(t, "a", "b", "c", "d")
	c.run(20 * c.cfg.Period)
	pings, acks := uint64(0), uint64(0)
	for _, n := range c.nodes {
		sent := n.core.Stats().Sent
		if sent[MessagePing] != 20 || sent[MessagePingReq] != 0 {
			t.Errorf("%s sent %d pings and %d requests in 20 periods", n.name, sent[MessagePing], sent[MessagePingReq])
		}
		pings += sent[MessagePing]
		acks += sent[MessageAck]
	}
	if acks != pings {
		t.Errorf("%d acks for %d pings", acks, pings)
	}
}

// "If this is not received within a prespecified time-out (determined by the
// message round-trip time, which is chosen smaller than the protocol period),
// Mi indirectly probes Mj. Mi selects k members at random and sends each a
// ping-req(Mj) message."
//
// SWIM, section 3.1.
func TestPaperAsksKMembersWhenTheAckIsOverdue(t *testing.T) {
	c := paperCluster(t, "a", "b", "c", "d", "e", "f")
	c.lost = func(from, to string) bool { return from == "b" && to == "a" }
	a := c.core("a")
	for a.probe.target.name != "b" || !a.probe.running {
		c.run(time.Millisecond)
	}
	pinged := c.now
	sent := traffic(c)
	c.run(c.cfg.RoundTrip - 2*time.Millisecond)
	if got := sent("a", MessagePingReq); got != 0 {
		t.Errorf("asked %d members after %v", got, c.now.Sub(pinged))
	}
	c.run(2 * time.Millisecond)
	if got := sent("a", MessagePingReq); got != 3 {
		t.Errorf("asked %d members, want k = 3", got)
	}
}

// "Each of these members in turn (those that are non-faulty), on receipt of
// this message, pings Mj and forwards the ack from Mj (if received) back to Mi."
//
// SWIM, section 3.1.
func TestPaperForwardsTheAckOfTheTarget(t *testing.T) {
	c := newTestCore(t, Paper(), "c", "a", "b")
	if err := c.hear("a", Header[who]{Message: MessagePingReq, Number: 7, About: who{"b", 1}}); err != nil {
		t.Error(err)
	}
	c.want("it pings", "", "-> b indirect-ping #7 a")
	if err := c.hear("b", Header[who]{Message: MessageIndirectAck, Number: 7, About: who{"a", 1}}); err != nil {
		t.Error(err)
	}
	c.want("and forwards", "", "-> a forwarded-ack #7 b")
}

// "At the end of this protocol period, Mi checks if it has received any acks,
// directly from Mj or indirectly through one of the k members; if not, it
// declares Mj as failed" (by section 4.2: suspected).
//
// SWIM, section 3.1.
func TestPaperJudgesAtTheEndOfThePeriod(t *testing.T) {
	for _, helped := range []bool{true, false} {
		c := paperCluster(t, "a", "b", "c")
		c.lost = func(from, to string) bool {
			return from == "b" && (to == "a" || !helped) || to == "b" && from != "c"
		}
		a := c.core("a")
		for a.probe.target.name != "b" || !a.probe.running {
			c.run(time.Millisecond)
		}
		c.run(c.cfg.Period - 2*time.Millisecond)
		if a.Stats().ProbesFailed != 0 {
			t.Errorf("helped %v: judged early", helped)
		}
		c.run(3 * time.Millisecond)
		m, _ := a.Member("b")
		if failed := a.Stats().ProbesFailed; failed == 0 != helped || m.State == Alive != helped {
			t.Errorf("helped %v: %d probes failed, b is %v", helped, failed, m)
		}
	}
}

// "each message in this protocol is tagged by the unique sequence number of
// protocol period at the initiator Mi".
//
// SWIM, section 3.1.
func TestPaperNumbersItsPeriods(t *testing.T) {
	c := paperCluster(t, "a", "b")
	var log strings.Builder
	c.trace = &log
	c.run(5 * c.cfg.Period)
	for i := range 5 {
		for _, want := range []string{fmt.Sprintf("a -> b  ping #%d\n", i+1), fmt.Sprintf("b -> a  ack #%d\n", i+1)} {
			if strings.Count(log.String(), want) != 1 {
				t.Errorf("%q is not in\n%s", want, &log)
			}
		}
	}
}

// The message load of each member, expected over its periods, is a constant
// that does not depend on the size of the group.
//
// SWIM, section 3.1.
func TestPaperLoadDoesNotDependOnTheSizeOfTheGroup(t *testing.T) {
	for _, n := range []int{4, 24} {
		var members []string
		for i := range n {
			members = append(members, string(rune('a'+i)))
		}
		c := paperCluster(t, members...)
		c.run(40 * c.cfg.Period)
		if got := float64(c.sent) / float64(40*n); got != 2 {
			t.Errorf("%d members: %v packets a member and period, want 2", n, got)
		}
	}
}

// "the information about the joining member is spread" by the one that it
// contacts.
//
// SWIM, section 3.2.
func TestPaperSpreadsThatAMemberJoined(t *testing.T) {
	c := paperCluster(t, "a", "b", "c", "d")
	n := c.start("e", 1)
	if err := n.core.Announce(who{"b", 0}, n.rt); err != nil {
		t.Fatal(err)
	}
	c.flush(n)
	c.run(12 * c.cfg.Period)
	for _, name := range []string{"a", "b", "c", "d"} {
		if m, known := c.core(name).Member("e"); !known || m.State != Alive {
			t.Errorf("%s does not know the new member", name)
		}
	}
	if got := c.core("e").NumActive(); got != 4 {
		t.Errorf("the new member knows %d", got)
	}
}

// "membership updates are piggybacked on the ping, ping-req and ack messages
// sent by the failure detector protocol".
//
// SWIM, section 4.1.
func TestPaperSendsNoPacketForUpdatesAlone(t *testing.T) {
	c := paperCluster(t, "a", "b", "c", "d")
	if err := c.do("a", func(core *Core[who, string], rt Runtime[who]) error {
		return core.Apply(slices.Values([]Update[who]{claim("x", 1, Left, 0)}), true, rt)
	}); err != nil {
		t.Fatal(err)
	}
	c.run(10 * c.cfg.Period)
	for _, n := range c.nodes {
		if m, known := n.core.Member("x"); !known || m.State != Left {
			t.Errorf("%s was not told", n.name)
		}
		if got := n.core.Stats().Sent; got[MessageGossip] != 0 {
			t.Errorf("%s sent %d packets for that", n.name, got[MessageGossip])
		}
	}
}

// "The local count specifies the number of times the element has been
// piggybacked so far by Mi and is used to choose which elements to piggyback
// next. Each element is piggybacked at most λ log n times."
//
// SWIM, section 4.1.
func TestPaperTellsEachUpdateLambdaLogNTimes(t *testing.T) {
	c := newTestCore(t, Paper(), "a", "b", "c", "d", "e", "f", "g")
	c.queue(claim("x", 1, Left, 0))
	told := 0
	for range 50 {
		if err := c.hear("b", Header[who]{Message: MessagePing, Number: 1}); err != nil {
			t.Error(err)
		}
		told += strings.Count(strings.Join(c.sends(), ""), "x left")
	}
	if want := 3 * int(math.Ceil(math.Log(8))); told != want {
		t.Errorf("told %d times, want %d", told, want)
	}
}

// "If the size of the buffer is larger than the maximum number of elements that
// can be piggybacked on a single ping message, [...] elements that have been
// gossiped fewer times are preferred."
//
// SWIM, section 4.1.
func TestPaperPrefersWhatWasToldLess(t *testing.T) {
	cfg := Paper()
	cfg.MaxPacket = 202
	c := newTestCore(t, cfg, "a", "b")
	for i := range 40 {
		c.queue(claim(string([]byte{'m', byte('a' + i/10), byte('a' + i%10)}), 1, Left, 0))
	}
	told := make(map[string]int)
	for range 4 {
		if err := c.hear("b", Header[who]{Message: MessagePing, Number: 1}); err != nil {
			t.Error(err)
		}
		for _, d := range c.out.Packets {
			var p Packet[who]
			if err := names.Parse(d.Data, &p); err != nil {
				t.Fatal(err)
			}
			for _, u := range p.Updates {
				told[u.ID.name]++
			}
		}
		c.out.Reset()
		least, most := math.MaxInt, 0
		for u := range c.State() {
			if u.State == Left {
				least, most = min(least, told[u.ID.name]), max(most, told[u.ID.name])
			}
		}
		if most > least+1 {
			t.Fatalf("one was told %d times, another %d times", most, least)
		}
	}
}

// "a second list of members that have failed recently": those who failed are
// told of for a while.
//
// SWIM, section 4.1.
func TestPaperRemembersThoseWhoFailed(t *testing.T) {
	c := newTestCore(t, Paper(), "a", "b", "c")
	if err := c.hear("c", gossip, claim("b", 1, Down, 0, "c")); err != nil {
		t.Error(err)
	}
	if err := c.hear("c", Header[who]{Message: MessagePing, Number: 1}, claim("b", 1, Alive, 5)); err != nil {
		t.Error(err)
	}
	c.want("it is told of, and does not come back", "down b (accused by c, 0 confirmed, told)", "-> c ack #1 [b down 0 by c]")
}

// "Mi then marks Mj as suspected [...] and {Suspect Mj: Mi suspects Mj} is
// disseminated [...]. Any group member Ml receiving such a message also marks
// Mj as suspected."
//
// SWIM, section 4.2.
func TestPaperSpreadsASuspicion(t *testing.T) {
	c := newTestCore(t, Paper(), "a", "b", "c", "d")
	if err := c.hear("d", Header[who]{Message: MessagePing, Number: 1}, claim("b", 1, Suspect, 0, "d")); err != nil {
		t.Error(err)
	}
	c.want("marked, and told further", "", "-> d ack #1 [b suspect 0 by d]")
	if err := c.hear("c", Header[who]{Message: MessagePing, Number: 1}); err != nil {
		t.Error(err)
	}
	c.want("to others too", "", "-> c ack #1 [b suspect 0 by d]")
}

// "Suspected members stay in the membership list and are treated similarly to
// non-faulty members with respect to ping target selection."
//
// SWIM, section 4.2.
func TestPaperPingsSuspectsToo(t *testing.T) {
	c := newTestCore(t, Paper(), "a", "b", "c")
	c.know(claim("b", 1, Suspect, 0, "c"))
	c.run(2 * c.Config().Period)
	if got := strings.Join(c.sends(), " "); !strings.Contains(got, "-> b ping") || !strings.Contains(got, "-> c ping") {
		t.Errorf("sent %s", got)
	}
}

// "Suspicion entries expire after a prespecified time-out [...] Mh declares Mj
// as faulty, drops it from its local membership list, and starts disseminating
// the message {Confirm Mj: Mh declares Mj as faulty}."
//
// SWIM, section 4.2.
func TestPaperConfirmsASuspicionThatExpires(t *testing.T) {
	c := paperCluster(t, "a", "b", "c", "d")
	c.crash("b")
	c.run(30 * c.cfg.Period)
	for _, name := range []string{"a", "c", "d"} {
		if m, _ := c.core(name).Member("b"); m.State != Down || c.core(name).NumActive() != 2 {
			t.Errorf("%s holds b for %v", name, m)
		}
		if got := c.happened(name); got != "down b" {
			t.Errorf("the owner of %s was told %q", name, got)
		}
	}
}

// A single observer is enough: whoever suspects confirms, and others obey.
//
// SWIM, section 4.2.
func TestPaperConfirmOfOneMemberIsEnough(t *testing.T) {
	c := newTestCore(t, Paper(), "a", "b", "c")
	if err := c.hear("c", gossip, claim("b", 1, Down, 0, "c")); err != nil {
		t.Error(err)
	}
	c.wantMember("b", "b down 0 by c")
}

// "this incarnation number is initialized to 0 when the member joins, and it can
// be incremented only by Mj, when it receives information about itself being
// suspected in the current incarnation - Mj then generates an Alive message with
// its identifier and an incremented incarnation number".
//
// SWIM, section 4.2.
func TestPaperSuspectRefutesByALaterIncarnation(t *testing.T) {
	c := paperCluster(t, "a", "b", "c")
	c.lost = func(_, to string) bool { return to == "b" }
	a := c.core("a")
	for m, _ := a.Member("b"); m.State != Suspect; m, _ = a.Member("b") {
		if c.now > Instant(time.Minute) {
			t.Fatal("b was never suspected")
		}
		c.run(10 * time.Millisecond)
	}
	c.lost = nil
	c.run(8 * c.cfg.Period)
	if got := c.core("b").Self().Incarnation; got == 0 {
		t.Error("b did not hear of the suspicion")
	}
	for _, name := range []string{"a", "c"} {
		if m, _ := c.core(name).Member("b"); m.State != Alive || m.Incarnation == 0 {
			t.Errorf("%s holds b for %v", name, m)
		}
	}
}

// "{Alive Mℓ, inc = i} overrides {Suspect Mℓ, inc = j} and {Alive Mℓ, inc = j},
// i > j; {Suspect Mℓ, inc = i} overrides {Suspect Mℓ, inc = j}, i > j, and
// {Alive Mℓ, inc = j}, i ≥ j; {Confirm Mℓ} overrides {Alive Mℓ, inc = j} and
// {Suspect Mℓ, inc = j}, any j."
//
// SWIM, section 4.2.
func TestPaperOrderOfMessages(t *testing.T) {
	c := newTestCore(t, Paper(), "a")
	for _, older := range []State{Alive, Suspect, Down} {
		for _, newer := range []State{Alive, Suspect, Down} {
			for j := range Incarnation(3) {
				for i := range Incarnation(3) {
					want := false
					switch newer {
					case Alive:
						want = older != Down && i > j
					case Suspect:
						want = older == Suspect && i > j || older == Alive && i >= j
					case Down:
						want = older != Down
					}
					r := &record[who]{inc: j, state: older}
					if got := c.compare(i, newer, r) > 0; got != want {
						t.Errorf("%v %d overrides %v %d: %v, want %v", newer, i, older, j, got, want)
					}
				}
			}
		}
	}
}

// "ping targets are selected not randomly from this list, but in a round-robin
// fashion [...] on completing the traversal of the entire list, Mi rearranges
// the membership list to a random reordering."
//
// SWIM, section 4.3.
func TestPaperProbesRoundRobin(t *testing.T) {
	c := newTestCore(t, Paper(), "a", "b", "c", "d", "e")
	rounds := make(map[string]bool)
	for range 30 {
		var round []string
		for range 4 {
			slot := must(c.roster.next(&c.roster.active, c.rnd))
			round = append(round, c.roster.at(slot).id.name)
		}
		rounds[strings.Join(round, "")] = true
		slices.Sort(round)
		if got := strings.Join(round, ""); got != "bcde" {
			t.Fatalf("a round was %s", got)
		}
	}
	if len(rounds) < 10 {
		t.Errorf("30 rounds had %d orders", len(rounds))
	}
}

// "a newly joining member is inserted in the membership list at a position that
// is chosen uniformly at random".
//
// SWIM, section 4.3.
func TestPaperInsertsNewMembersAtRandom(t *testing.T) {
	turns := make([]int, 5)
	c := newTestCore(t, Paper(), "a", "b", "c", "d", "e")
	for range 2000 {
		c.roster.active.cursor = 0 // a round begins
		c.know(claim("n", 1, Alive, 0))
		for turn := range turns {
			slot := must(c.roster.next(&c.roster.active, c.rnd))
			if c.roster.at(slot).id.name == "n" {
				turns[turn]++
			}
		}
		c.enter(c.out)
		c.expel(must(c.roster.find("n")))
		c.exit()
		c.out.Reset()
	}
	for turn, n := range turns {
		if n < 300 || n > 500 {
			t.Errorf("its turn was number %d in %d of 2000 rounds", turn, n)
		}
	}
}

// "the time between successive selections of the same target is at most
// 2·n - 1 protocol periods".
//
// SWIM, section 4.3.
func TestPaperBoundsTheTimeBetweenTwoProbes(t *testing.T) {
	c := newTestCore(t, Paper(), "a", "b", "c", "d", "e", "f")
	last := make(map[string]int)
	for period := range 2000 {
		name := c.roster.at(must(c.roster.next(&c.roster.active, c.rnd))).id.name
		if before, seen := last[name]; seen && period-before > 2*5-1 {
			t.Fatalf("%s waited %d periods", name, period-before)
		}
		last[name] = period
	}
}
