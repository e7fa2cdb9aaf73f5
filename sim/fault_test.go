package sim

import (
	"slices"
	"testing"
	"time"

	"github.com/selkie-go/selkie/swim"
)

// stage returns a rehearsal of some nodes that know each other.
func stage(t *testing.T, nodes int) *Rehearsal {
	t.Helper()
	p := Plan{Seed: 1, Profile: LAN.Name, Nodes: nodes}
	r := p.Begin(nil)
	if !r.World.RunUntil(time.Minute, func() bool { return r.World.everybodySees(nodes - 1) }) {
		t.Fatal("the nodes did not find each other")
	}
	return r
}

// view returns how many members a node sees.
func (r *Rehearsal) view(node uint32) int { return r.World.Node(node).Core().NumActive() }

// settled waits until everybody who runs sees so many others.
func (r *Rehearsal) settled(t *testing.T, others int) {
	t.Helper()
	if !r.World.RunUntil(5*time.Minute, func() bool { return r.World.everybodySees(others) }) {
		t.Errorf("not everybody sees %d others after 5 minutes", others)
	}
}

// arrivals counts the packets that reach cores, by their senders and receivers.
type arrivals map[[2]uint32]int

func (r *Rehearsal) listen() arrivals {
	h := arrivals{}
	r.World.Trace = func(e Event) {
		if e.Kind == EventReceive {
			h[[2]uint32{e.Peer, e.Node}]++
		}
	}
	return h
}

func TestEveryKindIsNamedOnce(t *testing.T) {
	all := FaultKinds()
	if len(all) != len(slices.Compact(slices.Clone(all))) || len(all) != len(kinds) {
		t.Errorf("%v", all)
	}
	for _, k := range all {
		does := 0
		for _, some := range []bool{kinds[k].node != nil, kinds[k].paths != nil, kinds[k].owners != nil} {
			if some {
				does++
			}
		}
		if does != 1 {
			t.Errorf("%s does nothing, or two things", k)
		}
	}
}

func TestCrashLastsAsLongAsItSays(t *testing.T) {
	r := stage(t, 4)
	r.begin(Fault{Name: "a", Kind: FaultCrash, For: time.Minute, Nodes: Nodes(1)})
	r.World.Run(59 * time.Second)
	if r.World.Node(1).Running() {
		t.Error("it runs before its time")
	}
	r.World.Run(2 * time.Second)
	if !r.World.Node(1).Running() {
		t.Error("it does not run again")
	}
	r.settled(t, 3)
}

func TestCrashWithoutEndIsForGoodWhateverElseHappens(t *testing.T) {
	r := stage(t, 4)
	r.begin(Fault{Name: "a", Kind: FaultCrash, Nodes: Nodes(1)})
	r.begin(Fault{Name: "b", Kind: FaultRestart, Nodes: Nodes(1)})
	r.begin(Fault{Name: "c", Kind: FaultReuse, Amount: 1, For: time.Second, Nodes: Nodes(1)})
	r.World.Run(time.Minute)
	r.heal(nil)
	if r.World.Node(1).Running() {
		t.Error("the dead came back")
	}
	r.settled(t, 2)
}

func TestProcessStartsWhenTheLastOfTwoCrashesIsOver(t *testing.T) {
	r := stage(t, 3)
	r.begin(Fault{Name: "a", Kind: FaultCrash, For: time.Minute, Nodes: Nodes(1)})
	r.begin(Fault{Name: "b", Kind: FaultCrash, For: time.Second, Nodes: Nodes(1)})
	r.World.Run(2 * time.Second)
	if r.World.Node(1).Running() {
		t.Error("the shorter crash ended the longer one")
	}
	r.World.Run(time.Minute)
	if !r.World.Node(1).Running() {
		t.Error("it does not run again")
	}
}

func TestRestartBeginsTheNextLife(t *testing.T) {
	r := stage(t, 3)
	r.begin(Fault{Name: "a", Kind: FaultRestart, Nodes: Nodes(1)})
	if id := r.World.Node(1).Core().Self().ID; id.Life != 2 || !r.World.Node(1).Running() {
		t.Errorf("%v", id)
	}
	r.settled(t, 2)
}

