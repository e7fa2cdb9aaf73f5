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

// From here on it walks through "Lifeguard: Local Health Awareness for More
// Accurate Failure Detection" (Dadgar, Phillips, Currey 2018). The configuration
// is Paper, with the part switched on that the test is about. What the paper says
// is told in our words.

// lifeguardProbe is section IV-A: local health aware probe.
func lifeguardProbe() Config {
	cfg := Paper()
	cfg.MaxHealth, cfg.Rules.SilentRelay = 8, false
	return cfg
}

// lifeguardSuspicion is section IV-B: local health aware suspicion.
func lifeguardSuspicion() Config {
	cfg := Paper()
	cfg.Confirmations, cfg.MaxSuspicion = 3, 6
	return cfg
}

// lifeguardBuddy is section IV-C: the buddy system.
func lifeguardBuddy() Config {
	cfg := Paper()
	cfg.Rules.SilentPing = false
	return cfg
}

// A local health multiplier is a counter from 0 to S, 8 unless configured. The
// probe interval and the probe time-out are their base values times one more than
// the counter.
//
// Lifeguard, section IV-A.
func TestLifeguardMultipliesProbeIntervalAndTimeout(t *testing.T) {
	for doubt := range 9 {
		c := newTestCore(t, lifeguardProbe(), "a", "b", "c")
		c.health.doubt = doubt
		c.nextEvent(TimerProbe, 0)
		factor := time.Duration(doubt + 1)
		if got := c.tasks[TimerProbe].due.Sub(c.now); got != factor*c.Config().Period {
			t.Errorf("at %d the interval is %v", doubt, got)
		}
		if got := c.tasks[TimerIndirect].due.Sub(c.now); got != factor*c.Config().RoundTrip {
			t.Errorf("at %d the time-out is %v", doubt, got)
		}
	}
}

// The counter falls by one with a successful probe, and rises by one with a
// failed one and when a member has to refute a suspicion about itself. It leaves
// neither end of its range.
//
// Lifeguard, section IV-A.
func TestLifeguardCountsWhatSaysSomethingAboutItself(t *testing.T) {
	c := newTestCore(t, lifeguardProbe(), "a", "b")
	c.nextEvent(TimerProbe, 0)
	for failed := range 10 {
		c.wantHealth("probes failed", min(failed, 8))
		if err := c.indirect(); err != nil {
			t.Fatal(err)
		}
		c.nextEvent(TimerProbe, 0)
	}
	for succeeded := range 10 {
		c.wantHealth("probes succeeded", max(8-succeeded, 0))
		c.answer()
		c.nextEvent(TimerProbe, 0)
	}
	if err := c.hear("b", gossip, claim("a", 1, Suspect, 0, "b")); err != nil {
		t.Error(err)
	}
	c.wantHealth("refuted", 1)
}

// A member that probes for another and has no ack when 80 % of the time-out is
// over answers with a nack: it has got the request and is there. An ack that comes
// after that is forwarded all the same.
//
// Lifeguard, section IV-A.
func TestLifeguardHelperSaysNack(t *testing.T) {
	c := paperCluster(t, "a", "b", "c")
	for _, n := range c.nodes {
		if err := n.core.Configure(lifeguardProbe(), n.rt); err != nil {
			t.Fatal(err)
		}
		c.flush(n)
	}
	c.crash("b")
	a, helper := c.core("a"), c.core("c")
	for a.probe.target.name != "b" || !a.probe.asked {
		c.run(time.Millisecond)
	}
	asked, verdict := c.now, a.tasks[TimerProbe].due
	for helper.Stats().Sent[MessageNack] == 0 {
		if c.run(time.Millisecond); c.now > verdict {
			t.Fatal("no nack came before the verdict")
		}
	}
	// The request was under way for a millisecond.
	if share := float64(c.now.Sub(asked)) / float64(verdict.Sub(asked)); share < 0.79 || share > 0.81 {
		t.Errorf("the nack came when %.0f %% of the time were over", 100*share)
	}
}

// Of an indirect probe a missing nack counts against ourselves: the helper is
// alive as far as we know, so it is likely that we do not hear it. With all nacks
// there, it is the target that failed.
//
// Lifeguard, section IV-A; what one missing nack costs is as in the
// implementation that the paper measured, see health.
func TestLifeguardMissedNacksCount(t *testing.T) {
	for nacks := range 4 {
		c := prober(t, lifeguardProbe(), "c", "d", "e")
		if err := c.indirect(); err != nil {
			t.Fatal(err)
		}
		for _, helper := range c.probe.helpers[:nacks] {
			if err := c.hear(helper.id.name, Header[who]{Message: MessageNack, Number: c.probe.number, About: who{"b", 1}}); err != nil {
				t.Error(err)
			}
		}
		c.nextEvent(TimerProbe, 0)
		c.wantHealth(fmt.Sprintf("%d of 3 nacks", nacks), 3-nacks)
		c.wantMember("b", "b suspect 0 by a")
	}
}

// A suspicion begins with the time-out Max. Each of the first K suspicions of
// others about the same member lowers it, by the logarithm, until after K of them
// it is Min.
//
// Lifeguard, section IV-B.
func TestLifeguardLowersTheTimeoutWithEachIndependentSuspicion(t *testing.T) {
	c := newTestCore(t, lifeguardSuspicion(), "a", "b", "c", "d", "e", "f")
	c.failProbe("b")
	d := c.doubtAbout("b")
	least := 4 * c.Config().Period // alpha times max(1, log10 n) intervals
	most := 6 * least              // beta times that
	for confirmed, by := range []string{"", "c", "d", "e"} {
		if by != "" {
			if err := c.hear(by, gossip, claim("b", 1, Suspect, 0, by)); err != nil {
				t.Error(err)
			}
		}
		want := max(float64(least), float64(most)-float64(most-least)*math.Log(float64(confirmed+1))/math.Log(4))
		if got := d.deadline().Sub(d.since); math.Abs(float64(got)-want) > float64(10*time.Millisecond) {
			t.Errorf("%d confirmations: %v, want %v", confirmed, got, time.Duration(want))
		}
	}
}

