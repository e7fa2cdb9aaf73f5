package sim

import (
	"slices"
	"time"
)

// A rotation replaces the key of a sealed cluster while it runs, as its owners
// do: in three steps, each taken at one node after the other, in any order and
// with time between the file and the process that reads it.
//
//  1. The new key is added to each key file.
//  2. It becomes the first one, that seals. Not before every process that runs
//     accepts it, and of every other the file has it.
//  3. The old one is taken out. Not before nobody seals with it, and a while,
//     the grace, for what is still on its way.
//
// A node that is set up meanwhile gets the file of the step under way.
type rotation struct {
	r     *Rehearsal
	f     *Fault
	dice  *dice
	pace  time.Duration // within which a step is taken everywhere
	old   int           // the key that goes
	files [3]keyFile    // of the steps
	step  int
}

// rotate begins a rotation. If one is under way, it does nothing: owners do not
// begin another one before.
func (r *Rehearsal) rotate(f *Fault, luck *dice, lasts time.Duration) {
	w := r.World
	if !w.sealed() || r.turning != nil {
		return
	}
	old, next := w.locks.file[0], w.addKey()
	r.turning = &rotation{r: r, f: f, dice: luck, pace: max(lasts/3, time.Millisecond), old: old,
		files: [3]keyFile{{old, next}, {next, old}, {next}}}
	r.turning.take()
}

// take takes the step under way at each node at a moment of its own.
func (t *rotation) take() {
	w, file := t.r.World, t.files[t.step]
	if t.step == 2 {
		w.locks.retired[t.old] = time.Duration(t.f.Amount)
	}
	w.locks.file = file
	for _, n := range w.places() {
		at := t.dice.duration(0, t.pace)
		read := at + t.dice.duration(0, t.pace/4)
		w.After(at, func() { n.file = file })
		w.After(read, func() {
			if n.running {
				n.reload()
			}
		})
	}
	if t.r.hasty[t.step] {
		w.After(t.pace/4, t.goOn)
		return
	}
	w.After(t.pace, t.goOn)
}

// goOn takes the next step, if it may be taken.
func (t *rotation) goOn() {
	w := t.r.World
	switch {
	case !t.r.hasty[t.step] && !t.done():
		w.After(max(t.pace/4, time.Millisecond), t.goOn)
	case t.step == 0:
		t.step++
		t.take()
	case t.step == 1:
		t.step++
		w.After(time.Duration(t.f.Amount), t.take)
	default:
		w.oracle.marks.hit(markRotated)
		t.r.turning = nil
	}
}

// done reports whether every process and every key file has taken the step.
func (t *rotation) done() bool {
	file := t.files[t.step]
	for _, n := range t.r.World.places() {
		if !slices.Equal(n.file, file) || n.running && !slices.Equal(n.sealer.keys, file) {
			return false
		}
	}
	return true
}

// rotations adds that the key of the cluster is replaced, in half of the plans. If
// anything goes wrong there, packets under the old key may come again later.
func (s *swarm) rotations() {
	s.group, s.wild = "rotate", false
	wrong := slices.ContainsFunc(s.plan.Faults, func(f Fault) bool { return harms[f.Kind] != harmNone })
	for s.at = 0; s.d.below(2) == 0 && s.at < s.plan.For/2; {
		s.at += s.d.duration(0, s.plan.For/4)
		lasts := s.d.logTime(s.period, max(s.period, s.plan.For/4))
		grace := s.d.logTime(2*s.period, max(2*s.period, s.plan.For/4))
		s.add(Fault{Kind: FaultRotate, For: lasts, Amount: int64(grace)})
		if wrong && s.d.below(2) == 0 {
			s.add(Fault{Kind: FaultLink, For: s.plan.For - s.at, Link: &Link{Replay: s.chance(50)}})
		}
		s.at += lasts + grace
	}
}
