package swim

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// A pair is two cores, an asker and an answerer, that know each other, and the
// network between them.
type pair struct {
	t      testing.TB
	cores  [2]*testCore
	guards [2]*Guard[who, string]
	rts    [2]Runtime[who]
	sent   [numMessages]int // between the two
	bytes  int
	others []string                         // what went to anybody else
	lost   func(n int, p *Packet[who]) bool // the n-th packet between the two, from 0
}

func newPair(t testing.TB, cfg Config) *pair {
	t.Helper()
	p := &pair{t: t, cores: [2]*testCore{newTestCore(t, cfg, "asker", "answerer"), newTestCore(t, cfg, "answerer", "asker")}}
	for i, c := range p.cores {
		p.guards[i] = NewGuard(c.Core)
		p.rts[i] = p.guards[i].Watch(c.out)
	}
	return p
}

// know lets the asker and the answerer know somebody.
func (p *pair) know(asker, answerer []Update[who]) {
	p.t.Helper()
	for i, known := range [][]Update[who]{asker, answerer} {
		c := p.cores[i]
		if err := c.Apply(slices.Values(known), false, p.rts[i]); err != nil {
			p.t.Fatal(err)
		}
		c.told()
		p.check(i)
	}
}

func (p *pair) check(i int) {
	p.t.Helper()
	if err := p.guards[i].Check(); err != nil {
		p.t.Fatal(err)
	}
}

// sync lets the asker ask, and hands over packets until there are none.
func (p *pair) sync() {
	p.t.Helper()
	c := p.cores[0]
	if err := c.Sync(who{"answerer", 1}, p.rts[0]); err != nil {
		p.t.Fatal(err)
	}
	p.check(0)
	p.deliver()
}

// deliver hands over packets until there are none.
func (p *pair) deliver() {
	p.t.Helper()
	p.sent, p.bytes = [numMessages]int{}, 0
	for n, quiet := 0, 0; quiet < 2; {
		for i, c := range p.cores {
			packets := slices.Clone(c.out.Packets)
			c.out.Packets = c.out.Packets[:0]
			if quiet++; len(packets) > 0 {
				quiet = 0
			}
			for _, d := range packets {
				p.deliverOne(n, i, slices.Clone(d.Data), d.To)
				n++
			}
		}
	}
}

func (p *pair) deliverOne(n, from int, data []byte, to who) {
	p.t.Helper()
	var pkt Packet[who]
	if err := names.Parse(data, &pkt); err != nil {
		p.t.Fatal(err)
	}
	if to != p.cores[1-from].us.id {
		p.others = append(p.others, fmt.Sprintf("%v -> %v %v", p.cores[from].us.id, to, &pkt))
		return
	}
	p.sent[pkt.Header.Message]++
	p.bytes += len(data)
	if p.lost != nil && p.lost(n, &pkt) {
		return
	}
	p.guards[1-from].Received(data)
	_ = p.cores[1-from].HandleData(data, p.rts[1-from])
	p.check(1 - from)
}

// packets is how many packets of a reconciliation there were.
func (p *pair) packets() (n int) {
	for m, sent := range p.sent {
		if Message(m).synchronises() {
			n += sent
		}
	}
	return n
}

// wantSame checks that both know the same.
func (p *pair) wantSame(why string) {
	p.t.Helper()
	asker, answerer := p.cores[0].digestAnew(), p.cores[1].digestAnew()
	if !asker.same(answerer) {
		p.t.Errorf("%s: the asker knows %d, the answerer %d, and they differ", why, asker.Members, answerer.Members)
	}
}

// a difference is what two cores know differently of one member.
type difference struct {
	name            string
	asker, answerer func(name string) []Update[who]
}

func alive(life int, meta uint64) func(name string) []Update[who] {
	return func(name string) []Update[who] {
		return []Update[who]{withMeta(claim(name, life, Alive, Incarnation(meta)), meta)}
	}
}

func unknown(string) []Update[who] { return nil }

var differences = []difference{
	{"the asker lacks one", unknown, alive(1, 0)},
	{"the answerer lacks one", alive(1, 0), unknown},
	{"the asker lacks metadata", alive(1, 3), alive(1, 300)},
	{"the answerer lacks metadata", alive(1, 1<<40), alive(1, 0)},
	{"the asker has an earlier life", alive(1, 7), alive(3, 0)},
	{"the answerer has an earlier life", alive(3, 0), alive(2, 9)},
}

