package swim

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// halves returns a cluster whose two halves hold each other down, with the network
// whole again, and how long it has been so.
func halves(t *testing.T, n int, every time.Duration) (c *cluster, left []string) {
	var members []string
	for i := range n {
		members = append(members, fmt.Sprintf("m%d", i))
	}
	c = newCluster(t, Config{AnnounceDown: Task{every, 2}}, members...)
	c.meet()
	c.run(10 * time.Second)
	left = members[:n/2]
	c.lost = func(from, to string) bool { return slices.Contains(left, from) != slices.Contains(left, to) }
	c.run(90 * time.Second)
	for _, node := range c.nodes {
		s := node.core.Stats()
		if s.Down != n-n/2 || s.Alive != n/2-1 {
			t.Fatalf("%s holds %d alive, %d down, %d lone", node.name, s.Alive, s.Down, s.Lone)
		}
		node.events = nil
	}
	c.lost = nil
	return c, left
}

// D18, rule 84: a partition heals as soon as two members of its sides meet. All are
// back, nobody goes down on its own side, and among many most did not even renew.
func TestPartitionHeals(t *testing.T) {
	for _, n := range []int{6, 40} {
		const every = 20 * time.Second
		c, left := halves(t, n, every)
		c.run(every + 5*time.Second)
		renewals := 0
		for _, node := range c.nodes {
			if active := node.core.NumActive(); active != n-1 {
				t.Errorf("%s knows %d active members of %d", node.name, active, n-1)
			}
			if d := (&testCore{Core: node.core}).digestAnew(); !d.same((&testCore{Core: c.nodes[0].core}).digestAnew()) {
				t.Errorf("%s does not know what %s knows", node.name, c.nodes[0].name)
			}
			for _, e := range node.events {
				own := slices.Contains(left, node.name) == slices.Contains(left, e.Member.ID.name)
				if e.Kind == NotifyDown && own || e.Kind == NotifyDefunct || e.Kind == NotifyConflict || e.Kind == NotifyIdle {
					t.Errorf("%s was told %v", node.name, e)
				}
			}
			if r := node.core.Stats().Renewals; r > 1 {
				t.Errorf("%s renewed %d times", node.name, r)
			} else {
				renewals += int(r)
			}
		}
		if n > 6 && renewals > n/2 {
			t.Errorf("%d of %d renewed", renewals, n)
		}
		before := c.sent
		c.run(time.Minute)
		if quiet := 60 * n * 3; c.sent-before > quiet {
			t.Errorf("%d packets after it healed, at most %d", c.sent-before, quiet)
		}
	}
}

// newSummoner returns a core that knows many members, x0, x1, ..., and a, b, d.
func newSummoner(t *testing.T, cfg Config, n int) *testCore {
	cfg.Announce, cfg.AnnounceDown = Task{Every: Off}, Task{Every: Off}
	c := newTestCore(t, cfg, "a", "b", "d")
	for i := range n {
		c.know(claim(fmt.Sprintf("x%d", i), 1, Alive, 0))
	}
	c.noProbes()
	c.run(time.Second)
	c.out.Reset()
	return c
}

// accused lets a member tell what it knows of some of x0, x1, ...
func (c *testCore) accused(by string, state State, inc Incarnation, from, to int) {
	c.t.Helper()
	var updates []Update[who]
	for i := from; i < to; i++ {
		updates = append(updates, claim(fmt.Sprintf("x%d", i), 1, state, inc, "p", "q"))
	}
	if err := c.hear(by, Header[who]{Message: MessageRecords}, updates...); err != nil {
		c.t.Fatal(err)
	}
}

// D18, D19: a suspect of whom we learn by synchronising hears of it at once, and
// only it. It is summoned once in a period.
func TestSuspectsOfWhomWeLearnAreSummoned(t *testing.T) {
	for _, state := range []State{Suspect, Down} {
		c := newSummoner(t, Config{}, 3)
		c.accused("b", state, 0, 0, 2)
		c.want("accused", "", "-> x0 gossip [x0 suspect 0 by p+q]", "-> x1 gossip [x1 suspect 0 by p+q]")
		c.accused("d", state, 0, 0, 2)
		c.wantQuiet("accused once more")
		c.hear("x0", Header[who]{Message: MessageGossip, SrcIncarnation: 1})
		c.run(c.cfg.Period / 2)
		c.out.Reset()
		c.accused("b", state, 1, 0, 1)
		c.run(c.cfg.Period / 4)
		c.wantQuiet("accused again within a period")
		c.hear("x0", Header[who]{Message: MessageGossip, SrcIncarnation: 2})
		c.run(c.cfg.Period)
		c.out.Reset()
		c.accused("b", state, 2, 0, 1)
		c.want("accused again after it", "", "-> x0 gossip [x0 suspect 2 by p+q]")
	}
	for _, test := range []struct {
		name  string
		rules Rules
		from  Message
	}{
		{"switched off", Rules{SilentSuspicion: true}, MessageRecords},
		{"gossip tells of it", Rules{}, MessageGossip},
	} {
		c := newSummoner(t, Config{Rules: test.rules}, 3)
		c.hear("b", Header[who]{Message: test.from}, claim("x0", 1, Suspect, 0, "p", "q"))
		if len(c.summons) > 0 || slices.ContainsFunc(c.sends(), func(s string) bool { return strings.HasPrefix(s, "-> x0") }) {
			t.Errorf("%s: it was summoned", test.name)
		}
	}
}

