package sim

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/selkie-go/selkie/swim"
)

// A Fault is something that is done to the cluster at a moment, for a while or
// at once: what goes wrong, and also what its owners do.
//
// Faults combine and nest: each one takes back what it did and no more. What is
// done to nodes that do not exist, or never ran, does nothing.
type Fault struct {
	Name  string // says which one it is, in the plan; its luck follows from that
	Kind  FaultKind
	At    time.Duration // since the end of Form
	For   time.Duration `json:",omitempty"` // zero if it is done at once, or never ends; see the kinds
	Nodes Set           `json:",omitzero"`  // to whom, or from whom; nil for all
	To    Set           `json:",omitzero"`  // of links: to whom; of others see the kinds
	// Groups are those of FaultPartition.
	Groups []Set `json:",omitempty"`
	Link   *Link `json:",omitempty"` // of links: what happens there
	// Every lets the fault come and go until For is over: so often, and each
	// time for Each, which if zero is half of Every.
	Every time.Duration `json:",omitempty"`
	Each  time.Duration `json:",omitempty"`
	// InTurn lets each coming hit one of the nodes, one after the other.
	InTurn bool `json:",omitempty"`
	// Amount says how much; what it means depends on the kind.
	Amount int64 `json:",omitempty"`
	// Config is that of FaultConfigure.
	Config *swim.Config `json:",omitempty"`
}

// String returns the fault as one line.
func (f Fault) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%v %s", f.At, f.Kind)
	switch {
	case f.Groups != nil:
		fmt.Fprintf(&b, " %v", f.Groups)
	case f.Nodes == nil:
		b.WriteString(" all")
	default:
		fmt.Fprintf(&b, " %v", f.Nodes)
	}
	if f.To != nil {
		fmt.Fprintf(&b, " to %v", f.To)
	}
	if f.Amount != 0 {
		fmt.Fprintf(&b, " by %d", f.Amount)
	}
	if f.Every > 0 {
		fmt.Fprintf(&b, " every %v", f.Every)
	}
	if f.InTurn {
		b.WriteString(" in turn")
	}
	if f.For > 0 {
		fmt.Fprintf(&b, " for %v", f.For)
	}
	return b.String()
}

// A FaultKind says what kind of thing goes wrong.
type FaultKind string

// The kinds. Amount is a time in nanoseconds unless they say otherwise.
const (
	FaultLink      FaultKind = "link"      // Link applies from Nodes to To
	FaultPartition FaultKind = "partition" // no packet from one of Groups to another; who is in none keeps all paths
	FaultRing      FaultKind = "ring"      // each of Nodes reaches of them only the next Amount on both sides

	FaultCrash        FaultKind = "crash"         // Nodes end without a word, and start again after For; without it never
	FaultRestart      FaultKind = "restart"       // as crash, but without For they start again at once
	FaultRestartKnown FaultKind = "restart-known" // as restart, with the records they had; Amount percent of them got lost
	FaultSave         FaultKind = "save"          // Nodes write their records down
	FaultRestartStale FaultKind = "restart-stale" // as restart-known, with the records last written down
	FaultRestartOlder FaultKind = "restart-older" // as restart, by a wall clock that is Amount generations behind; ahead if negative
	FaultReuse        FaultKind = "reuse"         // processes of cluster Amount have the addresses of Nodes; these start again after For

	FaultPause     FaultKind = "pause"      // Nodes stop, their clocks go on
	FaultFreeze    FaultKind = "freeze"     // Nodes stop, and their clocks
	FaultBlock     FaultKind = "block"      // Nodes stop wherever they send or receive, their timers go on
	FaultSlow      FaultKind = "slow"       // each input takes Amount longer
	FaultLag       FaultKind = "lag"        // timer events come up to Amount later
	FaultEarly     FaultKind = "early"      // some timer events come Amount too early
	FaultGrain     FaultKind = "grain"      // timer events come at multiples of Amount only, in any order
	FaultClockRate FaultKind = "clock-rate" // clocks are Amount parts in a million fast
	FaultClockStep FaultKind = "clock-step" // clocks jump by Amount

	FaultJoin      FaultKind = "join"      // Nodes are new and start at random moments of For, To being their seeds
	FaultLeave     FaultKind = "leave"     // Nodes say goodbye, end Amount later if that is not zero, and start again after For
	FaultRejoin    FaultKind = "rejoin"    // Nodes say goodbye, and after For the same processes join as new identities
	FaultConfigure FaultKind = "configure" // Config is put into force at Nodes, until For is over
	FaultMetadata  FaultKind = "metadata"  // what Nodes say about themselves has a new version
	FaultBroadcast FaultKind = "broadcast" // Nodes broadcast a payload
	FaultMisuse    FaultKind = "misuse"    // the owners of Nodes call some input, whether or not it makes sense

	FaultGarbage FaultKind = "garbage" // Nodes receive Amount packets that nobody should send
	FaultLies    FaultKind = "lies"    // Nodes tell lies, Amount each time
	FaultNoise   FaultKind = "noise"   // Nodes receive Amount times bytes that are no packet
	FaultDamage  FaultKind = "damage"  // the memory of Nodes is damaged

	FaultRotate FaultKind = "rotate" // the key of a sealed cluster is replaced, each step within a third of For; the old one is accepted for Amount after nobody uses it
	FaultTwin   FaultKind = "twin"   // a second process has the address of each of Nodes
	FaultAge    FaultKind = "age"    // the counters of Nodes are near their ends, as after ages
)