func TestRestartWithStateKnowsEverybodyAtOnce(t *testing.T) {
	r := stage(t, 4)
	r.begin(Fault{Name: "a", Kind: FaultRestartKnown, Nodes: Nodes(1)})
	if r.view(1) != 3 {
		t.Errorf("it knows %d", r.view(1))
	}
	r.begin(Fault{Name: "b", Kind: FaultRestartKnown, Nodes: Nodes(1), Amount: 100})
	if r.view(1) != 0 {
		t.Errorf("of nothing it remembers %d", r.view(1))
	}
	r.settled(t, 3)
}

func TestRestartWithStaleStateKnowsWhoWasThere(t *testing.T) {
	r := stage(t, 4)
	r.begin(Fault{Name: "a", Kind: FaultSave, Nodes: Nodes(1)})
	r.begin(Fault{Name: "b", Kind: FaultCrash, Nodes: Nodes(2)})
	r.settled(t, 2)
	r.begin(Fault{Name: "c", Kind: FaultRestartStale, Nodes: Nodes(1)})
	if r.view(1) != 3 {
		t.Errorf("it knows %d", r.view(1))
	}
	r.settled(t, 2)
}

func TestRestartByAClockBehindBeginsAnEarlierLife(t *testing.T) {
	r := stage(t, 3)
	for range 4 {
		r.begin(Fault{Name: "a", Kind: FaultRestart, Nodes: Nodes(1)})
	}
	r.settled(t, 2)
	r.begin(Fault{Name: "b", Kind: FaultRestartOlder, Nodes: Nodes(1), Amount: 3})
	if life := r.World.Node(1).Core().Self().ID.Life; life != 3 {
		t.Errorf("life %d", life)
	}
	r.settled(t, 2)
	if life := r.World.Node(1).Core().Self().ID.Life; life < 6 {
		t.Errorf("it lives on as %d", life)
	}
	r.begin(Fault{Name: "c", Kind: FaultRestartOlder, Nodes: Nodes(1), Amount: -1000})
	if life := r.World.Node(1).Core().Self().ID.Life; life < 1006 {
		t.Errorf("life %d", life)
	}
}

func TestAddressOfAnotherClusterIsNobody(t *testing.T) {
	r := stage(t, 4)
	r.begin(Fault{Name: "a", Kind: FaultReuse, For: time.Minute, Nodes: Nodes(2, 3), Amount: 1})
	r.World.Run(30 * time.Second)
	if r.view(0) != 1 || r.view(1) != 1 {
		t.Errorf("those who stayed see %d and %d", r.view(0), r.view(1))
	}
	if n := r.World.Node(2); n.Cluster != 1 || !n.Running() {
		t.Error("nobody is at the address")
	}
	r.World.Run(31 * time.Second)
	r.settled(t, 3)
}

func TestPacketBelongsToTheClusterThatItWasSentIn(t *testing.T) {
	r := stage(t, 2)
	got := r.listen()
	a, b := r.World.Node(0), r.World.Node(1)
	r.World.fly(flight{from: a, to: b, cluster: 1, data: []byte("x")}, 0)
	a.Cluster = 1
	r.World.Run(0)
	if got[[2]uint32{0, 1}] != 0 {
		t.Error("a packet of another cluster arrived")
	}
}

func TestLinkFaultsApplyInTheirDirectionOnly(t *testing.T) {
	r := stage(t, 3)
	got := r.listen()
	r.begin(Fault{Name: "a", Kind: FaultLink, Nodes: Nodes(1), To: Nodes(0), Link: &Link{Cut: true}, For: 10 * time.Second})
	r.World.Run(10 * time.Second)
	if got[[2]uint32{1, 0}] != 0 || got[[2]uint32{0, 1}] == 0 || got[[2]uint32{1, 2}] == 0 {
		t.Errorf("%v", got)
	}
	r.World.Run(10 * time.Second)
	if got[[2]uint32{1, 0}] == 0 {
		t.Error("the fault does not end")
	}
}

