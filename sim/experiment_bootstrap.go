package sim

import (
	"fmt"
	"time"

	"github.com/selkie-go/selkie/swim"
)

// bootstrap is E12: one member, and many that join it within ten seconds. Each
// reads the list of the one that it asks, and gossip tells the others of it. And
// it is what happens when one more joins a cluster that has been there for long.
var bootstrap = Experiment{
	ID:       "E12",
	Title:    "many join at once, and one joins many",
	Source:   "Rapid (Suresh et al. 2018), figure 5 and table 1; what those who run clusters need",
	trials:   bootstrapTrials,
	conclude: concludeBootstrap,
}

// joinWindow is within what time all join.
const joinWindow = 10 * time.Second

var (
	bootstrapSizes = []int{1000, 1500, 2000}
	warmSizes      = []int{100, 1000}
)

func bootstrapTrials(full bool) []Trial {
	var trials longestFirst
	repeats := 1
	if full {
		repeats = 5
	}
	for i, n := range bootstrapSizes {
		for repeat := range repeats {
			trials.add(n*n, func() Observations { return observeBootstrap(experimentSeed("E12", i, repeat), n) })
		}
	}
	for i, n := range warmSizes {
		for repeat := range repeats {
			trials.add(n*n/2, func() Observations { return observeJoiner(experimentSeed("E12", 100+i, repeat), n) })
		}
	}
	return trials.list()
}

func bootstrapName(what string, nodes int) string { return fmt.Sprintf("%s, N = %d", what, nodes) }

// observeBootstrap lets all join, and looks when everybody knows everybody, and how
// far the sizes of the cluster that its members see differ meanwhile.
func observeBootstrap(seed uint64, nodes int) Observations {
	w := New(seed, LAN)
	w.Watch, w.unhashed = false, true
	when := roll(seed, "joins")
	for range nodes {
		w.Add().Seeds = Nodes(0)
	}
	w.nodes[0].Start(Boot{})
	first := joinWindow
	for _, n := range w.nodes[1:] {
		at := when.duration(0, joinWindow)
		first = min(first, at)
		w.After(at, func() { n.Start(Boot{}) })
	}
	o := Observations{}
	const step = 100 * time.Millisecond
	for !w.everybodySees(nodes-1) && w.now < swim.Instant(2*time.Minute) {
		w.Run(step)
		if at := w.now.Sub(0); at%(500*time.Millisecond) == 0 {
			o.add(bootstrapName("seconds", nodes), at.Seconds())
			o.add(bootstrapName("sizes", nodes), w.sizes())
		}
	}
	took := w.now.Sub(0) - first
	if !w.everybodySees(nodes - 1) {
		took = time.Hour
	}
	o.add(bootstrapName("complete", nodes), took.Seconds())
	sent := w.sent()
	o.add(bootstrapName("bytes", nodes), float64(sent.Bytes)/float64(nodes))
	return o
}

// sizes is how far the sizes of the cluster that its members see differ, in percent
// of the largest.
func (w *World) sizes() float64 {
	least, most := len(w.nodes), 0
	for _, n := range w.nodes {
		if n.running {
			least, most = min(least, n.core.NumActive()), max(most, n.core.NumActive())
		}
	}
	return 100 * float64(most-least) / float64(max(most, 1))
}

// observeJoiner lets one more join a cluster that was there before.
func observeJoiner(seed uint64, nodes int) Observations {
	w := acquainted(seed, LAN, nodes)
	w.unhashed = true
	joiner := w.Add()
	joiner.Seeds = Nodes(0)
	w.introduce()
	w.Run(10 * time.Second)
	joiner.Start(Boot{})
	from, knows, known := w.now, time.Hour, time.Hour
	for w.now.Sub(from) < 10*time.Second && max(knows, known) == time.Hour {
		w.Run(time.Millisecond)
		if knows == time.Hour && joiner.core.NumActive() == nodes {
			knows = w.now.Sub(from)
		}
		if known == time.Hour && w.everybodyKnows(joiner) {
			known = w.now.Sub(from)
		}
	}
	o := Observations{}
	o.add(bootstrapName("knows", nodes), knows.Seconds())
	o.add(bootstrapName("known", nodes), known.Seconds())
	return o
}

// everybodyKnows reports whether all others that run hold a node active.
func (w *World) everybodyKnows(one *Node) bool {
	for _, n := range w.nodes {
		if m, known := n.core.Member(one.number); n != one && n.running && !(known && m.Active()) {
			return false
		}
	}
	return true
}

func concludeBootstrap(o Observations, out *Outcome) {
	for _, n := range bootstrapSizes {
		times := o[bootstrapName("complete", n)]
		if len(times) == 0 {
			continue
		}
		out.atMost(bootstrapName("seconds from the first join until all know all", n), 13, 13, quantile(times, 1), len(times))
		out.shown(bootstrapName("bytes that a member sent until then", n), mean(o[bootstrapName("bytes", n)]), len(times))
	}
	for _, n := range warmSizes {
		knows, known := o[bootstrapName("knows", n)], o[bootstrapName("known", n)]
		if len(knows) == 0 {
			continue
		}
		out.atMost(bootstrapName("seconds until one who joins knows all", n), 1, 1, quantile(knows, 1), len(knows))
		out.atMost(bootstrapName("seconds until all know one who joins", n), 1, 1, quantile(known, 1), len(known))
	}
	f := Figure{
		Title: "How far views differ while many join",
		Text: "The difference between the most and the fewest members that anybody knows, in percent of the most, over the time since the first was there. " +
			"All join within ten seconds.",
		X: Axis{Label: "seconds"},
		Y: Axis{Label: "percent"},
	}
	for _, n := range bootstrapSizes {
		x, y := o[bootstrapName("seconds", n)], o[bootstrapName("sizes", n)]
		if len(x) > 0 {
			cut := len(x)
			for i := 1; i < len(x); i++ {
				if x[i] < x[i-1] {
					cut = i // the next trial begins
					break
				}
			}
			f.Series = append(f.Series, Series{Name: fmt.Sprintf("N = %d", n), Mark: MarkLine, X: x[:cut], Y: y[:cut]})
		}
	}
	out.Figures = append(out.Figures, f)
}
