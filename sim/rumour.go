package sim

import (
	"slices"
	"time"

	"github.com/selkie-go/selkie/swim"
)

// rumours are news that spread among the nodes of a world, with nobody else
// having anything to say about them: each is the goodbye of a member that nobody
// knew, so nobody probes it, and it neither confirms nor refutes. Many may be on
// their way at a time; all fit into one packet.
type rumours struct {
	w    *World
	dice *dice
	list []rumour
}

// A rumour is one of the news.
type rumour struct {
	began swim.Instant
	heard []swim.Instant // by node: when it heard first; [unheardOf] if it did not
	told  []int          // by node: how often it passed it on
}

// unheardOf is never.
const unheardOf swim.Instant = -1

// listen returns the rumours of a world, as yet none.
func listen(w *World, seed uint64) *rumours {
	r := &rumours{w: w, dice: roll(seed, "rumours")}
	w.overhearToo(r.overheard)
	return r
}

// begin lets a random node hear a rumour.
func (r *rumours) begin() {
	n := r.w.nodes[r.dice.below(len(r.w.nodes))]
	about := ID{Node: uint32(len(r.w.nodes) + len(r.list)), Life: 1}
	news := rumour{began: r.w.now, heard: make([]swim.Instant, len(r.w.nodes)), told: make([]int, len(r.w.nodes))}
	for i := range news.heard {
		news.heard[i] = unheardOf
	}
	news.heard[n.number] = r.w.now
	r.list = append(r.list, news)
	n.Apply([]swim.Update[ID]{{Member: swim.Member[ID]{ID: about, State: swim.Left}}}, true)
}

// spread lets rumours begin at random moments, so many and so far apart on
// average, and then gives the last ones time.
func (r *rumours) spread(count int, apart, last time.Duration) {
	for i := range count {
		r.w.After(time.Duration(i)*apart+r.dice.duration(0, apart), r.begin)
	}
	r.w.Run(time.Duration(count)*apart + last)
}

// overheard takes note of the rumours in a packet that a node reads or wrote.
func (r *rumours) overheard(n *Node, p *swim.Packet[ID], wrote bool) {
	for i := range p.Updates {
		u := &p.Updates[i]
		at := int(u.ID.Node) - len(r.w.nodes)
		if at < 0 {
			continue
		}
		switch news := &r.list[at]; {
		case wrote && u.Sent:
			news.told[n.number]++
		case !wrote && news.heard[n.number] == unheardOf:
			news.heard[n.number] = r.w.now
		}
	}
}

// shownRumours is of how many rumours the whole course is kept, for figures.
const shownRumours = 20

// observe notes how long rumours took, in units of so many seconds: until half of
// the members knew, until all but less than one in a hundred did, and all who ever
// did.
func (r *rumours) observe(o Observations, list []rumour, unit float64, name func(what string) string) {
	nodes := len(r.w.nodes)
	for i := range list {
		times := list[i].after(unit)
		slices.Sort(times)
		o.add(name("t50"), times[min(len(times), (nodes+1)/2)-1])
		o.add(name("t99"), times[min(len(times)-1, nodes*99/100)])
		o.add(name("last"), times[len(times)-1])
		o.add(name("missed"), float64(nodes-len(times)))
		o.add(name("told"), list[i].average())
		if i < shownRumours {
			o.add(name("course"), times...)
		}
	}
}

// after returns how long it took each of those who heard a rumour to do so.
func (r *rumour) after(unit float64) []float64 {
	var times []float64
	for _, at := range r.heard {
		if at != unheardOf {
			times = append(times, at.Sub(r.began).Seconds()/unit)
		}
	}
	return times
}

// average returns how often each of those who heard a rumour passed it on.
func (r *rumour) average() float64 {
	told, who := 0, 0
	for i, at := range r.heard {
		if at != unheardOf {
			told, who = told+r.told[i], who+1
		}
	}
	return float64(told) / float64(who)
}
