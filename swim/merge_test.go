package swim

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// D2, and the order of truth: it is total, and an incarnation has no end
// before the largest number.
func TestOrderOfTruthIsALadder(t *testing.T) {
	const most = 1<<64 - 1
	var ladder []Member[who]
	for _, inc := range []Incarnation{0, 1, 2, 255, 256, 65535, 65536, 1 << 32, most - 1, most} {
		for _, s := range []State{Alive, Suspect, Down} {
			ladder = append(ladder, Member[who]{Incarnation: inc, State: s})
		}
	}
	ladder = append(ladder, Member[who]{State: Left})
	for i, a := range ladder {
		for j, b := range ladder {
			got := compareTruth(a.Incarnation, a.State, b.Incarnation, b.State)
			if (got < 0) != (i < j) || (got > 0) != (i > j) {
				t.Errorf("comparing %v with %v gives %d", a, b, got)
			}
		}
	}
	for _, inc := range []Incarnation{0, 1, most} {
		if compareTruth(inc, Left, 0, Left) != 0 {
			t.Errorf("a goodbye at incarnation %d differs from one at 0", inc)
		}
	}
}

// A lattice merges records of one address, in a core.
type lattice struct{ core *testCore }

func newLattice(t *testing.T) *lattice {
	cfg := Config{AnnounceDown: Task{Every: Off}}
	cfg.Rules.SoleVerdict = true
	return &lattice{core: newTestCore(t, cfg, "z", "y")}
}

// merge applies records one after the other to a core that knows nothing of
// their member, and returns the record that it has then.
func (l *lattice) merge(records ...Update[who]) Update[who] {
	c := l.core
	c.now++
	c.enter(c.out)
	for i := range records {
		c.scratch = records[i]
		c.apply(&c.scratch, origin{owner: true})
	}
	slot, known := c.roster.find("m")
	if !known {
		c.t.Fatalf("merging %v left nothing", records)
	}
	var u Update[who]
	c.fill(&u, c.roster.at(slot))
	u.By = slices.Clone(u.By)
	slices.SortFunc(u.By, func(a, b who) int { return strings.Compare(a.String(), b.String()) })
	c.expel(slot)
	c.exit()
	c.out.Reset()
	return u
}

// key is a record as text, whole.
func key(u Update[who]) string {
	return fmt.Sprintf("%v at %d metadata %d", u, u.Incarnation, u.Metadata)
}

// smallRecords are all records of one address with few lives, incarnations,
// sets of accusers and metadata versions.
func smallRecords() (all []Update[who]) {
	accusers := [][]who{nil, {{"a", 1}}, {{"a", 2}, {"b", 1}}, {{"b", 1}, {"c", 1}, {"d", 1}, {"e", 1}}}
	for life := 1; life <= 2; life++ {
		for meta := range uint64(2) {
			m := Member[who]{ID: who{"m", life}, Metadata: meta}
			for inc := range Incarnation(2) {
				m.Incarnation = inc
				m.State = Alive
				all = append(all, Update[who]{Member: m})
				for _, by := range accusers {
					for _, s := range []State{Suspect, Down} {
						m.State = s
						all = append(all, Update[who]{Member: m, By: by})
					}
				}
			}
			for inc := range Incarnation(2) { // which a goodbye does not have
				all = append(all, Update[who]{Member: Member[who]{ID: m.ID, Metadata: meta, State: Left, Incarnation: inc}})
			}
		}
	}
	return all
}

