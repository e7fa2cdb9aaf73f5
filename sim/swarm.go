package sim

import (
	"fmt"
	"slices"
	"time"
)

// A swarm draws the faults of one plan.
type swarm struct {
	plan   *Plan
	d      *dice
	period time.Duration
	next   uint32 // number of the next node that joins
	lost   []uint32
	at     time.Duration // of the fault that is drawn
	most   time.Duration // that it may last
	group  string        // its name
	wild   bool          // whether it is to be extreme
}

// mostFaults bounds the faults of a plan, so that it can still be read.
const mostFaults = 160

// work draws what owners of a healthy cluster do all the time.
func (s *swarm) work() {
	s.at, s.most = 0, s.plan.For
	for _, do := range []FaultKind{FaultMetadata, FaultBroadcast} {
		if s.d.below(2) == 0 {
			s.group = string(do)
			s.add(Fault{Kind: do, For: s.plan.For, Every: s.periods(2, 100), InTurn: true, Amount: int64(s.d.below(120))})
		}
	}
}

// single draws one thing, at its worst.
func (s *swarm) single() {
	s.wild = true
	s.at = s.plan.For / 8
	s.most = s.plan.For / 2
	s.draw(&recipes[s.d.below(len(recipes))])
}

// subset draws some of all that can go wrong. What is not chosen never happens:
// most defects need that something else leaves them alone. Four fifths of the
// time are quiet, and a fifth is a storm, in which most of it happens.
func (s *swarm) subset() {
	order := make([]int, len(recipes))
	for i := range order {
		order[i] = i
	}
	s.d.shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	order = order[:s.d.between(1, len(order))]
	weights, sum := make([]int, len(order)), 0
	for i, r := range order {
		weights[i] = s.d.between(1, 100)
		if recipes[r].dishonest && s.d.below(4) > 0 {
			weights[i] = 0 // or hardly any plan is left with honest members
		}
		sum += weights[i]
	}
	if sum == 0 {
		return
	}
	pick := func() *recipe {
		at := s.d.below(sum)
		for i, w := range weights {
			if at -= w; at < 0 {
				return &recipes[order[i]]
			}
		}
		panic("sim: weights do not add up")
	}
	// A short plan has shorter storms, but not fewer.
	length := int(s.plan.For / s.period)
	apart := s.periods(min(4, max(1, length/60)), max(2, min(100, length/12))) // between two faults of a storm
	for s.at = 0; s.at < s.plan.For && len(s.plan.Faults) < mostFaults; {
		storm := s.periods(10, max(11, min(100, length/4)))
		quiet := s.d.duration(min(2*storm, s.plan.For/8), min(6*storm, s.plan.For/4))
		if s.d.below(4) == 0 {
			s.most = quiet
			s.draw(pick()) // what goes on while nothing else does
		}
		s.at += quiet
		for end := s.at + storm; s.at < min(end, s.plan.For) && len(s.plan.Faults) < mostFaults; {
			s.wild = s.d.below(8) == 0
			s.most = storm * time.Duration(s.d.between(1, 3)) // some outlast it
			s.draw(pick())
			s.at += s.d.duration(0, 2*apart)
		}
	}
}

// draw draws the faults of a recipe at this moment.
func (s *swarm) draw(r *recipe) {
	at := s.at
	s.group = fmt.Sprintf("%d %s", len(s.plan.Faults)+1, r.name)
	r.draw(s)
	s.at = at
}

// add enters a fault at this moment.
func (s *swarm) add(f Fault) {
	f.Name = s.group
	for i := 'b'; slices.ContainsFunc(s.plan.Faults, func(g Fault) bool { return g.Name == f.Name }); i++ {
		f.Name = s.group + " " + string(i)
	}
	f.At += s.at
	if f.At < s.plan.For {
		s.plan.Faults = append(s.plan.Faults, f)
	}
}

// periods draws how many periods something takes.
func (s *swarm) periods(least, most int) time.Duration {
	return s.d.logTime(time.Duration(least)*s.period, time.Duration(most)*s.period)
}

// while draws how long a fault lasts: from a tenth of a period to all the time
// that it may.
func (s *swarm) while() time.Duration {
	if s.wild {
		return s.most
	}
	return s.d.logTime(s.period/10, max(s.period, s.most))
}

// one draws a node.
func (s *swarm) one() uint32 { return uint32(s.d.below(int(s.next))) }

// some draws nodes: one, a few, or up to a share of all in a hundred.
func (s *swarm) some(most int) Set {
	count := 1
	if s.d.below(2) == 0 || s.wild {
		count = s.d.between(1, max(1, int(s.next)*most/100))
	}
	return s.sample(count)
}

// sample draws so many nodes.
func (s *swarm) sample(count int) Set {
	all := s.everybody()
	s.d.shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	all = all[:min(count, len(all))]
	slices.Sort(all)
	return all
}

// everybody returns all nodes so far.
func (s *swarm) everybody() Set {
	all := make(Set, s.next)
	for i := range all {
		all[i] = uint32(i)
	}
	return all
}

// others returns all nodes so far but some.
func (s *swarm) others(but Set) Set {
	return slices.DeleteFunc(s.everybody(), but.Has)
}

// seeds are those that nodes ask, see World.Add.
func (s *swarm) seeds() Set { return s.everybody()[:min(3, s.next)] }

// lose returns a node to end for good, unless too many have already, or it would
// leave no seed.
func (s *swarm) lose() (Set, bool) {
	n := s.one()
	if n == 0 || 2*(len(s.lost)+1) > int(s.next) || slices.Contains(s.lost, n) {
		return nil, false
	}
	s.lost = append(s.lost, n)
	return Nodes(n), true
}

// core draws who is healed in the end: mostly everybody or a good part, and node
// 0, which is a seed and never ends for good. A cluster that can not heal, by
// its configuration, has no second phase.
func (s *swarm) core(d *dice) {
	p := s.plan
	if !heals(p.Config, int(s.next)) || d.below(10) == 0 {
		return
	}
	p.Core = s.everybody()
	p.Restart = d.below(2) == 0
	if d.below(2) == 0 {
		d.shuffle(len(p.Core)-1, func(i, j int) { p.Core[i+1], p.Core[j+1] = p.Core[j+1], p.Core[i+1] })
		p.Core = p.Core[:d.between(1, len(p.Core))]
		slices.Sort(p.Core)
	}
}