// differ lets the two know some members in common, and so many differently.
func (p *pair) differ(common, apart int, kinds ...difference) {
	var asker, answerer []Update[who]
	for i := range common {
		u := claim(fmt.Sprintf("c%d", i), 1, Alive, 0)
		asker, answerer = append(asker, u), append(answerer, u)
	}
	for i := range apart {
		d, name := kinds[i%len(kinds)], fmt.Sprintf("d%d", i)
		asker = append(asker, d.asker(name)...)
		answerer = append(answerer, d.answerer(name)...)
	}
	p.know(asker, answerer)
}

// D18: one exchange repairs whatever two members know differently, at a cost that
// depends on the differences alone. Nothing of it is news.
func TestOneSyncRepairsAllDifferences(t *testing.T) {
	kinds := map[string][]difference{
		"all": differences, "metadata": differences[2:4], "lives": differences[4:],
		"the asker lacks them": differences[:1], "the answerer lacks them": differences[1:2],
	}
	for _, d := range []int{0, 1, 2, 20, 60, 200, 1000} {
		for _, common := range []int{0, 10, 300, 3000 - d} {
			if testing.Short() && d > 200 {
				continue
			}
			for name, kinds := range kinds {
				p := newPair(t, calm())
				p.differ(common, d, kinds...)
				p.sync()
				why := fmt.Sprintf("%d differences (%s) beside %d in common", d, name, common)
				p.wantSame(why)
				if n := p.packets(); n > 3+d/8 {
					t.Errorf("%s: %d packets", why, n)
				}
				if lists := p.sent[MessageAnnounce] > 0; p.bytes > 1500+110*d && !lists || lists && common > 10*d {
					t.Errorf("%s: %d bytes, lists %v", why, p.bytes, lists)
				}
				for _, c := range p.cores {
					if s := c.Stats(); s.Backlog > 0 || s.EncodeErrors > 0 || len(p.others) > 0 {
						t.Errorf("%s: %v has %d to tell, and others were sent %q", why, c.us.id, s.Backlog, p.others)
					}
				}
			}
		}
	}
}

// D18: a sync finds out of suspects whom one does not know. That is told to nobody
// and confirms nothing: it may be what somebody heard long ago.
func TestWhatIsSynchronisedIsNoNews(t *testing.T) {
	cfg := Config{Announce: Task{Every: Off}, Gossip: Task{Every: Off}}
	for lacks, name := range []string{"the asker lacks it", "the answerer lacks it"} {
		p := newPair(t, cfg)
		var known [2][]Update[who]
		for i := range 10 {
			u := claim(fmt.Sprintf("m%d", i), 1, Alive, 0)
			known[0], known[1] = append(known[0], u), append(known[1], u)
		}
		known[1-lacks] = append(known[1-lacks], claim("s", 1, Suspect, 2, "w", "x", "y", "z"))
		p.know(known[0], known[1])
		p.sync()
		p.wantSame(name)
		c := p.cores[lacks]
		if told := c.told(); told != "up s" {
			t.Errorf("%s: told %q", name, told)
		}
		c.wantMember("s", "s suspect 2 by w+x+y+z")
		d := c.doubts.at(c.roster.at(must(c.roster.find("s"))).doubt)
		if n, wait := d.confirmed(), d.wait(0); n != 0 || d.deadline() != c.now.Add(wait) || wait <= d.least+d.lag {
			t.Errorf("%s: %d confirm it, verdict after %v", name, n, d.deadline().Sub(c.now))
		}
		if s := c.Stats(); s.Backlog != 0 || len(p.others) > 0 {
			t.Errorf("%s: %d to tell, sent %q", name, s.Backlog, p.others)
		}
	}
}

