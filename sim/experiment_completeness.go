package sim

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/selkie-go/selkie/swim"
)

// completeness is E2: within which time one given member probes another one.
//
// Everybody goes round its list in an order that it draws anew for each round.
// So a member that crashed is probed by each of the others within two rounds,
// without exception. If targets were drawn at random that would only be probable.
var completeness = Experiment{
	ID:       "E2",
	Title:    "time until one given member probes a crashed one",
	Source:   "SWIM, section 4.3",
	trials:   completenessTrials,
	conclude: concludeCompleteness,
}

var completenessSizes = []int{100, 1000}

// completenessSamples is how many crashes a trial waits for: with the spread of
// the waits, three percent of their mean are more than four times its error.
const completenessSamples = 8000

func completenessTrials(bool) []Trial {
	var trials []Trial
	for i, n := range completenessSizes {
		trials = append(trials, func() Observations {
			seed := experimentSeed("E2", i, 0)
			return Observations{
				roundWaits(n): roundRobinWaits(seed, n, completenessSamples),
				drawnWaits(n): randomWaits(seed, n, completenessSamples),
			}
		})
	}
	return trials
}

func roundWaits(n int) string { return fmt.Sprintf("waits, N = %d", n) }
func drawnWaits(n int) string { return fmt.Sprintf("waits at random, N = %d", n) }

// A prober is the only core of a cluster: the trial answers for the others.
type prober struct {
	core    *Core
	out     *swim.Outbox[ID]
	now     swim.Instant
	dice    *dice
	since   []swim.Instant     // by member: when it crashed
	down    []bool             // by member: it crashed, and that was not noticed yet
	crashed int                // how many are down
	incs    []swim.Incarnation // by member: at which it is alive
	waits   []float64          // in periods
}

// roundRobinWaits lets members crash, a few at a time, and returns how many
// periods passed until the prober began to probe each.
func roundRobinWaits(seed uint64, n, samples int) []float64 {
	cfg := swim.Paper()
	cfg.SuspicionFactor = 1000 // who crashed is to remain a target
	cfg.Notify.ProbeFailed = true
	a, b := label(seed, "core")
	core, err := swim.New(ID{Node: 0, Life: 1}, cfg, codec, rand.New(rand.NewPCG(a, b)))
	if err != nil {
		panic(err)
	}
	p := &prober{core: core, dice: roll(seed, "crashes"), since: make([]swim.Instant, n), down: make([]bool, n), incs: make([]swim.Incarnation, n)}
	p.out = swim.NewOutbox[ID](func() swim.Instant { return p.now })
	others := func(yield func(swim.Update[ID]) bool) {
		for i := 1; i < n && yield(swim.Update[ID]{Member: swim.Member[ID]{ID: ID{Node: uint32(i), Life: 1}}}); i++ {
		}
	}
	if err := core.Apply(others, false, p.out); err != nil {
		panic(err)
	}
	for round := 0; len(p.waits) < samples; round++ {
		if round > 2*n { // by then it is anywhere in its list
			p.crash()
		}
		p.live(cfg.Period)
	}
	return p.waits[:samples]
}

// crash lets a member crash within the next period, unless some are down. They
// are few, because who is left is rather one that was probed lately.
func (p *prober) crash() {
	at := 1 + p.dice.below(len(p.down)-1)
	if p.crashed >= len(p.down)/50 || p.down[at] {
		return
	}
	p.crashed++
	p.since[at], p.down[at] = p.now.Add(p.dice.duration(0, p.core.Config().Period)), true
}

// live lets time pass, in which the prober does what is due.
func (p *prober) live(d time.Duration) {
	end := p.now.Add(d)
	for wake := p.out.Wake(); p.now.Add(wake) <= end; wake = p.out.Wake() {
		p.now = p.now.Add(wake)
		for event := range p.out.Due() {
			p.core.HandleTimer(event, p.out)
			p.answer()
		}
	}
	p.now = end
}

