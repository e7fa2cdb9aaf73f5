package swim

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"
)

// patient is calm, but a suspicion lasts until members confirm it.
func patient() Config {
	cfg := calm()
	cfg.Confirmations = 0
	return cfg
}

// doubtAbout returns what a core holds against a member.
func (c *testCore) doubtAbout(name string) *doubt[who, string] {
	c.t.Helper()
	slot, known := c.roster.find(name)
	if !known || c.roster.at(slot).doubt == 0 {
		c.t.Fatalf("%s is not doubted", name)
	}
	return c.doubts.at(c.roster.at(slot).doubt)
}

// failProbe lets a probe of a member fail, at once.
func (c *testCore) failProbe(name string) {
	c.t.Helper()
	c.enter(c.out)
	defer c.exit()
	slot := must(c.roster.find(name))
	c.accuseByProbe(slot, c.roster.at(slot), c.roster.at(slot).inc)
	c.settle()
}

// D7: the time to refute falls from Max to Min by the logarithm of the
// confirmations. The table is that of Lifeguard for each K.
func TestConfirmationsShortenASuspicionByTheTableOfLifeguard(t *testing.T) {
	const least, most, lag = 10 * time.Second, 60 * time.Second, 3 * time.Second
	for enough, shares := range [][]float64{ // of what Max is above Min
		{0, 0, 0, 0},
		{1, 0, 0, 0},
		{1, 0.3691, 0, 0},
		{1, 0.5, 0.2075, 0},
	} {
		p := patience{since: Instant(time.Hour), least: least, most: most, lag: lag, enough: uint8(enough)}
		for confirmed, share := range shares {
			want := least + time.Duration(share*float64(most-least))
			got := p.wait(confirmed) - lag
			if off := (got - want).Abs(); off > 5*time.Millisecond {
				t.Errorf("K = %d, C = %d: %v, want %v", enough, confirmed, got, want)
			}
			if exact := share == 0 || share == 1; exact && got != want {
				t.Errorf("K = %d, C = %d: %v, want exactly %v", enough, confirmed, got, want)
			}
			if at := p.deadline(confirmed); at.Sub(p.since) != p.wait(confirmed) {
				t.Errorf("K = %d, C = %d: the deadline comes after %v", enough, confirmed, at.Sub(p.since))
			}
		}
		if got := p.wait(MaxAccusers + 5); got != least+lag {
			t.Errorf("K = %d, more confirmations than there can be: %v", enough, got)
		}
	}
}

// The logarithms are a table, because the same must come out on every machine.
func TestLogarithmsOfConfirmationsAreRight(t *testing.T) {
	for confirmed, got := range confirmationLogs {
		if want := math.Log10(float64(confirmed+1)) * logUnit; math.Abs(float64(got)-want) > 1 {
			t.Errorf("log10(%d) is %d, want %.1f", confirmed+1, got, want)
		}
	}
}

// D7: Max that is not above Min, a damaged K, and times that do not fit.
func TestPatienceIsNeverLessThanTheLeast(t *testing.T) {
	for _, p := range []patience{
		{least: 10, most: 10, enough: 3},
		{least: 10, most: 9, enough: 3},
		{least: 10, most: 60, enough: 3},
		{least: 10, most: 60, enough: 255},
		{least: 1, most: 2, enough: 3},
		{least: longestTime, most: longestTime, enough: 3},
		{least: 1, most: longestTime, enough: 3, lag: 24 * time.Hour},
		{least: 1, most: longestTime, enough: 2},
	} {
		last := time.Duration(math.MaxInt64)
		for confirmed := -1; confirmed < 6; confirmed++ {
			got := p.wait(confirmed)
			if got < p.least || got > last {
				t.Errorf("%+v: %v with %d confirmations, %v with one less", p, got, confirmed, last)
			}
			last = got
		}
		if last != p.least+p.lag {
			t.Errorf("%+v: with all confirmations it lasts %v", p, last)
		}
	}
}

