package sim

import (
	"slices"
	"time"

	"github.com/selkie-go/selkie/swim"
)

// A quarter of all processes is replaced in each minute, as a deployment does,
// and each is back before anybody's patience has ended. Who takes a restart for
// a failure moves all load about for nothing.
var rollingRestart = script{
	name:    "rolling-restart",
	text:    "Processes restart one after the other, 25 % in a minute and then 1 %, each within its time to refute; nobody is told of a death but whom gossip missed, and each observer of one new life for each restart (L2, S25).",
	profile: LAN,
	tell: func(p *play) {
		const nodes = 40
		p.form(nodes)
		heard := p.listen(nil, nil)
		for _, n := range p.nodes { // ten in a minute
			n.Crash()
			p.After(2*time.Second, func() { n.Start(Boot{}) })
			p.Run(6 * time.Second)
		}
		p.mustAgree("L3", time.Minute)
		p.Node(7).Crash() // and one in two and a half
		p.After(2*time.Second, func() { p.Node(7).Start(Boot{}) })
		p.Run(150 * time.Second)
		p.mustAgree("L3", time.Minute)
		const lives = (nodes + 1) * (nodes - 1) // each of them news to one observer
		p.must("L2", heard.downs == 0, "%d members were told down, the last time: %s", heard.downs, heard.last)
		// Who starts anew hears of everybody as an up, all others of a new life.
		p.must("S25", heard.ups == lives+heard.downs, "%d ups were told, not %d", heard.ups, lives+heard.downs)
		p.must("S25", heard.renames <= lives, "%d new lives were told, at most %d there were", heard.renames, lives)
	},
}

// A third of the cluster and then all of it restart at once, with disks that
// remember members as down that came back since, and some whose clocks stand at
// the day of their making. Old verdicts meet new lives everywhere.
var massRestart = script{
	name:    "mass-restart",
	text:    "A third of the nodes, and then all, restart together and remember old verdicts, some with an old generation; all find each other again (L3, L6).",
	profile: LAN,
	tell: func(p *play) {
		p.form(30)
		dead := those(20, 30)
		p.each(dead, (*Node).Crash)
		p.Run(time.Minute)
		disk := make([][]swim.Update[ID], len(p.nodes))
		for i, n := range p.nodes {
			disk[i] = slices.Clone(memoryOf(n)) // ten are down in it
		}
		p.each(dead, func(n *Node) { n.Start(Boot{}) })
		p.mustAgree("L6", 3*time.Minute)

		p.each(those(5, 15), func(n *Node) { n.Start(Boot{Known: disk[n.number]}) })
		p.mustAgree("L6", 3*time.Minute)

		p.each(nil, (*Node).Crash)
		p.Run(2 * time.Second)
		p.each(nil, func(n *Node) {
			b := Boot{Known: disk[n.number]}
			if n.number%5 == 0 {
				b.Life = 1 // its clock went back to its first day
			}
			n.Start(b)
		})
		p.mustAgree("L3", 5*time.Minute)
	},
}

// A machine goes from one cluster to another and takes its address along, while
// its old cluster still asks there whether it is back. Clusters have
// become one that way.
var addressReuse = script{
	name:    "address-reuse",
	text:    "An address is used by another cluster while the old one remembers it, whose seeds the new one is given by mistake; the clusters never merge, and the address can come home (S23, L6).",
	profile: LAN,
	tell: func(p *play) {
		p.form(8)
		foreign := p.listen(Nodes(0, 1, 2, 3, 4, 6, 7), those(8, 12))
		for range 4 {
			n := p.Add()
			n.Cluster, n.Seeds = 1, Nodes(0, 1, 8) // two seeds of another cluster
			n.Start(Boot{})
		}
		p.mustAgree("L5", time.Minute)

		moved := p.Node(5)
		moved.Crash()
		p.Run(30 * time.Second)
		moved.Cluster, moved.Seeds = 1, Nodes(8)
		back := p.listen(p.rest(Nodes(5, 8, 9, 10, 11)), Nodes(5))
		moved.Start(Boot{})
		p.Run(10 * time.Minute) // long enough to be contacted by those who lost it
		p.mustAgree("S23", time.Minute)
		p.must("S23", foreign.ups == 0, "our cluster met %d of the other one", foreign.ups)
		p.must("S23", back.ups == 0, "%d took who is there now for who was there", back.ups)

		moved.Cluster, moved.Seeds = 0, Nodes(0)
		moved.Start(Boot{})
		p.mustAgree("L6", 3*time.Minute)
		p.must("S23", foreign.ups == 0, "our cluster met %d of the other one", foreign.ups)
	},
}