// answer acks the pings of the prober, but those to members that are down.
func (p *prober) answer() {
	var ping, ack swim.Packet[ID]
	for _, n := range p.out.Notifications {
		if at := n.Member.ID.Node; n.Kind == swim.NotifyProbeFailed {
			// It is back, and refutes with its next ack.
			p.incs[at] = n.Member.Incarnation + 1
			p.down[at] = false
			p.crashed--
		}
	}
	var acks [][]byte
	for _, sent := range p.out.Packets {
		at := sent.To.Node
		if err := codec.Parse(sent.Data, &ping); err != nil {
			panic(err)
		}
		if ping.Header.Message != swim.MessagePing {
			continue // nobody else runs whom it could ask
		}
		if p.down[at] && p.now >= p.since[at] {
			p.waits = append(p.waits, float64(p.now.Sub(p.since[at]))/float64(p.core.Config().Period))
			continue
		}
		ack.Reset()
		ack.Header = swim.Header[ID]{Src: sent.To, Dst: p.core.Self().ID, SrcIncarnation: p.incs[at], Message: swim.MessageAck, Number: ping.Header.Number}
		data, err := codec.Append(nil, p.core.Config().MaxPacket, &ack)
		if err != nil {
			panic(err)
		}
		acks = append(acks, data)
	}
	p.out.Reset()
	for _, data := range acks {
		p.core.HandleData(data, p.out)
	}
}

// randomWaits are the same for a prober that would draw each target anew.
func randomWaits(seed uint64, n, samples int) []float64 {
	d := roll(seed, "at random")
	waits := make([]float64, samples)
	for i := range waits {
		waits[i] = float64(d.below(1000)) / 1000
		for d.below(n-1) != 0 {
			waits[i]++
		}
	}
	return waits
}

func concludeCompleteness(o Observations, out *Outcome) {
	for _, n := range completenessSizes {
		rounds, drawn := o[roundWaits(n)], o[drawnWaits(n)]
		bound := float64(2*n - 1)
		metric := fmt.Sprintf("periods until one prober probes the crashed member, N = %d", n)
		out.atMost(metric+", longest", bound, bound, quantile(rounds, 1), len(rounds))
		// The gap between two turns is distributed like a triangle; who comes at
		// random finds one of 7/6 of the average.
		out.near(metric+", mean", 7*float64(n-1)/12, 3, mean(rounds), len(rounds))
		over := 0
		for _, wait := range drawn {
			if wait > bound {
				over++
			}
		}
		expected := math.Pow(1-1/float64(n-1), bound)
		out.near(fmt.Sprintf("part of the waits beyond 2N-1 if targets were drawn at random, N = %d", n), expected, 10, float64(over)/float64(len(drawn)), len(drawn))
		out.Figures = append(out.Figures, completenessFigure(n, rounds, drawn))
	}
}

func completenessFigure(n int, rounds, drawn []float64) Figure {
	bound := float64(2*n - 1)
	within := drawn[:0:0]
	for _, wait := range drawn {
		within = append(within, min(wait, 2*bound))
	}
	return Figure{
		Title: fmt.Sprintf("Until one given member probes a crashed one, N = %d", n),
		Text: "For each time, the part of all crashes that one given member had noticed by itself. " +
			"Members go round their list, so all have by the bound of two rounds, which is the broken line. " +
			"If they drew each target at random, one in seven crashes would still be unnoticed then; " +
			"that curve ends at twice the bound, where longer waits are cut off.",
		X: Axis{Label: "periods since the crash"},
		Y: Axis{Label: "part of the crashes"},
		Series: []Series{
			distribution("round robin", rounds, 80),
			distribution("targets drawn at random", within, 80),
			{Name: "2N - 1", Mark: MarkTheory, X: []float64{bound, bound}, Y: []float64{0, 1}},
		},
	}
}
