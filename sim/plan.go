package sim

import (
	"time"

	"github.com/selkie-go/selkie/swim"
)

// A Plan is all that is decided before a run: who takes part, for how long, and
// what goes wrong when. It is plain data, which can be written down, read, and
// made smaller; what a fault needs of luck follows from the seed and its name,
// so that taking another fault away does not change it.
type Plan struct {
	Seed    uint64
	Profile string // of the network; see Profiles
	Wire    Wire   `json:",omitempty"`
	Config  swim.Config
	Nodes   int
	// Form is how long the nodes have to find each other before anything goes
	// wrong, For how long things go wrong.
	Form, For time.Duration
	Faults    []Fault
	// Core are the nodes that are healed afterwards, and must agree in the end.
	// The others stay as they are. Nil means that there is no second phase.
	Core Set `json:",omitzero"`
	// Restart starts those of the core again that do not run by then, or left.
	Restart bool `json:",omitempty"`
}

// A Result is what came of a run.
type Result struct {
	Plan       Plan
	Violations []Violation
	// Invalid says why the run tested nothing; empty if it did.
	Invalid string
	Hash    uint64
	// NodeHours is for how long processes ran, together.
	NodeHours float64
	Marks     map[string]int // named states that were reached, and how often
	Report    Report
	// Promises are the invariants of liveness and accuracy: which of them the
	// run was held to, within what time, and why it was not held to others.
	Promises []Promise
}

// Run carries a plan out. With trace, everything that happens is told to it.
func (p Plan) Run(trace func(Event)) Result { return p.Begin(trace).Run() }

// asks is how many happenings pass from one question to the next.
const asks = 256

// RunWhile is [Plan.Run] for those who may want it to end early: after every few
// hundred happenings it asks whether to go on. It reports whether the plan was
// carried out to its end. If it was not, the result holds the violations up to
// then, and says nothing else.
func (p Plan) RunWhile(trace func(Event), on func(*World) bool) (r Result, whole bool) {
	run := p.Begin(trace)
	run.World.while = on
	r = run.Run()
	if run.World.halted {
		return Result{Plan: p, Violations: r.Violations}, false
	}
	return r, true
}

// Run carries the plan out. It ends early if the world is told to halt.
func (r *Rehearsal) Run() Result {
	r.form()
	r.fail()
	if r.plan.Core != nil {
		r.settle()
	}
	return r.result()
}

// A Rehearsal is a plan under way.
type Rehearsal struct {
	World    *World
	plan     Plan
	promises promises
	hasty    [3]bool // steps of rotations that are not waited for, as they should be
	troubles
}

// Begin makes the world of a plan and starts its nodes.
func (p Plan) Begin(trace func(Event)) *Rehearsal {
	profile := p.profile().watched()
	w := New(p.Seed, profile)
	w.Trace = trace
	r := &Rehearsal{World: w, plan: p, promises: promise(p, profile)}
	w.chronicle.promises = &r.promises
	r.grow(p.Nodes)
	return r
}

// profile returns the network of the plan with its configuration.
func (p Plan) profile() Profile {
	profile := LAN
	for _, known := range Profiles() {
		if known.Name == p.Profile {
			profile = known
		}
	}
	if p.Config != (swim.Config{}) {
		profile.Config = p.Config
	}
	profile.Wire = p.Wire
	return profile
}

// result sums up what happened so far.
func (r *Rehearsal) result() Result {
	w := r.World
	report := w.Report()
	return Result{
		Plan:       r.plan,
		Violations: w.Violations,
		Hash:       w.hash,
		NodeHours:  report.MemberSeconds / 3600,
		Invalid:    w.oracle.invalid(len(r.plan.Faults)),
		Marks:      w.oracle.reached(),
		Report:     report,
		Promises:   r.promises.list(),
	}
}