// D7, rule 102: the slowest configuration that is valid overflows nothing.
func TestLongestSuspicionThatThereCanBe(t *testing.T) {
	cfg := patient()
	cfg.Period, cfg.SuspicionFactor, cfg.MaxSuspicion, cfg.Members, cfg.MaxMembers = 24*time.Hour, 1000, 100, 1<<30, 1<<30
	c := newTestCore(t, cfg, "a", "b", "c", "d", "e", "f")
	c.roster.active.slots = append(c.roster.active.slots, make([]uint32, 1<<20)...) // many members
	c.sized = sized{}
	p := c.patience(c.roster.active.len() - 1)
	if p.most != longestTime {
		t.Fatalf("it lasts %v, so this test shows nothing", p.most)
	}
	p.lag = c.size().spread
	last := Instant(math.MaxInt64)
	for confirmed := range MaxAccusers {
		at := p.deadline(confirmed)
		if at <= c.now.Add(p.least) || at > last {
			t.Errorf("%d confirmations: at %v, with one less at %v", confirmed, at, last)
		}
		last = at
	}
}

// D7: K is 3, or as many as there are members who could confirm: active ones
// beside us and the suspect. Where there is nobody the least time holds at once.
func TestOnlyMembersWhoCouldConfirmAreWaitedFor(t *testing.T) {
	all := []string{"b", "c", "d", "e", "f", "g"}
	for _, test := range []struct{ known, confirmations, want int }{
		{1, 0, 0}, {2, 0, 1}, {3, 0, 2}, {4, 0, 3}, {6, 0, 3},
		{1, 2, 0}, {2, 2, 1}, {3, 2, 2}, {6, 2, 2}, {6, 1, 1}, {1, Off, 0}, {6, Off, 0},
	} {
		cfg := patient()
		cfg.Confirmations = test.confirmations
		name := fmt.Sprintf("%d members known, Confirmations %d", test.known, test.confirmations)
		c := newTestCore(t, cfg, "a", all[:test.known]...)
		c.failProbe("b")
		d := c.doubtAbout("b")
		if int(d.enough) != test.want {
			t.Errorf("%s: %d are enough, want %d", name, d.enough, test.want)
		}
		want := 24 * time.Second // 6 times 4 periods
		if test.want == 0 {
			want = 4 * time.Second
		}
		if got := d.deadline().Sub(c.now); got != want {
			t.Errorf("%s: b has %v to refute, want %v", name, got, want)
		}
	}
}

// D7, rules 59 and 60: the verdict falls when so many confirmations say, not a
// moment earlier or later.
func TestVerdictFallsWhenTheConfirmationsSay(t *testing.T) {
	const spread = 3 * time.Second // of six members: three doublings of a period
	for confirmed, want := range []time.Duration{24 * time.Second, 14 * time.Second, 8150 * time.Millisecond, 4 * time.Second} {
		c := newTestCore(t, patient(), "a", "b", "c", "d", "e", "f")
		c.noProbes()
		for _, by := range []string{"c", "d", "e", "f"}[:1+confirmed] {
			if err := c.hear(by, gossip, claim("b", 1, Suspect, 0, by)); err != nil {
				t.Error(err)
			}
		}
		d := c.doubtAbout("b")
		at := d.deadline().Sub(d.since)
		if off := (at - want - spread).Abs(); off > 10*time.Millisecond {
			t.Errorf("%d confirmations: %v, want %v", confirmed, at, want+spread)
		}
		c.run(at - 1)
		if m, _ := c.Member("b"); m.State != Suspect {
			t.Errorf("%d confirmations: %v before its time is over", confirmed, m)
		}
		c.run(1)
		if m, _ := c.Member("b"); m.State != Down {
			t.Errorf("%d confirmations: %v when its time is over", confirmed, m)
		}
	}
}