func TestPartitionLeavesBridgesAlone(t *testing.T) {
	r := stage(t, 5)
	got := r.listen()
	r.begin(Fault{Name: "a", Kind: FaultPartition, Groups: []Set{{0, 1}, {2, 3}}})
	r.World.Run(20 * time.Second)
	if got[[2]uint32{0, 2}]+got[[2]uint32{3, 1}] != 0 {
		t.Errorf("%v", got)
	}
	if got[[2]uint32{0, 1}] == 0 || got[[2]uint32{0, 4}] == 0 || got[[2]uint32{4, 3}] == 0 {
		t.Errorf("%v", got)
	}
}

func TestRingLeavesPathsToNeighboursOnly(t *testing.T) {
	r := stage(t, 6)
	got := r.listen()
	r.begin(Fault{Name: "a", Kind: FaultRing, Amount: 1})
	r.World.Run(20 * time.Second)
	for pair := range got {
		if apart := (pair[0] + 6 - pair[1]) % 6; apart != 1 && apart != 5 {
			t.Errorf("%d reached %d", pair[0], pair[1])
		}
	}
	if got[[2]uint32{5, 0}] == 0 || got[[2]uint32{2, 3}] == 0 {
		t.Errorf("%v", got)
	}
}

func TestFlappingLinkComesAndGoes(t *testing.T) {
	r := stage(t, 3)
	r.begin(Fault{Name: "a", Kind: FaultLink, Link: &Link{Cut: true}, Every: 2 * time.Second, For: 9 * time.Second})
	for second := range 12 {
		if cut := len(r.World.impairments) > 0; cut != (second < 9 && second%2 == 0) {
			t.Errorf("after %d s: cut is %v", second, cut)
		}
		r.World.Run(time.Second)
	}
}

func TestPausedProcessFindsWhatWaited(t *testing.T) {
	r := stage(t, 3)
	got := r.listen()
	r.begin(Fault{Name: "a", Kind: FaultPause, For: 3 * time.Second, Nodes: Nodes(1)})
	r.World.Run(2999 * time.Millisecond)
	if got[[2]uint32{0, 1}]+got[[2]uint32{2, 1}] != 0 {
		t.Error("it read while it stood still")
	}
	r.World.Run(time.Millisecond)
	if got[[2]uint32{0, 1}]+got[[2]uint32{2, 1}] == 0 {
		t.Error("nothing waited")
	}
}

func TestBlockedProcessGoesOnButForItsPackets(t *testing.T) {
	r := stage(t, 3)
	got, n := r.listen(), r.World.Node(1)
	r.begin(Fault{Name: "a", Kind: FaultBlock, For: 3 * time.Second, Nodes: Nodes(1)})
	pings := n.core.Stats().Sent[swim.MessagePing]
	r.World.Run(2999 * time.Millisecond)
	if got[[2]uint32{0, 1}]+got[[2]uint32{2, 1}]+got[[2]uint32{1, 0}]+got[[2]uint32{1, 2}] != 0 {
		t.Error("it sent or read")
	}
	if n.core.Stats().Sent[swim.MessagePing] == pings {
		t.Error("its timers stand still")
	}
	r.World.Run(2 * time.Millisecond)
	if got[[2]uint32{0, 1}]+got[[2]uint32{2, 1}] == 0 || got[[2]uint32{1, 0}]+got[[2]uint32{1, 2}] == 0 {
		t.Error("nothing waited")
	}
	r.settled(t, 2)
}

func TestEndOfAPauseDoesNotEndThatOfTheNextProcess(t *testing.T) {
	r := stage(t, 3)
	r.begin(Fault{Name: "a", Kind: FaultPause, For: 3 * time.Second, Nodes: Nodes(1)})
	r.begin(Fault{Name: "b", Kind: FaultRestart, Nodes: Nodes(1)})
	r.begin(Fault{Name: "c", Kind: FaultPause, For: time.Minute, Nodes: Nodes(1)})
	r.World.Run(10 * time.Second)
	if r.World.Node(1).stopped != 1 {
		t.Errorf("stopped %d times", r.World.Node(1).stopped)
	}
}

