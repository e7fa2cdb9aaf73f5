package sim

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/selkie-go/selkie/swim"
)

// form gives the nodes time to find each other: that of the plan, or J' of L5,
// whichever is more.
func (r *Rehearsal) form() {
	w, p := r.World, &r.promises
	p.accurate = never
	if p.bounds.slow.AnnounceDown.Every == swim.Off {
		// Nobody contacts seeds: their owners have them announce themselves.
		for _, n := range w.nodes[min(1, len(w.nodes)):] {
			n.Do(func(c *Core, rt swim.Runtime[ID]) error { return c.Announce(ID{Node: 0}, rt) })
		}
	}
	all := slices.Clone(w.nodes)
	wrong := func() string { return disagreement(all) }
	began := w.now
	if p.holds("L5") {
		p.checked("L5")
		if w.RunUntil(p.bounds.knows(), func() bool { return wrong() == "" }) {
			p.about["L5"].Took = w.now.Sub(began)
		} else {
			w.oracle.broken("L5", w.nodes[0], 0, "after %v: %s", p.bounds.knows(), wrong())
		}
	}
	w.Run(max(0, r.plan.Form-w.now.Sub(began)))
}

// fail is the first phase: things go wrong as planned.
func (r *Rehearsal) fail() {
	w, p := r.World, &r.promises
	p.begins = w.now
	if at := r.plan.harmAt(); at < time.Duration(never) {
		p.accurate = w.now.Add(at)
	}
	for _, f := range r.plan.Faults {
		w.After(f.At, func() { r.begin(f) })
	}
	w.Run(r.plan.For)
}

// settle is the second phase: the core is healed, what is outside of it is cut
// off, and the core has to agree in time, and to be quiet then.
func (r *Rehearsal) settle() {
	w, p := r.World, &r.promises
	p.core = r.plan.Core
	p.accurate, p.ends = min(p.accurate, w.now), w.now
	r.heal(p.core)
	w.Run(r.plan.setBack())
	r.cutOff()
	w.hurry(2 * p.bounds.slow.Period)
	if r.plan.Restart {
		for _, n := range w.nodes {
			if p.core.Has(n.number) && (!n.running || n.core.Self().State != swim.Alive) {
				n.Start(Boot{})
			}
		}
	}
	live := r.living()
	for _, n := range live {
		n.nameSeeds() // an owner who misused it may have named others
	}
	if len(live) == 0 {
		p.not("nobody of the core is alive", "L3", "L6", "L7", "L8", "L10", "S16")
	}
	r.rebound(live)
	if extreme(live) {
		// "A maximal generation or incarnation heals when it is forgotten":
		// nothing supersedes it, so nobody can come back before.
		p.not("somebody heard of a member at the end of what can be counted", "L3")
	}
	if why := r.apart(live); why != "" {
		p.not(why, "L3", "L6", "L7", "L8", "L10", "S16")
	}
	if !p.holds("L3") {
		p.not("agreement is not promised", "L6", "L7", "L8", "L10", "S16")
		return
	}
	if r.agree(live) {
		r.rest(live)
	}
}

// setBack returns how long a clock may show an earlier time than it did: for a
// node time does not go on until then (D11), so that is when this fault ends.
func (p *Plan) setBack() time.Duration {
	var back time.Duration
	for i := range p.Faults {
		f := &p.Faults[i]
		if f.Kind != FaultClockStep || f.Amount >= 0 {
			continue
		}
		times := time.Duration(1)
		if f.Every > 0 {
			times += f.For / f.Every
		}
		back += times * time.Duration(-f.Amount)
	}
	return min(back, longest)
}

// cutOff keeps packets from passing between the core and the others. What those
// do would be nobody's fault.
func (r *Rehearsal) cutOff() {
	var others Set
	for _, n := range r.World.nodes {
		if !r.plan.Core.Has(n.number) {
			others = append(others, n.number)
		}
	}
	if len(others) > 0 {
		r.World.Impair("outside, from", others, r.plan.Core, Link{Cut: true})
		r.World.Impair("outside, to", r.plan.Core, others, Link{Cut: true})
	}
}

// living returns the nodes of the core that take part.
func (r *Rehearsal) living() []*Node {
	var live []*Node
	for _, n := range r.World.nodes {
		if r.plan.Core.Has(n.number) && n.running && n.core.Self().State == swim.Alive {
			live = append(live, n)
		}
	}
	return live
}

// rebound computes the bounds anew from the configurations that are in force,
// and from how often somebody renewed.
func (r *Rehearsal) rebound(live []*Node) {
	p := &r.promises
	if len(live) == 0 {
		return
	}
	seeds := 0
	for _, n := range live {
		seeds = max(seeds, len(n.Seeds))
	}
	nodes := len(r.World.nodes)
	for _, n := range live {
		// Those whom somebody made up are probed like all others.
		nodes = max(nodes, n.core.NumActive()+1)
	}
	b := boundsOf(nodes, seeds, configs(live)...)
	for _, n := range live {
		stats := n.core.Stats()
		b.lost = max(b.lost, stats.Down+stats.Lone)
		b.renewals = max(b.renewals, int(n.core.Stats().Renewals))
	}
	p.bounds = b
	bound := b.agree()
	if p.holds("L10") {
		bound *= 2
	}
	for _, name := range []string{"L3", "L6", "L7", "L10"} {
		p.about[name].Bound = bound
	}
	p.about["L8"].Bound = b.reach() + b.suspicion()
	if !b.roomy() {
		p.not("some members may find no room", "L3")
	}
	if b.slow.Announce.Every == swim.Off {
		p.not("nobody asks for feeds", "L3")
	}
	if b.slow.AnnounceDown.Every == swim.Off && r.plan.harmAt() < r.plan.For {
		p.not("the lost are not contacted", "L3")
	}
}