// D7: only what another member says of its own confirms. Repeating it, saying it
// in a later life, saying it of itself or of us, and synchronising do not.
func TestOnlyIndependentAccusersConfirm(t *testing.T) {
	feed := func(c *testCore, u Update[who]) error {
		c.enter(c.out)
		c.announceTo(who{"d", 1}, anyPage)
		c.exit()
		return c.hear("d", Header[who]{Message: MessageFeed}, u)
	}
	again := claim("b", 1, Suspect, 0)
	again.By = []who{{"c", 2}}
	itself := claim("b", 1, Suspect, 0)
	itself.By = []who{{"b", 2}, {"b", 0}}
	for _, test := range []struct {
		name     string
		do       func(c *testCore) error
		confirms int
	}{
		{"the same accuser again", func(c *testCore) error { return c.hear("c", gossip, claim("b", 1, Suspect, 0, "c")) }, 0},
		{"the same accuser told by another", func(c *testCore) error { return c.hear("e", gossip, claim("b", 1, Suspect, 0, "c")) }, 0},
		{"the next life of the accuser", func(c *testCore) error { return c.hear("c", gossip, again) }, 0},
		{"the suspect itself", func(c *testCore) error { return c.hear("c", gossip, itself) }, 0},
		{"we, as others say", func(c *testCore) error { return c.hear("c", gossip, claim("b", 1, Suspect, 0, "a")) }, 0},
		{"nobody", func(c *testCore) error { return c.hear("d", gossip, claim("b", 1, Suspect, 0)) }, 0},
		{"a feed", func(c *testCore) error { return feed(c, claim("b", 1, Suspect, 0, "d", "e")) }, 0},
		{"our owner", func(c *testCore) error { return c.know(claim("b", 1, Suspect, 0, "d", "e")) }, 0},
		{"an accuser at an earlier incarnation", func(c *testCore) error {
			c.know(claim("b", 1, Suspect, 1, "x"))
			return c.hear("d", gossip, claim("b", 1, Suspect, 0, "d"))
		}, 0},
		{"another member", func(c *testCore) error { return c.hear("d", gossip, claim("b", 1, Suspect, 0, "d")) }, 1},
		{"another member, told by a third", func(c *testCore) error { return c.hear("e", gossip, claim("b", 1, Suspect, 0, "d")) }, 1},
		{"two at once", func(c *testCore) error { return c.hear("e", gossip, claim("b", 1, Suspect, 0, "d", "e")) }, 2},
		{"a verdict of two others", func(c *testCore) error { return c.hear("e", gossip, claim("b", 1, Down, 0, "d", "e")) }, 2},
		{"our own probe", func(c *testCore) error { c.failProbe("b"); return nil }, 1},
		{"a feed, and then gossip of the same", func(c *testCore) error {
			if err := feed(c, claim("b", 1, Suspect, 0, "d", "e")); err != nil {
				return err
			}
			return c.hear("e", gossip, claim("b", 1, Suspect, 0, "d"))
		}, 1},
	} {
		c := newTestCore(t, patient(), "a", "b", "c", "d", "e", "f")
		c.noProbes()
		if err := c.hear("c", gossip, claim("b", 1, Suspect, 0, "c")); err != nil {
			t.Error(err)
		}
		c.now = c.now.Add(time.Second)
		if err := test.do(c); err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
		d := c.doubtAbout("b")
		if got := d.confirmed(); got != test.confirms {
			t.Errorf("%s confirms %d times, want %d", test.name, got, test.confirms)
		}
		if got, want := d.deadline(), d.patience.deadline(test.confirms); got != want {
			t.Errorf("%s: the deadline is at %v, want %v", test.name, got, want)
		}
	}
}

// D7: a record that comes with several accusers is confirmed from the start, but
// not what our owner or a feed knows.
func TestRecordWithSeveralAccusersComesConfirmed(t *testing.T) {
	for n, by := range [][]string{{"c"}, {"c", "d"}, {"c", "d", "e"}, {"c", "d", "e", "f"}} {
		heard := newTestCore(t, patient(), "a", "b", "c", "d", "e", "f")
		if err := heard.hear("c", gossip, claim("b", 1, Suspect, 0, by...)); err != nil {
			t.Error(err)
		}
		if got := heard.doubtAbout("b").confirmed(); got != n {
			t.Errorf("by %v: %d confirmations", by, got)
		}
		known := newTestCore(t, patient(), "a", "b", "c", "d", "e", "f")
		known.know(claim("b", 1, Suspect, 0, by...))
		if got := known.doubtAbout("b").confirmed(); got != 0 {
			t.Errorf("known to our owner, by %v: %d confirmations", by, got)
		}
	}
}

// D7, rule 59: who has accused it itself waits no longer for gossip to come
// around, and our accusation confirms that of others.
func TestOwnFailedProbeConfirms(t *testing.T) {
	c := newTestCore(t, patient(), "a", "b", "c", "d", "e", "f")
	c.noProbes()
	if err := c.hear("c", gossip, claim("b", 1, Suspect, 0, "c")); err != nil {
		t.Error(err)
	}
	d := c.doubtAbout("b")
	if got := d.wait(d.confirmed()); got != 27*time.Second {
		t.Errorf("heard of it: %v", got)
	}
	c.failProbe("b")
	if got := d.wait(d.confirmed()).Round(10 * time.Millisecond); got != 14*time.Second {
		t.Errorf("accused it ourselves: %v", got)
	}
	c.failProbe("b")
	if got := d.confirmed(); got != 1 {
		t.Errorf("a second failed probe of ours: %d confirmations", got)
	}
}

