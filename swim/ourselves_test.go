package swim

import (
	"testing"
	"time"
)

// Rules 18, 20 and 24, D2: what a record about us makes of our incarnation.
func TestOnlyAccusationsAtOurIncarnationRaiseIt(t *testing.T) {
	const most = 1<<64 - 1
	for _, test := range []struct {
		name    string
		ours    Incarnation
		about   Update[who]
		want    Incarnation
		dropped uint64 // as a jump
	}{
		{"accused at ours", 3, claim("a", 1, Suspect, 3, "c"), 4, 0},
		{"accused above ours", 3, claim("a", 1, Suspect, 9, "c"), 10, 0},
		{"a stale suspicion", 3, claim("a", 1, Suspect, 2, "c"), 3, 0},
		{"down below ours is a stale suspicion", 3, claim("a", 1, Down, 2, "c"), 3, 0},
		{"alive at ours", 3, claim("a", 1, Alive, 3), 3, 0},
		{"somebody speaks for us", 3, claim("a", 1, Alive, 5), 6, 0},
		{"the highest plausible", 3, claim("a", 1, Suspect, 3+maxJump, "c"), 4 + maxJump, 0},
		{"implausibly high", 3, claim("a", 1, Suspect, 4+maxJump, "c"), 3, 1},
		{"implausibly high and down", 3, claim("a", 1, Down, most, "c"), 3, 1},
		{"the last but one", most - 2, claim("a", 1, Suspect, most-1, "c"), most, 0},
	} {
		c := newTestCore(t, Config{}, "a", "c")
		c.us.inc = test.ours
		if err := c.hear("c", gossip, test.about); err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
		if got := c.Self(); got.Incarnation != test.want || got.ID.life != 1 || got.State != Alive {
			t.Errorf("%s: we are %v, want incarnation %d", test.name, got, test.want)
		}
		if got := c.Stats().Drops[DropJump]; got != test.dropped {
			t.Errorf("%s: %d jumps dropped, want %d", test.name, got, test.dropped)
		}
	}
}

// Rule 19: at the maximum a suspicion can not be refuted, so we renew, or end.
func TestAtTheLastIncarnationWeRenewOrEnd(t *testing.T) {
	for life, told := range map[int]string{1: "rejoin a2 (was a)", lastLife: "defunct a200"} {
		c := newTestCoreOf(t, Config{}, who{"a", life}, nil, "c")
		c.us.inc = 1<<64 - 1
		if err := c.hear("c", gossip, claim("a", life, Suspect, 1<<64-1, "c")); err != nil {
			t.Error(err)
		}
		if got := c.told(); got != told {
			t.Errorf("life %d: told %q, want %q", life, got, told)
		}
	}
}

// Rule 25, D16: a verdict at our incarnation ends this life; we never outlive
// it by raising the incarnation.
func TestVerdictAtOurIncarnationEndsThisLife(t *testing.T) {
	for _, inc := range []Incarnation{3, 4} {
		c := newTestCore(t, Config{}, "a", "c")
		c.us.inc = 3
		if err := c.hear("c", gossip, claim("a", 1, Down, inc, "c", "d")); err != nil {
			t.Error(err)
		}
		if got := c.Self(); got.ID.life != 2 || got.Incarnation != 0 {
			t.Errorf("down at %d: we are %v", inc, got)
		}
		if c.Stats().Refutations != 0 {
			t.Errorf("down at %d was refuted", inc)
		}
	}
}

// D16: where a verdict is final whatever its incarnation, the others hold us down
// by one that we had refuted too, so it ends this life.
func TestFinalVerdictBelowOurIncarnationEndsThisLife(t *testing.T) {
	for final, want := range map[bool]int{false: 1, true: 2} {
		c := newTestCore(t, Config{Rules: Rules{FinalDown: final}}, "a", "c")
		c.us.inc = 3
		if err := c.hear("c", gossip, claim("a", 1, Down, 2, "c", "d")); err != nil {
			t.Error(err)
		}
		if got := c.Self(); got.ID.life != want {
			t.Errorf("final %v: we are %v", final, got)
		}
	}
}

// Rules 15 and 25, D16: the successor is above the newest life that was heard of.
func TestRenewalGoesAboveTheNewestLife(t *testing.T) {
	c := newTestCore(t, Config{}, "a", "c")
	if err := c.hear("c", gossip, claim("a", 7, Alive, 0)); err != nil {
		t.Error(err)
	}
	c.want("one gossip tells it", "rejoin a8 (was a)", "-> c gossip")
	if err := c.hear("c", Header[who]{Message: MessageTurnUndead, About: who{"a", 20}}); err != nil {
		t.Error(err)
	}
	c.want("too early for another renewal", "conflict a8 (was a20)")
}

