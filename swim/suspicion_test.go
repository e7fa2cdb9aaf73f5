package swim

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// calm is a configuration in which nothing is sent but by probes and answers,
// all suspicions last equally long, and verdicts fall although nobody is heard.
func calm() Config {
	return Config{
		Gossip:        Task{Every: Off},
		Announce:      Task{Every: Off},
		AnnounceDown:  Task{Every: Off},
		Confirmations: Off,
		DeafLimit:     Off,
	}
}

// Rule 59, D6: who only heard of a suspicion runs its deadline too, one
// dissemination time later than an accuser.
func TestWhoHearsOfASuspicionRunsItsDeadline(t *testing.T) {
	c := newTestCore(t, calm(), "a", "b", "c", "d")
	start := c.now
	if err := c.hear("c", gossip, claim("b", 1, Suspect, 0, "c", "d")); err != nil {
		t.Error(err)
	}
	d := c.doubts.at(c.roster.at(must(c.roster.find("b"))).doubt)
	least := 4 * time.Second        // max(1, log10 4) · 4 periods
	spread := 3 * c.Config().Period // four members: three doublings
	if got := d.deadline().Sub(start); got != least+spread {
		t.Errorf("deadline after %v, want %v", got, least+spread)
	}
	c.probe = probe[who]{target: who{"b", 1}, running: true, asked: true}
	c.now = c.now.Add(time.Second)
	c.enter(c.out)
	if err := c.judgeProbe(c.probeOutcome()); err != nil {
		t.Error(err)
	}
	c.exit()
	if got := d.deadline().Sub(start); got != least {
		t.Errorf("as an accuser: deadline after %v, want %v", got, least)
	}
	c.wantMember("b", "b suspect 0 by c+d+a")
}

func must[T any](v T, ok bool) T {
	if !ok {
		panic("not found")
	}
	return v
}

// Rule 61, D1 and D17: only a member that went down in that very step is told
// that it is undead, and never on a lone verdict.
func TestOnlyARealVerdictTurnsUndead(t *testing.T) {
	undead := func(c *testCore) int { return int(c.Stats().Sent[MessageTurnUndead]) }
	for _, test := range []struct {
		name string
		by   []string
		then Update[who] // heard before the deadline, if it names anybody
		want string
		sent int
	}{
		{"two accusers", []string{"c", "d"}, Update[who]{}, "b down 0 by c+d", 1},
		{"a lone verdict", []string{"c"}, Update[who]{}, "b suspect 0 by c", 0},
		{"refuted in time", []string{"c", "d"}, claim("b", 1, Alive, 1), "b alive 1", 0},
		{"left in time", []string{"c", "d"}, claim("b", 1, Left, 0), "b left", 0},
	} {
		c := newTestCore(t, calm(), "a", "b", "c", "d")
		c.noProbes() // the deadline alone decides
		c.know(claim("b", 1, Suspect, 0, test.by...))
		c.run(2 * time.Second)
		if test.then.ID.name != "" {
			c.know(test.then)
		}
		c.run(30 * time.Second)
		c.wantMember("b", test.want)
		if got := undead(c); got != test.sent {
			t.Errorf("%s: %d times turn-undead, want %d", test.name, got, test.sent)
		}
	}
}

// D17: a Down that is heard accuses; our own deadline decides, unless the
// member had its time already.
func TestDownThatIsHeardOnlyAccuses(t *testing.T) {
	c := newTestCore(t, calm(), "a", "b", "c", "d")
	c.noProbes()
	down := claim("b", 1, Down, 0, "c", "d")
	if err := c.hear("c", gossip, down); err != nil {
		t.Error(err)
	}
	c.wantMember("b", "b suspect 0 by c+d")
	c.run(3999 * time.Millisecond)
	if err := c.hear("c", gossip, down); err != nil {
		t.Error(err)
	}
	c.want("it has not had its time", "")
	c.run(time.Millisecond)
	if err := c.hear("c", gossip, down); err != nil {
		t.Error(err)
	}
	c.want("now it has", "down b (accused by c, 1 confirmed, told)")
	c.know(claim("e", 1, Down, 0, "c"))
	c.want("about an unknown address it is a tombstone", "")
	c.wantMember("e", "e down 0 by c")
}

