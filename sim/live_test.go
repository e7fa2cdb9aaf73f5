package sim

import (
	"strings"
	"testing"
	"time"

	"github.com/selkie-go/selkie/swim"
)

// numbered returns the nodes from one number to another.
func numbered(from, to uint32) Set {
	s := Set{}
	for n := from; n <= to; n++ {
		s = append(s, n)
	}
	return s
}

// trouble draws a plan in which some things go wrong, for these tests.
func trouble(seed uint64) Plan {
	d := roll(seed, "trouble")
	n := d.between(2, 24)
	p := Plan{Seed: seed, Profile: LAN.Name, Nodes: n, Form: 10 * time.Second, For: d.duration(time.Minute, 6*time.Minute), Restart: d.below(2) == 0}
	some := func() Set {
		s := Set{}
		for i := range n {
			if d.below(3) == 0 {
				s = append(s, uint32(i))
			}
		}
		return s
	}
	for i := range d.between(0, 6) {
		f := Fault{Name: string(rune('a' + i)), At: d.duration(0, p.For), For: d.duration(0, 2*time.Minute), Nodes: some()}
		switch d.below(8) {
		case 0:
			f.Kind, f.Link = FaultLink, &Link{Cut: true}
		case 1:
			f.Kind, f.Link, f.To = FaultLink, &Link{Cut: true}, some()
		case 2:
			f.Kind, f.Link, f.Nodes = FaultLink, &Link{Loss: 0.05 * float64(d.between(1, 8))}, nil
		case 3:
			f.Kind = FaultPause
		case 4:
			f.Kind = FaultRestart
			f.For = 0
		case 5:
			f.Kind = FaultLeave
			f.For = 0
		default:
			f.Kind = FaultCrash
			if d.below(2) == 0 {
				f.For = 0
			}
		}
		p.Faults = append(p.Faults, f)
	}
	p.Core = some()
	if d.below(2) == 0 || len(p.Core) == 0 {
		p.Core = numbered(0, uint32(n-1))
	}
	return p
}

func TestTroubledClustersHeal(t *testing.T) {
	seeds := uint64(60)
	if testing.Short() {
		seeds = 10
	}
	held, took := map[string]int{}, time.Duration(0)
	for seed := range seeds {
		r := trouble(seed).Run(nil)
		for _, v := range r.Violations {
			t.Errorf("seed %d: %v", seed, v)
		}
		for _, p := range r.Promises {
			if p.Checked > 0 {
				held[p.Invariant]++
			}
			if p.Invariant == "L3" {
				took = max(took, p.Took)
			}
		}
	}
	t.Logf("held: %v; the longest healing took %v", held, took)
	for _, name := range []string{"L1", "L3", "L5", "L7", "L8", "L9", "S16"} {
		if held[name] == 0 {
			t.Errorf("%s was never put to the test", name)
		}
	}
}

// breaks expects a run to break a promise.
func breaks(t *testing.T, r Result, invariant, text string) {
	t.Helper()
	for _, v := range r.Violations {
		if v.Invariant == invariant && strings.Contains(v.Text, text) {
			return
		}
	}
	t.Errorf("%s held; instead: %v", invariant, r.Violations)
}

// calm is a plan in which nothing goes wrong but what the tests below do behind
// its back: then the promises must break.
func calm(nodes int, faults ...Fault) *Rehearsal {
	p := Plan{Seed: 5, Profile: LAN.Name, Nodes: nodes, Form: 10 * time.Second, For: time.Minute, Faults: faults, Core: numbered(0, uint32(nodes-1))}
	return p.Begin(nil)
}

func TestCalmClusterBreaksNoPromise(t *testing.T) {
	r := calm(9).Run()
	if len(r.Violations) > 0 || r.Invalid != "" {
		t.Error(r.Violations, r.Invalid)
	}
	for _, p := range r.Promises {
		if want := p.Invariant != "L10" && p.Invariant != "L12"; (p.Not == "") != want {
			t.Errorf("%+v", p)
		}
	}
}

func TestUnnoticedCrashBreaksCompleteness(t *testing.T) {
	r := calm(6, Fault{Name: "a", Kind: FaultCrash, At: time.Second, Nodes: Nodes(3)})
	r.form()
	r.World.Node(5).Pause() // who does not run notices nothing
	r.fail()
	r.World.Run(r.promises.bounds.complete(r.promises.bounds.doubtful()))
	breaks(t, r.result(), "L1", "still holds 3")
}

func TestSilentCutBreaksStrictAccuracy(t *testing.T) {
	r := calm(6)
	r.form()
	r.World.Impair("silent", Nodes(2), nil, Link{Cut: true})
	r.fail()
	breaks(t, r.result(), "L2", "told suspect 2")
}

func TestSilentCutBreaksAgreement(t *testing.T) {
	r := calm(6)
	r.form()
	r.fail()
	r.World.Impair("silent", Nodes(2), nil, Link{Cut: true})
	r.settle()
	breaks(t, r.result(), "L3", "not")
}

