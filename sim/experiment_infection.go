package sim

import (
	"fmt"
	"math"

	"github.com/selkie-go/selkie/swim"
)

// infection is E5: how fast news spread that travel with probes alone, as in the
// paper, without a packet of their own.
//
// Whoever knows tells it with each ping and each ack, up to a limit, and so does
// who hears it: those who know become about e² times as many in a period, at first.
var infection = Experiment{
	ID:       "E5",
	Title:    "spread of news with probes",
	Source:   "SWIM, figure 3b, and a simulation of the model",
	trials:   infectionTrials,
	conclude: concludeInfection,
}

// An infected is a cluster in which rumours spread with probes, and what they are
// to take, in periods.
type infected struct {
	nodes           int
	rumours, atLoss int // how many, without loss and with it
	parts           int // trials that the rumours are divided among
	helpers         int // who are asked to probe too in the model, where packets get lost
	t50, t99, last  float64
	lossy           float64 // last at 10 % loss
	instead         float64 // of lossy, if that can not be reached
}

// infections are as published, from few runs of the model. A program that does just
// what the model says, see the tests, gets 2.08 where 2.3 was published for ten
// members, and 8.08 where it was 7.4 for a thousand at 10 % loss: that is within ten
// percent, but not by far, so it takes many rumours. For ten thousand it gets 10.5
// instead of 9.6, which is too far, and so is judged by that program.
func infections(full bool) []infected {
	list := []infected{
		{nodes: 10, rumours: 32_000, atLoss: 8000, parts: 1, helpers: 6, t50: 1.1, t99: 2.3, last: 2.3, lossy: 2.7},
		{nodes: 56, rumours: 1000, atLoss: 1500, parts: 1, helpers: 6, t50: 2.5, t99: 4.1, last: 4.1, lossy: 4.4},
		{nodes: 1000, rumours: 240, atLoss: 800, parts: 2, helpers: 6, t50: 4.1, t99: 5.7, last: 6.3, lossy: 7.4},
	}
	if full {
		list = append(list, infected{nodes: 10_000, rumours: 30, atLoss: 60, parts: 1, helpers: 12, t50: 5.6, t99: 7.2, last: 8.0, lossy: 9.6, instead: 10.5})
	}
	return list
}

// A carriage says under which loss rumours spread, and with what: pings and acks,
// which is the model of the paper, or all packets of the protocol. Where packets
// get lost those are more, because others are asked to probe then.
//
// In the model nothing else is told. So that suspicions, and what refutes them, do
// not take the room in the packets, more than usual are asked to probe: hardly any
// probe fails then, and in the model it makes no other difference. Of six, one probe
// in three thousand still fails, which is one in three periods among a thousand
// members, but so many among ten thousand that rumours have to wait for refutations.
type carriage struct {
	loss float64
	all  bool
}

var carriages = []carriage{{}, {loss: 0.1}, {loss: 0.1, all: true}}

// helpers returns how many are asked to probe too.
func (c carriage) helpers(in infected) int {
	if c.loss > 0 && !c.all {
		return in.helpers
	}
	return Paper.Config.IndirectProbes
}

// count returns how many rumours are to spread so. What is not judged takes fewer.
func (c carriage) count(in infected) int {
	switch {
	case c.all:
		return in.atLoss / 8
	case c.loss > 0:
		return in.atLoss
	}
	return in.rumours
}

func (c carriage) name(what string, nodes int) string {
	name := fmt.Sprintf("%s, N = %d, loss %g %%", what, nodes, 100*c.loss)
	if c.all {
		name += ", all packets tell"
	}
	return name
}

func infectionTrials(full bool) []Trial {
	var trials longestFirst
	for i, in := range infections(full) {
		for part := range in.parts {
			trials.add(in.nodes*(in.rumours+in.atLoss)/in.parts, alone(in.nodes, func() Observations {
				return in.observe(experimentSeed("E5", i, part))
			}))
		}
	}
	return trials.list()
}