func TestFrozenClockStandsStill(t *testing.T) {
	r := stage(t, 2)
	n := r.World.Node(1)
	before := n.clock.at(r.World.now)
	r.begin(Fault{Name: "a", Kind: FaultFreeze, For: time.Minute, Nodes: Nodes(1)})
	r.World.Run(time.Minute)
	if d := n.clock.at(r.World.now).Sub(before); d != 0 {
		t.Errorf("it went on by %v", d)
	}
	r.World.Run(time.Second)
	if d := n.clock.at(r.World.now).Sub(before); d != time.Second {
		t.Errorf("it goes on by %v in a second", d)
	}
}

func TestSlownessOfNodesAddsUpAndEnds(t *testing.T) {
	for k, field := range map[FaultKind]func(*Node) *time.Duration{
		FaultSlow:  func(n *Node) *time.Duration { return &n.Cost },
		FaultLag:   func(n *Node) *time.Duration { return &n.Lag },
		FaultEarly: func(n *Node) *time.Duration { return &n.Early },
		FaultGrain: func(n *Node) *time.Duration { return &n.Grain },
	} {
		r := stage(t, 2)
		at := field(r.World.Node(1))
		r.begin(Fault{Name: "a", Kind: k, For: time.Minute, Nodes: Nodes(1), Amount: 1000})
		r.begin(Fault{Name: "b", Kind: k, For: time.Second, Nodes: Nodes(1), Amount: 10})
		if *at != 1010 {
			t.Errorf("%s: %v", k, *at)
		}
		r.World.Run(2 * time.Second)
		if *at != 1000 {
			t.Errorf("%s: %v after one has ended", k, *at)
		}
		r.World.Run(time.Minute)
		if *at != 0 {
			t.Errorf("%s: %v after both have ended", k, *at)
		}
	}
}

func TestCoarseTimersComeTogether(t *testing.T) {
	r := stage(t, 3)
	r.begin(Fault{Name: "a", Kind: FaultGrain, Nodes: Nodes(1), Amount: int64(100 * time.Millisecond)})
	r.World.Run(2 * time.Second)
	r.World.Trace = func(e Event) {
		if e.Kind == EventTimer && e.Node == 1 && time.Duration(e.At)%(100*time.Millisecond) != 0 {
			t.Errorf("%v at %v", e.Timer, e.At)
		}
	}
	r.World.Run(10 * time.Second)
}

func TestClocksGoWrongAndRightAgain(t *testing.T) {
	r := stage(t, 2)
	n := r.World.Node(1)
	elapsed := func(d time.Duration) time.Duration {
		before := n.clock.at(r.World.now)
		r.World.Run(d)
		return n.clock.at(r.World.now).Sub(before)
	}
	r.begin(Fault{Name: "a", Kind: FaultClockRate, For: 10 * time.Second, Nodes: Nodes(1), Amount: 100_000})
	r.begin(Fault{Name: "b", Kind: FaultClockRate, For: 5 * time.Second, Nodes: Nodes(1), Amount: -1000})
	if d := elapsed(5 * time.Second); d != 5495*time.Millisecond {
		t.Errorf("%v in 5 s", d)
	}
	if d := elapsed(5 * time.Second); d != 5500*time.Millisecond {
		t.Errorf("%v in 5 s", d)
	}
	if d := elapsed(5 * time.Second); d != 5*time.Second {
		t.Errorf("%v in 5 s", d)
	}
	before := n.clock.at(r.World.now)
	r.begin(Fault{Name: "c", Kind: FaultClockStep, Nodes: Nodes(1), Amount: int64(-time.Second)})
	if d := n.clock.at(r.World.now).Sub(before); d != -time.Second {
		t.Errorf("it stepped by %v", d)
	}
	r.World.Run(time.Minute)
	r.settled(t, 1)
}

func TestJoiningNodesHaveTheNumbersOfThePlan(t *testing.T) {
	r := stage(t, 3)
	r.begin(Fault{Name: "a", Kind: FaultJoin, For: 5 * time.Second, Nodes: Nodes(4, 6), To: Nodes(1)})
	r.settled(t, 4)
	for n, runs := range []bool{true, true, true, false, true, false, true} {
		if r.World.Node(uint32(n)).Running() != runs {
			t.Errorf("node %d runs: %v", n, !runs)
		}
	}
	if s := r.World.Node(4).Seeds; !slices.Equal(s, Nodes(1)) {
		t.Errorf("seeds %v", s)
	}
}

