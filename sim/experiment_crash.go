package sim

import (
	"fmt"
	"time"

	"github.com/selkie-go/selkie/swim"
)

// crashExperiment is how soon a crash is noticed in a cluster to which nothing
// else happens, and what each part of the protocol costs in that.
func crashExperiment() Experiment {
	return Experiment{
		ID:       "crash",
		Title:    "when a crash among 128 members is noticed",
		Source:   "ours",
		trials:   crashTrials,
		conclude: concludeCrash,
	}
}

// crashLasts bounds how long a crash is waited for to be noticed, and how long
// for the member to be back.
const crashLasts = time.Minute

// A crashing is one run, in which some members crash one after the other.
type crashing struct {
	variant
	repeat, crashes int
}

func crashTrials(full bool) []Trial {
	var all []Trial
	repeats := 20
	if full {
		repeats = 100
	}
	for _, v := range parts(swim.LAN(agents)) {
		for repeat := range repeats {
			all = append(all, crashing{v, repeat, 10}.observe)
		}
	}
	return all
}

// observe lets members crash one after the other, each once all have noticed the
// one before, which then has come back and is known to all.
func (c crashing) observe() Observations {
	seed, _ := label(12, "crash", uint64(c.repeat))
	w := company(seed, agents, c.config)
	o, d := Observations{}, roll(seed, "victims")
	var told []bool
	var count, victim int
	var began swim.Instant
	for _, n := range w.nodes {
		n.OnNotify = func(note swim.Notification[ID]) {
			if note.Kind != swim.NotifyDown || int(note.Member.ID.Node) != victim || told[n.number] {
				return
			}
			told[n.number] = true
			after := w.now.Sub(began).Seconds()
			if count++; count == 1 {
				o.add(c.name+" first", after)
			}
			if count == agents-1 {
				o.add(c.name+" everywhere", after)
			}
		}
	}
	for range c.crashes {
		w.Run(d.duration(0, time.Second)) // at any moment of the periods
		told, count, victim, began = make([]bool, agents), 0, d.below(agents), w.now
		gone := w.nodes[victim]
		known := remember(gone).records
		gone.Crash()
		o.add(c.name+" crashes", 1)
		w.RunUntil(crashLasts, func() bool { return count == agents-1 })
		gone.Start(Boot{Known: known})
		w.RunUntil(crashLasts, func() bool { return w.everybodySees(agents - 1) })
	}
	return o
}

func concludeCrash(o Observations, out *Outcome) {
	fig := Figure{
		Title: "When a crash is noticed",
		Text: fmt.Sprintf("One of %d members crashes. The part of those crashes that the first of the others has noticed by then, "+
			"with the default and with parts of the protocol switched off.", agents),
		X: Axis{Label: "seconds since the crash"}, Y: Axis{Label: "part of those noticed"},
	}
	for _, v := range parts(swim.LAN(agents)) {
		first, everywhere, crashes := o[v.name+" first"], o[v.name+" everywhere"], o[v.name+" crashes"]
		if v.name == "default" {
			out.atMost("default, first median s", 10.1, 12.5, quantile(first, 0.5), len(first))
			out.atMost("default, everywhere median s", 10.6, 13, quantile(everywhere, 0.5), len(everywhere))
			out.within("default, crashes that all noticed, %", 100, 100, 100, percent(float64(len(everywhere)), float64(len(crashes))), len(crashes))
		} else {
			out.shown(v.name+", first median s", quantile(first, 0.5), len(first))
			out.shown(v.name+", everywhere median s", quantile(everywhere, 0.5), len(everywhere))
		}
		out.shown(v.name+", first p99 s", quantile(first, 0.99), len(first))
		out.shown(v.name+", everywhere p99 s", quantile(everywhere, 0.99), len(everywhere))
		fig.Series = append(fig.Series, distribution(v.name, first, 200))
	}
	out.Figures = append(out.Figures, fig)
}
