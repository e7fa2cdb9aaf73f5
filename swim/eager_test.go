package swim

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// rounds lets time pass in steps, each after an input, and returns how many
// different members each round of gossip went to, by the step that it came with.
func (c *testCore) rounds(steps int, step time.Duration, input func(i int)) map[int]int {
	c.t.Helper()
	c.sends()
	sizes := map[int]int{}
	for i := range steps {
		input(i)
		c.run(step)
		var to []string
		for _, line := range c.sends() {
			if name, _, is := strings.Cut(strings.TrimPrefix(line, "-> "), " gossip"); is {
				to = append(to, name)
			}
		}
		slices.Sort(to)
		if n := len(slices.Compact(slices.Clone(to))); n > 0 {
			sizes[i] = n
			if n != len(to) {
				c.t.Errorf("step %d: gossip to %q", i, to)
			}
		}
	}
	return sizes
}

// at are the steps of some rounds, in order.
func at(rounds map[int]int, size int) (steps []int) {
	for step, n := range rounds {
		if n == size {
			steps = append(steps, step)
		}
	}
	slices.Sort(steps)
	return steps
}

// newEager returns a core that gossips to three members every 200 ms, and what it
// tells to more than one round of them.
func newEager(t *testing.T, rules Rules) *testCore {
	cfg := Config{Rules: rules, Transmissions: Scale{Factor: 10}, Announce: Task{Every: Off}, AnnounceDown: Task{Every: Off}}
	known := strings.Split("b c d e f g h i j k l m n o p", " ")
	c := newTestCoreOf(t, cfg, who{"a", 1}, newPicky(""), known...)
	c.noProbes()
	c.run(time.Second)
	c.out.Reset()
	return c
}

// newsOfAllKinds are what members and the owner may tell that is worth telling at
// once.
var newsOfAllKinds = map[string]func(c *testCore){
	"a member":      func(c *testCore) { c.hear("b", gossip, claim("x", 1, Alive, 0)) },
	"an alive":      func(c *testCore) { c.hear("b", gossip, claim("c", 1, Alive, 4)) },
	"a suspicion":   func(c *testCore) { c.hear("b", gossip, claim("c", 1, Suspect, 0, "b")) },
	"a goodbye":     func(c *testCore) { c.hear("b", gossip, claim("c", 1, Left, 0)) },
	"a later life":  func(c *testCore) { c.hear("b", gossip, claim("c", 2, Alive, 0)) },
	"of the sender": func(c *testCore) { c.hear("b", Header[who]{Message: MessageGossip, SrcMetadata: 3}) },
	"metadata":      func(c *testCore) { c.SetMetadata(3, c.out) },
	"a payload":     func(c *testCore) { c.AddBroadcast([]byte("k=1"), c.out) },
	"by the owner":  func(c *testCore) { c.queue(claim("x", 1, Down, 0, "b", "c")) },
}

// Rule 115: news are passed on within a twentieth of the time between two rounds, to
// twice as many members; with LazyGossip with the next round.
func TestNewsIsPassedOnAlmostAtOnce(t *testing.T) {
	for name, news := range newsOfAllKinds {
		for _, lazy := range []bool{false, true} {
			c := newEager(t, Rules{LazyGossip: lazy})
			every, num := c.cfg.Gossip.Every, c.cfg.Gossip.Num
			c.run(every / 3)
			wait, to := every/eagerPart, eagerFactor*num
			if lazy {
				wait, to = every, num
			}
			news(c)
			if early := c.rounds(1, wait-1, func(int) {}); len(early) > 0 {
				t.Errorf("%s, lazy %v: rounds to %v members too early", name, lazy, early)
			}
			if got := c.rounds(1, 1, func(int) {}); got[0] != to {
				t.Errorf("%s, lazy %v: a round to %d members, want %d", name, lazy, got[0], to)
			}
			// What was told once waits for the next round.
			if got := c.rounds(1, every-1, func(int) {}); len(got) > 0 {
				t.Errorf("%s, lazy %v: rounds to %v members before the next", name, lazy, got)
			}
		}
	}
}

