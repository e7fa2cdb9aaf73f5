package sim

import (
	"fmt"
	"slices"
	"time"

	"github.com/selkie-go/selkie/swim"
)

// A Scenario is a story that goes the same way with every seed, which decides
// no more than the luck in it.
type Scenario struct {
	Name string // lower-case words with hyphens
	Text string // what happens, and what must hold, as a sentence
	Run  func(seed uint64, trace func(Event)) Result
}

// Scenarios returns all of them: outages that other systems of this kind had,
// and that became public, and what people will do who come from another one.
func Scenarios() []Scenario {
	var all []Scenario
	for _, s := range scripts() {
		all = append(all, Scenario{s.name, s.text, s.run})
	}
	return all
}

// scripts are the scenarios before anybody plays them, in the order of their
// names.
func scripts() []script {
	return []script{
		addressReuse, bitflip, deadTalk, isolatedObserver, longPartition, massRestart, mixedFleet, nonTransitive,
		oldCluster, poisonRecord, rollingRestart, scaleCliff, syncStorm, tombstones,
	}
}

// A script is what is played: a story, and where.
type script struct {
	name, text string
	profile    Profile
	tell       func(p *play)
	// size multiplies what the story has much of. If zero, 1.
	size int
	// spoil, if set, is called before the story begins, by those who want to
	// see that it can end badly.
	spoil func(p *play)
}

// run plays a script.
func (s script) run(seed uint64, trace func(Event)) Result {
	p := &play{World: New(seed, s.profile), size: max(s.size, 1)}
	p.Trace = trace
	if s.spoil != nil {
		s.spoil(p)
	}
	s.tell(p)
	return Result{
		Plan:       Plan{Seed: seed, Profile: s.profile.Name, Wire: s.profile.Wire, Config: s.profile.Config, Nodes: len(p.nodes), For: p.now.Sub(0)},
		Violations: p.Violations,
		Hash:       p.hash,
		NodeHours:  p.Report().MemberSeconds / 3600,
		Marks:      p.oracle.reached(),
		Report:     p.Report(),
		Invalid:    p.invalid,
	}
}

// A play is a scenario that is being played: its world, and ways to say what
// must be so in it.
type play struct {
	*World
	size    int
	invalid string // what the story needs and did not come to be
}

// form grows a cluster and waits until it is one.
func (p *play) form(count int) {
	p.Grow(count)
	p.mustAgree("L5", time.Minute)
}

// each does something to some nodes.
func (p *play) each(nodes Set, do func(n *Node)) {
	for _, n := range p.nodes {
		if nodes.Has(n.number) {
			do(n)
		}
	}
}

// rest returns the nodes that are not among some.
func (p *play) rest(but Set) Set {
	others := Set{}
	for _, n := range p.nodes {
		if !but.Has(n.number) {
			others = append(others, n.number)
		}
	}
	return others
}

// those returns the nodes from one number to before another.
func those(from, to int) Set {
	nodes := Set{}
	for i := from; i < to; i++ {
		nodes = append(nodes, uint32(i))
	}
	return nodes
}

// must notes that an invariant does not hold, unless so.
func (p *play) must(invariant string, so bool, format string, args ...any) {
	if !so {
		p.oracle.broken(invariant, p.nodes[0], 0, format, args...)
	}
}

// needs notes that the story did not happen as it is told, unless so. Then that
// nothing broke says nothing.
func (p *play) needs(so bool, what string) {
	if !so && p.invalid == "" {
		p.invalid = "not so: " + what
	}
}

// mustAgree lets time pass until all who take part know each other and nobody
// else, and have nothing to tell. Each cluster is on its own. It may take so
// long, and no longer.
func (p *play) mustAgree(invariant string, within time.Duration) {
	began := p.now
	var dispute string
	for {
		dispute = p.dispute()
		if passed := p.now.Sub(began); dispute == "" || passed >= within || p.halted {
			break
		}
		p.Run(max(100*time.Millisecond, within/1000))
	}
	p.must(invariant, dispute == "", "no agreement after %v: %s", p.now.Sub(began), dispute)
}