// D18: many are summoned some at a time, each once, and not who refuted meanwhile.
func TestManyAreSummonedSomeAtATime(t *testing.T) {
	const n, refuted = 100, 10
	c := newSummoner(t, Config{}, n)
	c.accused("b", Suspect, 0, 0, n)
	summoned := map[string]int{}
	for round := 0; ; round++ {
		sent := 0
		for _, line := range c.sends() {
			name, _, _ := strings.Cut(strings.TrimPrefix(line, "-> "), " ")
			if line != "-> "+name+" gossip ["+name+" suspect 0 by p+q]" {
				t.Errorf("sent %q", line)
			}
			summoned[name]++
			sent++
		}
		if sent > summonsOnce || round == 0 && sent != summonsOnce {
			t.Errorf("round %d: %d at once", round, sent)
		}
		if sent == 0 {
			break
		}
		for i := range refuted {
			c.know(claim(fmt.Sprintf("x%d", i), 1, Alive, 1))
		}
		c.run(c.cfg.Gossip.Every)
	}
	late := 0
	for i := range n {
		switch times := summoned[fmt.Sprintf("x%d", i)]; {
		case times > 1 || times == 0 && i >= refuted:
			t.Errorf("x%d was summoned %d times", i, times)
		case times == 0:
			late++
		}
	}
	if late == 0 || len(c.summons) > 0 {
		t.Errorf("of %d who refuted %d were not summoned, %d wait", refuted, late, len(c.summons))
	}
}

// D15, D18: those that wait to be summoned are bounded.
func TestSummonsAreBounded(t *testing.T) {
	const n = maxSummons + 500
	c := newSummoner(t, Config{}, n)
	var updates []Update[who]
	for i := range n {
		updates = append(updates, claim(fmt.Sprintf("x%d", i), 1, Suspect, 0, "p"))
	}
	if err := c.hear("b", Header[who]{Message: MessageRecords}, updates...); err != nil {
		t.Fatal(err)
	}
	if s := c.Stats(); s.Suspect != n || len(c.summons) != maxSummons-summonsOnce {
		t.Errorf("%d are suspects, %d wait", s.Suspect, len(c.summons))
	}
}

// D18: who accused ours hears the news first hand, as long as gossip takes four
// times, and then like everybody else.
func TestLiaisonHearsTheNews(t *testing.T) {
	// So often that something is left to tell.
	c := newSummoner(t, Config{Transmissions: Scale{Factor: 20}}, 60)
	c.accused("b", Down, 0, 0, 1)
	until := c.now.Add(4 * c.size().spread)
	c.sends()
	inc := Incarnation(0)
	heard := func() bool { // whether b hears the next news
		inc++
		c.hear("d", gossip, claim("x0", 1, Alive, inc))
		c.run(c.cfg.Gossip.Every)
		news := fmt.Sprintf("x0 alive %d", inc)
		to := 0
		for _, line := range c.sends() {
			if strings.HasPrefix(line, "-> b gossip [") && strings.Contains(line, news) {
				to++
			}
		}
		if to > 2 { // in a round of ours, and in an early one
			t.Errorf("b was told %d times", to)
		}
		return to > 0
	}
	rounds := 0
	for ; c.now.Add(c.cfg.Gossip.Every) < until; rounds++ {
		if !heard() {
			t.Errorf("it did not hear the news after %v", until.Sub(c.now))
		}
	}
	if rounds < 3 {
		t.Fatalf("%d rounds are too few to say anything", rounds)
	}
	c.run(c.cfg.Gossip.Every)
	c.sends()
	often := 0
	for range 20 {
		if heard() {
			often++
		}
	}
	if often > 10 {
		t.Errorf("afterwards it heard %d of 20 news", often)
	}
}

// Rule 79: a feed from a member that is down shows that it does not know: it is
// told. An ack does not.
func TestFeedFromADownMemberIsAnswered(t *testing.T) {
	c := newTestCore(t, calm(), "a", "d")
	c.know(claim("b", 1, Down, 0, "d", "x"))
	if err := c.Announce(who{"b", 1}, c.out); err != nil {
		t.Fatal(err)
	}
	c.sends()
	c.wantDropOnly("a feed", DropDownSender, c.hear("b", Header[who]{Message: MessageFeed}, claim("e", 1, Alive, 0)))
	c.want("a feed", "", "-> b turn-undead b down 0")
	c.wantMember("e", "unknown")
	c.now = c.now.Add(time.Minute)
	c.wantDropOnly("one that nobody asked for", DropUnasked, c.hear("b", Header[who]{Message: MessageFeed}))
	c.wantDropOnly("an ack", DropDownSender, c.hear("b", Header[who]{Message: MessageAck}))
	c.wantQuiet("neither is answered")
}

