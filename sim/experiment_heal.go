package sim

import (
	"fmt"
	"time"

	"github.com/selkie-go/selkie/swim"
)

// healing is E19: a cluster is split into halves, each of which declares the other
// one down, and then the network is whole again. What has to come of it is one
// view, soon, and nobody who was ever told that a member of its own half is down.
var healing = Experiment{
	ID:       "E19",
	Title:    "a partition heals",
	Source:   "what those who run clusters need",
	trials:   healTrials,
	conclude: concludeHeal,
}

// A split is a cluster that is parted for a time.
type split struct {
	nodes  int
	apart  time.Duration
	most   float64 // seconds that healing may take; 0 for the bound of L7
	repeat int
	forget bool // it lasts longer than tombstones do, so that only seeds are left
}

// profile is that of a LAN, on which those who are gone may be forgotten soon.
func (s split) profile() Profile {
	if !s.forget {
		return LAN
	}
	return LAN.with(func(c *swim.Config) { c.ForgetAfter = s.apart / 3 })
}

// bound is how many seconds healing may take.
func (s split) bound() float64 {
	if s.most > 0 {
		return s.most
	}
	b := boundsOf(s.nodes, 2, s.profile().Config)
	b.nodes = 1 // nobody is remembered
	contact := b.heal()
	b.nodes = s.nodes
	return (contact + b.reach()).Seconds()
}

func splits(full bool) []split {
	list := []split{
		{nodes: 100, apart: 10 * time.Minute, most: 5, repeat: 3},
		{nodes: 1000, apart: 10 * time.Minute, most: 5, repeat: 1},
		{nodes: 4, apart: 10 * time.Minute, repeat: 10, forget: true},
		{nodes: 6, apart: 10 * time.Minute, repeat: 10, forget: true},
		{nodes: 200, apart: 10 * time.Minute, repeat: 2, forget: true},
	}
	if full {
		list[1].repeat = 5
	}
	return list
}

func (s split) name(what string) string {
	if s.forget {
		what += ", forgotten meanwhile"
	}
	return fmt.Sprintf("%s, N = %d", what, s.nodes)
}

func healTrials(full bool) []Trial {
	var trials longestFirst
	for i, s := range splits(full) {
		for repeat := range s.repeat {
			trials.add(s.nodes, func() Observations { return s.observe(experimentSeed("E19", i, repeat)) })
		}
	}
	return trials.list()
}

func (s split) observe(seed uint64) Observations {
	o := Observations{}
	w := acquainted(seed, s.profile(), s.nodes)
	w.introduce()
	if s.forget { // one of each half is known by its address
		for _, n := range w.nodes {
			n.Seeds = Nodes(0, 1)
			n.nameSeeds()
		}
	}
	side := func(n uint32) uint32 { return n % 2 }
	wrong := 0
	for _, n := range w.nodes {
		n.OnNotify = func(note swim.Notification[ID]) {
			if m := &note.Member; note.Kind == swim.NotifyDown && m.State == swim.Down && side(m.ID.Node) == side(n.number) {
				wrong++
			}
		}
	}
	w.Run(10 * time.Second)
	var halves [2][]uint32
	for _, n := range w.nodes {
		halves[side(n.number)] = append(halves[side(n.number)], n.number)
	}
	var parted []*Impairment
	for i := range halves {
		parted = append(parted, w.Impair(fmt.Sprint("halves ", i), Nodes(halves[i]...), Nodes(halves[1-i]...), Link{Cut: true}))
	}
	w.Run(s.apart)
	apart := w.everybodySees(s.nodes/2 - 1)
	for _, i := range parted {
		i.End()
	}
	healed, before := w.now, w.sent()
	sees := make([]bool, s.nodes)
	for !w.everybodySees(s.nodes-1) && w.now.Sub(healed) < 5*time.Minute {
		w.Run(50 * time.Millisecond)
		for i, n := range w.nodes {
			if !sees[i] && n.core.NumActive() == s.nodes-1 {
				sees[i] = true
				o.add(s.name("course"), w.now.Sub(healed).Seconds())
			}
		}
	}
	took := w.now.Sub(healed)
	o.add(s.name("bytes"), float64(w.sent().Bytes-before.Bytes)/float64(s.nodes))
	w.Run(30 * time.Second)
	if !apart || !w.everybodySees(s.nodes-1) {
		took = time.Hour // it never was one view, or did not stay so
	}
	o.add(s.name("healed"), took.Seconds())
	o.add(s.name("wrong"), float64(wrong))
	o.add(s.name("renewals"), float64(w.total().Renewals)/float64(s.nodes))
	return o
}

func concludeHeal(o Observations, out *Outcome) {
	f := Figure{
		Title: "How a partition heals",
		Text: "Which part of the members sees all others again, over the time since the network is whole. Before, each half of the cluster held the other one down for ten minutes. " +
			"The first moments pass until members of the two halves contact each other and those who were accused have refuted; then most know within a second, and digests find the rest.",
		X: Axis{Label: "seconds"},
		Y: Axis{Label: "part of the members"},
	}
	for _, s := range splits(true) {
		times := o[s.name("healed")]
		if len(times) == 0 {
			continue
		}
		out.atMost(s.name("seconds until all have one view"), s.bound(), s.bound(), quantile(times, 1), len(times))
		out.atMost(s.name("members of the own half reported down"), 0, 0, sum(o[s.name("wrong")]), len(times))
		out.shown(s.name("bytes that a member sent until then"), mean(o[s.name("bytes")]), len(times))
		out.shown(s.name("renewals of a member"), mean(o[s.name("renewals")]), len(times))
		if !s.forget {
			f.Series = append(f.Series, distribution(fmt.Sprintf("N = %d", s.nodes), o[s.name("course")], 80))
		}
	}
	out.Figures = append(out.Figures, f)
}
