package swim

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// warm returns a cluster that knows itself, and somebody who is about to join.
func warm(t *testing.T, size int, cfg Config) (c *cluster, members []string) {
	for i := range size {
		members = append(members, fmt.Sprintf("member-%d", i))
	}
	c = newCluster(t, cfg, members...)
	known := func(yield func(Update[who]) bool) {
		for _, name := range members {
			if !yield(claim(name, 1, Alive, 0)) {
				return
			}
		}
	}
	for _, name := range members {
		if err := c.do(name, func(core *Core[who, string], rt Runtime[who]) error { return core.Apply(known, false, rt) }); err != nil {
			t.Fatal(err)
		}
	}
	c.run(time.Second)
	c.start("late", 1)
	return c, members
}

func (c *cluster) join(name, seed string) {
	c.t.Helper()
	if err := c.do(name, func(core *Core[who, string], rt Runtime[who]) error { return core.Announce(who{seed, 0}, rt) }); err != nil {
		c.t.Fatal(err)
	}
}

// Rules 31 and 35: a joiner reads the whole list at once, in as many packets as
// it takes.
func TestJoinerReadsAListOfSeveralPacketsAtOnce(t *testing.T) {
	c, members := warm(t, 160, Config{Announce: Task{Every: time.Hour, Num: 1}})
	c.join("late", members[0])
	c.run(100 * time.Millisecond)
	late := c.core("late")
	if n := late.NumActive(); n != len(members) {
		t.Errorf("it knows %d of %d", n, len(members))
	}
	if asked := late.Stats().Sent[MessageAnnounce]; asked < 2 || asked > 8 {
		t.Errorf("it asked for %d pages", asked)
	}
	if late.reading.page != 0 {
		t.Error("the list has no end")
	}
}

// Rule 35: a page that gets lost is asked for again, and one that never comes is
// not waited for for ever.
func TestLostPageIsAskedForAgain(t *testing.T) {
	for _, forEver := range []bool{false, true} {
		c, members := warm(t, 160, Config{Announce: Task{Every: time.Hour, Num: 1}})
		announces := 0
		c.lost = func(from, to string) bool {
			if from == "late" && to == members[0] && c.core("late").reading.page > firstPage {
				announces++
				return forEver || announces < 3
			}
			return false
		}
		c.join("late", members[0])
		c.run(20 * time.Millisecond)
		if n := c.core("late").NumActive(); n == len(members) {
			t.Fatal("no page was lost")
		}
		c.run(5 * time.Second)
		if n := c.core("late").NumActive(); !forEver && n != len(members) || c.core("late").reading.page != 0 {
			t.Errorf("lost for ever %v: it knows %d of %d, and reads page %d", forEver, n, len(members), c.core("late").reading.page)
		}
	}
}

// Rule 34: the pages of a list hold every active member, in packets of any size. Who
// went with smaller ones behind one that did not fit may come again.
func TestPagesHoldEveryMember(t *testing.T) {
	rnd := rand.New(rand.NewPCG(9, 9))
	for range 200 {
		c := newTestCore(t, Config{MaxPacket: names.MaxHeader() + names.MaxUpdate() + rnd.IntN(300)}, "a")
		for i := range 1 + rnd.IntN(120) {
			name := fmt.Sprintf("m%d", i)
			state, by := Alive, []string(nil)
			switch rnd.IntN(5) {
			case 0:
				state, by = Suspect, []string{"x", "y", "z"}[:rnd.IntN(4)]
			case 1:
				state = Left
			}
			c.know(claim(name, 1, state, Incarnation(rnd.IntN(1000)), by...))
		}
		want := map[string]bool{}
		for m := range c.Active() {
			want[m.ID.name] = true
		}
		c.know(claim("reader", 1, Alive, 0))
		c.sends()
		for page := uint32(firstPage); ; page++ {
			if err := c.askPage("reader", page); err != nil {
				t.Fatal(err)
			}
			var feed Packet[who]
			data := c.out.Packets[len(c.out.Packets)-1].Data
			if err := names.Parse(data, &feed); err != nil || feed.Header.Message != MessageFeed || feed.Header.Page != page && feed.Header.Page != 0 {
				t.Fatalf("page %d: %v, %v", page, &feed, err)
			}
			for _, u := range feed.Updates {
				delete(want, u.ID.name)
			}
			if len(feed.Updates) == 0 || feed.Header.Page == 0 {
				break
			}
		}
		if len(want) > 0 {
			t.Fatalf("no page holds %v", want)
		}
	}
}

// askPage has a member ask for a page, with room for a whole packet.
func (c *testCore) askPage(from string, page uint32) error {
	h := Header[who]{Message: MessageAnnounce, Src: who{from, 1}, Dst: c.us.id, Page: page}
	return c.HandleData(c.encode(&Packet[who]{Header: h, PadTo: c.cfg.MaxPacket}), c.out)
}

// Rule 36: beyond one feed in half a period, an address is given the page after
// the last, once; and a page whose beginning nobody knows any more not at all.
func TestOnlyTheNextPageIsGivenAtOnce(t *testing.T) {
	c := newTestCore(t, Config{}, "a")
	for i := range 200 {
		c.know(claim(fmt.Sprintf("m%d", i), 1, Alive, 0))
	}
	ask := func(page uint32) error { return c.askPage("m0", page) }
	refused := func(pages ...uint32) {
		t.Helper()
		for _, page := range pages {
			if err := ask(page); err != DropRateLimited || len(c.sends()) != 0 {
				t.Errorf("page %d: %v", page, err)
			}
		}
	}
	refused(2)
	if err := ask(firstPage); err != nil || len(c.sends()) != 1 {
		t.Fatal(err)
	}
	refused(anyPage, firstPage, 3)
	if err := ask(2); err != nil {
		t.Error(err)
	}
	second := c.sends()
	refused(2)
	c.now = c.now.Add(c.cfg.Period)
	if err := ask(2); err != nil {
		t.Error(err)
	}
	if again := c.sends(); len(second) != 1 || !slices.Equal(again, second) {
		t.Errorf("the page is %v, and again %v", second, again)
	}
}

// Rule 35: who makes up a list without an end is read no further than there are
// pages, and only the page that was asked for.
func TestReadingHasAnEnd(t *testing.T) {
	c := newTestCore(t, Config{}, "a", "b", "d")
	c.noProbes()
	turn := func(from string, page uint32) {
		c.enter(c.out)
		defer c.exit()
		c.turnPage(&Header[who]{Src: who{from, 1}, Message: MessageFeed, Page: page}, 5)
	}
	turn("b", firstPage)
	for c.reading.page != 0 && c.reading.page <= 2*maxPages {
		turn("b", c.reading.page)
	}
	if asked := c.Stats().Sent[MessageAnnounce]; asked != maxPages-1 {
		t.Errorf("it asked for %d pages", asked)
	}
	// One list is read at a time, and no page twice.
	turn("b", firstPage)
	turn("d", firstPage)
	turn("b", firstPage)
	if c.reading.from.name != "b" || c.reading.page != 2 {
		t.Errorf("it reads page %d of %v", c.reading.page, c.reading.from)
	}
	// A list that is not gone on with makes way.
	c.now = c.now.Add(2*c.cfg.Period + 1)
	if turn("d", firstPage); c.reading.from.name != "d" || c.reading.page != 2 {
		t.Errorf("it reads page %d of %v", c.reading.page, c.reading.from)
	}
}
