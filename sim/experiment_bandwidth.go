package sim

import (
	"fmt"
	"time"
)

// bandwidth is E17: what a member sends while nothing changes, and while some
// crash. What counts is the payload of its datagrams.
var bandwidth = Experiment{
	ID:       "E17",
	Title:    "bytes that a member sends",
	Source:   "Rapid (Suresh et al. 2018), table 2; what those who run clusters need",
	trials:   bandwidthTrials,
	conclude: concludeBandwidth,
}

// A demand is a cluster that is measured for a minute.
type demand struct {
	nodes, crashes int
	mean, max      float64 // KB/s
	wire           Wire
}

var demands = []demand{
	{nodes: 1000, mean: 0.12},
	{nodes: 10_000, mean: 0.12},
	{nodes: 1000, crashes: 10, mean: 0.25, max: 3},
	{nodes: 1000, mean: 0.22, wire: WireSealed},
}

func (d demand) name(what string) string {
	switch {
	case d.wire != WirePlain:
		return fmt.Sprintf("%s, N = %d, idle, %v", what, d.nodes, d.wire)
	case d.crashes == 0:
		return fmt.Sprintf("%s, N = %d, idle", what, d.nodes)
	}
	return fmt.Sprintf("%s, N = %d, %d crashes", what, d.nodes, d.crashes)
}

func bandwidthTrials(full bool) []Trial {
	var trials longestFirst
	for i, d := range demands {
		trials.add(d.nodes, alone(d.nodes, func() Observations { return d.observe(experimentSeed("E17", i, 0)) }))
	}
	return trials.list()
}

// observe notes what each member sent in each second.
func (d demand) observe(seed uint64) Observations {
	p := LAN
	p.Wire = d.wire
	w := acquainted(seed, p, d.nodes)
	w.unhashed = true
	w.introduce()
	w.Run(20 * time.Second)
	for i := range d.crashes {
		w.After(time.Duration(i)*time.Second/10, w.nodes[i*d.nodes/d.crashes].Crash)
	}
	o := Observations{}
	before := make([]uint64, d.nodes)
	for i, n := range w.nodes {
		before[i] = n.Traffic.Bytes
	}
	for range 60 {
		w.Run(time.Second)
		for i, n := range w.nodes {
			if now := n.Traffic.Bytes; n.running {
				o.add(d.name("sent"), float64(now-before[i])/1000)
				before[i] = now
			}
		}
	}
	o.add(d.name("gone"), float64(w.total().Down))
	return o
}

func concludeBandwidth(o Observations, out *Outcome) {
	f := Figure{
		Title: "What a member sends in a second",
		Text: "Which part of all seconds of all members it takes no more than so many kilobytes, for an idle cluster of two sizes, for one in which ten members crash at the beginning of the minute, and for an idle one whose packets are sealed. " +
			"An idle member of a large cluster sends as much as one of a small one.",
		X: Axis{Label: "KB in a second"},
		Y: Axis{Label: "part of the seconds"},
	}
	for _, d := range demands {
		sent := o[d.name("sent")]
		if len(sent) == 0 {
			continue
		}
		out.atMost(d.name("KB/s that a member sends, mean"), d.mean, d.mean, mean(sent), len(sent))
		out.shown(d.name("KB/s that a member sends, p99"), quantile(sent, 0.99), len(sent))
		if most := quantile(sent, 1); d.max > 0 {
			out.atMost(d.name("KB/s that a member sends, most"), d.max, d.max, most, len(sent))
			expected := float64(d.crashes * (d.nodes - d.crashes))
			gone := sum(o[d.name("gone")])
			out.within(d.name("records of members that are down"), expected, expected, expected, gone, d.crashes)
		} else {
			out.shown(d.name("KB/s that a member sends, most"), most, len(sent))
		}
		f.Series = append(f.Series, distribution(d.name("")[2:], sent, 200))
	}
	out.Figures = append(out.Figures, f)
}
