package sim

import (
	"slices"
	"time"

	"github.com/selkie-go/selkie/swim"
)

// A recipe draws one thing that goes wrong, which may be several faults that
// belong together.
type recipe struct {
	name      string
	dishonest bool
	draw      func(s *swarm)
}

// link adds a fault of the paths between some nodes and everybody, in one
// direction or both.
func (s *swarm) link(l Link) {
	f := Fault{Kind: FaultLink, For: s.while(), Link: &l}
	switch s.d.below(5) {
	case 0: // everywhere
	case 1:
		f.Nodes = s.some(50)
	case 2:
		f.To = s.some(50)
	case 3:
		f.Nodes, f.To = s.some(50), s.some(50)
	default: // both ways
		f.Nodes = s.some(50)
		back := f
		back.Nodes, back.To = nil, f.Nodes
		s.add(back)
	}
	if s.d.below(4) == 0 {
		f.Every = s.period * time.Duration(s.d.between(1, 8)) / 4 // in step with the probes
	}
	s.add(f)
}

// cut adds that no packet passes between two groups of nodes for a while.
func (s *swarm) cut(a, b Set, lasts time.Duration) {
	if len(a) > 0 && len(b) > 0 {
		s.add(Fault{Kind: FaultPartition, For: lasts, Groups: []Set{a, b}})
	}
}

// lasting draws how long a fault lasts that does nothing unless a few members
// notice: some rounds of probes.
func (s *swarm) lasting() time.Duration { return s.periods(5, 40) }

// chance draws a probability up to so many in a hundred.
func (s *swarm) chance(most int) float64 {
	if s.wild {
		return float64(most) / 100
	}
	return float64(s.d.between(1, most*10)) / 1000
}

// split adds a partition.
func (s *swarm) split(groups ...Set) {
	groups = slices.DeleteFunc(groups, func(g Set) bool { return len(g) == 0 })
	if len(groups) > 1 {
		s.add(Fault{Kind: FaultPartition, For: s.apart(), Groups: groups})
	}
}

// apart draws how long a partition lasts, now and then longer than those who are
// down are remembered.
func (s *swarm) apart() time.Duration {
	forget := s.plan.Config.ForgetAfter
	if s.d.below(4) == 0 && forget < s.plan.For/2 {
		return forget + s.periods(1, 50)
	}
	if s.d.below(2) == 0 {
		return s.lasting()
	}
	return max(s.while(), s.period)
}

// nodes adds a fault of some nodes.
func (s *swarm) nodes(k FaultKind, most int, amount int64) {
	s.add(Fault{Kind: k, For: s.while(), Nodes: s.some(most), Amount: amount})
}