// Rule 15: a record about an earlier life of ours is answered by our header.
func TestRecordOfOurEarlierLifeIsAnswered(t *testing.T) {
	c := newTestCoreOf(t, Config{}, who{"a", 5}, nil, "c")
	if err := c.hear("c", gossip, claim("a", 4, Alive, 2)); err != nil {
		t.Error(err)
	}
	c.want("who we are", "", "-> c gossip")
	c.wantDrop("a dead earlier life is nobody's business", DropOldIdentity, func() error {
		return c.know(claim("a", 4, Down, 2, "c"))
	})
}

// Rule 15, D9: renewals wait one period, then twice as long each time, up to
// ten minutes, and start anew after ten quiet minutes.
func TestRenewalsBackOff(t *testing.T) {
	c := newTestCore(t, Config{AnnounceDown: Task{Every: Off}}, "a", "c")
	declare := func() {
		t.Helper()
		self := c.Self()
		h := Header[who]{Message: MessageTurnUndead, About: self.ID, AboutIncarnation: self.Incarnation}
		if err := c.hear("c", h); err != nil {
			t.Fatal(err)
		}
	}
	declare()
	if c.Self().ID.life != 2 {
		t.Fatal("the first renewal is free")
	}
	last, wait := c.now, c.Config().Period
	for life := 2; life < 16; life++ {
		c.now = last.Add(wait - 1)
		declare()
		if c.Self().ID.life != life {
			t.Fatalf("life %d was over %v too early", life, c.now.Sub(last))
		}
		c.now = last.Add(wait)
		declare()
		if c.Self().ID.life != life+1 {
			t.Fatalf("life %d was not over after %v", life, wait)
		}
		last, wait = c.now, min(2*wait, maxRenewalWait)
	}
	if wait != 10*time.Minute {
		t.Errorf("the longest wait is %v", wait)
	}
	c.now = c.now.Add(10*time.Minute + 1)
	declare()
	life := c.Self().ID.life
	c.now = c.now.Add(c.Config().Period)
	declare()
	if c.Self().ID.life != life+1 {
		t.Error("after ten quiet minutes the wait did not start anew")
	}
}

// Rule 24: once may be our own past; the second time somebody speaks for us is
// a conflict, and is told once.
func TestSecondTimeSomebodySpeaksForUsIsAConflict(t *testing.T) {
	c := newTestCore(t, Config{}, "a", "c")
	for i, want := range []string{"", "conflict a (was a)", "", ""} {
		if err := c.hear("c", gossip, claim("a", 1, Alive, Incarnation(5+5*i))); err != nil {
			t.Error(err)
		}
		if got := c.told(); got != want {
			t.Errorf("time %d: told %q, want %q", i+1, got, want)
		}
	}
	if got := c.Stats().Conflicts; got != 4 {
		t.Errorf("%d counted", got)
	}
}

// Rule 24, D14: a metadata version above ours is somebody else's. Ours goes
// above it, as far as numbers go.
func TestMetadataVersionGoesAboveAClaimedOne(t *testing.T) {
	const most = 1<<64 - 1
	for claimed, want := range map[uint64]uint64{2: 3, 9: 10, most - 1: most, most: most} {
		c := newTestCore(t, Config{}, "a", "c")
		if err := c.SetMetadata(3, c.out); err != nil {
			t.Error(err)
		}
		u := claim("a", 1, Alive, 0)
		u.Metadata = claimed
		if err := c.hear("c", gossip, u); err != nil {
			t.Error(err)
		}
		if got := c.Self(); got.Metadata != want || got.Incarnation != 0 {
			t.Errorf("claimed %d: we are %v with %d, want %d", claimed, got, got.Metadata, want)
		}
	}
}

// Rules 21 and 22: a suspicion makes us gossip at once, but not more often than
// gossip goes out; our own record is never queued, the header says it all.
func TestRefutationIsGossipedAtMostOncePerInterval(t *testing.T) {
	c := newTestCore(t, Config{}, "a", "c")
	for i := range Incarnation(3) {
		if err := c.hear("c", gossip, claim("a", 1, Suspect, i, "x")); err != nil {
			t.Error(err)
		}
	}
	c.want("one gossip for three refutations", "", "-> c gossip")
	if c.Self().Incarnation != 3 || c.Stats().Backlog != 0 {
		t.Errorf("we are %v, %d in the backlog", c.Self(), c.Stats().Backlog)
	}
}

