package sim

import (
	"fmt"
	"slices"
	"time"

	"github.com/selkie-go/selkie/swim"
)

// syncCost is E18: what it costs two members to find out in what they differ, and to
// tell each other. It should follow from the number of differences, whatever the
// number of members. Of d differences half are only here and half only there: a
// member with newer metadata counts for two, an old version and a new one.
var syncCost = Experiment{
	ID:       "E18",
	Title:    "what a reconciliation costs",
	Source:   "Practical Rateless Set Reconciliation (2024) says what the cells come to",
	trials:   syncTrials,
	conclude: concludeSync,
}

var (
	syncSizes       = []int{1000, 10_000, 100_000}
	syncDifferences = []int{0, 2, 4, 10, 20, 50, 100, 300, 1000}
)

// theoryCells is how many cells are needed on average.
var theoryCells = map[int]float64{2: 3.2, 4: 7, 10: 17.4, 20: 33, 50: 76, 100: 146, 300: 423, 1000: 1378}

func syncName(what string, nodes, d int) string {
	return fmt.Sprintf("%s, N = %d, d = %d", what, nodes, d)
}

func syncTrials(full bool) []Trial {
	var trials longestFirst
	for i, n := range syncSizes {
		draws := max(10, 200_000/n)
		if full {
			draws *= 10
		}
		trials.add(n*draws, func() Observations { return observeSync(experimentSeed("E18", i, 0), n, draws) })
	}
	return trials.list()
}

// observeSync lets two members that know so many others differ in some of them,
// again and again.
func observeSync(seed uint64, members, draws int) Observations {
	w := New(seed, Profile{Name: "pair", Config: silentButForSync(), Links: LAN.Links})
	w.Watch, w.unhashed = false, true
	w.Add().Seeds = nil
	w.Add().Seeds = nil
	known := make([]swim.Update[ID], members)
	for i := range known {
		known[i].ID = ID{Node: uint32(i), Life: 1}
	}
	for _, n := range w.nodes {
		n.Start(Boot{Known: known})
	}
	for _, n := range w.nodes {
		n.meet(&swim.Header[ID]{Src: w.nodes[1-n.number].core.Self().ID})
	}
	luck := roll(seed, "differences")
	o := Observations{}
	for _, d := range syncDifferences {
		if d >= members {
			break // then a list is shorter, and they read each other's
		}
		for range draws {
			for range d / 2 {
				at := 2 + luck.below(members-2)
				known[at].Metadata++
				w.nodes[luck.below(2)].Apply(known[at:at+1], false)
			}
			w.Run(time.Second) // they do not do it without a pause
			w.reconcile(o, members, d)
		}
	}
	return o
}

// silentButForSync is a configuration under which nothing is sent but what an owner
// asks for: nobody is probed within a day, and nothing is gossiped.
func silentButForSync() swim.Config {
	cfg := swim.LAN(1)
	cfg.Period, cfg.RoundTrip, cfg.StallLimit = 24*time.Hour, 12*time.Hour, swim.Off
	cfg.Gossip.Every, cfg.Announce.Every, cfg.AnnounceDown.Every = swim.Off, swim.Off, swim.Off
	return cfg
}

// reconcile has the first node find out in what it differs from the second.
func (w *World) reconcile(o Observations, members, d int) {
	a, b := w.nodes[0], w.nodes[1]
	before := w.sent()
	was := a.core.Stats().Sent[swim.MessageSync]
	a.Do(func(c *Core, rt swim.Runtime[ID]) error { return c.Sync(b.core.Self().ID, rt) })
	for range 200 {
		sent := w.sent().Packets
		w.Run(5 * time.Millisecond)
		if w.sent().Packets == sent {
			break
		}
	}
	o.add(syncName("bytes", members, d), float64(w.sent().Bytes-before.Bytes))
	o.add(syncName("trips", members, d), float64(a.core.Stats().Sent[swim.MessageSync]-was))
	differ := 0.0
	if !slices.EqualFunc(slices.SortedFunc(a.core.Active(), byNode), slices.SortedFunc(b.core.Active(), byNode),
		func(x, y swim.Member[ID]) bool {
			return x.ID == y.ID && x.Metadata == y.Metadata || x.ID.Node < 2 && y.ID.Node < 2
		}) {
		differ = 1
	}
	o.add(syncName("differ", members, d), differ)
}

func byNode(x, y swim.Member[ID]) int { return int(x.ID.Node) - int(y.ID.Node) }

func concludeSync(o Observations, out *Outcome) {
	f := Figure{
		Title: "What a reconciliation costs",
		Text: "Bytes of all packets that two members exchange until they know the same, over the number of differences, for three numbers of members: the lines lie on each other. " +
			"The broken line is what the cells alone take that are needed on average.",
		X: Axis{Label: "differences", Log: true},
		Y: Axis{Label: "bytes", Log: true},
	}
	smallest := map[int]float64{} // by differences: the mean bytes at the smallest size
	for _, n := range syncSizes {
		line := Series{Name: fmt.Sprintf("N = %d", n), Mark: MarkLine}
		for _, d := range syncDifferences {
			bytes := o[syncName("bytes", n, d)]
			if len(bytes) == 0 {
				continue
			}
			out.atMost(syncName("reconciliations after which the two differ", n, d), 0, 0, sum(o[syncName("differ", n, d)]), len(bytes))
			if small, any := smallest[d]; !any {
				smallest[d] = mean(bytes)
				out.shown(syncName("bytes", n, d), mean(bytes), len(bytes))
			} else {
				out.near(syncName("bytes", n, d), small, 10, mean(bytes), len(bytes))
			}
			out.shown(syncName("round trips", n, d), mean(o[syncName("trips", n, d)]), len(bytes))
			if d > 0 {
				line.add(float64(d), mean(bytes))
			}
		}
		f.Series = append(f.Series, line)
	}
	theory := Series{Name: "cells alone", Mark: MarkTheory}
	for _, d := range syncDifferences[1:] {
		theory.add(float64(d), 13*theoryCells[d])
	}
	f.Series = append(f.Series, theory)
	out.Figures = append(out.Figures, f)
}