// D18: who is down or left for one of the two does not come back by what the other
// one says: that one is told, and for how long to remember it. Down accuses.
func TestSyncRevivesNoTombstone(t *testing.T) {
	for _, state := range []State{Down, Left} {
		for knows, name := range []string{"the asker knows", "the answerer knows"} {
			p := newPair(t, calm())
			tomb := claim("m", 1, state, 0)
			if state == Down {
				tomb = claim("m", 1, Down, 4, "x", "y")
			}
			var known [2][]Update[who]
			known[knows] = []Update[who]{tomb}
			known[1-knows] = []Update[who]{claim("m", 1, Alive, 4)}
			p.know(known[0], known[1])
			for _, c := range p.cores {
				c.now = c.now.Add(time.Hour)
			}
			p.sync()
			one, other := p.cores[knows], p.cores[1-knows]
			one.wantMember("m", tomb.String())
			if told := one.told(); told != "" {
				t.Errorf("%s that it is %v, and was told %q", name, state, told)
			}
			if state == Left {
				p.wantSame(name)
				other.wantMember("m", "m left")
				until := func(c *testCore) Instant { return c.roster.times(must(c.roster.find("m"))).until }
				if until(one) != until(other) || until(one) != one.now.Add(23*time.Hour) {
					t.Errorf("%s: forgotten at %v, there at %v", name, until(one), until(other))
				}
				continue
			}
			other.wantMember("m", "m suspect 4 by x+y")
			if want := fmt.Sprintf("%v -> m gossip [m suspect 4 by x+y]", other.us.id); !slices.Equal(p.others, []string{want}) {
				t.Errorf("%s that it is down: others were sent %q, want %q", name, p.others, want)
			}
			if n := other.Stats().Backlog; n > 0 {
				t.Errorf("%s that it is down: %d to tell", name, n)
			}
		}
	}
}

// diff hands over the answer to an exchange.
func (c *testCore) diff(from string, number uint32, body []byte, updates ...Update[who]) error {
	c.t.Helper()
	h := Header[who]{Message: MessageDiff, Src: who{from, 1}, Dst: c.us.id, Number: number}
	return c.HandleData(c.encode(&Packet[who]{Header: h, Updates: updates, Payloads: [][]byte{body}}), c.out)
}

// D18: an answer counts only while it is waited for, from whom was asked, with the
// number of the exchange, and so many times.
func TestDiffThatNobodyWaitsForIsUnasked(t *testing.T) {
	cfg := calm()
	news := claim("x", 1, Alive, 0)
	found, more := []byte{diffFound}, []byte{diffMore, 0}
	for _, test := range []struct {
		name   string
		before func(c *testCore)
		from   string
		number uint32
		body   []byte
	}{
		{"before any", func(c *testCore) { c.sync = syncing[who]{number: 1} }, "b", 1, found},
		{"from somebody else", func(*testCore) {}, "d", 1, found},
		{"of another life", func(c *testCore) { c.sync.with.life = 2 }, "b", 1, found},
		{"of the exchange before", func(c *testCore) { c.Sync(who{"b", 1}, c.out) }, "b", 1, found},
		{"of the next", func(*testCore) {}, "b", 2, more},
		{"too late", func(c *testCore) { c.now = c.now.Add(2*c.cfg.Period + 1) }, "b", 1, found},
		{"behind a list", func(c *testCore) { c.diff("b", 1, []byte{diffList}) }, "b", 1, found},
		{"one too many", func(c *testCore) {
			for range mostPackets {
				if err := c.diff("b", 1, found); err != nil {
					c.t.Fatal(err)
				}
			}
		}, "b", 1, more},
	} {
		c := newTestCore(t, cfg, "a", "b", "d")
		c.noProbes()
		if err := c.Sync(who{"b", 1}, c.out); err != nil {
			t.Fatal(err)
		}
		test.before(c)
		c.know() // what the time is now
		c.out.Reset()
		c.wantDrop(test.name, DropUnasked, func() error { return c.diff(test.from, test.number, test.body, news) })
		c.wantMember("x", "unknown")
	}
	c := newTestCore(t, cfg, "a", "b")
	c.Sync(who{"b", 1}, c.out)
	c.now = c.now.Add(2 * c.cfg.Period)
	if err := c.diff("b", 1, found, news); err != nil {
		t.Error("just in time:", err)
	}
	c.wantMember("x", "x alive 0")
}