// extreme reports whether somebody knows one of the core, or itself, at a
// generation or incarnation near the last there is. Honest members never come
// there: it was made up.
func extreme(live []*Node) bool {
	const near = 1 << 16
	far := func(m swim.Member[ID]) bool {
		return m.ID.Life > math.MaxUint32-near || m.Incarnation > math.MaxUint64-near
	}
	for _, n := range live {
		if far(n.core.Self()) {
			return true
		}
		for _, m := range live {
			if got, known := n.core.Member(m.number); known && far(got) {
				return true
			}
		}
	}
	return false
}

// apart says why the nodes of the core need not find each other: some have no
// way to contact others (L7), be it as a member, as one that is lost, or as a
// seed. Empty if they must.
func (r *Rehearsal) apart(live []*Node) string {
	for _, n := range live {
		if n.core.Self().ID.Node != n.number {
			return "a process uses the address of another"
		}
	}
	forgets := r.promises.bounds.slow.ForgetAfter <= r.promises.about["L3"].Bound
	group := make([]int, len(live))
	for i := range group {
		group[i] = i
	}
	for i, n := range live {
		for j, m := range live {
			known, any := n.core.Member(m.number)
			if any && known.State != swim.Left && (!forgets || known.State != swim.Down) || n.Seeds.Has(m.number) {
				from, to := group[j], group[i]
				for k := range group {
					if group[k] == from {
						group[k] = to
					}
				}
			}
		}
	}
	for _, g := range group {
		if g != group[0] {
			return "some of the core know no way to the others"
		}
	}
	return ""
}

// agree is L3, L6 and L7, or L10 if somebody was damaged: those of the core who
// are alive hold the same of all, and nobody has news to tell.
func (r *Rehearsal) agree(live []*Node) bool {
	w, p := r.World, &r.promises
	began, bound := w.now, p.about["L3"].Bound
	name := "L3"
	switch {
	case p.holds("L10"):
		name = "L10"
	case anyLost(live):
		name = "L7"
	}
	wrong := func() string {
		if why := disagreement(live); why != "" {
			return why
		}
		return untold(live)
	}
	so := w.RunUntil(bound, func() bool { return wrong() == "" })
	for _, also := range []string{"L3", "L6", "L7", "L10"} {
		if p.holds(also) && (also == "L3" || also == name || also == "L6" && name == "L7") {
			p.checked(also)
			p.about[also].Took = w.now.Sub(began)
		}
	}
	if !so {
		w.oracle.broken(name, live[0], live[0].number, "%v after the last fault: %s", bound, wrong())
	} else if name == "L10" && len(live) == len(w.nodes) && !madeUp(live) {
		// Otherwise what never was still goes round: outside of the core, or among
		// those who are remembered as down.
		w.oracle.trustAgain()
	}
	return so
}

// madeUp reports whether somebody remembers an address where there is no node.
func madeUp(live []*Node) bool {
	for _, n := range live {
		for u := range n.core.State() {
			for _, id := range append([]ID{u.ID}, u.By...) {
				if id.Node >= uint32(len(n.world.nodes)) {
					return true
				}
			}
		}
	}
	return false
}

// anyLost reports whether some of the core hold others of it down.
func anyLost(live []*Node) bool {
	for _, n := range live {
		for _, m := range live {
			if got, known := n.core.Member(m.number); known && got.State == swim.Down {
				return true
			}
		}
	}
	return false
}

// disagreement says who holds something that is not so: each of the live ones
// must hold exactly the others of them active, as who they are. Empty if all is
// as it should be.
func disagreement(live []*Node) string {
	for _, n := range live {
		if n.core.NumActive() != len(live)-1 {
			return fmt.Sprintf("%d holds %d members active, not %d", n.number, n.core.NumActive(), len(live)-1)
		}
	}
	for _, n := range live {
		for _, m := range live {
			if m == n {
				continue
			}
			self := m.core.Self()
			got, _ := n.core.Member(m.number)
			// Others remember newer metadata of a process that started as somebody
			// whom they knew. Rule 24 lets it go above them once it hears that, but
			// nobody tells a member that is alive: its metadata stay the old ones.
			// It takes two processes with one generation, which D9 excludes.
			stale := got.Metadata != self.Metadata && !m.world.chronicle.of(m).reused
			if got.ID != self.ID || got.State != swim.Alive || stale {
				return fmt.Sprintf("%d holds [%v metadata %d] of [%v metadata %d]", n.number, got, got.Metadata, self, self.Metadata)
			}
		}
	}
	return ""
}

// untold says who has something to tell, and somebody to tell it to, or doubts
// somebody. Empty if nobody.
func untold(live []*Node) string {
	if len(live) == 1 {
		return ""
	}
	for _, n := range live {
		if s := n.core.Stats(); s.Backlog > 0 || s.Suspect > 0 || s.Broadcasts > 0 {
			return fmt.Sprintf("%d has %d updates and %d payloads to tell, and %d suspects", n.number, s.Backlog, s.Broadcasts, s.Suspect)
		}
	}
	return ""
}
