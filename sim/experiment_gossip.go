package sim

import (
	"fmt"
	"time"

	"github.com/selkie-go/selkie/swim"
)

// gossipLayer is E7: how fast news spread that are gossiped, with the constants
// that are usual today: to 3 members every 200 ms, 4·ceil(log10(N+1)) times.
//
// In the model the members gossip all the time, each at moments of its own. Here
// gossip rests while there is nothing to tell, and its first round comes a full
// interval after the first news. So it is measured twice: in a cluster in which
// there is always something to tell, which is the model, and in one that was at
// rest. And it is measured as our members do it if nobody forbids them to, when
// those who hear news do not wait for the next round.
var gossipLayer = Experiment{
	ID:       "E7",
	Title:    "spread of news by gossip",
	Source:   "a simulation of the model, with the constants of memberlist",
	trials:   gossipTrials,
	conclude: concludeGossip,
}

// A gossiped is a cluster in which rumours are gossiped, and what they are to
// take, in seconds.
type gossiped struct {
	nodes, rumours   int
	t99, last, lossy float64 // lossy is last at 25 % loss
	transmissions    float64
}

func gossiping(full bool) []gossiped {
	list := []gossiped{
		{nodes: 100, rumours: 600, t99: 0.69, last: 0.69, lossy: 0.92, transmissions: 12},
		{nodes: 1000, rumours: 200, t99: 0.80, last: 0.98, lossy: 1.31, transmissions: 16},
	}
	if full {
		list = append(list, gossiped{nodes: 10_000, rumours: 100, t99: 0.97, last: 1.31, lossy: 1.73, transmissions: 20})
	}
	return list
}

// A mood is the state of the cluster in which rumours begin.
type mood struct {
	name  string
	apart time.Duration // how long after each other rumours begin, on average
	part  int           // how many fewer of them
	eager bool          // who hears news passes them on at once
}

var (
	busy   = mood{name: "always something to tell", apart: 100 * time.Millisecond, part: 1}
	rested = mood{name: "at rest before", apart: 5 * time.Second, part: 5}
	eager  = mood{name: "eager", apart: 5 * time.Second, part: 5, eager: true}
)

var gossipLosses = []float64{0, 0.25}

func gossipName(what string, nodes int, loss float64, m mood) string {
	return fmt.Sprintf("%s, N = %d, loss %g %%, %s", what, nodes, 100*loss, m.name)
}

func gossipTrials(full bool) []Trial {
	var trials longestFirst
	for i, g := range gossiping(full) {
		for j, m := range []mood{busy, rested, eager} {
			trials.add(g.nodes*g.rumours, alone(g.nodes, func() Observations { return g.observe(experimentSeed("E7", i, j), m) }))
		}
	}
	return trials.list()
}

// gossipOnly is a cluster in which gossip is all that is sent: nobody is probed
// within a day.
func gossipOnly() Profile {
	cfg := swim.Paper()
	cfg.Period, cfg.RoundTrip = 24*time.Hour, 12*time.Hour
	cfg.Gossip = swim.Task{Every: 200 * time.Millisecond, Num: 3}
	cfg.Transmissions = swim.Scale{Factor: 4, Base: swim.Base10, Least: 4}
	return Profile{Name: "gossip", Config: cfg, Links: [][]Link{{{}}}}
}

// observe lets rumours spread. The first of those in a busy cluster make it one
// and do not count.
func (g gossiped) observe(seed uint64, m mood) Observations {
	const last = 10 * time.Second
	o := Observations{}
	p := gossipOnly()
	p.Config.Rules.LazyGossip = !m.eager
	w := acquainted(seed, p, g.nodes)
	r := listen(w, seed)
	for _, loss := range gossipLosses {
		lossy := w.Impair("loss", nil, nil, Link{Loss: loss})
		first, warm := len(r.list), 0
		if m == busy {
			warm = 30
		}
		r.spread(g.rumours/m.part+2*warm, m.apart, last)
		r.observe(o, r.list[first+warm:len(r.list)-warm], 1, func(what string) string { return gossipName(what, g.nodes, loss, m) })
		lossy.End()
	}
	return o
}