func TestOneWhoLeavesIsNotTakenForDead(t *testing.T) {
	r := stage(t, 4)
	r.begin(Fault{Name: "a", Kind: FaultLeave, Nodes: Nodes(1), Amount: int64(2 * time.Second), For: time.Minute})
	r.World.Run(10 * time.Second)
	if m, _ := r.World.Node(0).Core().Member(1); m.State != swim.Left {
		t.Errorf("%v", m)
	}
	if r.World.Node(1).Running() {
		t.Error("it did not end after its goodbye")
	}
	r.World.Run(time.Minute)
	r.settled(t, 3)
}

func TestOneWhoRejoinsIsTheSameProcessWithAnotherName(t *testing.T) {
	r := stage(t, 4)
	n := r.World.Node(1)
	epoch := n.epoch
	r.begin(Fault{Name: "a", Kind: FaultRejoin, Nodes: Nodes(1), For: 10 * time.Millisecond})
	r.World.Run(time.Second)
	if n.epoch != epoch || n.Core().Self().ID.Life != 2 {
		t.Errorf("%v", n.Core().Self())
	}
	r.settled(t, 3)
}

func TestConfigurationIsPutBack(t *testing.T) {
	r := stage(t, 3)
	cfg := swim.LAN(3)
	cfg.Period = 3 * time.Second
	n := r.World.Node(1)
	r.begin(Fault{Name: "a", Kind: FaultConfigure, Nodes: Nodes(1), For: time.Minute, Config: &cfg})
	if p := n.Core().Config().Period; p != 3*time.Second {
		t.Errorf("%v", p)
	}
	r.World.Run(time.Minute)
	if p := n.Core().Config().Period; p != time.Second {
		t.Errorf("%v", p)
	}
}

func TestMetadataReachesEverybody(t *testing.T) {
	r := stage(t, 8)
	r.begin(Fault{Name: "a", Kind: FaultMetadata, For: 10 * time.Second, Every: time.Second, InTurn: true})
	r.World.Run(30 * time.Second)
	for _, n := range r.World.Nodes() {
		for _, m := range r.World.Nodes() {
			if seen, ok := n.Core().Member(m.number); ok && seen.Metadata != m.Core().Self().Metadata {
				t.Errorf("node %d: %v", n.number, seen)
			}
		}
	}
	if r.World.Node(0).Core().Self().Metadata != 2 || r.World.Node(2).Core().Self().Metadata != 1 {
		t.Error("the nodes did not take turns")
	}
}

func TestPayloadsReachEverybody(t *testing.T) {
	r := &Rehearsal{World: New(1, LAN)}
	heard := make([]news, 8)
	for i := range heard {
		heard[i] = news{}
		n := r.add()
		n.Handler = func() swim.BroadcastHandler[ID] { return heard[i] }
		n.Start(Boot{})
	}
	r.World.Run(time.Minute)
	r.begin(Fault{Name: "a", Kind: FaultBroadcast, Nodes: Nodes(3), Amount: 1000})
	r.World.Run(10 * time.Second)
	for i, h := range heard {
		if len(h) != 1 {
			t.Errorf("node %d heard %v", i, h)
		}
	}
}

func TestOnlyNewerNewsSpreads(t *testing.T) {
	n := newNews()
	for _, c := range []struct {
		item        string
		spread, bad bool
	}{{"a=2", true, false}, {"a=2", false, false}, {"a=1 x", false, false}, {"a=3 x", true, false}, {"b=0", true, false},
		{"a", false, true}, {"a=", false, true}, {"", false, true}, {"a=x", false, true}} {
		_, spread, err := n.Receive([]byte(c.item), ID{})
		if spread != c.spread || (err != nil) != c.bad {
			t.Errorf("%q: %v, %v", c.item, spread, err)
		}
	}
}

func TestMisuseDoesNoLastingHarm(t *testing.T) {
	r := stage(t, 5)
	r.begin(Fault{Name: "a", Kind: FaultMisuse, Nodes: Nodes(1, 2), For: time.Minute, Every: 50 * time.Millisecond, Each: time.Second})
	r.World.Run(2 * time.Minute)
	r.settled(t, 4)
	if !r.World.oracle.trust {
		t.Error("what owners do is no lie")
	}
}

