package sim

import (
	"math/rand/v2"
	"testing"
)

func TestNewsSpreadWithProbesAsInTheModel(t *testing.T) {
	in := infections(false)[0]
	in.rumours, in.atLoss = 800, 800
	o := in.observe(1)
	for _, line := range []struct {
		name string
		want float64
	}{{carriages[0].name("t50", 10), in.t50}, {carriages[0].name("last", 10), in.last}, {carriages[1].name("last", 10), in.lossy}} {
		about(t, line.name, line.want, 14, mean(o[line.name]))
	}
	// With loss more packets are sent, all of which tell.
	if all, model := mean(o[carriages[2].name("last", 10)]), mean(o[carriages[1].name("last", 10)]); all >= model {
		t.Errorf("with all packets %g periods, with pings and acks %g", all, model)
	}
}

// News that pings do not carry but acks do take longer.
func TestNewsThatSpreadTooSlowlyAreFound(t *testing.T) {
	in := infections(false)[0]
	in.rumours, in.atLoss = 200, 200
	o := in.observe(1)
	for _, what := range []string{"t50", "t99", "last"} {
		o[carriages[0].name(what, 10)] = o[carriages[1].name(what, 10)]
	}
	if wrong(t, infection.judged(o)) == 0 {
		t.Error("nobody minds")
	}
}

// What a program makes of the model that knows of nothing else, beside which the
// published values are a little rough.
func TestTheModelOfTheSpreadIsWithinTheBounds(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	const runs = 1500
	for _, in := range infections(false)[:2] {
		var last, lossy float64
		for range runs {
			last += model{in.nodes, limitOf(in.nodes), 0}.spread(rnd) / runs
			lossy += model{in.nodes, limitOf(in.nodes), 0.1}.spread(rnd) / runs
		}
		about(t, "all know", in.last, 11, last)
		about(t, "all know at 10 % loss", in.lossy, 10, lossy)
	}
}

// A model is a cluster of members that ping each other in turn, as many times with
// a rumour.
type model struct {
	nodes, limit int
	loss         float64
}

// spread returns after how many periods the last one hears who ever does.
func (m model) spread(rnd *rand.Rand) float64 {
	phases, heard := make([]float64, m.nodes), make([]float64, m.nodes)
	told, order := make([]int, m.nodes), rnd.Perm(m.nodes) // who pings first in each period
	lists, turns := make([][]int, m.nodes), make([]int, m.nodes)
	for i, n := range order {
		phases[n], heard[n] = (float64(i)+rnd.Float64())/float64(m.nodes), -1
		lists[n], turns[n] = rnd.Perm(m.nodes), rnd.IntN(m.nodes)
	}
	began := rnd.Float64()
	heard[rnd.IntN(m.nodes)] = began
	last := began
	tells := func(from, to int, at float64) (arrives bool) {
		news := heard[from] >= 0 && told[from] < m.limit
		if news {
			told[from]++
		}
		if arrives = rnd.Float64() >= m.loss; arrives && news && heard[to] < 0 {
			heard[to], last = at, at
		}
		return arrives
	}
	for period := range 40 {
		for _, n := range order {
			to := n
			for to == n {
				if turns[n] == m.nodes {
					lists[n], turns[n] = rnd.Perm(m.nodes), 0
				}
				to = lists[n][turns[n]]
				turns[n]++
			}
			if at := float64(period) + phases[n]; at >= began && tells(n, to, at) {
				tells(to, n, at)
			}
		}
	}
	return last - began
}