// Rules 4-6, 8 and D2: merging is idempotent, commutative and associative over
// all triples of whole records.
func TestMergingIsALattice(t *testing.T) {
	l := newLattice(t)
	records := smallRecords()
	n := len(records)
	pairs := make([]Update[who], n*n)
	for i, a := range records {
		if got := key(l.merge(a, a)); got != key(l.merge(a)) {
			t.Fatalf("%v twice gives %v", key(a), got)
		}
		for j, b := range records {
			pairs[i*n+j] = l.merge(a, b)
		}
	}
	keys := make([]string, n*n)
	for i := range pairs {
		keys[i] = key(pairs[i])
	}
	for i := range records {
		for j := range records {
			if keys[i*n+j] != keys[j*n+i] {
				t.Fatalf("%v and %v give %v one way and %v the other", key(records[i]), key(records[j]), keys[i*n+j], keys[j*n+i])
			}
		}
	}
	results := make(map[string]string) // of merging a record with a pair
	for i, a := range records {
		clear(results)
		for jk, pair := range pairs {
			right, known := results[keys[jk]]
			if !known {
				right = key(l.merge(a, pair))
				results[keys[jk]] = right
			}
			// The other grouping: what a and b give, with c.
			left := key(l.merge(pairs[i*n+jk/n], records[jk%n]))
			if left != right {
				t.Fatalf("%v, %v, %v give %v or %v by how they are grouped", key(a), key(records[jk/n]), key(records[jk%n]), left, right)
			}
		}
	}
}

// S28: up to six records give one result, in whatever order and however often
// they come.
func TestAllOrdersOfSixRecordsGiveOneResult(t *testing.T) {
	l := newLattice(t)
	records := smallRecords()
	rnd := rand.New(rand.NewPCG(3, 4))
	for range 12 {
		six := make([]Update[who], 6)
		for i := range six {
			six[i] = records[rnd.IntN(len(records))]
		}
		want := key(l.merge(six...))
		for order := range permutations(6) {
			var play []Update[who]
			for _, i := range order {
				play = append(play, six[i])
				if rnd.IntN(2) == 0 {
					play = append(play, play[rnd.IntN(len(play))])
				}
			}
			if got := key(l.merge(play...)); got != want {
				t.Fatalf("%v gives %v, another order %v", play, got, want)
			}
		}
	}
}

// permutations yields all orders of the first n numbers.
func permutations(n int) func(yield func([]int) bool) {
	return func(yield func([]int) bool) {
		var order []int
		var choose func() bool
		choose = func() bool {
			if len(order) == n {
				return yield(order)
			}
			for i := range n {
				if !slices.Contains(order, i) {
					order = append(order, i)
					if !choose() {
						return false
					}
					order = order[:len(order)-1]
				}
			}
			return true
		}
		choose()
	}
}

// Rules 4-6: of one identity the larger record counts, and a goodbye is final.
func TestLaterRecordReplacesAnEarlierOne(t *testing.T) {
	c := newTestCore(t, Config{}, "a", "b", "c")
	for _, step := range []struct {
		heard Update[who]
		want  string
	}{
		{claim("b", 1, Suspect, 0, "c"), "b suspect 0 by c"},
		{claim("b", 1, Alive, 0), "b suspect 0 by c"},
		{claim("b", 1, Alive, 1), "b alive 1"},
		{claim("b", 1, Suspect, 0, "d"), "b alive 1"},
		{claim("b", 1, Left, 0), "b left"},
		{claim("b", 1, Alive, 7), "b left"},
		{claim("b", 1, Down, 7, "c"), "b left"},
	} {
		if err := c.hear("c", gossip, step.heard); err != nil {
			t.Error(err)
		}
		c.wantMember("b", step.want)
	}
	c.want("only the goodbye is an event", "left b", c.sends()...)
}

// Rules 7, 16, 79 and 91: an identity that lost its address changes nothing.
func TestRecordOfASupersededIdentityIsLost(t *testing.T) {
	c := newTestCore(t, Config{}, "a", "c")
	c.know(claim("b", 5, Alive, 2))
	c.want("b is new", "up b5")
	c.wantDrop("an old life", DropOldIdentity, func() error { return c.know(claim("b", 4, Alive, 9)) })
	c.wantDrop("an old life that is down", DropOldIdentity, func() error { return c.know(claim("b", 4, Down, 9, "c")) })
	err := c.hear("b", Header[who]{Src: who{"b", 4}, Message: MessageGossip}, claim("x", 1, Alive, 0))
	if err != DropDownSender {
		t.Error("a packet of the old life:", err)
	}
	c.wantMember("x", "unknown")
	c.wantMember("b", "b5 alive 2")
}

// A brokenID can not say which of two lives is the later one.
type brokenID struct {
	name string
	life int
	yes  bool
}