func TestGarbageIsRefusedOrHeals(t *testing.T) {
	r := stage(t, 4)
	before := r.World.Node(1).Core().Stats().Drops[swim.DropMalformed]
	r.begin(Fault{Name: "a", Kind: FaultGarbage, Nodes: Nodes(1), For: 10 * time.Second, Every: 50 * time.Millisecond, Amount: 8})
	r.World.Run(10 * time.Second)
	if d := r.World.Node(1).Core().Stats().Drops[swim.DropMalformed] - before; d < 100 {
		t.Errorf("%d malformed packets", d)
	}
	if r.World.oracle.trust {
		t.Error("what members hear is still believed")
	}
}

func TestNoiseIsRefusedAndNobodyIsDistrusted(t *testing.T) {
	r := stage(t, 3)
	r.begin(Fault{Name: "a", Kind: FaultNoise, Nodes: Nodes(1), For: 10 * time.Second, Every: 100 * time.Millisecond, Amount: 4})
	r.World.Run(time.Minute)
	if d := r.World.Node(1).Core().Stats().Drops[swim.DropMalformed]; d < 50 {
		t.Errorf("%d malformed packets", d)
	}
	if !r.World.oracle.trust {
		t.Error("what members say is no longer believed")
	}
	for _, v := range r.World.Violations {
		t.Error(v)
	}
}

func TestAgedMemberRefutesUntilItHasToRenew(t *testing.T) {
	r := stage(t, 5)
	n := r.World.Node(2)
	was := n.Core().Self()
	r.begin(Fault{Name: "a", Kind: FaultAge, Nodes: Nodes(2)})
	if now := n.Core().Self(); now.ID != was.ID || now.Incarnation < 1<<64-3 {
		t.Fatalf("%v is not old", now)
	}
	others := Nodes(0, 1, 3, 4)
	for range 4 {
		cut := r.World.Partition(Nodes(2), others)
		r.World.Run(3 * r.World.profile.Config.Period)
		cut.End()
		r.World.Run(20 * r.World.profile.Config.Period)
	}
	if now := n.Core().Self(); now.ID.Life == was.ID.Life {
		t.Errorf("it goes on as %v, whose incarnations are used up", now)
	}
	r.settled(t, 4)
	for _, v := range r.World.Violations {
		t.Error(v)
	}
}

func TestLiarsAreHeardAndDistrusted(t *testing.T) {
	r := stage(t, 6)
	known := r.World.Node(0).Core().Stats()
	r.begin(Fault{Name: "a", Kind: FaultLies, Nodes: Nodes(5), For: 20 * time.Second, Every: 100 * time.Millisecond, Amount: 4})
	r.World.Run(10 * time.Second)
	after := r.World.Node(0).Core().Stats()
	if after.Refutations == known.Refutations || after.Alive+after.Suspect+after.Down+after.Left == known.Alive {
		t.Error("nobody listens")
	}
	if r.World.oracle.trust {
		t.Error("what members hear is still believed")
	}
}

func TestFaultsToNodesThatDoNotExistDoNothing(t *testing.T) {
	hash := func(with bool) uint64 {
		r := stage(t, 3)
		for _, k := range FaultKinds() {
			if with && kinds[k].dishonest == "" && k != FaultJoin {
				r.begin(Fault{Name: "a", Kind: k, Nodes: Nodes(17), To: Nodes(18), Groups: []Set{{17}, {18, 1}}, Link: &Link{Cut: true}, For: 5 * time.Second, Amount: 1})
			}
		}
		r.World.Run(10 * time.Second)
		return r.World.Hash()
	}
	if hash(true) != hash(false) {
		t.Error("something happened")
	}
}