// D17: a lone verdict becomes a shared one by a second accuser, without a
// second event; a refutation brings the member back in the same life.
func TestLoneVerdictIsConfirmedOrRefuted(t *testing.T) {
	for _, test := range []struct {
		name string
		then Update[who]
		want string
		told string
	}{
		{"confirmed", claim("b", 1, Suspect, 0, "d"), "b down 0 by c+d", ""},
		{"confirmed by a verdict", claim("b", 1, Down, 0, "c", "d"), "b down 0 by c+d", ""},
		{"refuted", claim("b", 1, Alive, 1), "b alive 1", "up b"},
		{"refuted and doubted again", claim("b", 1, Suspect, 1, "d"), "b suspect 1 by d", "up b"},
	} {
		c := newTestCore(t, calm(), "a", "b", "c", "d")
		c.noProbes()
		c.know(claim("b", 1, Suspect, 0, "c"))
		c.run(30 * time.Second)
		c.want(test.name, "down b (accused by c, 0 confirmed, own deadline)", "-> b gossip [b suspect 0 by c]")
		if m, _ := c.Member("b"); m.State != Down || c.Stats().Lone != 1 || c.NumActive() != 2 {
			t.Errorf("%s: to its owner it is %v, %+v", test.name, m, c.Stats())
		}
		if err := c.hear("d", gossip, test.then); err != nil {
			t.Error(err)
		}
		if got := c.told(); got != test.told {
			t.Errorf("%s: told %q, want %q", test.name, got, test.told)
		}
		c.wantMember("b", test.want)
	}
}

// D17: who is lone is neither probed nor fed to others; its word is answered by
// the suspicion.
func TestLoneMemberHearsOfTheSuspicionWhenItSpeaks(t *testing.T) {
	c := newTestCore(t, calm(), "a", "b", "c")
	c.noProbes()
	c.know(claim("b", 1, Suspect, 0, "c"))
	c.run(30 * time.Second)
	c.told()
	c.sends()
	ping := Header[who]{Message: MessagePing, Number: 9}
	if err := c.hear("b", ping); err != nil {
		t.Error(err)
	}
	c.want("an ack with the suspicion", "", "-> b ack #9 [b suspect 0 by c]")
	c.hear("b", Header[who]{Message: MessageAnnounce})
	c.sends()
	c.now = c.now.Add(time.Minute)
	if err := c.HandleData(c.encode(&Packet[who]{Header: Header[who]{Src: who{"b", 1}, Dst: c.Self().ID, Message: MessageAnnounce}, PadTo: 600}), c.out); err != nil {
		t.Error(err)
	}
	c.want("a feed with the suspicion", "", "-> b feed [b suspect 0 by c, c alive 0]")
	if err := c.HandleData(c.encode(&Packet[who]{Header: Header[who]{Src: who{"c", 1}, Dst: c.Self().ID, Message: MessageAnnounce}, PadTo: 600}), c.out); err != nil {
		t.Error(err)
	}
	c.want("nobody else is fed with it", "", "-> c feed")
}

// Rule 60: a deadline acts on the incarnation that it was set for.
func TestDeadlineOfAnEarlierSuspicionDoesNothing(t *testing.T) {
	c := newTestCore(t, calm(), "a", "b", "c", "d")
	c.noProbes()
	c.know(claim("b", 1, Suspect, 0, "c", "d"))
	c.run(5 * time.Second)
	c.know(claim("b", 1, Suspect, 1, "c", "d"))
	c.run(5 * time.Second) // past the first deadline, 7 s after the first suspicion
	c.wantMember("b", "b suspect 1 by c+d")
	c.run(2 * time.Second)
	c.wantMember("b", "b down 1 by c+d")
}

// Rule 60: deadlines survive Idle and new settings.
func TestDeadlinesSurviveIdleAndConfigure(t *testing.T) {
	c := newTestCore(t, calm(), "a", "b", "c")
	c.know(claim("b", 1, Suspect, 0, "c", "d"))
	cfg := c.Config()
	cfg.SuspicionFactor, cfg.Period, cfg.RoundTrip = 100, 10*time.Second, time.Second
	if err := c.Configure(cfg, c.out); err != nil {
		t.Error(err)
	}
	c.run(6 * time.Second) // 4 s and two doublings of a period
	c.wantMember("b", "b down 0 by c+d")
}