// D18: members whose digests differ, and are settled, find out in what at once,
// and again after ever longer times as long as nothing comes of it.
func TestSyncBeginsMoreRarelyWhileItIsInVain(t *testing.T) {
	c := newTestCore(t, calm(), "a", "b")
	c.noProbes()
	c.digestNow()
	c.run(c.size().spread)
	theirs := Digest{Sum: 1, Members: 2, Settled: true}
	start, step := c.now, c.cfg.Period/4
	var began []int
	each := func(do func(i int)) {
		began, start = nil, c.now
		for i := range 240 {
			do(i)
			if c.ackWith("b", theirs) {
				began = append(began, int(c.now.Sub(start)/step))
			}
			c.now = c.now.Add(step)
		}
	}
	nothing := func(int) {}
	if each(nothing); !slices.Equal(began, []int{0, 8, 24, 56, 120, 184}) {
		t.Errorf("in vain it began at %v", began)
	}
	if each(func(i int) {
		if i%3 == 0 {
			c.ackWith("b", c.digestNow())
		}
	}); slices.Min(gaps(began)) != 4 || slices.Max(gaps(began)) > 6 {
		t.Errorf("with an agreement now and then it began at %v", began)
	}
	c.now = c.now.Add(time.Hour)
	version := uint64(0)
	if each(func(int) {
		if version < uint64(len(began)) { // it changed something, which is settled after eight steps
			version++
			c.know(withMeta(claim("b", 1, Alive, 0), version))
		}
	}); slices.Min(gaps(began)) < 9 || slices.Max(gaps(began)) > 9 {
		t.Errorf("while something comes of it, it began at %v", began)
	}
}

// gaps are the differences between numbers.
func gaps(of []int) (gaps []int) {
	for i := 1; i < len(of); i++ {
		gaps = append(gaps, of[i]-of[i-1])
	}
	return gaps
}

// D18: digests that may only not have settled yet are given time, four times as
// long as gossip takes.
func TestUnsettledDigestsAreGivenTime(t *testing.T) {
	const us, them = 1, 2
	for _, unsettled := range []int{0, us, them, us | them} {
		c := newTestCore(t, calm(), "a", "b")
		c.noProbes()
		spread := c.size().spread
		c.digestNow()
		c.run(spread)
		c.ackWith("b", c.digestNow()) // they agreed just now
		if unsettled&us != 0 {
			c.know(withMeta(claim("b", 1, Alive, 0), 9))
		}
		began := Instant(0)
		agreed := c.now
		for i := range uint64(1000) {
			if unsettled&us != 0 {
				c.know(withMeta(claim("b", 1, Alive, 0), 10+i))
			}
			if c.ackWith("b", Digest{Sum: i, Members: 9, Settled: unsettled&them == 0}) {
				began = c.now
				break
			}
			c.now = c.now.Add(spread / 8)
		}
		want := time.Duration(0)
		if unsettled != 0 {
			want = 4 * spread
		}
		if began == 0 || began.Sub(agreed) != want {
			t.Errorf("unsettled %b: began after %v, want %v", unsettled, began.Sub(agreed), want)
		}
	}
}

// D18: not while we read a list, nor before we are connected or after we left.
func TestSyncWaitsForAList(t *testing.T) {
	c := newTestCore(t, calm(), "a", "b")
	c.noProbes()
	theirs := Digest{Sum: 1, Members: 9, Settled: true}
	c.now = c.now.Add(time.Hour)
	c.reading = reading[who]{from: who{"b", 1}, page: 2, asked: c.now}
	if c.ackWith("b", theirs) {
		t.Error("it began while a list is read")
	}
	c.reading = reading[who]{}
	if !c.ackWith("b", theirs) {
		t.Error("it did not begin after that")
	}
	c.now = c.now.Add(time.Hour)
	c.Leave(c.out)
	c.hear("b", Header[who]{Message: MessageAck, Number: c.probe.number, Digest: theirs})
	if n := c.Stats().Sent[MessageSync]; n != 1 {
		t.Errorf("it was begun %d times", n)
	}
}

// asks is a sync from a member, with cells of its own choice.
func asks(from string, number uint32, key sketchKey, first int, cells []cell, long bool) *Packet[who] {
	return &Packet[who]{
		Header:   Header[who]{Message: MessageSync, Src: who{from, 1}, Number: number},
		Payloads: [][]byte{appendCells(nil, key, first, cells, long)},
	}
}

// said reads the payload of an answer.
func (c *testCore) saidBy(p *Packet[who]) (s saying) {
	c.t.Helper()
	if p.Header.Message != MessageDiff || len(p.Payloads) != 1 || !s.parse(MessageDiff, p.Payloads[0]) {
		c.t.Fatalf("%v is no answer", p)
	}
	return s
}