func (b brokenID) Addr() string             { return b.name }
func (b brokenID) Supersedes(brokenID) bool { return b.yes }
func (b brokenID) Renew() (brokenID, bool)  { return b, false }

// Rule 7: if two identities supersede each other, or neither does, the record
// is dropped and counted.
func TestIdentitiesWithoutAnOrderAreDropped(t *testing.T) {
	codec := Plain(
		func(b []byte, id brokenID) []byte { return append(b, id.name[0], byte(id.life), 1) },
		func([]byte) (brokenID, int, error) { return brokenID{}, 0, ErrMalformed },
		16,
	)
	for _, yes := range []bool{true, false} {
		out := NewOutbox[brokenID](func() Instant { return 0 })
		core, err := New(brokenID{"a", 1, yes}, Config{}, codec, rand.New(rand.NewPCG(1, 1)))
		if err != nil {
			t.Fatal(err)
		}
		apply := func(name string, life int) {
			u := Update[brokenID]{Member: Member[brokenID]{ID: brokenID{name, life, yes}}}
			if err := core.Apply(slices.Values([]Update[brokenID]{u}), true, out); err != nil {
				t.Error(err)
			}
		}
		apply("b", 1)
		hash := core.Hash()
		apply("b", 2)
		apply("a", 2)
		if got := core.Stats().Drops[DropUnordered]; got != 2 || core.Hash() != hash {
			t.Errorf("supersedes is always %v: %d drops, state changed: %v", yes, got, core.Hash() != hash)
		}
	}
}

// Rules 8, 17 and 90: a later life replaces the whole record, and each case is
// told in its own way.
func TestLaterLifeIsToldByWhatWasActive(t *testing.T) {
	for _, test := range []struct {
		name     string
		old, new Update[who]
		told     string
		active   int
	}{
		{"both active", claim("b", 1, Alive, 3), claim("b", 2, Alive, 0), "rename b2 (was b)", 1},
		{"a suspect and its successor", claim("b", 1, Suspect, 3, "x"), claim("b", 2, Alive, 0), "rename b2 (was b)", 1},
		{"old inactive", claim("b", 1, Left, 0), claim("b", 2, Alive, 0), "up b2, active", 1},
		{"old down", claim("b", 1, Down, 0, "x"), claim("b", 2, Suspect, 0, "x"), "up b2, active", 1},
		{"to a newer one that left", claim("b", 1, Alive, 3), claim("b", 2, Left, 0), "rename b2 (was b), left b2, idle", 0},
		{"both inactive", claim("b", 1, Left, 0), claim("b", 2, Down, 0, "x"), "", 0},
	} {
		c := newTestCore(t, Config{}, "a")
		c.know(test.old)
		c.told()
		c.know(test.new)
		if got := c.told(); got != test.told {
			t.Errorf("%s: told %q, want %q", test.name, got, test.told)
		}
		if c.NumActive() != test.active {
			t.Errorf("%s: %d active, want %d", test.name, c.NumActive(), test.active)
		}
		c.wantMember("b", test.new.String())
	}
}

// Rules 9, 10, 12, 40 and 87: a new active member changes the active set, a
// new down one does not; and what the owner applies silently is not told.
func TestOnlyActiveMembersAreUp(t *testing.T) {
	c := newTestCore(t, Config{}, "a")
	c.know(claim("b", 1, Down, 0, "x"), claim("c", 1, Left, 0))
	c.want("down and left ones were never up", "")
	if c.NumActive() != 0 {
		t.Errorf("%d active", c.NumActive())
	}
	c.know(claim("d", 1, Suspect, 0, "x"), claim("e", 1, Alive, 0))
	c.want("a suspect takes part", "up d, up e, active")
	s := c.Stats()
	if s.Alive != 1 || s.Suspect != 1 || s.Down != 1 || s.Left != 1 || s.Backlog != 0 || c.NumActive() != 2 {
		t.Errorf("%+v", s)
	}
	if err := c.Apply(slices.Values([]Update[who]{claim("f", 1, Alive, 0)}), true, c.out); err != nil || c.Stats().Backlog != 1 {
		t.Errorf("applied to be told: %d in the backlog, %v", c.Stats().Backlog, err)
	}
}

