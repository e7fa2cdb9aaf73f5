package swim

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// announced returns what an address was sent when it was asked.
func (c *testCore) announced() (to []string) {
	for _, line := range c.sends() {
		if name, ok := strings.CutSuffix(line, " announce"); ok {
			to = append(to, strings.TrimPrefix(name, "-> "))
		}
	}
	return to
}

// Rules 31 and 84: announcing changes nothing here, and is repeated until a
// feed comes; D8: a feed that nobody asked for does not count.
func TestAnnounceIsRepeatedUntilAFeedComes(t *testing.T) {
	c := newTestCore(t, Config{}, "a")
	feed := Header[who]{Message: MessageFeed}
	c.wantDrop("not asked for", DropUnasked, func() error { return c.hear("b", feed, claim("x", 1, Alive, 0)) })
	if err := c.Announce(who{"b", 0}, c.out); err != nil {
		t.Error(err)
	}
	c.want("asked", "", "-> b0 announce")
	if len(slices.Collect(c.Known())) != 0 {
		t.Error("somebody is known already")
	}
	c.run(time.Minute)
	if got := c.announced(); len(got) < 3 {
		t.Errorf("repeated %d times", len(got))
	}
	if err := c.hear("b", feed, claim("x", 1, Alive, 0)); err != nil {
		t.Error(err)
	}
	c.want("fed", "up b, up x, active")
	c.wantDropOnly("fed twice", DropUnasked, c.hear("b", feed))
	c.know(claim("x", 1, Left, 0), claim("b", 1, Left, 0))
	c.sends()
	c.run(10 * time.Minute)
	if got := c.announced(); len(got) != 0 {
		t.Errorf("after the feed, and a goodbye (rule 83), still asked %v", got)
	}
}

func (c *testCore) wantDropOnly(why string, d Drop, err error) {
	c.t.Helper()
	if err != d {
		c.t.Errorf("%s: %v, want %v", why, err, d)
	}
}

// Rule 84: with nobody else the lost are contacted after one period, then ever
// more rarely, up to AnnounceDown.Every.
func TestTheLostAreContactedMoreRarelyWithTime(t *testing.T) {
	c := newTestCore(t, Config{AnnounceDown: Task{10 * time.Second, 1}}, "a")
	if err := c.SetSeeds([]who{{"a", 0}, {"s", 0}}, c.out); err != nil {
		t.Error(err)
	}
	start := c.now
	var at []time.Duration
	for len(at) < 7 {
		c.run(c.out.Wake())
		for _, to := range c.announced() {
			if to != "s0" {
				t.Errorf("asked %s", to)
			}
			at = append(at, c.now.Sub(start)/time.Second)
		}
	}
	if got := fmt.Sprint(at); got != "[0s 1ns 3ns 7ns 15ns 25ns 35ns]" {
		t.Errorf("asked after %v seconds", got)
	}
}

// Rule 84: those lost last come first, all of them in turn, then the seeds that
// are not active, and each once in a round.
func TestTheLostTakeTurns(t *testing.T) {
	c := newTestCore(t, Config{AnnounceDown: Task{time.Second, 2}, Announce: Task{Every: Off}, Gossip: Task{Every: Off}}, "a", "b")
	c.noProbes()
	if err := c.SetSeeds([]who{{"b", 0}, {"s", 0}}, c.out); err != nil {
		t.Error(err)
	}
	c.know(claim("l", 1, Down, 0, "x", "y"))
	c.know(claim("m", 1, Down, 0, "x", "y"))
	c.know(claim("n", 1, Down, 0, "x", "y"), claim("o", 1, Left, 0))
	c.run(2500 * time.Millisecond)
	got := c.announced()
	if len(got) != 4 || got[0] != "n" || got[1] != "m" || got[2] != "l" || got[3] != "s0" {
		t.Errorf("asked %v", got)
	}
	c.run(2 * time.Second)
	got = c.announced()
	slices.Sort(got)
	if !slices.Equal(got, []string{"l", "m", "n", "s0"}) {
		t.Errorf("in the second round %v", got)
	}
}

// Rule 82: the periodic announce goes to its number of active members.
func TestPeriodicAnnounceGoesToActiveMembers(t *testing.T) {
	cfg := calm()
	cfg.Announce = Task{time.Minute, 2}
	c := newTestCore(t, cfg, "a", "b", "c", "d")
	c.know(claim("e", 1, Down, 0, "x", "y"))
	c.noProbes()
	c.run(time.Minute)
	got := c.announced()
	slices.Sort(got)
	if len(slices.Compact(got)) != 2 || slices.Contains(got, "e") {
		t.Errorf("asked %v", got)
	}
}

// Rules 33 and 37: whoever asks our address is fed, whatever life of ours it
// had in mind, but not more often than twice a period.
func TestAnnounceNeedsOnlyOurAddress(t *testing.T) {
	c := newTestCore(t, calm(), "a", "b", "c")
	c.know(claim("d", 1, Suspect, 2, "x"), claim("e", 1, Down, 0, "x", "y"))
	c.told()
	ask := func(life int) error {
		return c.HandleData(c.encode(&Packet[who]{Header: Header[who]{Src: who{"b", 1}, Dst: who{"a", life}, Message: MessageAnnounce}, PadTo: 500}), c.out)
	}
	for _, life := range []int{0, 1, 7} {
		if err := ask(life); err != nil {
			t.Error(err)
		}
		got := c.sends()
		if len(got) != 1 || got[0] != "-> b feed [c alive 0, d suspect 2 by x]" && got[0] != "-> b feed [d suspect 2 by x, c alive 0]" {
			t.Errorf("life %d: %q", life, got)
		}
		c.wantDropOnly("too soon", DropRateLimited, ask(life))
		c.wantQuiet("too soon")
		c.now = c.now.Add(c.Config().Period / 2)
	}
}

// Rule 39: any message of an unknown sender makes it a member.
func TestAnyMessageMakesItsSenderAMember(t *testing.T) {
	for m := range Message(numMessages) {
		if !m.Valid() || m == MessageTurnUndead || m == MessageFeed || m == MessageDiff {
			continue // these count only in an answer to us
		}
		c := newTestCore(t, calm(), "a", "b")
		h := Header[who]{Message: m, SrcIncarnation: 6}
		if m.HasAbout() {
			h.About = who{"b", 1}
		}
		if h.Src = (who{"n", 1}); m == MessageSync {
			body := appendCells(nil, sketchKey{}, 0, make([]cell, 1), false)
			h.Dst = c.Self().ID
			_ = c.HandleData(c.encode(&Packet[who]{Header: h, Payloads: [][]byte{body}}), c.out)
		} else {
			_ = c.hear("n", h)
		}
		c.wantMember("n", "n alive 6")
		if got := c.told(); got != "up n" {
			t.Errorf("%v: told %q", m, got)
		}
	}
}

// The number of addresses to ask is bounded, and leaving ends it.
func TestAddressesToAskAreBounded(t *testing.T) {
	c := newTestCore(t, Config{}, "a")
	for i := range maxContacts {
		if err := c.Announce(who{fmt.Sprintf("n%04d", i), 0}, c.out); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Announce(who{"last", 0}, c.out); err != ErrFull {
		t.Error(err)
	}
}