// D15, D18: sketches for others take no more than a part of our time.
func TestOthersAreServedOnlySoMuch(t *testing.T) {
	key := sketchKey{1, 2}
	for _, long := range []bool{false, true} {
		c := newTestCore(t, calm(), "a", "b", "d")
		c.sync.served = window{since: c.now, n: syncPace - 2}
		c.wantDropOnly("too much", DropRateLimited, c.HandleData(c.encode(to(c, asks("b", 1, key, 0, make([]cell, 8), long))), c.out))
		c.wantQuiet("too much")
		c.now = c.now.Add(time.Second)
		if ask, _ := c.answered(asks("b", 1, key, 0, make([]cell, 8), long)); ask.Header.Message != MessageDiff || ask.Header.Number != 1 {
			t.Errorf("a second later the answer is %v", ask)
		}
		if n := c.sync.served.n; n < 3 || n > 200 {
			t.Errorf("it cost %d", n)
		}
	}
}

// to completes a packet by whom it is for.
func to(c *testCore, p *Packet[who]) *Packet[who] {
	p.Header.Dst = c.us.id
	return p
}

// D18: a packet of a long exchange that gets lost breaks nothing, and the next
// exchange repairs what this one did not.
func TestLostPacketOfAnExchangeBreaksNothing(t *testing.T) {
	for n := range 12 {
		p := newPair(t, calm())
		p.differ(1000, 120, differences...)
		p.lost = func(i int, _ *Packet[who]) bool { return i == n }
		p.sync()
		p.lost = nil
		for _, c := range p.cores {
			c.now = c.now.Add(3 * c.cfg.Period)
		}
		p.sync()
		p.wantSame(fmt.Sprintf("packet %d was lost", n))
	}
}

// D18: cells that come twice, or not in turn, are answered by what is missing.
func TestCellsAreTakenInTurn(t *testing.T) {
	c := newTestCore(t, calm(), "a", "b")
	for i := range 200 {
		c.know(claim(fmt.Sprintf("m%d", i), 1, Alive, 0))
	}
	key, cells := sketchKey{1, 2}, make([]cell, 60)
	for _, test := range []struct{ from, n, want int }{
		{0, 20, 20}, {0, 20, 20}, {40, 20, 20}, {10, 20, 20}, {20, 5, 25}, {20, 5, 25}, {25, 60, 85},
	} {
		answer, _ := c.answered(asks("b", 1, key, test.from, cells[:test.n], true))
		if said := c.saidBy(answer); said.head != diffMore || said.from != test.want {
			t.Errorf("cells from %d to %d: the answer is %+v, want more from %d on", test.from, test.from+test.n, said, test.want)
		}
	}
	unknown := to(c, asks("b", 1, sketchKey{3, 4}, 85, cells[:5], true))
	if err := c.HandleData(c.encode(unknown), c.out); err != DropRateLimited {
		t.Errorf("of an exchange that nobody knows: %v", err)
	}
	if n := len(c.sync.theirs); n != 1 {
		t.Errorf("%d exchanges are remembered", n)
	}
}

// D15, D18: so many long exchanges are remembered, the latest, whoever begins them.
func TestOldestExchangeMakesWay(t *testing.T) {
	c := newTestCore(t, calm(), "a")
	for i := range 200 {
		c.know(claim(fmt.Sprintf("m%d", i), 1, Alive, 0))
	}
	cells := make([]cell, 5)
	key := func(i int) sketchKey { return sketchKey{uint64(i), 7} }
	for i := range 3 * mostExchanges {
		c.now++
		c.answered(asks("m1", 1, key(i), 0, cells, true))
		if n := len(c.sync.theirs); n > mostExchanges {
			t.Fatalf("%d are remembered", n)
		}
	}
	for i := range 3 * mostExchanges {
		if i < 2*mostExchanges { // it made way
			late := to(c, asks("m1", 1, key(i), 5, cells, true))
			if err := c.HandleData(c.encode(late), c.out); err != DropRateLimited {
				t.Errorf("exchange %d: %v", i, err)
			}
			continue
		}
		answer, _ := c.answered(asks("m1", 1, key(i), 5, cells, true))
		if said := c.saidBy(answer); said.head != diffMore || said.from != 10 {
			t.Errorf("exchange %d: the answer is %+v, want more from 10 on", i, said)
		}
	}
}

