package sim

import (
	"time"

	"github.com/selkie-go/selkie/swim"
)

// A Promise is an invariant of liveness or accuracy and what came of it in one
// run, so that a reader can see why the run passed.
type Promise struct {
	Invariant string `json:"invariant"`
	// Bound is within what time it must hold, Took how long it took; zero if
	// it has none.
	Bound time.Duration `json:"bound,omitempty"`
	Took  time.Duration `json:"took,omitempty"`
	// Checked is how often the run put it to the test.
	Checked int `json:"checked,omitempty"`
	// Not says why the run was not held to it; empty if it was.
	Not string `json:"not,omitempty"`
}

// promises are what the protocol promises in the run of a plan.
type promises struct {
	bounds bounds
	// begins is when the faults begin, ends when the first phase ends: the
	// second cuts the core off from the others, which is no fault of the plan.
	begins, ends swim.Instant
	// accurate is until when nobody may suspect a process that runs (L2): until
	// the first fault that is not harmless. While the cluster forms, and if
	// there is none, it is for ever.
	accurate swim.Instant
	// settled is from when on that holds again, among the core.
	settled swim.Instant
	core    Set
	// hurt are the nodes that the plan makes slow or isolates, if they are few
	// enough for L12.
	hurt  []bool
	plan  *Plan
	about map[string]*Promise
}

// never is later than any run lasts.
const never = swim.Instant(1<<63 - 1)

// promise decides what a plan can be held to.
func promise(p Plan, profile Profile) promises {
	configs := p.Wire.configs(profile.Config)
	for _, f := range p.Faults {
		if f.Config != nil && f.Config.Validate() == nil {
			configs = append(configs, p.Wire.configs(*f.Config)...)
		}
	}
	all := promises{bounds: boundsOf(p.everybody(), 3, configs...), plan: &p, ends: never, settled: never, about: map[string]*Promise{}}
	b := &all.bounds
	for _, name := range []string{"L1", "L2", "L3", "L4", "L5", "L6", "L7", "L8", "L9", "L10", "L12", "S16"} {
		all.about[name] = &Promise{Invariant: name}
	}
	all.about["L1"].Bound = b.complete(1)
	all.about["L5"].Bound = b.knows()
	all.about["L6"].Bound = b.rejoin()

	delay, bounded := longestDelay(profile)
	if p.Wire == WireSealed {
		delay *= 2 // who is new is asked first whether it is there
	}
	switch {
	case !bounded || delay >= b.slow.RoundTrip/2:
		// Every probe may fail: then nothing is certain that takes an answer.
		all.not("the network is too slow for the round-trip time-out", "L2", "L3", "L4", "L5", "L6", "L7", "L8", "L12")
	case !b.roomy():
		all.not("some members may find no room", "L2", "L4", "L12", "L3", "L5", "L6", "L7", "L8")
	case b.slow.Announce.Every == swim.Off:
		// Two members whom gossip missed would never hear of each other.
		all.not("nobody asks for feeds", "L3", "L5", "L6", "L7", "L8")
	case b.slow.AnnounceDown.Every == swim.Off:
		all.not("seeds are not contacted", "L5")
	}
	if b.slow.Announce.Every != swim.Off && b.slow.AnnounceDown.Every == swim.Off && p.harmAt() < p.For {
		all.not("the lost are not contacted", "L3", "L6", "L7", "L8")
	}
	if p.Core == nil {
		all.not("the plan has no second phase", "L3", "L6", "L7", "L8", "L10", "S16")
	}
	if !p.honest() {
		// The promises are about faults of machines and networks. From lies and
		// damage the cluster recovers, which is L10.
		all.not("members lie, are damaged, or are told nonsense", "L1", "L2", "L4", "L9", "L12")
		if b.slow.MaxMembers < 2*b.nodes+inventions {
			// They are remembered for ForgetAfter, and nobody makes way.
			all.not("made-up members may take the room of real ones", "L3", "L6", "L7", "L8", "L10")
		}
	} else {
		all.not("nothing is damaged", "L10")
	}
	if b.slow.Rules.SoleVerdict || b.slow.Rules.FinalDown || b.slow.Rules.SilentSuspicion || b.slow.Rules.AccuserDeadline {
		all.not("the rules that it takes are switched off", "L4", "L12", "L3", "L6", "L7", "L8")
		if b.slow.Rules.AccuserDeadline {
			all.not("suspicions may linger when their accuser dies", "L1")
		}
	}
	if b.slow.Rules.SilentPing {
		all.not("suspects may not be told", "L4")
	}
	if !b.thorough() {
		all.not("news are not told often enough", "L4", "L12")
	}
	if all.hurt = p.hurt(); all.hurt == nil {
		all.not("too many are slow or isolated", "L12")
	}
	for _, f := range p.Faults {
		if f.Link != nil && f.Link.Replay > 0 {
			all.not("the dead speak, in packets that are replayed", "L1")
		}
	}
	if b.slow.ForgetAfter <= 2*b.complete(b.doubtful()) {
		all.not("those who are gone are forgotten before all know that they are", "L1", "L3", "L7", "L8")
	}
	return all
}

// inventions is room for the members that liars, and damaged packets, make up.
const inventions = 1000

// not notes why a run is not held to some promises. The first reason counts.
func (p *promises) not(why string, invariants ...string) {
	for _, name := range invariants {
		if a := p.about[name]; a.Not == "" {
			a.Not = why
		}
	}
}

// holds reports whether the run is held to a promise.
func (p *promises) holds(invariant string) bool { return p.about[invariant].Not == "" }

// checked notes that a promise was put to the test.
func (p *promises) checked(invariant string) { p.about[invariant].Checked++ }