// observe lets rumours spread, of each part as many. They do not get in each other's
// way: a dozen at a time, each of which is told about twice a period. After a packet
// in which no news had room, such as one that asks others to probe where only pings
// and acks tell, the core tries no more than sixteen.
func (in infected) observe(seed uint64) Observations {
	o := Observations{}
	p := undecided(Paper)
	w := acquainted(seed, p, in.nodes)
	w.introduce()
	w.Run(p.periods(2)) // by then all have begun to probe
	r := listen(w, seed)
	apart := p.periods(limitOf(in.nodes)) / 2 / 12
	for _, c := range carriages {
		lossy := w.Impair("loss", nil, nil, Link{Loss: c.loss})
		w.ask(c.helpers(in))
		w.carries = func(m swim.Message) bool { return c.all || m == swim.MessagePing || m == swim.MessageAck }
		first := len(r.list)
		r.spread(c.count(in)/in.parts, apart, p.periods(30))
		r.observe(o, r.list[first:], p.Config.Period.Seconds(), func(what string) string { return c.name(what, in.nodes) })
		lossy.End()
	}
	return o
}

// limitOf returns how often each of so many members tells a rumour.
func limitOf(nodes int) int { return 3 * int(math.Ceil(math.Log(float64(nodes+1)))) }

func concludeInfection(o Observations, out *Outcome) {
	for _, in := range infections(true) {
		for _, c := range carriages {
			of := func(what string) []float64 { return o[c.name(what, in.nodes)] }
			count, all := len(of("last")), mean(of("last"))
			metric := func(what string) string { return c.name("periods until "+what, in.nodes) }
			switch {
			case count == 0: // it was not run
				continue
			case c.all:
				out.shown(metric("all know"), all, count)
			case c.loss > 0 && in.instead > 0:
				out.near(metric("all know"), in.instead, 10, all, count)
				out.beside(metric("all know")+", beside what was published", in.lossy, all, count)
			case c.loss > 0:
				out.near(metric("all know"), in.lossy, 10, all, count)
			default:
				out.near(metric("half know"), in.t50, 10, mean(of("t50")), count)
				out.near(metric("fewer than 1 % do not know"), in.t99, 10, mean(of("t99")), count)
				out.near(metric("all know"), in.last, 10, all, count)
				if in.nodes == 56 {
					out.within("periods until half know, N = 56, median", 2, 1, 3, quantile(of("t50"), 0.5), count)
				}
			}
			out.atMost(c.name("part of the members that never hear", in.nodes), 0, 1e-3, mean(of("missed"))/float64(in.nodes), count*in.nodes)
		}
	}
	out.Figures = append(out.Figures, infectionCourse(o), infectionGrowth(o))
}

// infectionCourse shows how the number of those who know grows over time.
func infectionCourse(o Observations) Figure {
	f := Figure{
		Title: "How news spread with probes",
		Text: "Which part of the members knows a piece of news, over the periods since the first one learnt it, averaged over some pieces of news. " +
			"Each member passes it on with the pings and acks that it sends anyway. Ten times as many members take less than two periods more.",
		X: Axis{Label: "periods"},
		Y: Axis{Label: "part of the members that know"},
	}
	for _, in := range infections(true) {
		for _, c := range carriages {
			if course := o[c.name("course", in.nodes)]; len(course) > 0 && !c.all {
				f.Series = append(f.Series, distribution(fmt.Sprintf("N = %d, loss %g %%", in.nodes, 100*c.loss), course, 80))
			}
		}
	}
	return f
}

// infectionGrowth shows how the times grow with the number of members.
func infectionGrowth(o Observations) Figure {
	f := Figure{
		Title: "Time that news take over the size of the cluster",
		Text: "Periods until half, nearly all and all of the members know, without loss. They grow with the logarithm of the number of members, so the lines are straight on this scale. " +
			"The broken lines are from a simulation of the paper's model alone.",
		X: Axis{Label: "members", Log: true},
		Y: Axis{Label: "periods"},
	}
	for _, line := range []struct {
		what, name string
		expected   func(in infected) float64
	}{
		{"t50", "half", func(in infected) float64 { return in.t50 }},
		{"t99", "more than 99 %", func(in infected) float64 { return in.t99 }},
		{"last", "all", func(in infected) float64 { return in.last }},
	} {
		measured, model := Series{Name: line.name, Mark: MarkLine}, Series{Name: line.name + ", model", Mark: MarkTheory}
		for _, in := range infections(true) {
			model.add(float64(in.nodes), line.expected(in))
			if times := o[carriage{}.name(line.what, in.nodes)]; len(times) > 0 {
				measured.add(float64(in.nodes), mean(times))
			}
		}
		f.Series = append(f.Series, measured, model)
	}
	return f
}
