package sim

import (
	"fmt"
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
	Config  swim.Config
	Nodes   int
	// Form is how long the nodes have to find each other before anything goes
	// wrong, For how long things go wrong.
	Form, For time.Duration
	Faults    []Fault
	// Core are the nodes that are healed afterwards, and must agree in the end.
	// The others stay as they are. Nil means that there is no second phase.
	Core Set `json:",omitempty"`
	// Restart starts those of the core again that do not run by then, or left.
	Restart bool `json:",omitempty"`
}

// A Fault is something that is done to the cluster at a moment, for a while or
// at once: what goes wrong, and also what its owners do.
type Fault struct {
	Name  string // says which one it is, in the plan
	Kind  FaultKind
	At    time.Duration // since the end of Form
	For   time.Duration `json:",omitempty"` // zero if it has no duration
	Nodes Set           `json:",omitempty"` // to whom, or from whom
	To    Set           `json:",omitempty"` // of links: to whom
	Link  *Link         `json:",omitempty"` // of links: what happens there
	// Amount says how much; what it means depends on the kind.
	Amount int64 `json:",omitempty"`
	// Config is that of FaultConfigure.
	Config *swim.Config `json:",omitempty"`
}

// String returns the fault as one line.
func (f Fault) String() string {
	s := fmt.Sprintf("%v %s %v", f.At, f.Kind, f.Nodes)
	if f.To != nil {
		s += fmt.Sprintf(" to %v", f.To)
	}
	if f.For > 0 {
		s += fmt.Sprintf(" for %v", f.For)
	}
	return s
}

// A FaultKind says what kind of thing goes wrong.
type FaultKind string

// The kinds.
const (
	FaultLink    FaultKind = "link"    // Link applies from Nodes to To
	FaultCrash   FaultKind = "crash"   // Nodes end without a word; with For, they start again after it
	FaultRestart FaultKind = "restart" // Nodes end, and start again at once
	FaultPause   FaultKind = "pause"   // Nodes stop, their clocks go on
	FaultLeave   FaultKind = "leave"   // Nodes say goodbye
)

// A Result is what came of a run.
type Result struct {
	Plan       Plan
	Violations []Violation
	// Invalid says why the run tested nothing; empty if it did.
	Invalid   string
	Hash      uint64
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
	World *World
	plan  Plan
	promises
	healed bool
}

// Begin makes the world of a plan and starts its nodes.
func (p Plan) Begin(trace func(Event)) *Rehearsal {
	profile := p.profile().watched()
	w := New(p.Seed, profile)
	w.Trace = trace
	r := &Rehearsal{World: w, plan: p, promises: promise(p, profile)}
	w.chronicle.promises = &r.promises
	w.Grow(p.Nodes)
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
	return profile
}

// begin lets a fault happen.
func (r *Rehearsal) begin(f Fault) {
	w := r.World
	if r.healed {
		return
	}
	if w.Trace != nil {
		w.emit(Event{Kind: EventFault, By: f.Name, Text: "begins: " + f.String()})
	}
	end := func() {}
	switch f.Kind {
	case FaultLink:
		i := w.Impair(f.Name, f.Nodes, f.To, *f.Link)
		end = i.End
	case FaultCrash:
		r.each(f.Nodes, (*Node).Crash)
		end = func() { r.each(f.Nodes, func(n *Node) { n.Start(Boot{}) }) }
	case FaultRestart:
		r.each(f.Nodes, func(n *Node) { n.Start(Boot{}) })
	case FaultPause:
		r.each(f.Nodes, (*Node).Pause)
		end = func() { r.each(f.Nodes, (*Node).Resume) }
	case FaultLeave:
		r.each(f.Nodes, func(n *Node) { n.Do((*Core).Leave) })
	}
	if f.For > 0 {
		w.After(f.For, func() {
			if r.healed {
				return
			}
			if w.Trace != nil {
				w.emit(Event{Kind: EventFault, By: f.Name, Text: "ends: " + f.String()})
			}
			end()
		})
	}
}

// each does something to some nodes that exist.
func (r *Rehearsal) each(nodes Set, do func(*Node)) {
	for _, n := range r.World.nodes {
		if nodes.Has(n.number) {
			do(n)
		}
	}
}

// result sums up what happened so far.
func (r *Rehearsal) result() Result {
	w := r.World
	return Result{
		Plan:       r.plan,
		Violations: w.Violations,
		Hash:       w.hash,
		NodeHours:  float64(len(w.nodes)) * w.now.Sub(0).Hours(),
		Invalid:    w.oracle.invalid(len(r.plan.Faults)),
		Marks:      w.oracle.reached(),
		Report:     w.Report(),
		Promises:   r.promises.list(),
	}
}
