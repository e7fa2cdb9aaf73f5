package sim

import (
	"time"

	"github.com/selkie-go/selkie/foca"
	"github.com/selkie-go/selkie/swim"
)

// A fleet that runs foca is moved over member by member, and for as long as that
// takes both are in one cluster: things go wrong meanwhile as they always do.
var mixedFleet = script{
	name:    "mixed-fleet",
	text:    "Members of foca are replaced by ours one after the other, on foca's wire; half-way one of each crashes and comes back, and the cluster is cut in two. All agree after every step (L3, L1, L7).",
	profile: Profile{Name: LAN.Name, Wire: WireFoca, Config: LAN.Config, Links: LAN.Links},
	tell: func(p *play) {
		const members = 12
		theirs, ours := Boot{Config: rust(p.profile.Config)}, Boot{Config: foca.Protocol(p.profile.Config)}
		for range members {
			p.Add().Start(theirs)
		}
		p.mustAgree("L5", time.Minute)
		replace := func(nodes Set) {
			p.each(nodes, func(n *Node) {
				n.Do((*Core).Leave)
				p.Run(3 * time.Second)
				n.Start(ours)
				p.mustAgree("L3", time.Minute)
			})
		}
		replace(those(0, members/2))

		p.each(Nodes(2, 9), (*Node).Crash)
		p.mustAgree("L1", 2*time.Minute)
		p.Node(2).Start(ours)
		p.Node(9).Start(theirs)
		p.mustAgree("L5", time.Minute)
		cut := p.Partition(those(3, 9), p.rest(those(3, 9)))
		p.Run(2 * time.Minute)
		p.needs(p.sees(0) == members/2, "the halves hold each other down")
		cut.End()
		p.mustAgree("L7", 3*time.Minute)

		replace(those(members/2, members))
		p.each(nil, func(n *Node) {
			p.must("L2", n.core.NumActive() == members-1, "%v knows %d others", n.core.Self().ID, n.core.NumActive())
		})
	},
}

// sees returns how many members a node holds to take part, itself too.
func (p *play) sees(number uint32) int {
	n := p.Node(number)
	if n.core.Self().State != swim.Alive {
		return 0
	}
	return 1 + n.core.NumActive()
}
