package sim

import (
	"math"
	"slices"
	"time"

	"github.com/selkie-go/selkie/swim"
)

// Half of the cluster can not reach the other half, once for less time than the
// dead are remembered and once for more. All seeds restart meanwhile, as people
// do with what they can reach. Nobody touches the other half, and it has to come
// back by itself.
var longPartition = script{
	name:    "long-partition",
	text:    "The cluster falls apart for less time than tombstones last, and for more, and all seeds restart meanwhile; it becomes one again without a restart of anybody else (L7).",
	profile: LAN.with(func(c *swim.Config) { c.ForgetAfter = 10 * time.Minute }),
	tell: func(p *play) {
		p.form(12)
		for _, long := range []time.Duration{4 * time.Minute, 25 * time.Minute} {
			cut := p.Partition(those(0, 6), those(6, 12))
			p.Run(long / 2)
			p.each(Nodes(0, 1, 2), func(n *Node) { n.Start(Boot{}) }) // the seeds
			p.Run(long / 2)
			cut.End()
			// Everybody who is lost, and each seed, is contacted once in a round.
			p.mustAgree("L7", 8*time.Minute)
		}
	},
}

// A and C can not reach each other, but B can reach both. Then A is alone for
// 43 seconds, as half of a service once was.
var nonTransitive = script{
	name:    "non-transitive",
	text:    "A and B, and B and C, reach each other, A and C do not, for ten minutes; nobody is declared down by two for that (L12). Then A is cut off for 43 seconds, and all is well soon after (L7, L11).",
	profile: LAN,
	tell: func(p *play) {
		a, b, c := those(0, 4), those(4, 12), those(12, 16)
		p.form(16)
		heard := p.listen(nil, nil)
		cut := p.Partition(a, c)
		p.Run(10 * time.Minute)
		// A refutation that gossip happens to miss somebody with ends in a lone
		// verdict there, which is over when the two speak: only what two believe
		// counts here.
		p.must("L12", heard.shared == 0, "%d were told down who could be reached through others, the last time: %s", heard.shared, heard.last)
		cut.End()
		p.mustAgree("L3", 2*time.Minute)

		among := p.listen(p.rest(a), p.rest(a))
		cut = p.Partition(a, append(b, c...))
		p.Run(43 * time.Second)
		cut.End()
		p.mustAgree("L7", 5*time.Minute)
		p.must("L11", among.downs == 0, "%d were told down who could reach each other, the last time: %s", among.downs, among.last)
	},
}

// One node loses its network and sees everybody fail, and says so as soon as it
// can be heard again. Then most of the nodes lose theirs at once, each for
// itself.
var isolatedObserver = script{
	name:    "isolated-observer",
	text:    "One node loses its network and sees everybody fail, then 60 % lose theirs at once; those who can reach each other believe none of it (L12), and all are back soon after (L7).",
	profile: LAN,
	tell: func(p *play) {
		p.form(20)
		isolate := func(who Set, long time.Duration) {
			others := p.listen(p.rest(who), p.rest(who))
			var cuts []*Partition
			for _, n := range who {
				cuts = append(cuts, p.Partition(Nodes(n), p.rest(Nodes(n))))
			}
			p.Run(long)
			p.each(who, func(n *Node) {
				p.must("S8", n.core.NumActive() == 0, "%d still believes in %d members after %v alone", n.number, n.core.NumActive(), long)
			})
			for _, cut := range cuts {
				cut.End()
			}
			p.mustAgree("L7", 5*time.Minute)
			p.must("L12", others.downs == 0, "%d were told down by the word of who was isolated, the last time: %s", others.downs, others.last)
		}
		isolate(Nodes(7), 5*time.Minute)
		isolate(those(8, 20), 5*time.Minute)
	},
}

// For a moment nothing passes, and when it does again, everybody asks everybody
// for everything at once, over paths that are far too narrow for it: one answer
// takes longer than the question is waited for.
var syncStorm = script{
	name:    "sync-storm",
	text:    "A blip of 3 s makes everybody ask three others for the whole list at once, which takes many packets and longer than the time-out; nobody loses its place (L4), and all agree (L3).",
	profile: LAN.with(func(c *swim.Config) { c.MaxPacket = 400 }),
	tell: func(p *play) {
		const nodes = 48
		p.Grow(nodes)
		p.mustAgree("L5", 3*time.Minute)
		heard := p.listen(nil, nil)
		blip := p.Impair("blip", nil, nil, Link{Cut: true})
		p.Run(3 * time.Second)
		blip.End()
		narrow := p.Impair("narrow", nil, nil, Link{Queue: Queue{Rate: 10, Length: 4}, Latency: Latency{Constant, 150 * time.Millisecond, 0}})
		for _, n := range p.nodes {
			for i := uint32(1); i <= 3; i++ {
				to := ID{Node: (n.number + i*11) % nodes}
				n.Do(func(c *Core, rt swim.Runtime[ID]) error { return c.Announce(to, rt) })
			}
		}
		p.Run(time.Minute)
		narrow.End()
		p.mustAgree("L3", 2*time.Minute)
		p.must("L4", p.renewals() == 0, "%d gave up their identities", p.renewals())
		// All doubt all at once, and a refutation that gossip misses somebody with
		// ends in a Down there, until the two speak: once in some thousand.
		p.must("L4", heard.shared <= nodes*nodes/500, "%d were told down whom more than one doubted, the last time: %s", heard.shared, heard.last)
	},
}

// Two nodes each believe that the other is down. Whoever of them speaks first is
// told so, and says the same. Elsewhere that went on for ever.
var deadTalk = script{
	name:    "dead-talk",
	text:    "Two believe of each other that they are down, alone, in company, and as such that can not renew; when they can talk they say so and come to an end (S14, L8), and come back if they can (L6).",
	profile: LAN,
	tell: func(p *play) {
		quarrel := func(sides ...Set) {
			cut := p.Partition(sides...)
			p.Run(2 * time.Minute)
			p.each(nil, func(n *Node) {
				p.needs(n.core.NumActive() == len(sides[0])-1, "each side believes that the other is down")
			})
			cut.End()
			for range 120 {
				// A probe is two packets, and gossip about all of it goes to at
				// most three in each fifth of a second.
				packets, _ := p.traffic(time.Second)
				p.must("S14", packets <= 20, "%.0f packets from each member in one second", packets)
			}
			packets, _ := p.traffic(time.Minute)
			p.must("L8", packets <= 4, "%.1f packets from each member in a second, long after", packets)
		}
		p.form(2)
		quarrel(Nodes(0), Nodes(1))
		p.mustAgree("L6", 3*time.Minute)

		p.Grow(2)
		p.mustAgree("L5", time.Minute)
		quarrel(Nodes(0, 2), Nodes(1, 3))
		p.mustAgree("L6", 3*time.Minute)

		for _, n := range p.nodes { // the last lives that they can have
			n.Start(Boot{Life: math.MaxUint32})
		}
		p.mustAgree("L3", 3*time.Minute)
		quarrel(Nodes(0, 2), Nodes(1, 3))
		p.needs(slices.ContainsFunc(p.nodes, func(n *Node) bool { return !n.takesPart() }), "somebody is down for good")
	},
}