// A part is what a fault does to one node.
type part struct {
	f     *Fault
	n     *Node
	dice  *dice
	lasts time.Duration // until it ends; zero if nothing ends it but healing
}

// A kind says what faults of a kind do.
type kind struct {
	// node does it to one node, and returns what takes that back, if something
	// can.
	node func(p part, r *Rehearsal) (end func())
	// paths does it to what lies between nodes.
	paths func(w *World, f *Fault) []*Impairment
	// owners does it at all nodes, one by one, until it is done.
	owners func(r *Rehearsal, f *Fault, luck *dice, lasts time.Duration)
	// unborn says that nodes are meant that never ran.
	unborn bool
	// dishonest says why other members can no longer believe what they hear.
	dishonest string
}

var kinds = map[FaultKind]kind{
	FaultLink:      {paths: (*World).impairBy},
	FaultPartition: {paths: (*World).partitionBy},
	FaultRing:      {paths: (*World).ringBy},

	FaultCrash:        {node: part.crash},
	FaultRestart:      {node: part.restart},
	FaultRestartKnown: {node: part.restartKnown},
	FaultSave:         {node: part.save},
	FaultRestartStale: {node: part.restartStale},
	FaultRestartOlder: {node: part.restartOlder},
	FaultReuse:        {node: part.reuse},

	FaultPause:     {node: part.pause},
	FaultFreeze:    {node: part.freeze},
	FaultBlock:     {node: part.block},
	FaultSlow:      {node: part.slow},
	FaultLag:       {node: part.lag},
	FaultEarly:     {node: part.early},
	FaultGrain:     {node: part.grain},
	FaultClockRate: {node: part.clockRate},
	FaultClockStep: {node: part.clockStep},

	FaultJoin:      {node: part.join, unborn: true},
	FaultLeave:     {node: part.leave},
	FaultRejoin:    {node: part.rejoin},
	FaultConfigure: {node: part.configure},
	FaultMetadata:  {node: part.metadata},
	FaultBroadcast: {node: part.broadcast},
	FaultMisuse:    {node: part.misuse},

	FaultGarbage: {node: part.garbage, dishonest: "garbage"},
	FaultLies:    {node: part.lies, dishonest: "lies"},
	FaultNoise:   {node: part.noise},
	FaultDamage:  {node: part.damage, dishonest: "damaged memory"},

	FaultRotate: {owners: (*Rehearsal).rotate},
	FaultTwin:   {node: part.doubled},
	FaultAge:    {node: part.age},
}

// FaultKinds returns all kinds, in the order of their names.
func FaultKinds() []FaultKind {
	all := make([]FaultKind, 0, len(kinds))
	for k := range kinds {
		all = append(all, k)
	}
	slices.Sort(all)
	return all
}

// A strike is one coming of a fault.
type strike struct {
	fault Fault
	ends  []ending
	paths []*Impairment
}

// An ending takes back what was done to a node.
type ending struct {
	node *Node
	do   func()
}

// troubles are the faults that are under way.
type troubles struct {
	strikes []*strike
	posts   []post
	healed  bool
	core    Set
	turning *rotation // that is under way
}