// D18: with the smallest packets that there may be it only takes more of them.
func TestSyncWorksWithTheSmallestPackets(t *testing.T) {
	cfg := calm()
	cfg.MaxPacket = names.MaxHeader() + names.MaxUpdate()
	for _, d := range []int{1, 7, 30} {
		for _, common := range []int{10, 2000} {
			p := newPair(t, cfg)
			p.differ(common, d, differences...)
			p.sync()
			p.wantSame(fmt.Sprintf("%d differences beside %d in common", d, common))
		}
	}
}

// crowd lets a core know many members, and returns a sketch of them but for some,
// as one of them would send it.
func (c *testCore) crowd(n, cells, less int) *sketch {
	s := newSketch(cells)
	s.add(c.symbol(s.key, c.us.id, 0))
	for i := range n {
		name := fmt.Sprintf("m%013d", i)
		if i < less {
			c.know(claim(name, 1, Suspect, 0, "first-accuser", "second-accuser", "third-accuser", "fourth-accuser"))
			continue
		}
		c.know(claim(name, 1, Alive, 0))
		s.add(c.symbol(s.key, who{name, 1}, 0))
	}
	c.out.Reset()
	return s
}

// D8, D18: who never answered us may not be where it says, and is sent no more
// than it sent, once.
func TestUnverifiedAskerGetsOnePart(t *testing.T) {
	for _, verified := range []bool{false, true} {
		c := newTestCore(t, calm(), "a")
		s := c.crowd(200, 100, 60)
		from := "m0000000000199"
		if verified {
			c.roster.at(must(c.roster.find(from))).flags |= isVerified
		}
		data := c.encode(to(c, asks(from, 9, s.key, 0, s.cells, false)))
		if err := c.HandleData(data, c.out); err != nil {
			t.Fatal(err)
		}
		found := map[string]bool{}
		for _, d := range c.out.Packets {
			var p Packet[who]
			if names.Parse(d.Data, &p) != nil || p.Header.Message != MessageDiff || p.Header.Number != 9 || len(d.Data) > len(data) {
				t.Errorf("verified %v: %v of %d bytes answers one of %d", verified, &p, len(d.Data), len(data))
			}
			for _, u := range p.Updates {
				found[u.ID.name] = true
			}
		}
		if n := len(c.out.Packets); !verified && (n != 1 || len(found) == 0) || verified && len(found) != 60 {
			t.Errorf("verified %v: %d packets with %d of 60", verified, n, len(found))
		}
	}
}

// knows is all that a core tells others, as text.
func (c *testCore) knows() string {
	var lines []string
	for u := range c.State() {
		lines = append(lines, key(u))
	}
	slices.Sort(lines)
	return strings.Join(lines, ", ")
}