// recipes are all that can go wrong.
var recipes = [...]recipe{
	{"loss", false, func(s *swarm) { s.link(Link{Loss: s.chance(30)}) }},
	{"heavy-loss", false, func(s *swarm) {
		victims := s.sample(1 + int(s.next)/100)
		s.add(Fault{Kind: FaultLink, For: s.while(), Nodes: victims, Link: &Link{Loss: 0.8}})
		s.add(Fault{Kind: FaultLink, For: s.while(), To: victims, Link: &Link{Loss: 0.8}})
	}},
	{"burst", false, func(s *swarm) {
		s.link(Link{Burst: Burst{Begin: s.chance(5), End: s.chance(50), Loss: 0.3 + s.chance(70)}})
	}},
	{"duplicate", false, func(s *swarm) {
		s.link(Link{Duplicate: s.chance(30), Copies: s.d.between(1, 5), Spread: s.d.logTime(s.period/1000, 10*s.period)})
	}},
	{"replay", false, func(s *swarm) {
		s.add(Fault{Kind: FaultLink, For: s.most, Link: &Link{Replay: s.chance(50)}})
	}},
	{"reorder", false, func(s *swarm) { s.link(Link{Hold: s.chance(50)}) }},
	{"delay", false, func(s *swarm) {
		typical := s.d.logTime(s.period/1000, s.period/2)
		s.link(Link{Latency: Latency{Shape: Shape(s.d.below(len(shapeNames))), Typical: typical, Tail: typical * time.Duration(s.d.between(1, 10))}})
	}},
	{"late", false, func(s *swarm) { // answers come when nobody waits for them any more
		late := Link{Latency: Latency{Typical: s.d.duration(s.period/3, 2*s.period)}}
		if s.d.below(2) == 0 {
			s.add(Fault{Kind: FaultLink, For: s.lasting(), Link: &late})
			return
		}
		s.add(Fault{Kind: FaultLink, For: s.lasting(), Nodes: s.some(50), Link: &late})
	}},
	{"detour", false, func(s *swarm) { // two reach each other by way of others only, and those hear everything twice
		pair := s.sample(2)
		if s.d.below(2) == 0 { // and news get lost
			cfg := s.plan.Config
			cfg.Transmissions = swim.Scale{Factor: 1, Least: 1}
			s.add(Fault{Kind: FaultConfigure, For: s.most, Config: &cfg})
		}
		s.cut(pair[:1], pair[1:], s.lasting())
		s.add(Fault{Kind: FaultLink, For: s.most, Link: &Link{Loss: s.chance(20), Duplicate: 0.5, Copies: 1, Spread: s.d.logTime(s.period/1000, s.period)}})
	}},
	{"drift", false, func(s *swarm) { s.link(Link{Drift: s.d.logTime(s.period/100, s.period)}) }},
	{"capacity", false, func(s *swarm) {
		s.link(Link{Queue: Queue{Rate: s.d.log(2, 200), Length: s.d.log(2, 64), Head: s.d.below(2) == 0}})
	}},
	{"clog", false, func(s *swarm) {
		s.add(Fault{Kind: FaultLink, For: s.periods(1, 60), Nodes: s.some(50), Link: &Link{Clog: true, Queue: Queue{Length: s.d.log(16, 4096)}}})
	}},
	{"size", false, func(s *swarm) { s.link(Link{MaxSize: [...]int{576, 1200, 1280, 1400}[s.d.below(4)]}) }},
	{"flip", false, func(s *swarm) { s.link(Link{Flip: s.chance(10)}) }},
	{"corrupt", true, func(s *swarm) { s.link(Link{Flip: s.chance(5), Unchecked: true}) }},

	{"partition", false, func(s *swarm) {
		side := s.sample(s.d.between(1, max(1, int(s.next)-1)))
		s.split(side, s.others(side))
	}},
	{"halves", false, func(s *swarm) {
		var sides [2]Set
		for _, n := range s.everybody() {
			side := s.d.below(2)
			sides[side] = append(sides[side], n)
		}
		s.split(sides[:]...)
	}},
	{"isolate", false, func(s *swarm) {
		alone := s.sample(1)
		s.split(alone, s.others(alone))
	}},
	{"isolate-seeds", false, func(s *swarm) { s.split(s.seeds(), s.others(s.seeds())) }},
	{"isolate-each", false, func(s *swarm) { // most lose the network at once
		var groups []Set
		alone := s.sample(int(s.next) * s.d.between(30, 90) / 100)
		for _, n := range alone[:min(len(alone), 12)] {
			groups = append(groups, Nodes(n))
		}
		s.split(append(groups, s.others(alone))...)
	}},
	{"regions", false, func(s *swarm) {
		groups := make([]Set, s.d.between(2, 5))
		for _, n := range s.everybody() {
			at := int(n) % 5 % len(groups)
			groups[at] = append(groups[at], n)
		}
		s.split(groups...)
	}},
	{"bridge", false, func(s *swarm) {
		bridge := s.sample(s.d.between(1, 2))
		rest := s.others(bridge)
		s.split(rest[:len(rest)/2], rest[len(rest)/2:])
	}},
	{"ring", false, func(s *swarm) {
		s.add(Fault{Kind: FaultRing, For: s.apart(), Amount: int64(s.d.between(1, 3))})
	}},
	{"one-way", false, func(s *swarm) {
		f := Fault{Kind: FaultLink, For: s.apart(), Link: &Link{Cut: true}}
		switch s.d.below(3) {
		case 0:
			f.Nodes = s.some(30) // receive only
		case 1:
			f.To = s.some(30) // send only
		default:
			f.Nodes, f.To = s.some(30), s.some(30)
		}
		s.add(f)
	}},
	{"flap", false, func(s *swarm) {
		f := Fault{Kind: FaultLink, For: s.while(), Nodes: s.some(50), Link: &Link{Cut: true}}
		f.Every = s.d.logTime(s.period/10, 60*s.period)
		if s.d.below(2) == 0 {
			f.Every = s.period * time.Duration(s.d.between(1, 8)) / 2 // in step with the probes
		}
		s.add(f)
	}},

	{"suspected", false, func(s *swarm) { // and meanwhile something happens to the others
		victim, lasts := s.sample(1), s.lasting()
		if s.d.below(2) == 0 {
			s.cut(victim, s.others(victim), lasts)
		} else {
			s.add(Fault{Kind: FaultCrash, For: lasts, Nodes: victim})
		}
		f := Fault{For: lasts, Nodes: s.others(victim), Every: s.periods(1, 6), InTurn: s.d.below(2) == 0}
		switch s.d.below(5) {
		case 0:
			f.Kind, f.Each = FaultPause, s.d.logTime(s.period/4, 4*s.period)
		case 1:
			f.Kind, f.Every, f.Amount = FaultEarly, 0, int64(time.Millisecond)
		case 2:
			f.Kind, f.Each, f.InTurn = FaultRestartKnown, time.Millisecond, true
		case 3:
			f.Kind, f.Every, f.Amount = FaultLag, 0, int64(s.d.logTime(s.period/8, 4*s.period))
		default:
			f.Kind, f.Each = FaultRejoin, s.period/8
			f.InTurn = true
		}
		s.add(f)
	}},

	{"crash", false, func(s *swarm) { s.nodes(FaultCrash, 30, 0) }},
	{"crash-for-good", false, func(s *swarm) {
		if n, ok := s.lose(); ok {
			s.add(Fault{Kind: FaultCrash, Nodes: n})
		}
	}},
	{"mass-crash", false, func(s *swarm) {
		s.add(Fault{Kind: FaultCrash, For: s.while(), Nodes: s.sample(int(s.next) * s.d.between(30, 100) / 100)})
	}},
	{"crash-loop", false, func(s *swarm) {
		every := s.periods(1, 10)
		s.add(Fault{Kind: FaultCrash, For: s.while(), Nodes: s.some(20), Every: every, Each: every / time.Duration(s.d.between(2, 50))})
	}},
	{"restart", false, func(s *swarm) { s.restart(FaultRestart, s.some(30)) }},
	{"restart-all", false, func(s *swarm) { s.restart(s.anyRestart(), s.everybody()) }},
	{"restart-known", false, func(s *swarm) { s.restart(FaultRestartKnown, s.some(30)) }},
	{"restart-stale", false, func(s *swarm) {
		nodes := s.some(30)
		s.add(Fault{Kind: FaultSave, Nodes: nodes})
		s.at += s.while()
		s.restart(FaultRestartStale, nodes)
	}},
	{"restart-older", false, func(s *swarm) { s.restart(FaultRestartOlder, s.some(10)) }},
	{"rolling-restart", false, func(s *swarm) {
		f := Fault{Kind: s.anyRestart(), For: s.while(), Every: s.periods(1, 60), InTurn: true}
		f.Each = s.d.logTime(min(s.period/100, f.Every), f.Every)
		s.add(f)
	}},
	{"twin", false, func(s *swarm) {
		// The wait between two renewals doubles: it takes a while until one of
		// them has to live with the other.
		s.add(Fault{Kind: FaultTwin, For: s.periods(10, 100), Nodes: s.some(20)})
	}},
	{"age", false, func(s *swarm) {
		old := s.some(50)
		s.add(Fault{Kind: FaultAge, Nodes: old})
		s.at += s.periods(1, 10)
		s.cut(old, s.others(old), s.d.duration(s.period, 4*s.period))
	}},
	{"reuse", false, func(s *swarm) { s.nodes(FaultReuse, 20, int64(s.d.between(1, 2))) }},

	{"pause", false, func(s *swarm) { s.nodes(FaultPause, 30, 0) }},
	{"stutter", false, func(s *swarm) {
		s.add(Fault{Kind: FaultPause, For: s.while(), Nodes: s.some(20), Every: s.periods(1, 10), Each: s.d.logTime(s.period/100, s.period)})
	}},
	{"freeze", false, func(s *swarm) { s.nodes(FaultFreeze, 30, 0) }},
	{"block", false, func(s *swarm) {
		f := Fault{Kind: FaultBlock, For: s.while(), Nodes: s.some(30)}
		if s.d.below(2) == 0 { // again and again
			f.Every = s.periods(1, 20)
			f.Each = s.d.logTime(f.Every/20, f.Every)
		}
		s.add(f)
	}},
	{"slow", false, func(s *swarm) {
		s.nodes(FaultSlow, 20, int64(s.d.logTime(s.period/10_000, s.period/5)))
	}},
	{"lag", false, func(s *swarm) { s.nodes(FaultLag, 50, int64(s.d.logTime(s.period/1000, 2*s.period))) }},
	{"early", false, func(s *swarm) { s.nodes(FaultEarly, 50, int64(time.Millisecond)) }},
	{"grain", false, func(s *swarm) { s.nodes(FaultGrain, 50, int64(s.d.logTime(s.period/1000, s.period/4))) }},
	{"clock-rate", false, func(s *swarm) {
		most := 1000
		if s.wild {
			most = 100_000
		}
		s.nodes(FaultClockRate, 50, int64(s.d.between(-most, most)))
	}},
	{"clock-step", false, func(s *swarm) {
		by := s.d.logTime(s.period/100, 600*s.period)
		if s.d.below(2) == 0 {
			by = -by
		}
		s.add(Fault{Kind: FaultClockStep, Nodes: s.some(20), Amount: int64(by)})
	}},

	{"join", false, func(s *swarm) { s.join(s.d.between(1, 4), nil) }},
	{"join-storm", false, func(s *swarm) {
		seed := s.seeds()[:1]
		if s.d.below(2) == 0 && s.next > 1 {
			seed = Nodes(1)
			// It dies in the middle, and comes back.
			s.add(Fault{Kind: FaultCrash, At: s.period, For: s.periods(10, 100), Nodes: seed})
		}
		s.join(min(int(s.next), s.plan.Nodes)*s.d.between(1, 2), seed)
	}},
	{"leave", false, func(s *swarm) { s.leave(0) }},
	{"leave-crash", false, func(s *swarm) { s.leave(s.d.logTime(time.Millisecond, 2*s.period)) }},
	{"leave-for-good", false, func(s *swarm) {
		if n, ok := s.lose(); ok {
			s.add(Fault{Kind: FaultLeave, Nodes: n})
		}
	}},
	{"leave-lost", false, func(s *swarm) {
		n := s.sample(1)
		s.add(Fault{Kind: FaultLink, For: s.periods(1, 20), Nodes: n, Link: &Link{Cut: true}})
		s.add(Fault{Kind: FaultLeave, For: s.periods(1, 100), Nodes: n, Amount: int64(s.periods(1, 5))})
	}},
	{"leave-suspected", false, func(s *swarm) {
		n := s.sample(1)
		s.add(Fault{Kind: FaultLink, For: s.period * 4, To: n, Link: &Link{Cut: true}})
		s.add(Fault{Kind: FaultLeave, At: s.d.duration(s.period, 6*s.period), For: s.periods(10, 100), Nodes: n})
	}},
	{"leave-twice", false, func(s *swarm) {
		n := s.sample(1)
		f := Fault{Kind: FaultLeave, For: s.periods(20, 100), Nodes: n}
		s.add(f)
		f.At = s.d.logTime(time.Millisecond, 10*s.period)
		s.add(f)
	}},
	{"rejoin", false, func(s *swarm) {
		s.add(Fault{Kind: FaultRejoin, For: s.d.logTime(time.Millisecond, 20*s.period), Nodes: s.some(20)})
	}},
	{"configure", false, func(s *swarm) {
		cfg := s.otherConfig()
		s.add(Fault{Kind: FaultConfigure, For: s.while(), Nodes: s.some(100), Config: &cfg})
	}},
	{"configure-rolling", false, func(s *swarm) {
		cfg := s.otherConfig()
		every := s.periods(1, 10)
		s.add(Fault{Kind: FaultConfigure, For: s.while(), Every: every, Each: every * time.Duration(s.next), InTurn: true, Config: &cfg})
	}},
	{"misconfigure", false, func(s *swarm) {
		cfg := invalid(s.d, s.plan.Config)
		s.add(Fault{Kind: FaultConfigure, For: s.while(), Nodes: s.some(100), Config: &cfg})
	}},
	{"misuse", false, func(s *swarm) {
		s.add(Fault{Kind: FaultMisuse, For: s.while(), Nodes: s.some(20), Every: s.d.logTime(s.period/50, 10*s.period)})
	}},
	{"broadcast-storm", false, func(s *swarm) {
		s.add(Fault{Kind: FaultBroadcast, For: s.while(), Every: s.d.logTime(s.period/20, s.period), InTurn: true, Amount: int64(s.d.log(16, 1400))})
	}},

	{"noise", false, func(s *swarm) {
		s.add(Fault{Kind: FaultNoise, For: s.while(), Nodes: s.some(50), Every: s.d.logTime(s.period/20, 10*s.period), Amount: int64(s.d.log(1, 16))})
	}},
	{"garbage", true, func(s *swarm) {
		s.add(Fault{Kind: FaultGarbage, For: s.while(), Nodes: s.some(50), Every: s.d.logTime(s.period/20, 10*s.period), Amount: int64(s.d.log(1, 16))})
	}},
	{"lies", true, func(s *swarm) {
		// Of several that lie no promise speaks.
		s.add(Fault{Kind: FaultLies, For: s.while(), Nodes: s.liar(), Every: s.d.logTime(s.period/10, 10*s.period), Amount: int64(s.d.log(1, 8))})
	}},
	{"damage", true, func(s *swarm) {
		s.add(Fault{Kind: FaultDamage, Nodes: s.some(20)})
	}},
}

