package swim

import (
	"fmt"
	"testing"
	"time"
)

// D17, rule 84. One that is cut off right after it joined was never probed by
// most, so nothing is verified, and what it sends is too short for an answer
// with the suspicion in it. It must come back all the same, not when its turn
// comes among the lost.
func TestLoneMembersThatNeverAnsweredComeBackSoon(t *testing.T) {
	var members []string
	for i := range 30 {
		members = append(members, fmt.Sprintf("m%d", i))
	}
	c := newCluster(t, LAN(30), members...)
	c.meet()
	c.run(3 * time.Second)
	cut := members[7]
	c.lost = func(from, to string) bool { return from == cut || to == cut }
	c.run(8 * time.Minute) // it doubts itself, so its probes take up to 9 s
	if n := c.core(cut).NumActive(); n != 0 {
		t.Fatalf("%d active although nobody can be reached", n)
	}
	c.lost = nil
	c.run(65*time.Second + 57*time.Second) // one round of the lost finds somebody, and then all probe it
	for _, name := range members {
		if n := c.core(name).NumActive(); n != len(members)-1 {
			t.Errorf("%s knows %d active members, want %d", name, n, len(members)-1)
		}
	}
}

// Rule 77, D17. For us one with a lone verdict is gone, so it is forgotten
// like everybody who is.
func TestLoneMemberIsForgotten(t *testing.T) {
	cfg := Config{ForgetAfter: time.Minute}
	c := newCluster(t, cfg, "a", "b")
	c.meet()
	c.run(2 * time.Second)
	c.crash("b")
	c.run(20 * time.Second)
	c.wantView("a", "b down 0")
	if s := c.core("a").Stats(); s.Lone != 1 {
		t.Fatalf("%+v", s)
	}
	c.run(time.Minute)
	c.wantView("a", "")
	c.start("b", 2)
	c.do("b", func(core *Core[who, string], rt Runtime[who]) error { return core.Announce(who{"a", 0}, rt) })
	c.run(time.Second)
	c.wantView("a", "b2 alive 0")
}

// Lone members lie among the tombstones, but no tombstone makes room by them.
func TestEvictionSparesLoneMembers(t *testing.T) {
	c := newCluster(t, Config{MaxTombstones: 2}, "a", "b")
	c.meet()
	c.run(2 * time.Second)
	c.crash("b")
	c.run(20 * time.Second)
	for i := range 4 {
		c.run(time.Second)
		c.do("a", func(core *Core[who, string], rt Runtime[who]) error {
			return core.Apply(func(yield func(Update[who]) bool) {
				yield(Update[who]{Member: Member[who]{ID: who{fmt.Sprintf("t%d", i), 1}, State: Left}})
			}, false, rt)
		})
	}
	c.wantView("a", "b down 0, t2 left, t3 left")
}

// Neither one that left nor one that is down for good asks for anything.
func TestWhoLeftAnnouncesNoMore(t *testing.T) {
	c := newCluster(t, Config{}, "a", "b", "c")
	c.meet()
	c.run(2 * time.Second)
	// b asks, leaves, and then hears of somebody new.
	if err := c.do("b", func(core *Core[who, string], rt Runtime[who]) error { return core.Announce(who{"a", 0}, rt) }); err != nil {
		t.Fatal(err)
	}
	if err := c.do("b", func(core *Core[who, string], rt Runtime[who]) error { return core.Leave(rt) }); err != nil {
		t.Fatal(err)
	}
	feed, err := names.Append(nil, 1400, &Packet[who]{
		Header:  Header[who]{Src: who{"a", 1}, Dst: who{"b", 1}, Message: MessageFeed},
		Updates: []Update[who]{{Member: Member[who]{ID: who{"new", 1}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	_ = c.do("b", func(core *Core[who, string], rt Runtime[who]) error { return core.HandleData(feed, rt) })
	c.run(time.Second)
	before := c.core("b").Stats().Sent[MessageAnnounce]
	c.run(5 * time.Minute)
	if n := c.core("b").Stats().Sent[MessageAnnounce] - before; n > 0 {
		t.Errorf("%d announces after it left", n)
	}
}

// Rule 77: those who came back leave entries behind that find nothing to do. They
// stay in proportion to those who are gone, also when many of these are forgotten
// at once.
func TestWhoCameBackLeavesLittleBehind(t *testing.T) {
	cfg := calm()
	cfg.Rules.SoleVerdict = true
	down := func(name string, inc Incarnation, seconds uint32) Update[who] {
		u := claim(name, 1, Down, inc)
		u.Remaining = 1000 * seconds
		return u
	}
	for flips := range Incarnation(90) {
		c := newTestCore(t, cfg, "a", "b")
		c.noProbes()
		for _, name := range []string{"d", "e", "f", "g", "h"} {
			c.know(down(name, 0, 1))
		}
		for inc := range flips {
			c.know(down("c", inc, 60), claim("c", 1, Alive, inc+1))
		}
		c.run(2 * time.Second)
		if most := 2*c.roster.len() + 65; c.graves.len() > most {
			t.Errorf("after %d times %d wait to be forgotten, at most %d", flips, c.graves.len(), most)
		}
	}
}
