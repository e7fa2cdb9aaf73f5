package sim

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func rotate(lasts, grace time.Duration) Fault {
	return Fault{Name: "rotate", Kind: FaultRotate, For: lasts, Amount: int64(grace)}
}

// have reports whether all processes and files have just these keys.
func (w *World) have(keys ...int) bool {
	for _, n := range w.places() {
		if !slices.Equal(n.file, keys) || n.running && !slices.Equal(n.sealer.keys, keys) {
			return false
		}
	}
	return true
}

// A key is replaced while things go wrong, without a packet lost for its key,
// and again.
func TestKeyIsReplacedWhileThingsGoWrong(t *testing.T) {
	r := sealedStage(t, 8)
	w := r.World
	r.begin(Fault{Name: "link", Kind: FaultLink, Link: &Link{Loss: 0.1, Duplicate: 0.1, Copies: 2, Spread: 5 * time.Second, Replay: 0.2}})
	r.begin(Fault{Name: "restart", Kind: FaultRestartKnown, For: 10 * time.Minute, Every: 7 * time.Second, Each: 2 * time.Second, InTurn: true})
	r.begin(Fault{Name: "pause", Kind: FaultPause, For: 10 * time.Minute, Every: 11 * time.Second, Each: 3 * time.Second, InTurn: true})
	r.begin(Fault{Name: "twin", Kind: FaultTwin, For: 10 * time.Minute, Every: 40 * time.Second, InTurn: true})
	r.begin(rotate(90*time.Second, 20*time.Second))
	w.Run(4 * time.Minute)
	again := rotate(30*time.Second, 2*time.Second)
	again.Name = "again"
	r.begin(again)
	w.Run(6 * time.Minute)
	if !w.have(2) || r.turning != nil {
		t.Error("the key is not replaced twice")
	}
	if got := w.oracle.reached(); got["rotation finished"] != 2 || got["lost key"] == 0 {
		t.Errorf("%d rotations, %d recordings under a key that is gone", got["rotation finished"], got["lost key"])
	}
	for _, invariant := range []string{"F29", "S23"} {
		if r.broke(invariant) {
			t.Error(w.Violations)
		}
	}
}

// Nobody is suspected because a key is replaced.
func TestNobodyIsSuspectedForAKey(t *testing.T) {
	p := Plan{Seed: 3, Profile: LAN.Name, Wire: WireSealed, Nodes: 12, Form: 20 * time.Second, For: 3 * time.Minute, Core: those(0, 12),
		Faults: []Fault{rotate(time.Minute, 10*time.Second)}}
	run := p.Begin(nil)
	result := run.Run()
	run.kept(t)
	if result.Report.FalseSuspicions != 0 || result.Marks["rotation finished"] != 1 || result.Marks["lost key"] != 0 {
		t.Errorf("%d false suspicions, %v", result.Report.FalseSuspicions, result.Marks)
	}
	if got := run.promises.about["L2"]; got.Not != "" {
		t.Errorf("L2 is not asked for: %s", got.Not)
	}
}

// Owners that do not wait for each other lose packets, and that is found.
func TestRotationWithoutWaitingIsFoundOut(t *testing.T) {
	for step, what := range []string{"used before all accept it", "retired while somebody uses it"} {
		r := sealedStage(t, 8)
		r.hasty[step] = true
		r.begin(rotate(time.Minute, 10*time.Second))
		r.World.Run(2 * time.Minute)
		if !r.broke("F29") {
			t.Errorf("a key is %s: nobody minds", what)
		}
	}
}

// A process that stands still holds a rotation up until it has read its file.
func TestRotationWaitsForWhoStandsStill(t *testing.T) {
	r := sealedStage(t, 4)
	w := r.World
	w.Node(1).Pause()
	r.begin(rotate(3*time.Second, time.Second))
	w.Run(30 * time.Second)
	if n := w.Node(1); r.turning == nil || r.turning.step != 0 || n.file[0] != 0 || !n.file.has(1) || n.sealer.keys.has(1) || !n.sealer.behind {
		t.Errorf("step %v with the file %v and the keys %v", r.turning, n.file, n.sealer.keys)
	}
	w.Node(1).Resume()
	w.Run(20 * time.Second)
	if !w.have(1) {
		t.Error("it does not go on")
	}
	if r.broke("F29") {
		t.Error(w.Violations)
	}
}

// A process that was down reads what its file says by then, and a node that is
// new gets the file of the step.
func TestFilesAreReadByWhoStarts(t *testing.T) {
	r := sealedStage(t, 4)
	w := r.World
	r.begin(Fault{Name: "down", Kind: FaultCrash, For: 20 * time.Second, Nodes: Nodes(3)})
	r.begin(rotate(3*time.Second, time.Minute))
	w.Run(10 * time.Second)
	if n := w.Node(3); r.turning.step != 2 || !slices.Equal(n.file, keyFile{1, 0}) || !slices.Equal(n.sealer.keys, keyFile{0}) {
		t.Errorf("step %d with the file %v and the keys %v", r.turning.step, n.file, n.sealer.keys)
	}
	r.begin(Fault{Name: "join", Kind: FaultJoin, For: time.Second, Nodes: Nodes(4)})
	w.Run(15 * time.Second)
	if !w.have(1, 0) {
		t.Error("who started has other keys")
	}
	r.settled(t, 4)
	w.Run(2 * time.Minute)
	if !w.have(1) {
		t.Error("the old key is still there")
	}
	r.kept(t)
}

// Two rotations do not run at once, and where nothing is sealed there are none.
func TestRotationsDoNotOverlap(t *testing.T) {
	r := sealedStage(t, 3)
	for _, name := range []string{"a", "b"} {
		f := rotate(time.Minute, time.Minute)
		f.Name = name
		r.begin(f)
	}
	if len(r.World.locks.keys) != 2 {
		t.Errorf("%d keys", len(r.World.locks.keys))
	}
	plain := stage(t, 3)
	plain.begin(rotate(time.Second, time.Second))
	plain.World.Run(10 * time.Second)
	if plain.turning != nil || len(plain.World.locks.keys) != 0 {
		t.Error("keys of a cluster that has none")
	}
}

// A plan has rotations only if its packets are sealed.
func TestRotationsAreDrawnForSealedClusters(t *testing.T) {
	plans, sealed, rotated := 2000, 0, 0
	for seed := range uint64(plans) {
		p := Draw(seed, Mix{})
		any := slices.ContainsFunc(p.Faults, func(f Fault) bool { return f.Kind == FaultRotate })
		if any && p.Wire != WireSealed {
			t.Fatalf("seed %d rotates the keys of %v", seed, p.Wire)
		}
		if p.Wire == WireSealed {
			sealed++
		}
		if any {
			rotated++
		}
	}
	if sealed < plans/5 || sealed > plans/3 || 3*rotated < sealed || 3*rotated > 2*sealed {
		t.Errorf("%d of %d are sealed, and %d of these are rotated", sealed, plans, rotated)
	}
}

// What a plan was that is not sealed, it is whether or not others are.
func TestUnsealedPlansAreDrawnAsEver(t *testing.T) {
	wire := WirePlain
	for seed := range uint64(200) {
		p, q := Draw(seed, Mix{}), Draw(seed, Mix{Wire: &wire})
		p.Wire = WirePlain
		p.Faults = slices.DeleteFunc(p.Faults, func(f Fault) bool { return strings.HasPrefix(f.Name, "rotate") })
		if a, b := p.String(), q.String(); a != b {
			t.Fatalf("seed %d: %s, else %s", seed, a, b)
		}
	}
}