// Rule 84, D18: one of the lost that announces itself, and is back, is asked for its
// list in turn, once: it may know others who are back.
func TestLostMemberThatIsBackIsAskedInTurn(t *testing.T) {
	ask := Header[who]{Message: MessageAnnounce, SrcIncarnation: 1}
	for _, test := range []struct {
		name   string
		silent bool
		known  []Update[who]
		turns  int
	}{
		{"down", false, []Update[who]{claim("b", 1, Down, 0, "d", "x")}, 1},
		{"down, without digests", true, []Update[who]{claim("b", 1, Down, 0, "d", "x")}, 0},
		{"active", false, []Update[who]{claim("b", 1, Alive, 0)}, 0},
		{"suspect", false, []Update[who]{claim("b", 1, Suspect, 0, "d")}, 0},
		{"unknown", false, nil, 0},
		{"still down", false, []Update[who]{claim("b", 1, Down, 1, "d", "x")}, 0},
	} {
		cfg := calm()
		cfg.Rules.SilentDigest = test.silent
		c := newTestCore(t, cfg, "a", "d")
		c.know(test.known...)
		c.noProbes()
		c.sends()
		turns := 0
		for range 3 {
			c.hear("b", ask)
			for _, line := range c.sends() {
				if line == "-> b announce" {
					turns++
				}
			}
			c.now = c.now.Add(c.cfg.Period)
		}
		if turns != test.turns {
			t.Errorf("%s: it was asked %d times, want %d", test.name, turns, test.turns)
		}
	}
}

// Two that hold each other down ask each other in turn, and that has an end.
func TestAskingInTurnHasAnEnd(t *testing.T) {
	c := newCluster(t, Config{AnnounceDown: Task{10 * time.Second, 1}}, "a", "b", "c", "d")
	c.meet()
	c.run(5 * time.Second)
	c.lost = func(from, to string) bool { return (from < "c") != (to < "c") }
	c.run(3 * time.Minute)
	c.lost = nil
	before := c.sent
	c.run(30 * time.Second)
	for _, name := range []string{"a", "b", "c", "d"} {
		if n := c.core(name).NumActive(); n != 3 {
			t.Errorf("%s knows %d", name, n)
		}
	}
	if n := c.sent - before; n > 500 {
		t.Errorf("%d packets", n)
	}
}

// D18: the liaison hears the news although all others have been told.
func TestLiaisonHearsNewsThoughOthersHaveBeenTold(t *testing.T) {
	c := newSummoner(t, Config{}, 60)
	c.accused("b", Down, 0, 0, 1)
	heard := 0
	for inc := range Incarnation(5) {
		c.sends()
		c.hear("d", gossip, claim("x0", 1, Alive, inc+1))
		c.run(c.cfg.Gossip.Every)
		if strings.Contains(strings.Join(c.sends(), "\n"), "-> b gossip [") {
			heard++
		}
	}
	if heard != 5 {
		t.Errorf("it heard %d of 5 news", heard)
	}
}

// Rules 29 and 99: who left, or is down for good, summons nobody.
func TestDefunctCoreSummonsNobody(t *testing.T) {
	for name, end := range map[string]func(c *testCore){
		"left": func(c *testCore) { c.Leave(c.out); c.run(time.Minute) },
		"undead": func(c *testCore) {
			c.us.take(who{"a", lastLife})
			c.know(claim("a", lastLife, Down, 0))
		},
	} {
		c := newTestCore(t, calm(), "a", "b", "c", "d")
		end(c)
		c.out.Reset()
		c.wantDropOnly(name, DropDefunct, c.hear("b", Header[who]{Message: MessageRecords}, claim("c", 1, Suspect, 0, "b")))
		c.wantQuiet(name)
	}
}

// Rules 84 and D8: who asks one that is back in turn makes room for the answer,
// however often it asked in vain before.
func TestLostMemberIsAskedWithRoom(t *testing.T) {
	for vain := range 7 {
		c := newTestCore(t, calm(), "a", "d")
		c.know(claim("b", 1, Down, 0, "d", "x"))
		for range vain {
			c.Announce(who{"b", 1}, c.out)
		}
		c.out.Reset()
		c.hear("b", Header[who]{Message: MessageAnnounce, SrcIncarnation: 1})
		for _, d := range c.out.Packets {
			var p Packet[who]
			if names.Parse(d.Data, &p) == nil && p.Header.Message == MessageAnnounce && len(d.Data) < 500 {
				t.Errorf("after %d in vain it is asked with %d bytes", vain, len(d.Data))
			}
		}
	}
}

// D18: few renew when a partition heals.
func TestFewRenewWhenAPartitionHeals(t *testing.T) {
	for _, test := range []struct {
		n     int
		every time.Duration
	}{{6, 5 * time.Second}, {6, 20 * time.Second}, {20, 5 * time.Second}} {
		c, _ := halves(t, test.n, test.every)
		c.run(30 * time.Second)
		renewals := 0
		for _, node := range c.nodes {
			renewals += int(node.core.Stats().Renewals)
		}
		if renewals > test.n/2 {
			t.Errorf("%d of %d renewed", renewals, test.n)
		}
	}
}