// dispute says who holds what is not so, or has something to tell; empty if
// nobody.
func (p *play) dispute() string {
	for _, n := range p.nodes {
		if !n.takesPart() {
			continue
		}
		others := 0
		for _, m := range p.nodes {
			if m == n || !m.takesPart() || m.Cluster != n.Cluster {
				continue
			}
			others++
			self := m.core.Self()
			got, known := n.core.Member(m.number)
			if !known || got.ID != self.ID || got.State != swim.Alive || got.Metadata != self.Metadata {
				return fmt.Sprintf("%d holds [%v] of [%v]", n.number, got, self)
			}
		}
		if s := n.core.Stats(); s.Alive != others || s.Suspect > 0 || s.Lone > 0 || s.Backlog > 0 {
			return fmt.Sprintf("%d holds %d alive, %d suspect, %d lone, of %d, and has %d to tell", n.number, s.Alive, s.Suspect, s.Lone, others, s.Backlog)
		}
	}
	return ""
}

// takesPart reports whether a process runs that neither left nor was given up.
func (n *Node) takesPart() bool { return n.running && n.core.Self().State == swim.Alive }

// A talk is what the owners of some nodes were told of others.
type talk struct {
	ups, renames, left int
	// downs are those told down, shared those of them whom others doubt too.
	downs, shared int
	last          string // of the downs
}

// listen takes down what the owners of some nodes are told about some others
// from now on.
func (p *play) listen(at, about Set) *talk {
	t := &talk{}
	p.each(at, func(n *Node) {
		before := n.OnNotify
		n.OnNotify = func(note swim.Notification[ID]) {
			if before != nil {
				before(note)
			}
			if about.Has(note.Member.ID.Node) {
				t.hear(n, &note)
			}
		}
	})
	return t
}

func (t *talk) hear(n *Node, note *swim.Notification[ID]) {
	switch note.Kind {
	case swim.NotifyUp:
		t.ups++
	case swim.NotifyRename:
		t.renames++
	case swim.NotifyDown:
		if note.Member.State == swim.Left {
			t.left++
			return
		}
		t.downs++
		if note.Cause.Confirmed > 0 {
			t.shared++
		}
		t.last = fmt.Sprintf("%d was told %v", n.number, note)
	}
}

// renewals returns how often members took a new identity by themselves.
func (p *play) renewals() int { return p.Report().Renewals }

// traffic returns the packets and bytes that each member sends in a second,
// on average over a time that it lets pass.
func (p *play) traffic(over time.Duration) (packets, bytes float64) {
	sum := func() (t Traffic) {
		for _, n := range p.nodes {
			t.Packets += n.Traffic.Packets
			t.Bytes += n.Traffic.Bytes
		}
		return t
	}
	members := 0
	for _, n := range p.nodes {
		if n.takesPart() {
			members++
		}
	}
	before := sum()
	p.Run(over)
	after := sum()
	per := float64(max(members, 1)) * over.Seconds()
	return float64(after.Packets-before.Packets) / per, float64(after.Bytes-before.Bytes) / per
}

// timers returns how many timer events of a node are outstanding.
func (p *play) timers(n *Node) int {
	count := 0
	for _, h := range p.queue.table {
		if h.kind == timing && h.node == n && h.epoch == n.epoch {
			count++
		}
	}
	return count
}

// memoryOf returns what a node would write to a disk.
func memoryOf(n *Node) []swim.Update[ID] {
	var known []swim.Update[ID]
	for u := range n.core.State() {
		if u.ID.Node != n.number {
			u.By = slices.Clone(u.By)
			known = append(known, u)
		}
	}
	return known
}

// with returns the profile with other settings.
func (p Profile) with(change func(*swim.Config)) Profile {
	change(&p.Config)
	return p
}