// D18: cells that are those of nobody change nothing, and are answered by a
// question for more, by a list, or by what was made up.
func TestMadeUpCellsChangeNothing(t *testing.T) {
	rnd := newRand(4)
	wide := func(n int) []cell { return drawCells(rnd, n) }
	symbols := drawSymbols(rnd, 50)
	for _, test := range []struct {
		name  string
		cells func(s *sketch) []cell
		want  byte
		wants int // symbols
	}{
		{"one cell", func(*sketch) []cell { return wide(1) }, diffMore, 0},
		{"many cells", func(*sketch) []cell { return wide(100) }, diffMore, 0},
		{"empty cells", func(s *sketch) []cell { return make([]cell, 100) }, diffMore, 0},
		{"all cells", func(*sketch) []cell { return wide(mostCells) }, diffMore, 0},
		{"members that there are not", func(s *sketch) []cell {
			for _, symbol := range symbols {
				s.add(symbol)
			}
			return s.cells
		}, diffFound, len(symbols)},
		{"less than nothing", func(s *sketch) []cell {
			subtract(s.cells, sketchOf(len(s.cells), symbols).cells)
			return s.cells
		}, diffFound, 0},
	} {
		c := newTestCore(t, Config{MaxReceive: maxDatagram, Announce: Task{Every: Off}, Gossip: Task{Every: Off}}, "a")
		s := c.crowd(300, 100, 0)
		before := c.knows()
		answer, size := c.answered(asks("m0000000000007", 1, s.key, 0, test.cells(s), false))
		said := c.saidBy(answer)
		if said.head != test.want || said.from != 0 || len(said.symbols) != test.wants || len(answer.Updates) > 0 {
			t.Errorf("%s in %d bytes: the answer is %v, %+v", test.name, size, answer, said)
		}
		if after := c.knows(); after != before || c.Stats().Backlog > 0 {
			t.Errorf("%s: it knows %s, and knew %s", test.name, after, before)
		}
	}
	// A long exchange ends, and is answered by a list at last.
	c := newTestCore(t, calm(), "a")
	c.crowd(300, 1, 0)
	before := c.knows()
	ask := func(from, n int) []*Packet[who] {
		t.Helper()
		c.out.Reset()
		if err := c.HandleData(c.encode(to(c, asks("m0000000000007", 1, testSketchKey, from, wide(n), true))), c.out); err != nil {
			t.Fatal(err)
		}
		var sent []*Packet[who]
		for _, d := range c.out.Packets {
			var p Packet[who]
			if err := names.Parse(d.Data, &p); err != nil {
				t.Fatal(err)
			}
			sent = append(sent, &p)
		}
		return sent
	}
	for from := 0; from < 300; from += 50 {
		sent := ask(from, 50)
		said := c.saidBy(sent[0])
		if last := from == 250; last && (said.head != diffList || len(sent) != 2 || sent[1].Header.Message != MessageAnnounce) {
			t.Errorf("the end is %q, %+v", sent, said)
		} else if !last && (said.head != diffMore || said.from != from+50 || len(sent) != 1) {
			t.Errorf("after %d cells: %q, %+v", from+50, sent, said)
		}
	}
	if after := c.knows(); after != before {
		t.Errorf("it knows %s, and knew %s", after, before)
	}
}

// D18: symbols that nobody has are the records of nobody.
func TestMadeUpSymbolsAreAnsweredByNothing(t *testing.T) {
	c := newTestCore(t, calm(), "a", "b", "d")
	c.Sync(who{"b", 1}, c.out)
	c.out.Reset()
	before := c.knows()
	if err := c.diff("b", 1, appendSymbols(nil, drawSymbols(newRand(1), 100))); err != nil {
		t.Error(err)
	}
	c.wantQuiet("nobody")
	d := c.symbol(c.sync.key, who{"d", 1}, 0)
	if err := c.diff("b", 1, appendSymbols(nil, []uint64{5, d, d, 6})); err != nil {
		t.Error(err)
	}
	c.want("one that it has, once", "", "-> b records #1 [d alive 0]")
	for _, from := range []uint64{1, 5, mostCells} { // which were never sent
		if err := c.diff("b", 1, binary.AppendUvarint([]byte{diffMore}, from)); err != nil {
			t.Error(err)
		}
	}
	c.wantQuiet("cells from the middle")
	if after := c.knows(); after != before {
		t.Errorf("it knows %s, and knew %s", after, before)
	}
}

// Sync returns an error, and changes nothing, if there is nobody to ask, or no way
// to say it.
func TestSyncNeedsAnActiveMember(t *testing.T) {
	c := newTestCore(t, calm(), "a", "b", "l")
	c.noProbes()
	c.know(claim("l", 1, Suspect, 0, "b"), claim("d", 1, Down, 0, "b", "x"), claim("e", 1, Left, 0))
	c.run(time.Minute)
	c.know() // what the time is now
	c.out.Reset()
	with := func(name string, life int) func() error {
		return func() error { return c.Sync(who{name, life}, c.out) }
	}
	for _, name := range []string{"a", "d", "e", "l", "x"} {
		c.wantError(name, ErrNotConnected, with(name, 1))
	}
	c.wantError("another life", ErrNotConnected, with("b", 2))
	c.Leave(c.out)
	c.out.Reset()
	c.wantError("after Leave", ErrNotConnected, with("b", 1))

	c = newTight(t, calm(), Limits{Incarnation: 9, Number: 3, Unsynced: true})
	c.wantError("a narrow format", ErrEncode, with("b", 1))
	c = newTestCore(t, calm(), "a")
	c.wantError("nobody is known", ErrNotConnected, with("b", 1))
	c = newTestCore(t, calm(), "a", "b")
	for range 3 { // whatever the digests say, and however often
		if err := c.Sync(who{"b", 1}, c.out); err != nil {
			t.Error(err)
		}
	}
	if n := c.Stats().Sent[MessageSync]; n != 3 || len(c.sends()) != 3 {
		t.Errorf("%d packets", n)
	}
}

