package sim

import (
	"fmt"
	"time"

	"github.com/selkie-go/selkie/swim"
)

// lossExperiment is how often members are wrongly held down where packets get
// lost, and which part of the protocol keeps that from happening.
func lossExperiment() Experiment {
	return Experiment{
		ID:       "loss",
		Title:    "members wrongly held down while packets get lost",
		Source:   "ours",
		trials:   lossTrials,
		conclude: concludeLoss,
	}
}

const (
	lossMembers = 100
	lossLasts   = 10 * time.Minute
)

// lossRates are how many packets in a hundred get lost, and lossMost how many
// false downs our default may bring, at all members together.
var (
	lossRates = []int{5, 20, 30}
	lossMost  = []float64{0, 1, 10}
)

// A lossy is one run.
type lossy struct {
	variant
	rate   int // percent
	repeat int
	lasts  time.Duration
}

func lossTrials(full bool) []Trial {
	var all []Trial
	for _, v := range parts(swim.LAN(lossMembers)) {
		repeats := 10
		if !full && v.name != "default" {
			repeats = 2
		}
		for _, rate := range lossRates {
			for repeat := range repeats {
				all = append(all, lossy{v, rate, repeat, lossLasts}.observe)
			}
		}
	}
	return all
}

// observe lets a cluster live with the loss. Nobody fails, so whatever is told of
// failures is wrong.
func (l lossy) observe() Observations {
	seed, _ := label(11, "loss", uint64(l.rate), uint64(l.repeat))
	l.config.Notify.Suspect = true
	w := company(seed, lossMembers, l.config)
	downs, doubts := 0, 0
	for _, n := range w.nodes {
		n.OnNotify = func(note swim.Notification[ID]) {
			switch {
			case note.Kind == swim.NotifySuspect:
				doubts++
			case note.Kind == swim.NotifyDown && note.Member.State == swim.Down:
				downs++
			}
		}
	}
	w.Impair("loss", nil, nil, Link{Loss: float64(l.rate) / 100})
	before := w.sent()
	w.Run(l.lasts)
	renewals := 0
	for _, n := range w.nodes {
		renewals += int(n.core.Stats().Renewals)
	}
	o, name := Observations{}, fmt.Sprintf("%s, %d %% loss", l.name, l.rate)
	o.add(name+", downs", float64(downs))
	o.add(name+", suspicions", float64(doubts))
	o.add(name+", renewals", float64(renewals))
	o.add(name+", bytes", float64(w.sent().Bytes-before.Bytes)/lossMembers/l.lasts.Seconds())
	return o
}

func concludeLoss(o Observations, out *Outcome) {
	fig := Figure{
		Title: "Members wrongly held down under loss",
		Text: fmt.Sprintf("%d members, of whom nobody fails, live for %v while packets get lost. How often anybody is told that another is down, "+
			"with the default and with parts of the protocol switched off.", lossMembers, lossLasts),
		X: Axis{Label: "packets lost, %"}, Y: Axis{Label: "downs, at all members together", Log: true},
	}
	for _, v := range parts(swim.LAN(lossMembers)) {
		line := Series{Name: v.name, Mark: MarkLine}
		for i, rate := range lossRates {
			name := fmt.Sprintf("%s, %d %% loss", v.name, rate)
			downs := o[name+", downs"]
			if v.name == "default" {
				out.atMost(name+", downs", 0, lossMost[i], mean(downs), len(downs))
			} else {
				out.shown(name+", downs", mean(downs), len(downs))
			}
			out.shown(name+", suspicions", mean(o[name+", suspicions"]), len(downs))
			out.shown(name+", renewals", mean(o[name+", renewals"]), len(downs))
			out.shown(name+", bytes per member and second", mean(o[name+", bytes"]), len(downs))
			line.X, line.Y = append(line.X, float64(rate)), append(line.Y, mean(downs))
		}
		fig.Series = append(fig.Series, line)
	}
	out.Figures = append(out.Figures, fig)
}
