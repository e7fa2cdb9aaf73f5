package sim

import (
	"maps"
	"testing"
	"time"

	"github.com/selkie-go/selkie/swim"
	"github.com/selkie-go/selkie/transport/sealed"
)

// lockedLAN is a data centre whose packets are sealed.
func lockedLAN() Profile {
	p := LAN
	p.Wire = WireSealed
	return p
}

// sealedStage is stage for a cluster whose packets are sealed.
func sealedStage(t *testing.T, nodes int) *Rehearsal {
	t.Helper()
	r := Plan{Seed: 1, Profile: LAN.Name, Wire: WireSealed, Nodes: nodes}.Begin(nil)
	r.settled(t, nodes-1)
	return r
}

// kept reports the promises that were broken.
func (r *Rehearsal) kept(t *testing.T) {
	t.Helper()
	for _, v := range r.World.Violations {
		t.Error(v)
	}
}

// broke reports whether a promise was broken.
func (r *Rehearsal) broke(invariant string) bool {
	for _, v := range r.World.Violations {
		if v.Invariant == invariant {
			return true
		}
	}
	return false
}

// A sealed cluster keeps all promises, whatever goes wrong in it.
func TestSealedClustersKeepTheirPromises(t *testing.T) {
	wire := WireSealed
	for seed := range uint64(100) {
		p := Draw(seed, Mix{MaxNodes: 16, Least: time.Minute, Most: 3 * time.Minute, Wire: &wire})
		for _, v := range p.Run(nil).Violations {
			t.Errorf("seed %d: %v", seed, v)
		}
	}
}

// The luck of sealing follows from the seed, too.
func TestSameSeedSameSealedRun(t *testing.T) {
	wire := WireSealed
	for seed := range uint64(20) {
		p := Draw(seed, Mix{MaxNodes: 8, Least: time.Minute, Most: time.Minute, Wire: &wire})
		if a, b := p.Run(nil), p.Run(func(Event) {}); a.Hash != b.Hash || !maps.Equal(a.Marks, b.Marks) {
			t.Errorf("seed %d: %x, then %x", seed, a.Hash, b.Hash)
		}
	}
}

// What a node sends is longer than what its core made by what sealing adds, and
// no longer than the plan says.
func TestSealedPacketsLeaveRoomForTheSeal(t *testing.T) {
	r := sealedStage(t, 3)
	n := r.World.Node(0)
	if got, want := n.core.Config().MaxPacket, LAN.Config.MaxPacket-sealed.Overhead; got != want {
		t.Errorf("packets of the core have %d bytes, not %d", got, want)
	}
	least := swim.Config{MaxPacket: leastPacket()}
	if got := WireSealed.config(least, 0).MaxPacket; got != leastPacket() {
		t.Errorf("the smallest packets shrink to %d bytes", got)
	}
	if got := WireSealed.config(swim.Config{MaxPacket: 64}, 0).MaxPacket; got != 64 {
		t.Errorf("a mistake becomes %d", got)
	}
	before := n.Traffic
	r.World.Run(time.Minute)
	packets, bytes := n.Traffic.Packets-before.Packets, n.Traffic.Bytes-before.Bytes
	if most := packets * uint64(60+sealed.Usual); packets < 100 || bytes < packets*sealed.Usual || bytes > most {
		t.Errorf("%d packets have %d bytes", packets, bytes)
	}
}

// Whoever is new is asked once whether it lives, and says what it said again.
func TestNewcomerSaysAgainWhatItSaid(t *testing.T) {
	r := sealedStage(t, 4)
	w := r.World
	if w.oracle.marks[markAnswered] == 0 {
		t.Error("nobody was challenged while the cluster formed")
	}
	w.Run(time.Minute)
	before := w.oracle.marks[markAnswered]
	w.Run(10 * time.Minute)
	if again := w.oracle.marks[markAnswered]; again != before {
		t.Errorf("%d challenges among members that know each other", again-before)
	}
	r.kept(t)
}

// Recordings and damage are refused on the wire, so nobody has a reason for
// distrust.
func TestRecordingsAndDamageOpenNothing(t *testing.T) {
	r := sealedStage(t, 6)
	w := r.World
	r.begin(Fault{Name: "replay", Kind: FaultLink, For: 5 * time.Minute, Link: &Link{Replay: 0.5, Flip: 0.1, Unchecked: true, Duplicate: 0.2}})
	r.begin(Fault{Name: "noise", Kind: FaultNoise, For: 5 * time.Minute, Every: time.Second, Amount: 4})
	r.begin(Fault{Name: "restart", Kind: FaultRestart, For: 5 * time.Minute, Every: 30 * time.Second, Each: time.Second, InTurn: true})
	w.Run(5 * time.Minute)
	r.heal(nil)
	r.settled(t, 5)
	r.kept(t)
	reached := w.oracle.reached()
	for _, mark := range []string{"lost replay", "lost forged", "lost unknown", "lost short", "lost version", "lost payload"} {
		if reached[mark] == 0 {
			t.Errorf("never reached: %s", mark)
		}
	}
	if !w.oracle.trust {
		t.Error("nothing was opened that is not so, and yet nobody is trusted")
	}
}

