package sim

import (
	"fmt"
	"time"

	"github.com/selkie-go/selkie/swim"
)

// messageLoad is E3: what probing costs.
//
// A ping is sent, and acked if it arrives. If either is lost, k others are asked,
// each of whom pings, is acked, and passes the ack on, as long as nothing is lost
// on the way. Whatever the number of members, each pays that once a period.
var messageLoad = Experiment{
	ID:       "E3",
	Title:    "packets sent for probing",
	Source:   "SWIM, figure 2",
	trials:   loadTrials,
	conclude: concludeLoad,
}

var loadSizes = []int{8, 32, 100, 316, 1000}

// loads are the losses and the numbers of helpers under which is counted.
var loads = []struct {
	loss    float64
	helpers int
}{{0, 3}, {0.05, 1}, {0.05, 3}}

func loadName(n int, loss float64, helpers int) string {
	return fmt.Sprintf("packets, N = %d, loss %g %%, k = %d", n, 100*loss, helpers)
}

func loadTrials(bool) []Trial {
	var trials longestFirst
	for i, n := range loadSizes {
		trials.add(n, func() Observations { return observeLoad(experimentSeed("E3", i, 0), n, max(20, 40_000/n)) })
	}
	return trials.list()
}

// observeLoad counts the packets of all members in each of so many periods. Forty
// thousand periods of members are enough to know the average within a hundredth.
func observeLoad(seed uint64, n, periods int) Observations {
	o := Observations{}
	p := undecided(Paper).terse()
	w := acquainted(seed, p, n)
	w.introduce()
	w.Run(p.Config.Period) // by then all have begun to probe
	for _, load := range loads {
		lossy := w.Impair(loadName(n, load.loss, load.helpers), nil, nil, Link{Loss: load.loss})
		w.ask(load.helpers)
		w.Run(3 * p.Config.Period) // what was sent before is gone
		for range periods {
			before := w.total()
			w.Run(p.Config.Period)
			o.add(loadName(n, load.loss, load.helpers), float64(probePackets(w.total())-probePackets(before))/float64(n))
		}
		lossy.End()
	}
	return o
}

// undecided returns the profile with so much time to refute that no suspicion ends
// in a verdict within the run: what is measured is a cluster that stays whole.
func undecided(p Profile) Profile {
	p.Config.SuspicionFactor = 1000
	p.Config.Rules.SilentPing = false // who is suspected hears of it by its next ping
	return p
}

// terse returns the profile with packets that have room for one update. Where what
// members tell each other has no part in what is measured, more would only take
// time.
func (p Profile) terse() Profile {
	p.Config.MaxPacket = codec.MaxHeader() + codec.MaxUpdate()
	return p
}

// ask has all members ask so many others when an ack is overdue.
func (w *World) ask(helpers int) {
	for _, n := range w.nodes {
		cfg := n.core.Config()
		cfg.IndirectProbes = helpers
		n.Do(func(c *Core, rt swim.Runtime[ID]) error { return c.Configure(cfg, rt) })
	}
}

// probePackets counts the packets of probes.
func probePackets(s swim.Stats) uint64 {
	return s.Sent[swim.MessagePing] + s.Sent[swim.MessageAck] + s.Sent[swim.MessagePingReq] +
		s.Sent[swim.MessageIndirectPing] + s.Sent[swim.MessageIndirectAck] + s.Sent[swim.MessageForwardedAck]
}

// theoryLoad is what a member is to send in a period.
func theoryLoad(loss float64, helpers int) float64 {
	q := 1 - loss // a packet arrives
	return 1 + q + (1-q*q)*float64(helpers)*(1+q+q*q+q*q*q)
}

func concludeLoad(o Observations, out *Outcome) {
	f := Figure{
		Title: "Packets for probing",
		Text: "How many packets a member sends in a period to probe and to answer probes, over the number of members. " +
			"The lines are flat: a member of a large cluster sends as much as one of a small cluster. " +
			"Without loss it is a ping and an ack. With loss it also asks k others to probe, which the broken lines take into account.",
		X: Axis{Label: "members", Log: true},
		Y: Axis{Label: "packets sent per member and period"},
	}
	for _, load := range loads {
		name := fmt.Sprintf("loss %g %%, k = %d", 100*load.loss, load.helpers)
		expected := theoryLoad(load.loss, load.helpers)
		measured := Series{Name: name, Mark: MarkPoints}
		theory := Series{Name: name + ", theory", Mark: MarkTheory}
		for _, n := range loadSizes {
			packets := o[loadName(n, load.loss, load.helpers)]
			if len(packets) == 0 {
				continue
			}
			average := mean(packets)
			out.near(fmt.Sprintf("packets sent per member and period, N = %d, %s", n, name), expected, 2, average, n*len(packets))
			measured.add(float64(n), average)
			theory.add(float64(n), expected)
		}
		f.Series = append(f.Series, measured, theory)
	}
	out.Figures = append(out.Figures, f)
}

// periods returns how long so many periods of a profile are.
func (p Profile) periods(count int) time.Duration { return time.Duration(count) * p.Config.Period }