// list returns the promises in their order.
func (p *promises) list() []Promise {
	var all []Promise
	for _, name := range []string{"L1", "L2", "L3", "L4", "L5", "L6", "L7", "L8", "L9", "L10", "L12", "S16"} {
		all = append(all, *p.about[name])
	}
	return all
}

// A harm is what faults of a kind do to the promises.
type harm uint8

const (
	harmTruth harm = iota // other promises are off: what members say, or do, is not so
	harmNone              // happens in every healthy cluster
	harmLife              // a process begins or ends; that is true, and the others should find out
	harmNodes             // some nodes are slow, deaf, or out of time
	harmPaths             // packets get lost or late on the way
)

// harms are the kinds of faults by what they do. One that is not among them
// counts as the worst.
var harms = map[FaultKind]harm{
	FaultSave: harmNone, FaultMetadata: harmNone, FaultBroadcast: harmNone, FaultRotate: harmNone,
	FaultCrash: harmLife, FaultRestart: harmLife, FaultRestartKnown: harmLife, FaultRestartStale: harmLife,
	FaultRestartOlder: harmLife, FaultLeave: harmLife, FaultRejoin: harmLife, FaultJoin: harmLife,
	FaultPause: harmNodes, FaultFreeze: harmNodes, FaultBlock: harmNodes, FaultSlow: harmNodes, FaultLag: harmNodes,
	FaultEarly: harmNodes, FaultGrain: harmNodes, FaultClockRate: harmNodes, FaultClockStep: harmNodes, FaultReuse: harmNodes,
	FaultLink: harmPaths, FaultPartition: harmPaths, FaultRing: harmPaths,
}

// everybody is how many nodes ever take part.
func (p *Plan) everybody() int {
	most := p.Nodes
	for _, f := range p.Faults {
		if f.Kind == FaultJoin {
			for _, n := range f.Nodes {
				most = max(most, int(n)+1)
			}
		}
	}
	return most
}

// honest reports whether nobody lies, is damaged or misused.
func (p *Plan) honest() bool {
	for _, f := range p.Faults {
		if harms[f.Kind] == harmTruth || f.Link != nil && f.Link.Flip > 0 && f.Link.Unchecked && p.Wire != WireSealed {
			return false
		}
	}
	return true
}

// mild reports whether a fault is one that may not make anybody suspect a
// process that runs. What is no longer than a round trip takes is no fault.
func (p *Plan) mild(f *Fault, cfg *swim.Config) bool {
	switch harms[f.Kind] {
	case harmNone, harmLife:
		return true
	case harmNodes:
		return f.Kind == FaultPause && f.For > 0 && cfg.StallLimit != swim.Off && f.For < min(cfg.StallLimit, cfg.Period/8)
	case harmPaths:
		if f.Link == nil {
			return false
		}
		mild := Link{Latency: f.Link.Latency, Duplicate: f.Link.Duplicate, Copies: f.Link.Copies, Spread: f.Link.Spread}
		most, bounded := f.Link.Latency.most()
		return *f.Link == mild && bounded && most < cfg.RoundTrip/8
	}
	return false
}

// harmAt returns when the first fault comes that is not harmless, since the
// faults began; never, if there is none.
func (p *Plan) harmAt() time.Duration {
	cfg := p.profile().Config.WithDefaults()
	first, mild := time.Duration(never), 0
	for i := range p.Faults {
		f := &p.Faults[i]
		if !p.mild(f, &cfg) {
			first = min(first, f.At)
		} else if h := harms[f.Kind]; h == harmNodes || h == harmPaths {
			// Mild ones add up, so only as many as the time-outs have room for
			// are harmless.
			if mild++; mild > 2 {
				first = min(first, f.At)
			}
		}
	}
	return first
}

// touched reports whether a fault acts on a node, or on its packets, at some
// moment from one time to another since the faults began.
func (p *Plan) touched(node uint32, from, to time.Duration) bool {
	for i := range p.Faults {
		f := &p.Faults[i]
		h := harms[f.Kind]
		if h == harmNone || h == harmLife || f.At > to || f.For > 0 && f.At+f.For < from {
			continue
		}
		if h == harmTruth || f.Nodes.Has(node) || h == harmPaths && (f.To.Has(node) || f.Kind == FaultPartition) {
			return true
		}
	}
	return false
}

// hurt returns which nodes the faults make slow or isolate, nil if there are
// more than a third of them, or nobody can say who they are.
func (p *Plan) hurt() []bool {
	hurt := make([]bool, p.everybody())
	count := 0
	for i := range p.Faults {
		f := &p.Faults[i]
		set := f.Nodes
		switch h := harms[f.Kind]; {
		case h == harmNone || h == harmLife:
			continue
		case h == harmPaths && f.Kind == FaultLink && f.To != nil && (set == nil || len(f.To) < len(set)):
			// A path is broken at one of its ends: that with fewer nodes.
			set = f.To
		case f.Kind == FaultPartition:
			set = smaller(f.Groups)
		}
		if set == nil {
			return nil
		}
		for _, n := range set {
			if int(n) < len(hurt) && !hurt[n] {
				hurt[n] = true
				count++
			}
		}
	}
	if count == 0 || 3*count > p.Nodes {
		return nil
	}
	return hurt
}

// smaller returns the nodes that are not of the largest group.
func smaller(groups []Set) Set {
	most, rest := 0, Set{}
	for i, g := range groups {
		if g == nil {
			return nil // all nodes
		}
		if len(g) > len(groups[most]) {
			most = i
		}
	}
	for i, g := range groups {
		if i != most {
			rest = append(rest, g...)
		}
	}
	return rest
}