func TestHealingEndsWhatIsInTheCoreAndKeepsTheRest(t *testing.T) {
	r := stage(t, 6)
	far := 10 * time.Minute
	r.begin(Fault{Name: "a", Kind: FaultPartition, Groups: []Set{{0, 1, 2}, {3, 4, 5}}, For: far})
	r.begin(Fault{Name: "b", Kind: FaultPause, Nodes: Nodes(1, 5), For: 2 * time.Minute})
	r.begin(Fault{Name: "c", Kind: FaultCrash, Nodes: Nodes(2, 4), For: 2 * time.Minute})
	r.begin(Fault{Name: "d", Kind: FaultLink, Link: &Link{Loss: 1}, Every: 2 * time.Second, For: far})
	r.World.After(30*time.Second, func() { r.begin(Fault{Name: "e", Kind: FaultCrash, Nodes: Nodes(0), For: far}) })
	r.World.Run(20 * time.Second)
	core := Nodes(0, 1, 2, 3)
	r.heal(core)
	got := r.listen()
	r.World.Run(5 * time.Minute)
	for _, n := range core {
		if r.view(n) != 3 {
			t.Errorf("node %d of the core sees %d", n, r.view(n))
		}
	}
	if r.World.Node(4).Running() || r.World.Node(5).stopped != 1 {
		t.Error("what is outside the core was healed")
	}
	if got[[2]uint32{0, 5}]+got[[2]uint32{5, 0}] != 0 {
		t.Error("a path out of the core was healed")
	}
}

func TestHealingWithoutACoreEndsEverything(t *testing.T) {
	r := stage(t, 5)
	far := 10 * time.Minute
	r.begin(Fault{Name: "a", Kind: FaultPartition, Groups: []Set{{0, 1, 2}, {3, 4}}, For: far})
	r.begin(Fault{Name: "b", Kind: FaultCrash, Nodes: Nodes(2), For: far})
	r.begin(Fault{Name: "c", Kind: FaultFreeze, Nodes: Nodes(3), For: far})
	r.World.Run(time.Minute)
	r.heal(nil)
	if len(r.strikes)+len(r.World.impairments) != 0 {
		t.Errorf("%d faults and %d impairments are left", len(r.strikes), len(r.World.impairments))
	}
	r.settled(t, 4)
}

// What one fault does by chance does not depend on which others there are.
func TestLuckOfAFaultIsItsOwn(t *testing.T) {
	starts := func(others bool) (at []swim.Instant) {
		r := stage(t, 3)
		r.World.Trace = func(e Event) {
			if e.Kind == EventStart && e.Node > 2 {
				at = append(at, e.At)
			}
		}
		if others {
			r.begin(Fault{Name: "b", Kind: FaultMisuse, Nodes: Nodes(1)})
			r.begin(Fault{Name: "c", Kind: FaultLink, Link: &Link{Loss: 0.5}})
			r.begin(Fault{Name: "d", Kind: FaultGarbage, Nodes: Nodes(0), Amount: 5})
		}
		r.begin(Fault{Name: "a", Kind: FaultJoin, Nodes: Nodes(3, 4, 5, 6), For: time.Minute})
		r.World.Run(time.Minute)
		return at
	}
	if alone, among := starts(false), starts(true); len(alone) != 4 || !slices.Equal(alone, among) {
		t.Errorf("%v alone, %v among others", alone, among)
	}
}

// An old packet does not arrive either where none does.
func TestNothingIsReplayedWhereThePathIsCut(t *testing.T) {
	r := stage(t, 3)
	r.begin(Fault{Name: "a", Kind: FaultLink, Link: &Link{Replay: 0.9}})
	r.World.Run(20 * time.Second)
	r.begin(Fault{Name: "b", Kind: FaultPartition, Groups: []Set{{0, 1}, {2}}})
	r.World.Run(2 * time.Second) // what is under way arrives
	got := r.listen()
	r.World.Run(20 * time.Second)
	if old := got[[2]uint32{0, 2}] + got[[2]uint32{2, 0}]; old != 0 || got[[2]uint32{0, 1}] == 0 {
		t.Errorf("%d packets crossed the cut", old)
	}
}

// What a liar said of others is not held against them once all have healed.
func TestNobodyHasLeftBecauseALiarSaidSo(t *testing.T) {
	r := stage(t, 3)
	r.World.oracle.distrust("the test wants it")
	r.World.oracle.admit(&swim.Update[ID]{Member: swim.Member[ID]{ID: r.World.Node(1).Core().Self().ID, State: swim.Left}})
	r.World.oracle.trustAgain()
	r.World.Run(10 * time.Second)
	for _, v := range r.World.Violations {
		t.Error(v)
	}
}