func TestSuspectWhoRefutedBreaksRefutationIfHeldDown(t *testing.T) {
	r := calm(3)
	r.form()
	r.fail()
	m := r.World.Node(1)
	m.Apply([]swim.Update[ID]{{Member: swim.Member[ID]{ID: m.core.Self().ID, State: swim.Suspect}, By: []ID{{0, 1}}}}, false)
	note := swim.Notification[ID]{Kind: swim.NotifyDown, Member: swim.Member[ID]{ID: m.core.Self().ID, State: swim.Down}, Cause: swim.Cause[ID]{Confirmed: 1}}
	c := r.World.chronicle
	r.World.Run(time.Second)
	r.promises.accurate = 0 // L2 would say the same
	c.judge(r.World.Node(0), &note)
	if v := r.World.Violations; len(v) > 0 {
		t.Errorf("it had no time to tell: %v", v)
	}
	r.World.Run(r.promises.bounds.reach())
	c.judge(r.World.Node(0), &note)
	breaks(t, r.result(), "L4", "which refuted")
}

func TestSilentCutBreaksJoining(t *testing.T) {
	r := calm(4)
	r.World.Impair("silent", Nodes(3), nil, Link{Cut: true})
	r.form()
	breaks(t, r.result(), "L5", "holds")
}

// A partition long enough that each side holds the other down heals only
// because the lost are contacted.
func TestLostWhoAreNotContactedBreakHealing(t *testing.T) {
	cut := Fault{Name: "cut", Kind: FaultPartition, For: time.Hour, Groups: []Set{Nodes(0, 1, 2), Nodes(3, 4, 5)}}
	if r := calm(6, cut).Run(); len(r.Violations) > 0 {
		t.Errorf("with the healer: %v", r.Violations)
	}
	r := calm(6, cut)
	r.form()
	r.fail()
	// Announces to the lost are lost: the healer might as well be off.
	r.World.Impair("silent", Nodes(0, 1, 2), Nodes(3, 4, 5), Link{Cut: true})
	r.World.Impair("silent too", Nodes(3, 4, 5), Nodes(0, 1, 2), Link{Cut: true})
	r.settle()
	breaks(t, r.result(), "L7", "holds 2 members active")

	p := calm(6, cut).plan
	p.Config = LAN.Config
	p.Config.AnnounceDown.Every = swim.Off
	off := p.Begin(nil)
	res := off.Run()
	for _, p := range res.Promises {
		if p.Invariant == "L7" && p.Not == "" {
			t.Error("healing is promised although nobody contacts the lost")
		}
	}
	if off.World.Run(time.Hour); disagreement(off.World.nodes) == "" {
		t.Error("it healed although nobody contacts the lost: the promise could be made")
	}
}

func TestChatterBreaksQuiet(t *testing.T) {
	r := calm(4)
	r.form()
	r.fail()
	var chatter func()
	chatter = func() {
		n := r.World.Node(1)
		n.Do(func(c *Core, rt swim.Runtime[ID]) error { return c.SetMetadata(c.Self().Metadata+1, rt) })
		r.World.After(20*time.Second, chatter)
	}
	r.World.After(time.Second, chatter)
	r.settle()
	breaks(t, r.result(), "L8", "gossip packets")
}

func TestIdleMemberBreaksProbing(t *testing.T) {
	r := calm(4)
	r.form()
	r.World.chronicle.of(r.World.Node(2)).probing.number += 100 // as if it had probed the others meanwhile
	for i := range r.World.chronicle.of(r.World.Node(2)).probing.last {
		r.World.chronicle.of(r.World.Node(2)).probing.last[i].number -= 100
	}
	r.fail()
	breaks(t, r.result(), "L9", "not probed for")
}

func TestSilentCutBreaksBlastRadius(t *testing.T) {
	r := calm(9, Fault{Name: "slow", Kind: FaultPause, At: time.Second, For: 20 * time.Second, Nodes: Nodes(7)})
	r.form()
	r.World.Impair("silent", Nodes(2), nil, Link{Cut: true})
	r.fail()
	breaks(t, r.result(), "L12", "holds down 2")
}

func TestSilentCutBreaksSelfStabilisation(t *testing.T) {
	r := calm(4, Fault{Name: "lies", Kind: FaultGarbage, At: time.Second, Nodes: Nodes(3), Amount: 1})
	r.form()
	r.World.Impair("silent", Nodes(2), nil, Link{Cut: true})
	r.fail()
	r.settle()
	breaks(t, r.result(), "L10", "after the last fault")
}

func TestTimersLeftOverBreakQuiescence(t *testing.T) {
	r := calm(3)
	r.form()
	r.fail()
	n := r.World.Node(1)
	for token := range uint32(100) {
		n.schedule(swim.Timer[ID]{Kind: swim.TimerForget, Token: 1<<20 + token}, n.clock.at(r.World.now).Add(time.Hour), 0, 0)
	}
	r.settle()
	breaks(t, r.result(), "S16", "timer events are outstanding")
}
