package sim

import (
	"time"

	"github.com/selkie-go/selkie/swim"
)

// A cluster doubles within a minute. What a node spends on the others must not
// grow with their number, or there is a size at which all of them fail at once.
var scaleCliff = script{
	name:    "scale-cliff",
	text:    "The cluster doubles within a minute; all know all (L5), nobody is doubted (L2), and traffic and timers of a member stay what they were (L8, S16).",
	profile: LAN,
	tell: func(p *play) {
		half := 64 * p.size
		p.Grow(half)
		p.mustAgree("L5", 2*time.Minute)
		_, before := p.traffic(2 * time.Minute)
		heard := p.listen(nil, nil)
		for range half {
			p.Grow(1)
			p.Run(time.Minute / time.Duration(half))
		}
		p.mustAgree("L5", 3*time.Minute)
		_, after := p.traffic(2 * time.Minute)
		p.must("L8", after <= 1.2*before, "each member sends %.0f bytes in a second, was %.0f", after, before)
		p.must("L2", heard.downs == 0, "%d were told down, the last time: %s", heard.downs, heard.last)
		for _, n := range p.nodes {
			p.must("S16", p.timers(n) <= 16, "%d has %d timer events outstanding, and nothing to do", n.number, p.timers(n))
		}
	},
}

// Nothing happens for thirty years, but for somebody who looks every now and
// then. Then people come back, and restart things. A limit on what is plausible
// that reckons with what was known in the beginning refuses all of them.
var oldCluster = script{
	name: "old-cluster",
	text: "Thirty years pass, with a restart now and then, and then everybody restarts, one without disk and clock; nobody is refused for age (S4), and nobody is told down (L2).",
	profile: LAN.with(func(c *swim.Config) {
		const day = 24 * time.Hour
		c.Period, c.StallLimit, c.DeafLimit, c.ForgetAfter = 12*time.Hour, swim.Off, day, 45*day
		c.Gossip.Every, c.Announce.Every, c.AnnounceDown.Every = time.Hour, day, day
	}),
	tell: func(p *play) {
		const year = 365 * 24 * time.Hour
		p.Grow(5)
		p.mustAgree("L5", 30*24*time.Hour)
		heard := p.listen(nil, nil)
		for range 30 {
			p.Run(year)
			p.Node(4).Start(Boot{})
		}
		p.mustAgree("S4", year/12)
		for _, n := range p.nodes { // now they are watched again
			n.Do(func(c *Core, rt swim.Runtime[ID]) error { return c.Configure(LAN.Config, rt) })
		}
		p.Run(time.Minute)
		for _, n := range p.nodes {
			n.Start(Boot{Config: LAN.Config})
			p.mustAgree("S4", 2*time.Minute)
		}
		p.must("L2", heard.downs == 0, "%d were told down, the last time: %s", heard.downs, heard.last)
		p.Node(4).Start(Boot{Config: LAN.Config, Life: 1})
		p.mustAgree("S4", 2*time.Minute)
	},
}

// A million identities come and go, and one process that can not start tries to
// every five seconds for six hours. All of it is remembered for a while, and
// none of it for ever.
var tombstones = script{
	name: "tombstones",
	text: "A million members come and go, and a process restarts every 5 s for 6 h; what is remembered and told has a limit (S15, S16), and in the end nothing is left of it (S16).",
	profile: LAN.with(func(c *swim.Config) {
		c.ForgetAfter, c.MaxTombstones = 10*time.Minute, 2000
		c.Announce.Every = 10 * time.Minute
	}),
	tell: func(p *play) {
		p.form(3)
		p.Run(time.Minute)
		quiet := p.timers(p.Node(0))
		bounded := func() {
			for _, n := range p.nodes {
				if !n.running {
					continue
				}
				s := n.core.Stats()
				known := s.Alive + s.Suspect + s.Lone + s.Down + s.Left
				p.must("S16", s.Down+s.Left <= 2000, "%d holds %d tombstones", n.number, s.Down+s.Left)
				p.must("S15", s.Backlog <= known+1, "%d has %d to tell about %d", n.number, s.Backlog, known)
				p.must("S16", p.timers(n) <= 16+2*known, "%d has %d timer events outstanding for %d members", n.number, p.timers(n), known)
			}
		}
		p.oracle.distrust("made-up members")
		batch := make([]swim.Update[ID], 1000)
		for i := range 1000 * p.size { // the owner of one hears of them
			for _, state := range []swim.State{swim.Alive, swim.Left} {
				for j := range batch {
					batch[j] = swim.Update[ID]{Member: swim.Member[ID]{ID: ID{Node: uint32(1_000_000 + 1000*i + j), Life: 1}, State: state}}
				}
				p.Node(0).Apply(batch, i%100 == 0)
			}
			if i%100 == 0 {
				p.Run(time.Second)
				bounded()
			}
		}
		p.oracle.trustAgain()
		looping := p.Node(2)
		for range 6 * 3600 / 5 {
			looping.Start(Boot{})
			p.Run(3 * time.Second)
			looping.Crash()
			p.Run(2 * time.Second)
		}
		bounded()
		looping.Start(Boot{})
		p.Run(21 * time.Minute) // those who were told late are forgotten late
		p.mustAgree("L3", time.Minute)
		for _, n := range p.nodes {
			s := n.core.Stats()
			p.must("S16", s.Down+s.Left == 0, "%d still holds %d tombstones", n.number, s.Down+s.Left)
			p.must("S16", p.timers(n) <= quiet+2, "%d has %d timer events outstanding, in the beginning %d", n.number, p.timers(n), quiet)
		}
	},
}