// Rule 11: the roster never holds our own address, whatever life is named.
func TestRosterNeverHoldsOurselves(t *testing.T) {
	c := newTestCore(t, Config{}, "a", "b")
	for _, u := range []Update[who]{claim("a", 1, Alive, 0), claim("a", 0, Alive, 3), claim("a", 0, Down, 3, "x")} {
		c.know(u)
	}
	for u := range c.State() {
		if u.ID.name == "a" && u.ID != c.Self().ID {
			t.Errorf("the roster holds %v", u)
		}
	}
	if c.roster.len() != 1 {
		t.Errorf("%d members", c.roster.len())
	}
}

// Rule 41: well-known members may be applied as down in generation 0; they are
// contacted, and any life there is later.
func TestWellKnownMembersAreContactedWhileDown(t *testing.T) {
	c := newTestCore(t, Config{}, "a")
	c.know(claim("b", 0, Down, 0))
	c.want("nobody is up", "")
	c.run(2 * c.Config().Period)
	if sent := c.sends(); len(sent) == 0 || sent[0] != "-> b0 announce" {
		t.Errorf("sent %q", sent)
	}
	if err := c.hear("b", Header[who]{Message: MessageFeed}); err != nil {
		t.Error(err)
	}
	c.want("its answer makes it a member", "up b, active")
}

// Rules 62 and 88, D14: what is news is queued again, with a full budget; what
// is known is counted and nothing else; the metadata version is merged alone.
func TestOnlyNewsIsToldAgain(t *testing.T) {
	c := newTestCore(t, Config{Gossip: Task{Every: Off}}, "a", "b", "c")
	queued := func(why string, want int, u Update[who]) {
		t.Helper()
		c.backlog = backlog{}
		if err := c.hear("c", gossip, u); err != nil {
			t.Error(err)
		}
		if got := c.Stats().Backlog; got != want {
			t.Errorf("%s: %d in the backlog, want %d", why, got, want)
		}
	}
	queued("alive again", 0, claim("b", 1, Alive, 0))
	queued("a suspicion", 1, claim("b", 1, Suspect, 0, "c"))
	queued("the same", 0, claim("b", 1, Suspect, 0, "c"))
	queued("one more accuser", 1, claim("b", 1, Suspect, 0, "d"))
	queued("an older metadata version", 0, claim("b", 1, Alive, 0))
	meta := claim("b", 1, Alive, 0)
	meta.Metadata = 3
	queued("a newer metadata version", 1, meta)
	c.wantMember("b", "b suspect 0 by c+d")
	if m, _ := c.Member("b"); m.Metadata != 3 {
		t.Errorf("metadata %d", m.Metadata)
	}
	c.told()
}

// D15: unknown members are taken in at a limited rate, unless a member that
// answered our question names them, or the owner does.
func TestNewMembersComeAtALimitedRate(t *testing.T) {
	c := newTestCore(t, Config{MaxNewMembers: 2}, "a", "b")
	news := []Update[who]{claim("p", 1, Alive, 0), claim("q", 1, Alive, 0), claim("r", 1, Alive, 0)}
	if err := c.hear("b", gossip, news...); err != nil {
		t.Error(err)
	}
	c.wantMember("q", "q alive 0")
	c.wantMember("r", "unknown")
	if c.Stats().Drops[DropNewRate] != 1 {
		t.Error("the third was not counted")
	}
	if err := c.know(claim("s", 1, Alive, 0)); err != nil {
		t.Error(err)
	}
	c.wantMember("s", "s alive 0")
	c.Announce(who{"b", 0}, c.out)
	if err := c.hear("b", Header[who]{Message: MessageFeed}, claim("t", 1, Alive, 0)); err != nil {
		t.Error(err)
	}
	c.wantMember("t", "t alive 0")
	c.now += Instant(1e9)
	if err := c.hear("b", gossip, claim("r", 1, Alive, 0)); err != nil {
		t.Error(err)
	}
	c.wantMember("r", "r alive 0")
}