// D18: an exchange whose cells take many packets comes to an end all the same.
func TestManyDifferencesInSmallPackets(t *testing.T) {
	for _, most := range []int{508, 700} {
		cfg := calm()
		cfg.MaxPacket = most
		p := newPair(t, cfg)
		p.differ(3000, 1000, differences[0])
		for range 12 {
			p.sync()
			for _, c := range p.cores {
				c.now = c.now.Add(3 * c.cfg.Period)
			}
		}
		p.wantSame(fmt.Sprintf("packets of %d bytes, after 12 exchanges", most))
	}
}

// D18: a record that has no room beside the symbols goes with the next part.
func TestRecordWithoutRoomBesideSymbolsGoesWithTheNextPart(t *testing.T) {
	p := newPair(t, calm())
	p.differ(1000, 200, differences[1]) // the answerer asks for 200
	name := func(i int) string { return fmt.Sprintf("%014d", i) }
	p.know(nil, []Update[who]{claim(name(0), 1, Suspect, 0, name(1), name(2), name(3), name(4))})
	p.sync()
	p.wantSame("one suspect with four accusers")
}

// D18: a packet that comes twice costs one more, and no exchange.
func TestPacketThatComesTwiceCostsNoExchange(t *testing.T) {
	p := newPair(t, calm())
	p.differ(3000, 1000, differences[0])
	twice := true
	p.lost = func(n int, pkt *Packet[who]) bool {
		if n == 2 && twice {
			twice = false
			data, err := names.Append(nil, maxDatagram, pkt)
			if err != nil {
				t.Fatal(err)
			}
			p.guards[1].Received(data)
			_ = p.cores[1].HandleData(data, p.rts[1])
			p.check(1)
		}
		return false
	}
	p.sync()
	p.wantSame(fmt.Sprintf("%d packets", p.packets()))
}

// Hash covers whatever decides what a core does next.
func TestHashCoversWhenAnExchangeBegan(t *testing.T) {
	c := newTestCore(t, calm(), "a", "b")
	c.Sync(who{"b", 1}, c.out)
	c.diff("b", 1, []byte{diffList})
	twin := c.Clone(newRand(1))
	twin.sync.began = 1 // decides when the next may begin
	if c.Hash() == twin.Hash() {
		t.Error("the hash does not tell them apart")
	}
}

// D8: a packet is not answered by many times as many bytes.
func TestRecordsAreNotAmplified(t *testing.T) {
	c := newTestCore(t, calm(), "a", "b")
	var said []Update[who]
	for i := range 90 {
		name := fmt.Sprintf("%c%c", 'c'+i/20, 'a'+i%20)
		c.know(claim(name, 1, Down, 0, "aaaaaaaaaaaaaa", "bbbbbbbbbbbbbb", "cccccccccccccc", "dddddddddddddd"))
		said = append(said, claim(name, 1, Alive, 0), claim(name, 1, Alive, 0)) // each twice
	}
	c.out.Reset()
	data := c.encode(to(c, &Packet[who]{Header: Header[who]{Src: who{"b", 1}, Message: MessageRecords}, Updates: said}))
	c.HandleData(data, c.out)
	sent := 0
	for _, d := range c.out.Packets {
		sent += len(d.Data)
	}
	if sent > 4*len(data) {
		t.Errorf("%d bytes that nobody asked for are answered by %d packets of %d bytes", len(data), len(c.out.Packets), sent)
	}
}

// D15: members of records that nobody asked for are counted.
func TestUnaskedRecordsAreLimited(t *testing.T) {
	cfg := calm()
	cfg.MaxNewMembers = 10
	c := newTestCore(t, cfg, "a", "b")
	for i := range 1000 {
		c.hear("b", Header[who]{Message: MessageRecords}, claim(fmt.Sprintf("m%d", i), 1, Alive, 0))
	}
	if n := c.NumActive(); n > 11 {
		t.Errorf("%d members at once", n)
	}
}