// Suspicions from the same member, and those beyond K, change nothing.
//
// Lifeguard, section IV-B.
func TestLifeguardCountsEachMemberOnceAndKAtMost(t *testing.T) {
	c := newTestCore(t, lifeguardSuspicion(), "a", "b", "c", "d", "e", "f", "g")
	c.failProbe("b")
	d := c.doubtAbout("b")
	for _, step := range []struct {
		by   string
		want int
	}{{"c", 1}, {"c", 1}, {"d", 2}, {"c", 2}, {"e", 3}, {"f", 3}, {"g", 3}} {
		if err := c.hear(step.by, gossip, claim("b", 1, Suspect, 0, step.by)); err != nil {
			t.Error(err)
		}
		if got := d.deadline(); got != d.patience.deadline(step.want) || d.confirmed() != step.want {
			t.Errorf("after %s: the deadline is at %v, with %d confirmations", step.by, got, d.confirmed())
		}
	}
}

// The first K independent suspicions are gossiped on, each as often as any
// update, so that all hear that there are several.
//
// Lifeguard, section IV-B.
func TestLifeguardGossipsIndependentSuspicionsAnew(t *testing.T) {
	c := newTestCore(t, lifeguardSuspicion(), "a", "b", "c", "d", "e", "f")
	for n, by := range []string{"c", "d", "e", "f"} {
		if err := c.hear(by, gossip, claim("b", 1, Suspect, 0, by)); err != nil {
			t.Error(err)
		}
		told := 0
		for range 40 {
			if err := c.hear("f", Header[who]{Message: MessagePing, Number: 1}); err != nil {
				t.Error(err)
			}
			if sent := strings.Join(c.sends(), ""); strings.Contains(sent, "b suspect 0 by "+strings.Join([]string{"c", "d", "e", "f"}[:n+1], "+")) {
				told++
			}
		}
		if want := 3 * int(math.Ceil(math.Log(7))); told != want {
			t.Errorf("%s's suspicion was told %d times, want %d", by, told, want)
		}
	}
}

// Local health and the time of a suspicion are apart: a member that doubts itself
// gives a suspect as much time as any other.
//
// Lifeguard, section IV-B.
func TestLifeguardSuspicionDoesNotDependOnTheMultiplier(t *testing.T) {
	cfg := lifeguardSuspicion()
	cfg.MaxHealth = 8
	c := newTestCore(t, cfg, "a", "b", "c", "d", "e", "f")
	c.health.doubt = 8
	c.failProbe("b")
	if got := c.doubtAbout("b").deadline().Sub(c.now); got != 24*c.Config().Period {
		t.Errorf("b has %v to refute", got)
	}
}

// Each ping to a member that the sender suspects carries the suspicion, before all
// other updates and however often it was told: so the suspect hears of it first
// hand, and can refute. That holds for pings on behalf of others, too.
//
// Lifeguard, section IV-C.
func TestLifeguardBuddyTellsASuspectInEachPing(t *testing.T) {
	for _, on := range []bool{true, false} {
		cfg := Paper()
		if on {
			cfg = lifeguardBuddy()
		}
		c := newTestCore(t, cfg, "a", "b", "c")
		c.know(claim("b", 1, Suspect, 0, "c"))
		pings, told := 0, 0
		for i := range uint32(60) {
			c.probe.acked = true
			c.sends()
			if i == 55 {
				c.queue(claim("x", 1, Left, 0))
			}
			c.enter(c.out)
			_ = c.nextProbe()
			c.exit()
			if c.probe.target.name != "b" {
				continue
			}
			pings++
			if got := c.sends(); len(got) == 1 && strings.HasPrefix(got[0], fmt.Sprintf("-> b ping #%d [b suspect 0 by c", c.probe.number)) {
				told++
			}
		}
		if pings != 30 || told != pings && on || told != 0 && !on {
			t.Errorf("buddy system on %v: %d of %d pings tell the suspect", on, told, pings)
		}
		c.sends()
		if err := c.hear("c", Header[who]{Message: MessagePingReq, Number: 3, About: who{"b", 1}}); err != nil {
			t.Error(err)
		}
		if got := strings.Join(c.sends(), ""); strings.Contains(got, "[b suspect 0 by c") != on {
			t.Errorf("buddy system on %v: for another it sends %s", on, got)
		}
	}
}

// A refutation reaches the members sooner by that: the suspect answers the first
// ping with a later incarnation.
//
// Lifeguard, section IV-C.
func TestLifeguardSuspectRefutesInItsAck(t *testing.T) {
	c := newTestCore(t, lifeguardBuddy(), "b", "a", "c")
	if err := c.hear("a", Header[who]{Message: MessagePing, Number: 9}, claim("b", 1, Suspect, 0, "a")); err != nil {
		t.Error(err)
	}
	for _, d := range c.out.Packets {
		var p Packet[who]
		if err := names.Parse(d.Data, &p); err != nil {
			t.Fatal(err)
		}
		if p.Header.Message == MessageAck && p.Header.SrcIncarnation == 1 && d.To.name == "a" {
			return
		}
	}
	t.Errorf("it sent %q", c.sends())
}