// Whoever forgets which packets it has seen is found out.
func TestReceiverThatForgetsItsWindowsIsFoundOut(t *testing.T) {
	r := sealedStage(t, 3)
	w := r.World
	r.begin(Fault{Name: "twice", Kind: FaultLink, Link: &Link{Duplicate: 1, Spread: time.Second}})
	var forget func()
	forget = func() {
		n := w.Node(1)
		n.sealer.box = newSealer(n, n.core.Self().ID, 1).box
		w.After(100*time.Millisecond, forget)
	}
	forget()
	w.Run(10 * time.Second)
	if !r.broke("S23") {
		t.Error("nobody minds")
	}
}

// Packets of another cluster are refused, although it has the same key.
func TestSealedClustersDoNotMeet(t *testing.T) {
	r := sealedStage(t, 4)
	r.begin(Fault{Name: "a", Kind: FaultReuse, For: time.Minute, Nodes: Nodes(2), Amount: 1})
	r.World.Run(40 * time.Second)
	if got := r.view(2); got != 0 {
		t.Errorf("one of another cluster sees %d members", got)
	}
	if r.World.oracle.reached()["lost other-cluster"] == 0 {
		t.Error("no packet came to the other cluster")
	}
	r.settled(t, 3)
	r.kept(t)
}

// Who has the key is believed: nonsense that is sealed reaches the cores.
func TestForgersAreHeardAndDistrusted(t *testing.T) {
	r := sealedStage(t, 4)
	w := r.World
	drops := func() (sum uint64) {
		for _, d := range w.total().Drops {
			sum += d
		}
		return sum
	}
	before := drops()
	r.begin(Fault{Name: "a", Kind: FaultGarbage, For: time.Minute, Every: time.Second, Amount: 16})
	r.begin(Fault{Name: "b", Kind: FaultLies, For: time.Minute, Every: time.Second, Amount: 4, Nodes: Nodes(1)})
	w.Run(time.Minute)
	if w.oracle.trust || drops() == before {
		t.Error("nobody heard them")
	}
	r.kept(t)
}

// A process that took another address has another socket, and so another
// session: what it sends from there is not taken for what it was.
func TestProcessThatMovesBeginsAnotherSession(t *testing.T) {
	r := sealedStage(t, 4)
	n := r.World.Node(3)
	was := n.sealer
	n.Do(func(c *Core, rt swim.Runtime[ID]) error { return c.ChangeIdentity(ID{Node: 2, Life: 9}, rt) })
	if n.sealer == was || n.sealer.ids[0] != (ID{2, 9}) {
		t.Errorf("it goes on as %v", n.sealer.ids)
	}
	moved := n.sealer
	n.Do(func(c *Core, rt swim.Runtime[ID]) error { return c.ChangeIdentity(ID{Node: 2, Life: 10}, rt) })
	if n.core.Self().ID.Node == 2 && n.sealer != moved {
		t.Error("a renewal began another session")
	}
	if r.broke("S23") {
		t.Error(r.World.Violations)
	}
}

// Sender and receiver are read from a packet as its codec reads them.
func TestEndsOfAPacketAreThoseOfTheCodec(t *testing.T) {
	r := stage(t, 5)
	d := roll(1, "ends")
	var p swim.Packet[ID]
	for range 2000 {
		data := rubbish(d, r.World, r.World.Node(0))
		src, dst, ok := ends(data)
		if codec.Parse(data, &p) == nil && (!ok || src != p.Header.Src || dst != p.Header.Dst) {
			t.Fatalf("%v to %v, %v, of %v", src, dst, ok, &p.Header)
		}
	}
	for n := range 28 {
		ends(make([]byte, n))
	}
}

// Time of a box goes on when the clock of its node jumps back.
func TestTimeOfABoxNeverGoesBack(t *testing.T) {
	r := sealedStage(t, 3)
	n := r.World.Node(0)
	before := n.sealer.time(n)
	n.StepClock(-time.Hour)
	if now := n.sealer.time(n); now < before {
		t.Errorf("%d, then %d", before, now)
	}
	r.World.Run(10 * time.Second)
	r.kept(t)
}