// Rules 27 and 28: changing the identity starts everything anew at once; the
// probe of before the change judges nobody and its events do nothing.
func TestNewIdentityStartsEverythingAnew(t *testing.T) {
	c := newTestCore(t, Config{Gossip: Task{Every: Off}, Confirmations: Off}, "a", "c", "d")
	c.run(c.Config().Period) // a probe is under way
	if !c.probe.running {
		t.Fatal("no probe")
	}
	c.know(claim("d", 1, Suspect, 0, "x"))
	c.sends()
	tokens := c.tasks
	c.us.inc = 7
	if err := c.ChangeIdentity(who{"a", 2}, c.out); err != nil {
		t.Fatal(err)
	}
	c.want("it is told at once; still connected", "", "-> c gossip", "-> d gossip [d suspect 0 by x]")
	if c.Self().Incarnation != 0 || c.probe.running {
		t.Errorf("we are %v, probing %v", c.Self(), c.probe.running)
	}
	for _, old := range []Timer[who]{{Kind: TimerIndirect, Token: tokens[TimerIndirect].token}, {Kind: TimerProbe, Token: tokens[TimerProbe].token}} {
		if err := c.HandleTimer(old, c.out); err != nil {
			t.Error(err)
		}
		c.wantQuiet("an event of the old life")
	}
	c.run(10 * time.Second)
	if m, _ := c.Member("d"); m.State != Down {
		t.Errorf("the suspicion did not survive: %v", m)
	}
}

// Rules 2, 3 and 76, and 105: what the owner may make of our identity.
func TestIdentityIsChangedOnlyToALaterOne(t *testing.T) {
	c := newTestCore(t, Config{}, "a", "c")
	change := func(to who) func() error { return func() error { return c.ChangeIdentity(to, c.out) } }
	reuse := func() error { return c.ReuseIdentity(c.out) }
	c.wantError("the same", ErrSameIdentity, change(who{"a", 1}))
	c.wantError("an earlier one", ErrNotSuperseding, change(who{"a", 0}))
	c.wantError("the life of somebody else", ErrNotSuperseding, change(who{"c", 1}))
	c.wantError("not undead", ErrNotUndead, reuse)
	if err := c.ChangeIdentity(who{"c", 2}, c.out); err != nil {
		t.Error("taking an address over:", err)
	}
	if c.roster.len() != 0 {
		t.Error("the roster holds our new address")
	}
	if err := c.Leave(c.out); err != nil {
		t.Error(err)
	}
	c.told()
	c.wantError("after leaving", ErrLeft, reuse)
	alone := newTestCore(t, Config{}, "a")
	if err := alone.ChangeIdentity(who{"a", 2}, alone.out); err != nil || alone.Self().ID.life != 2 {
		t.Errorf("alone: %v, %v", alone.Self(), err)
	}
}

// Rules 60 and 76: who left judges nobody; coming back gives every suspect its
// full time again.
func TestSuspicionsGoOnAfterComingBack(t *testing.T) {
	c := newTestCore(t, Config{LeaveTimeout: time.Second, Confirmations: Off}, "a", "b", "c")
	c.know(claim("b", 1, Suspect, 0, "x", "y"))
	if err := c.Leave(c.out); err != nil {
		t.Error(err)
	}
	c.run(time.Minute)
	c.wantMember("b", "b suspect 0 by x+y")
	if err := c.ChangeIdentity(who{"a", 2}, c.out); err != nil {
		t.Error(err)
	}
	c.noProbes() // the deadline alone decides
	c.run(3 * time.Second)
	c.wantMember("b", "b suspect 0 by x+y")
	c.run(10 * time.Second)
	c.wantMember("b", "b down 0 by x+y")
}

// Rule 15: a renewal that waited was wanted until it was carried out, so the
// quiet that ends the back-off begins there, not when it was first wanted.
func TestRenewalThatWaitedIsFollowedByAWholeWait(t *testing.T) {
	c := newTestCore(t, calm(), "a", "b")
	c.renewal = renewal[who]{last: c.now, trigger: c.now.Add(-20 * time.Second), wait: maxRenewalWait}
	c.now = c.now.Add(maxRenewalWait - 10*time.Second)
	c.hear("b", Header[who]{Message: MessageTurnUndead, About: who{"a", 1}})
	if got := c.Self().ID; got != (who{"a", 1}) {
		t.Errorf("it became %v ten seconds early", got)
	}
	c.now = c.now.Add(11 * time.Second)
	c.hear("b", gossip)
	if got := c.Self().ID; got != (who{"a", 2}) {
		t.Errorf("after the wait it is %v", got)
	}
}
