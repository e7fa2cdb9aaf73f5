package sim

import (
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/selkie-go/selkie/swim"
)

// A post is what faults know of a node.
type post struct {
	away  int    // how many faults keep its process from running
	saved memory // what it last wrote down
	told  uint64 // payloads that it broadcast
}

// A memory is what a process remembers: records, and in which cluster.
type memory struct {
	cluster int
	records []swim.Update[ID]
}

// post returns what is known of a node.
func (r *Rehearsal) post(n *Node) *post {
	for len(r.posts) <= int(n.number) {
		r.posts = append(r.posts, post{})
	}
	return &r.posts[n.number]
}

// start starts a process, unless a fault keeps it from running.
func (r *Rehearsal) start(n *Node, b Boot) {
	if r.post(n).away == 0 {
		n.Start(b)
	}
}

// away ends a process, and keeps it from running until what is returned is
// called.
func (r *Rehearsal) away(n *Node, boot func() Boot) (back func()) {
	n.Crash()
	r.post(n).away++
	return func() {
		r.post(n).away--
		r.start(n, boot())
	}
}

func fresh() Boot { return Boot{} }

func (p part) crash(r *Rehearsal) func() {
	back := r.away(p.n, fresh)
	if p.lasts == 0 {
		return nil // not even healing wakes the dead
	}
	return back
}

func (p part) restart(r *Rehearsal) func() { return r.restart(p, fresh) }

// restart ends a process, and lets it start again at once or when the fault is
// over.
func (r *Rehearsal) restart(p part, boot func() Boot) func() {
	back := r.away(p.n, boot)
	if p.lasts == 0 {
		back()
		return nil
	}
	return back
}

func (p part) restartKnown(r *Rehearsal) func() {
	known := remember(p.n)
	return r.restart(p, func() Boot { return recall(p, known) })
}

func (p part) restartStale(r *Rehearsal) func() {
	return r.restart(p, func() Boot { return recall(p, r.post(p.n).saved) })
}

func (p part) restartOlder(r *Rehearsal) func() {
	return r.restart(p, func() Boot {
		life := int64(p.n.newest()) + 1 - p.f.Amount
		return Boot{Life: uint32(max(1, min(life, math.MaxUint32)))}
	})
}

func (p part) save(r *Rehearsal) func() {
	r.post(p.n).saved = remember(p.n)
	return nil
}

// remember returns the records of a node.
func remember(n *Node) memory {
	m := memory{cluster: n.Cluster}
	for u := range n.core.State() {
		u.By = slices.Clone(u.By)
		m.records = append(m.records, u)
	}
	return m
}

// recall returns what is left of a memory, which is worth nothing in another
// cluster.
func recall(p part, m memory) Boot {
	if m.cluster != p.n.Cluster {
		return Boot{}
	}
	kept := slices.DeleteFunc(slices.Clone(m.records), func(swim.Update[ID]) bool { return p.dice.below(100) < int(p.f.Amount) })
	return Boot{Known: kept}
}

func (p part) reuse(r *Rehearsal) func() {
	n, other := p.n, int(max(p.f.Amount, 1))
	move := func(by int) {
		n.Crash()
		n.Cluster += by
		r.start(n, Boot{})
	}
	move(other)
	return func() { move(-other) }
}

func (p part) pause(*Rehearsal) func()  { return p.stop((*Node).Pause, (*Node).Resume) }
func (p part) freeze(*Rehearsal) func() { return p.stop((*Node).Freeze, (*Node).Resume) }
func (p part) block(*Rehearsal) func()  { return p.stop((*Node).Block, (*Node).Unblock) }

// stop stops a process, which if it is another one by then goes on as it is.
func (p part) stop(by, end func(*Node)) func() {
	n, epoch := p.n, p.n.epoch
	if !n.running {
		return nil
	}
	by(n)
	return func() {
		if n.epoch == epoch && n.running {
			end(n)
		}
	}
}

func (p part) slow(*Rehearsal) func()  { return more(&p.n.Cost, p.f.Amount) }
func (p part) lag(*Rehearsal) func()   { return more(&p.n.Lag, p.f.Amount) }
func (p part) early(*Rehearsal) func() { return more(&p.n.Early, p.f.Amount) }
func (p part) grain(*Rehearsal) func() { return more(&p.n.Grain, p.f.Amount) }

// more makes a time longer.
func more(t *time.Duration, by int64) func() {
	*t += time.Duration(by)
	return func() { *t -= time.Duration(by) }
}

func (p part) clockRate(*Rehearsal) func() {
	turn := func(ppm int64) { p.n.SetClockRate(int(p.n.clock.ppm + ppm)) }
	turn(p.f.Amount)
	return func() { turn(-p.f.Amount) }
}

func (p part) clockStep(*Rehearsal) func() {
	p.n.StepClock(time.Duration(p.f.Amount))
	return nil
}

// age is a call of the owner, who may do with the counters what it wants.
func (p part) age(*Rehearsal) func() {
	p.n.Meddle(func(c *Core) { c.Age(rand.New(&p.dice.src)) })
	return nil
}

func (p part) damage(*Rehearsal) func() {
	if d, ok := any(p.n.core).(interface{ Damage(*rand.Rand) }); ok {
		d.Damage(rand.New(&p.dice.src))
	}
	return nil
}