// The accusers are a set: the latest life of each, the smallest four, never the
// accused itself, and never ourselves by hearsay.
func TestAccusersAreASet(t *testing.T) {
	c := newTestCore(t, calm(), "a", "m", "z")
	hear := func(by ...who) {
		t.Helper()
		u := claim("m", 1, Suspect, 0)
		u.By = by
		if err := c.know(u); err != nil {
			t.Error(err)
		}
	}
	hear(who{"q", 1}, who{"a", 1}, who{"m", 3})
	c.wantMember("m", "m suspect 0 by q")
	hear(who{"q", 2}, who{"p", 1})
	c.wantMember("m", "m suspect 0 by q2+p")
	hear(who{"q", 1}, who{"s", 1}, who{"r", 1})
	hear(who{"b", 1})
	var by []who
	for u := range c.State() {
		if u.ID.name == "m" {
			by = slices.Clone(u.By)
		}
	}
	slices.SortFunc(by, func(x, y who) int { return int(x.name[0]) - int(y.name[0]) })
	if want := []who{{"b", 1}, {"p", 1}, {"q", 2}, {"r", 1}}; !slices.Equal(by, want) {
		t.Errorf("accusers %v, want %v", by, want)
	}
}

// Rule 58: a failed probe counts for the incarnation that was probed, also when
// others doubt the member already.
func TestFailedProbeAccusesAtTheIncarnationProbed(t *testing.T) {
	fail := func(c *testCore) {
		c.probe = probe[who]{target: who{"b", 1}, running: true, asked: true}
		c.enter(c.out)
		c.judgeProbe(c.probeOutcome())
		c.exit()
	}
	c := newTestCore(t, calm(), "a", "b", "c")
	fail(c)
	c.wantMember("b", "b suspect 0 by a")
	c.want("it hears of it at once", "", "-> b gossip [b suspect 0 by a]")
	c.know(claim("b", 1, Alive, 1))
	fail(c)
	c.wantMember("b", "b alive 1")
	c.know(claim("b", 1, Suspect, 1, "c"))
	c.probe.inc = 1
	c.probe = probe[who]{target: who{"b", 1}, inc: 1, running: true, asked: true}
	c.enter(c.out)
	c.judgeProbe(c.probeOutcome())
	c.exit()
	c.wantMember("b", "b suspect 1 by c+a")
}

// Rule 110: a suspicion among more members than may be by now is none that could
// not be true, and keeps its time.
func TestFewerMembersDoNotShortenASuspicion(t *testing.T) {
	var known []string
	for i := range 15 {
		known = append(known, fmt.Sprintf("m%d", i))
	}
	few := calm()
	few.MaxMembers = 4
	many := few
	many.MaxMembers, many.Period, many.RoundTrip = 100, 10*time.Millisecond, 5*time.Millisecond
	c := newTestCore(t, few, "a")
	for _, cfg := range []Config{many, few} {
		if err := c.Configure(cfg, c.out); err != nil {
			t.Fatal(err)
		}
		for _, name := range known {
			c.know(claim(name, 1, Alive, 0))
		}
	}
	c.noProbes()
	c.know(claim("m3", 1, Suspect, 0, "m4", "m5"))
	d := c.doubts.at(c.roster.at(must(c.roster.find("m3"))).doubt)
	least, mended := d.least, c.Stats().Mended
	c.run(time.Minute)
	c.wantMember("m3", "m3 down 0 by m4+m5")
	if d.least != least || c.Stats().Mended != mended {
		t.Errorf("%v became %v, %d were mended", least, d.least, c.Stats().Mended-mended)
	}
}

// D20: before a verdict the suspect is asked for a last word, once for each time
// that it has: gossip may have missed us with its refutation.
func TestSuspectHasALastWord(t *testing.T) {
	c := newTestCore(t, calm(), "a", "b", "c", "d")
	c.noProbes()
	c.know(claim("b", 1, Suspect, 0, "c", "d"))
	c.run(6*time.Second - 1) // Min and three rounds of gossip, less two round trips
	c.wantQuiet("not yet")
	c.run(1)
	c.want("a last word", "", "-> b gossip [b suspect 0 by c+d]")
	c.run(time.Second - 1)
	c.wantQuiet("once")
	if err := c.hear("b", Header[who]{Message: MessageGossip, SrcIncarnation: 1}); err != nil {
		t.Error(err)
	}
	c.run(30 * time.Second)
	c.wantMember("b", "b alive 1")
	c.sends()
	c.know(claim("b", 1, Suspect, 1, "c", "d"))
	c.run(6 * time.Second)
	c.want("the next suspicion", "", "-> b gossip [b suspect 1 by c+d]")
	c.run(time.Second)
	c.want("no answer", "down b (accused by c, 1 confirmed, own deadline)", "-> b turn-undead b down 1")

	silent := calm()
	silent.Rules.SilentSuspicion = true
	c = newTestCore(t, silent, "a", "b", "c", "d")
	c.noProbes()
	c.know(claim("b", 1, Suspect, 0, "c", "d"))
	c.run(7 * time.Second)
	c.want("switched off", "down b (accused by c, 1 confirmed, own deadline)", "-> b turn-undead b down 0")
}