func concludeGossip(o Observations, out *Outcome) {
	for _, m := range []mood{busy, rested, eager} {
		for _, g := range gossiping(true) {
			for _, loss := range gossipLosses {
				g.conclude(o, out, loss, m)
			}
		}
	}
	out.Figures = append(out.Figures, gossipCourse(o), gossipGrowth(o))
}

// conclude judges what is in the model, and shows the rest.
func (g gossiped) conclude(o Observations, out *Outcome, loss float64, m mood) {
	of := func(what string) []float64 { return o[gossipName(what, g.nodes, loss, m)] }
	metric := func(what string) string { return gossipName(what, g.nodes, loss, m) }
	count, all := len(of("last")), mean(of("last"))
	switch {
	case count == 0:
		return
	case m.eager && loss == 0:
		out.atMost(metric("seconds until fewer than 1 % do not know"), 0.25, 0.25, mean(of("t99")), count)
		out.shown(metric("seconds until all know"), all, count)
	case m != busy:
		out.shown(metric("seconds until fewer than 1 % do not know"), mean(of("t99")), count)
		out.shown(metric("seconds until all know"), all, count)
	case loss > 0:
		out.near(metric("seconds until all know"), g.lossy, 10, all, count)
	default:
		out.near(metric("seconds until fewer than 1 % do not know"), g.t99, 10, mean(of("t99")), count)
		out.near(metric("seconds until all know"), g.last, 10, all, count)
	}
	out.within(metric("times that each member tells it"), g.transmissions, g.transmissions, g.transmissions, mean(of("told")), count*g.nodes)
	out.shown(metric("part of the members that never hear"), mean(of("missed"))/float64(g.nodes), count*g.nodes)
}

// gossipCourse shows how the number of those who know grows over time.
func gossipCourse(o Observations) Figure {
	f := Figure{
		Title: "How news spread by gossip",
		Text: "Which part of the members knows a piece of news, over the time since the first one learnt it, averaged over some pieces of news. " +
			"Each member tells it to three others every 200 ms. Where there was nothing to tell before, those who hear it wait for a full interval before they pass it on, so it comes in steps.",
		X: Axis{Label: "seconds"},
		Y: Axis{Label: "part of the members that know"},
	}
	for _, m := range []mood{busy, rested, eager} {
		for _, g := range gossiping(true) {
			if course := o[gossipName("course", g.nodes, 0, m)]; len(course) > 0 {
				f.Series = append(f.Series, distribution(fmt.Sprintf("N = %d, %s", g.nodes, m.name), course, 80))
			}
		}
	}
	return f
}

// gossipGrowth shows how the times grow with the number of members.
func gossipGrowth(o Observations) Figure {
	f := Figure{
		Title: "Time that gossip takes over the size of the cluster",
		Text: "Seconds until all members know, with and without loss. They grow with the logarithm of the number of members. " +
			"The broken lines are from a simulation of the model, in which all gossip all the time.",
		X: Axis{Label: "members", Log: true},
		Y: Axis{Label: "seconds"},
	}
	for _, loss := range gossipLosses {
		name := fmt.Sprintf("loss %g %%", 100*loss)
		measured, model := Series{Name: name, Mark: MarkLine}, Series{Name: name + ", model", Mark: MarkTheory}
		quiet := Series{Name: name + ", " + rested.name, Mark: MarkLine}
		for _, g := range gossiping(true) {
			expected := g.last
			if loss > 0 {
				expected = g.lossy
			}
			model.add(float64(g.nodes), expected)
			if times := o[gossipName("last", g.nodes, loss, busy)]; len(times) > 0 {
				measured.add(float64(g.nodes), mean(times))
			}
			if times := o[gossipName("last", g.nodes, loss, rested)]; len(times) > 0 {
				quiet.add(float64(g.nodes), mean(times))
			}
		}
		f.Series = append(f.Series, measured, model, quiet)
	}
	return f
}