// restart adds a restart, at once or after a time.
func (s *swarm) restart(k FaultKind, nodes Set) {
	f := Fault{Kind: k, Nodes: nodes}
	if s.d.below(3) > 0 {
		f.For = s.d.logTime(time.Millisecond, max(s.period, s.most))
	}
	switch k {
	case FaultRestartOlder:
		f.Amount = int64(s.d.between(1, 4))
		if s.d.below(4) == 0 {
			f.Amount = -int64(s.d.log(1, 1<<30)) // by a clock that is years ahead
		}
	case FaultRestartKnown, FaultRestartStale:
		if s.d.below(3) == 0 {
			f.Amount = int64(s.d.between(1, 99))
		}
	}
	s.add(f)
}

func (s *swarm) anyRestart() FaultKind {
	return [...]FaultKind{FaultRestart, FaultRestart, FaultRestartKnown}[s.d.below(3)]
}

// join adds nodes that join. There are never more of them than nodes that were
// there from the start, three times.
func (s *swarm) join(count int, seeds Set) {
	count = min(count, 4*s.plan.Nodes-int(s.next))
	if count <= 0 {
		return
	}
	var nodes Set
	for range count {
		nodes = append(nodes, s.next)
		s.next++
	}
	s.add(Fault{Kind: FaultJoin, For: s.periods(1, 10), Nodes: nodes, To: seeds})
}

func (s *swarm) leave(end time.Duration) {
	s.add(Fault{Kind: FaultLeave, For: max(s.while(), 2*end), Nodes: s.some(20), Amount: int64(end)})
}

// liar returns the one node of the plan that lies, if any does.
func (s *swarm) liar() Set {
	for _, f := range s.plan.Faults {
		if f.Kind == FaultLies {
			return f.Nodes
		}
	}
	return s.sample(1)
}

// otherConfig draws a configuration for the same network.
func (s *swarm) otherConfig() swim.Config {
	var other Plan
	for other.Profile != s.plan.Profile {
		other = Plan{Nodes: int(s.next)}
		drawConfig(s.d, &other)
	}
	return other.Config
}