// D7: a confirmation that finds the time over ends it, after a last word, and not
// before Min + spread.
func TestLateConfirmationEndsASuspicionAtOnce(t *testing.T) {
	c := newTestCore(t, patient(), "a", "b", "c", "d")
	c.noProbes()
	if err := c.hear("c", gossip, claim("b", 1, Suspect, 0, "c")); err != nil {
		t.Error(err)
	}
	c.run(20 * time.Second)
	if err := c.hear("d", gossip, claim("b", 1, Suspect, 0, "d")); err != nil {
		t.Error(err)
	}
	c.wantMember("b", "b suspect 0 by c+d")
	c.run(0)
	c.want("a last word", "", "-> b gossip [b suspect 0 by c+d]")
	c.run(c.Config().RoundTrip - 1)
	c.wantQuiet("it has the time for an answer")
	c.run(1)
	c.want("now", "down b (accused by c, 1 confirmed, own deadline)", "-> b turn-undead b down 0")
}

// D7: a new incarnation begins a suspicion of its own, which nobody has
// confirmed yet.
func TestNextSuspicionBeginsUnconfirmed(t *testing.T) {
	c := newTestCore(t, patient(), "a", "b", "c", "d", "e", "f")
	c.noProbes()
	c.hear("c", gossip, claim("b", 1, Suspect, 0, "c", "d", "e", "f"))
	c.hear("b", Header[who]{Message: MessageGossip, SrcIncarnation: 1})
	c.wantMember("b", "b alive 1")
	c.now = c.now.Add(time.Second)
	c.hear("c", gossip, claim("b", 1, Suspect, 1, "c"))
	d := c.doubtAbout("b")
	if got := d.deadline().Sub(c.now); d.confirmed() != 0 || got != 27*time.Second {
		t.Errorf("%d confirmations, %v to refute", d.confirmed(), got)
	}
}

// D7, rule 60: so does one that comes before anybody heard of the refutation.
func TestSuspicionOfALaterIncarnationBeginsUnconfirmed(t *testing.T) {
	c := newTestCore(t, patient(), "a", "b", "c", "d", "e", "f")
	c.noProbes()
	c.hear("c", gossip, claim("b", 1, Suspect, 0, "c", "d", "e", "f"))
	c.now = c.now.Add(time.Second)
	c.hear("c", gossip, claim("b", 1, Suspect, 1, "c"))
	c.wantMember("b", "b suspect 1 by c")
	d := c.doubtAbout("b")
	if got := d.deadline().Sub(c.now); d.confirmed() != 0 || got != 27*time.Second {
		t.Errorf("%d confirmations, %v to refute", d.confirmed(), got)
	}
}

// D7: however often a member is suspected, confirmed and refuted, few events are
// on their way: each new deadline is served by the event that is outstanding.
func TestConfirmedAndRefutedSuspicionsLeaveFewEvents(t *testing.T) {
	c := newTestCore(t, patient(), "a", "b", "c", "d", "e", "f")
	c.noProbes()
	most := 0
	for i := range Incarnation(400) {
		for _, by := range []string{"c", "d", "e", "f"} {
			if err := c.hear(by, gossip, claim("b", 1, Suspect, i, by)); err != nil {
				t.Fatal(err)
			}
			c.run(10 * time.Millisecond)
		}
		if i%3 == 0 {
			c.failProbe("b")
		}
		if err := c.hear("b", Header[who]{Message: MessageGossip, SrcIncarnation: i + 1}); err != nil {
			t.Fatal(err)
		}
		most = max(most, c.outstanding(TimerSuspicion))
	}
	if most > 1+MaxAccusers {
		t.Errorf("%d events of one suspicion are outstanding", most)
	}
	c.run(time.Minute)
	if n := c.outstanding(TimerSuspicion); n != 0 {
		t.Errorf("%d are left of a member that is not doubted", n)
	}
	c.wantMember("b", "b alive 400")
}

// outstanding counts the events of a kind that were submitted and did not come.
func (c *testCore) outstanding(k TimerKind) int {
	return strings.Count(c.out.String(), k.String()+" ")
}