// begin lets a fault happen.
func (r *Rehearsal) begin(f Fault) {
	if f.Every > 0 {
		r.repeat(&f, 0)
		return
	}
	r.strike(&f, 0, f.For)
}

// repeat lets a fault come and go.
func (r *Rehearsal) repeat(f *Fault, round int) {
	left := f.For - time.Duration(round)*f.Every
	if left <= 0 || r.healed {
		return
	}
	each := f.Each
	if each == 0 {
		each = f.Every / 2
	}
	r.strike(f, round, max(1, min(each, left)))
	r.World.After(f.Every, func() { r.repeat(f, round+1) })
}

// strike lets a fault happen once. After healing nothing new begins.
func (r *Rehearsal) strike(f *Fault, round int, lasts time.Duration) {
	k, known := kinds[f.Kind]
	if !known || r.healed {
		return
	}
	w := r.World
	w.emitFault("begins: ", f)
	if k.dishonest != "" {
		w.oracle.distrust(k.dishonest)
	}
	s := &strike{fault: *f}
	if k.paths != nil {
		s.paths = k.paths(w, f)
	}
	if k.owners != nil {
		k.owners(r, f, roll(w.seed, "fault "+f.Name, uint64(round)), lasts)
	}
	if k.node != nil {
		if k.unborn {
			r.reach(f.Nodes)
		}
		for _, n := range r.hit(f, round, k.unborn) {
			p := part{f: f, n: n, dice: roll(w.seed, "fault "+f.Name, uint64(n.number), uint64(round)), lasts: lasts}
			if end := k.node(p, r); end != nil {
				s.ends = append(s.ends, ending{n, end})
			}
		}
	}
	if s.paths == nil && s.ends == nil {
		return
	}
	r.strikes = append(r.strikes, s)
	if lasts > 0 {
		w.After(lasts, func() {
			if !r.healed {
				r.end(s)
			}
		})
	}
}

// hit returns the nodes that a coming of a fault is about.
func (r *Rehearsal) hit(f *Fault, round int, unborn bool) []*Node {
	var nodes []*Node
	for _, n := range r.World.nodes {
		if f.Nodes.Has(n.number) && (unborn || n.core != nil) {
			nodes = append(nodes, n)
		}
	}
	if f.InTurn && len(nodes) > 0 {
		nodes = nodes[round%len(nodes):][:1]
	}
	return nodes
}

// end takes back what a coming of a fault did.
func (r *Rehearsal) end(s *strike) {
	at := slices.Index(r.strikes, s)
	if at < 0 {
		return
	}
	r.strikes = slices.Delete(r.strikes, at, at+1)
	r.World.emitFault("ends: ", &s.fault)
	for _, i := range s.paths {
		i.End()
	}
	for _, e := range s.ends {
		e.do()
	}
}

// heal ends now what goes wrong at the nodes of the core and on the paths
// between them. All else stays as it is: from now on no fault begins, and none
// ends. A nil core is all nodes.
func (r *Rehearsal) heal(core Set) {
	r.healed = true
	r.core = core
	for len(r.strikes) > 0 && core == nil {
		r.end(r.strikes[0])
	}
	for _, s := range r.strikes {
		for _, i := range s.paths {
			i.spare(core)
		}
		for _, e := range s.ends {
			if core.Has(e.node.number) {
				e.do()
			}
		}
		s.ends = slices.DeleteFunc(s.ends, func(e ending) bool { return core.Has(e.node.number) })
	}
}

// emitFault tells that a fault begins or ends.
func (w *World) emitFault(what string, f *Fault) {
	if w.Trace != nil {
		w.emit(Event{Kind: EventFault, By: f.Name, Text: what + f.String()})
	}
}

// grow adds nodes with a handler of payloads, and starts them.
func (r *Rehearsal) grow(count int) {
	for range count {
		r.add().Start(Boot{})
	}
}

func (r *Rehearsal) add() *Node {
	n := r.World.Add()
	if n.number%8 != 7 { // not every owner cares for payloads
		n.Handler = newNews
	}
	return n
}

// mostNodes bounds the nodes of a plan that somebody else wrote.
const mostNodes = 1 << 16

// reach sees to it that some nodes exist, though they need not run. A number
// that no plan can mean makes nobody.
func (r *Rehearsal) reach(nodes Set) {
	for _, number := range nodes {
		for number < mostNodes && uint32(len(r.World.nodes)) <= number {
			r.add()
		}
	}
}