// Rule 115: what arrives together goes out together, and an ordinary round that is near
// is not waited for any longer.
func TestNewsThatArrivesTogetherGoesOutTogether(t *testing.T) {
	c := newEager(t, Rules{})
	step := c.cfg.Gossip.Every / eagerPart / 4
	rounds := c.rounds(4, step, func(i int) { c.hear("b", gossip, claim("c", 1, Alive, Incarnation(i+1))) })
	if len(rounds) != 1 || rounds[3] != eagerFactor*c.cfg.Gossip.Num {
		t.Errorf("the rounds were %v", rounds)
	}
	c.run(c.cfg.Gossip.Every - step/2) // what is left is told with the next round
	c.hear("b", gossip, claim("d", 1, Alive, 1))
	if due := c.tasks[TimerGossip].due; due != c.now.Add(step/2) {
		t.Errorf("the next round comes after %v instead of %v", due.Sub(c.now), step/2)
	}
}

// Rule 115: a few early rounds may follow each other. In a long run there is one for each
// time between two rounds, and no news wait for longer than that.
func TestEarlyRoundsAreLimited(t *testing.T) {
	c := newEager(t, Rules{})
	num := c.cfg.Gossip.Num
	const steps, times = eagerPart, 50
	rounds := c.rounds(steps*times, c.cfg.Gossip.Every/eagerPart, func(i int) {
		c.hear("b", gossip, claim("c", 1, Alive, Incarnation(i+1)))
	})
	early, ordinary := at(rounds, eagerFactor*num), at(rounds, num)
	if len(early)+len(ordinary) != len(rounds) {
		t.Errorf("the rounds were %v", rounds)
	}
	if want := []int{0, 1, 2, 3}; len(early) < 5 || !slices.Equal(early[:4], want) || early[4] < steps {
		t.Errorf("early rounds at first with step %v, want %v and then none for %d", early[:5], want, steps)
	}
	if n := len(early); n > times+eagerBurst || n < times {
		t.Errorf("%d early rounds in %d times", n, times)
	}
	if n := len(ordinary); n > times {
		t.Errorf("%d ordinary rounds in %d times", n, times)
	}
	all := slices.Sorted(slices.Values(slices.Concat(early, ordinary)))
	if most := slices.Max(gaps(all)); most > steps {
		t.Errorf("at most %d steps between two rounds, want %d", most, steps)
	}
	// After a rest there may be a few again.
	c.run(10 * c.cfg.Gossip.Every)
	rounds = c.rounds(steps, c.cfg.Gossip.Every/eagerPart, func(i int) {
		c.hear("b", gossip, claim("c", 1, Alive, Incarnation(steps*times+i+1)))
	})
	if got := at(rounds, eagerFactor*num); len(got) != eagerBurst {
		t.Errorf("after a rest there are early rounds with step %v", got)
	}
}

// Rule 115: that somebody else accuses a suspect too is told with the next round.
func TestConfirmationsDoNotHurry(t *testing.T) {
	c := newEager(t, Rules{})
	every, num := c.cfg.Gossip.Every, c.cfg.Gossip.Num
	c.hear("b", gossip, claim("c", 1, Suspect, 0, "b"))
	c.run(20 * every)
	c.out.Reset()
	if n := c.Stats().Backlog; n > 0 {
		t.Fatalf("%d are still to tell", n)
	}
	c.hear("b", gossip, claim("c", 1, Suspect, 0, "d"))
	if early := c.rounds(1, every-1, func(int) {}); len(early) > 0 {
		t.Errorf("a round to %d members too early", early[0])
	}
	if got := c.rounds(1, 1, func(int) {}); got[0] != num {
		t.Errorf("a round to %d members, want %d", got[0], num)
	}
	// With other news they go out at once.
	c.run(20 * every)
	c.hear("b", gossip, claim("c", 1, Suspect, 0, "e"), claim("d", 1, Alive, 1))
	c.sends()
	c.run(every / eagerPart)
	if sent := c.sends(); !slices.ContainsFunc(sent, func(line string) bool {
		return strings.Contains(line, "c suspect 0 by b+d+e") && strings.Contains(line, "d alive 1")
	}) {
		t.Errorf("sent %q", sent)
	}
}

// Rule 115: where gossip is off nothing hurries.
func TestNothingHurriesWithoutGossip(t *testing.T) {
	for name, news := range newsOfAllKinds {
		c := newTestCoreOf(t, calm(), who{"a", 1}, newPicky(""), "b", "c", "d")
		c.noProbes()
		news(c)
		c.out.Reset()
		c.run(3 * time.Second)
		for _, line := range c.sends() {
			t.Errorf("%s: sent %q", name, line)
		}
	}
}
