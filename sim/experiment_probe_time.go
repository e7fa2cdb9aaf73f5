package sim

import (
	"fmt"
	"math"
	"time"

	"github.com/selkie-go/selkie/swim"
)

// probeTime is E1: how long a member that crashed goes unprobed.
//
// Each period every member probes one other, so a member is probed by somebody
// or other once a period on average, however many there are. If they do so at
// moments of their own, as every real implementation does, the wait until the
// first probe begins is distributed exponentially with a mean of one period (a
// little less among few); the failure shows one period later, when that probe
// ends. The paper counts in the synchronous model, where all begin their periods
// at once: there the first probe that fails is that of period 1/(1-1/e) = 1.582
// on average, counted from the crash on.
//
// Those who are down probe nobody, so that the wait is longer for others. They are
// so few that the published values hold as they are: seen from who crashed, one in
// a hundred others is down, which makes waits longer by at most as much.
var probeTime = Experiment{
	ID:     "E1",
	Title:  "time until the first failed probe of a crashed member",
	Source: "SWIM, section 3.1 and figure 3a",
	trials: probeTimeTrials,
	conclude: func(o Observations, out *Outcome) {
		for _, s := range probeTimeSetups(true) {
			s.conclude(o, out)
		}
		concludeTrend(o, out)
		out.Figures = probeTimeFigures(o)
	},
}

// A crashes says how crashes are observed: in a cluster of so many members, of
// which some are down all the time. One that was probed comes back while another
// goes down, so that there are always as many.
type crashes struct {
	nodes    int
	gone     int  // down all the time, and not observed
	moving   int  // others that are down at any time
	lockstep bool // all begin their periods at the same moment
	samples  int
	parts    int // trials that the samples are divided among
}

// probeTimeSetups are in the order in which to print them. With so many samples a
// right program misses the bounds once in a hundred runs; a quantile of waits takes
// more of them than a mean.
func probeTimeSetups(full bool) []crashes {
	setups := []crashes{
		{nodes: 10, moving: 1, lockstep: true, samples: 12_000, parts: 1},
		{nodes: 100, moving: 2, lockstep: true, samples: 12_000, parts: 1},
		{nodes: 1000, moving: 10, lockstep: true, samples: 12_000, parts: 2},
		{nodes: 10, moving: 1, samples: 12_000, parts: 1},
		{nodes: 100, moving: 2, samples: 15_000, parts: 1},
		{nodes: 201, gone: 47, moving: 6, samples: 14_000, parts: 1},
		{nodes: 1000, moving: 13, samples: 12_000, parts: 2},
	}
	if full {
		setups = append(setups,
			crashes{nodes: 10_000, moving: 100, lockstep: true, samples: 12_000, parts: 1},
			crashes{nodes: 10_000, moving: 130, samples: 13_000, parts: 1})
	}
	return setups
}

// smallSetup and largeSetup are places in probeTimeSetups, of two that differ in size
// alone.
const smallSetup, largeSetup = 4, 6

func probeTimeTrials(full bool) []Trial {
	var trials longestFirst
	for i, s := range probeTimeSetups(full) {
		for part := range s.parts {
			trials.add(s.nodes*s.samples/s.moving/s.parts, alone(s.nodes, func() Observations {
				return s.observe(experimentSeed("E1", i, part), s.samples/s.parts)
			}))
		}
	}
	return trials.list()
}

func (s crashes) name() string {
	if s.lockstep {
		return fmt.Sprintf("in step, N = %d", s.nodes)
	}
	if s.gone > 0 {
		return fmt.Sprintf("N = %d, a quarter of the others down", s.nodes)
	}
	return fmt.Sprintf("N = %d", s.nodes)
}

// wordless is a profile in which failed probes are told to the owner and to nobody
// else, and never make a verdict: who is dead is no longer probed. Packets have no
// room for suspicions, which have no part in this and would only take time; so a
// member is accused by itself alone, and waits for others to confirm that.
func wordless() Profile {
	p := undecided(Paper).terse()
	p.Config.Notify.ProbeFailed = true
	p.Config.Confirmations, p.Config.MaxSuspicion = 3, 100
	// Who is asked helps soon, so that who crashed can soon come back.
	p.Config.RoundTrip = p.Config.Period / 15
	return p
}

// observe lets members crash until so many crashes were noticed, or should have
// been long since.
func (s crashes) observe(seed uint64, samples int) Observations {
	p := wordless()
	w := acquainted(seed, p, s.nodes)
	w.carries = func(swim.Message) bool { return false }
	w.Backlog = -1 // what is sent to who is down is lost
	c := &failing{crashes: s, w: w, dice: roll(seed, "crashes"), period: p.Config.Period, outages: make([]outage, s.nodes), probing: make([]int, s.nodes)}
	w.overhear = c.overheard
	for _, n := range w.nodes {
		n.OnNotify = func(note swim.Notification[ID]) { c.told(n, note) }
		if s.lockstep {
			align(n)
		}
	}
	for _, n := range w.nodes[:s.gone] {
		n.Crash()
	}
	w.Run(rests * c.period)
	for range s.moving {
		w.After(c.between(), c.crash)
	}
	for most := 10 * samples; len(c.waits) < samples && most > 0; most-- {
		w.Run(c.period)
	}
	return Observations{
		"waits, " + s.name():  c.waits[:min(samples, len(c.waits))],
		"spared, " + s.name(): {float64(c.spared)},
	}
}

// rests is for how many periods a member stays up at least. When it was noticed
// somebody had just probed it, who in a small cluster will not do so again for a
// while.
const rests = 10

// failing is a cluster in which members crash.
type failing struct {
	crashes
	w       *World
	dice    *dice
	period  time.Duration
	outages []outage  // by node: its latest
	probing []int     // by node: whether it began a probe that is waited for
	waits   []float64 // in periods
	spared  int       // first probes that did not fail
}

// An outage is one crash of a member, and the first probe of it that begins.
type outage struct {
	since  swim.Instant
	down   bool // and not probed yet
	back   swim.Instant
	prober *Node
	number uint32 // of the probe
	failed bool   // so its prober says
}

// align makes a node begin a period a period from now, and so again after each:
// new settings restart the detector. If all do that at the same moment, they keep
// step from then on, which is the synchronous model of the paper.
func align(n *Node) {
	cfg := n.core.Config()
	cfg.RoundTrip -= time.Millisecond
	n.Do(func(core *Core, rt swim.Runtime[ID]) error { return core.Configure(cfg, rt) })
}

// between returns how long it is until the next moment for a crash, if a period
// begins now where all keep step. There the wait is counted in whole periods, so
// it does not matter when in a period a member crashes: it does so at its end, and
// is not down for longer than need be.
func (c *failing) between() time.Duration {
	if c.lockstep {
		return c.period - time.Millisecond
	}
	return c.dice.duration(1, c.period-1)
}

// crash takes down a member that is up for long enough. One whose probe is waited
// for stays, or a crash would be noticed by nobody.
func (c *failing) crash() {
	for range 1000 {
		n := c.w.nodes[c.dice.below(c.nodes)]
		if n.running && n.stopped == 0 && c.probing[n.number] == 0 && c.w.now >= c.outages[n.number].back.Add(rests*c.period) {
			n.Pause()
			c.outages[n.number] = outage{since: c.w.now, down: true}
			return
		}
	}
	c.w.After(c.period, c.crash)
}

// overheard takes note of the first ping to a member that is down. That comes back
// once it can not be reached in time by others either, so that it is down for as
// short as possible, and then the next one goes down. It goes on with a probe, hence
// comes back when a period begins where all keep step, and otherwise at a moment of
// its own.
func (c *failing) overheard(n *Node, p *swim.Packet[ID], wrote bool) {
	h := &p.Header
	for i := range p.Updates {
		p.Updates[i].Sent = true // or what is never told would fill the backlog
	}
	if !wrote || h.Message != swim.MessagePing || !c.outages[h.Dst.Node].down {
		return
	}
	at, began := c.w.nodes[h.Dst.Node], c.w.now
	o := &c.outages[at.number]
	o.down, o.prober, o.number = false, n, h.Number
	c.probing[n.number]++
	back, crash := c.period, c.between()
	if !c.lockstep {
		back = c.period/10 + c.dice.duration(0, c.period)
		crash += back // whose first probe is not to find the next one down
	}
	o.back = began.Add(back)
	c.w.At(o.back, at.Resume)
	c.w.After(crash, c.crash)
	// It is judged when the next one begins.
	c.w.After(c.period+time.Millisecond, func() { c.judge(at, began) })
}

// told takes note that the probe of a member that is down failed.
func (c *failing) told(n *Node, note swim.Notification[ID]) {
	o := &c.outages[note.Member.ID.Node]
	if note.Kind == swim.NotifyProbeFailed && n == o.prober && note.Number == o.number {
		o.failed = true
	}
}

// judge notes how long a member went unprobed, if the probe failed.
func (c *failing) judge(n *Node, began swim.Instant) {
	o := &c.outages[n.number]
	c.probing[o.prober.number]--
	if !o.failed {
		c.spared++
		return
	}
	periods := float64(began.Sub(o.since)) / float64(c.period)
	if c.lockstep {
		periods = math.Ceil(periods)
	}
	c.waits = append(c.waits, periods)
}

// conclude compares what was observed with what was published.
func (s crashes) conclude(o Observations, out *Outcome) {
	waits := o["waits, "+s.name()]
	average, count := mean(waits), len(waits)
	if count == 0 && len(o["spared, "+s.name()]) == 0 {
		return // it was not run
	}
	metric := "periods until the first failed probe begins, " + s.name()
	switch {
	case s.lockstep:
		metric = fmt.Sprintf("in step: period of the first failed probe, N = %d, mean", s.nodes)
		if s.nodes < 100 {
			// In the paper each draws anew for each probe. We go round a list, and so
			// it is less probable that nobody draws a member for several periods:
			// among few that shows, and the published value is no bound.
			out.near(metric, firstProbeInStep(s.nodes), 2, average, count)
			out.beside(metric+", beside targets drawn at random", 1.53, average, count)
		} else {
			out.near(metric, 1.582, 2, average, count)
		}
	case s.gone > 0:
		out.near(metric+", mean", 1/0.75, 3, average, count)
	case s.nodes < 100:
		out.near(metric+", mean", 0.91, 3, average, count)
	default:
		out.near(metric+", mean", 1, 3, average, count)
		out.near(metric+", 99th percentile", 4.6, 5, quantile(waits, 0.99), count)
	}
	if spared := sum(o["spared, "+s.name()]); spared > 0 { // if all is well there is nothing to say
		out.atMost("probes of crashed members that do not fail, "+s.name(), 0, 0, spared, count+int(spared))
	}
}

// concludeTrend judges that the wait does not depend on the size of the cluster.
func concludeTrend(o Observations, out *Outcome) {
	setups := probeTimeSetups(false)
	a, b := o["waits, "+setups[smallSetup].name()], o["waits, "+setups[largeSetup].name()]
	if len(a) > 0 && len(b) > 0 {
		out.near("mean wait at N = 1000 by that at N = 100", 1, 4, mean(b)/mean(a), len(a)+len(b))
	}
}

// firstProbeInStep is the mean number of whole periods until one of n-1 others
// probes a member, if each goes round its list in an order that it draws anew for
// each round. It is 1/(1-1/e) for many.
func firstProbeInStep(n int) float64 {
	others := float64(n - 1)
	sum, one := 0.0, 1.0 // one is the probability that a given one has not probed it yet
	for i := 0; one > 1e-9; i++ {
		sum += math.Pow(one, others)
		one = max(0, one-gapBeyond(n-1, i)/others)
	}
	return sum
}

// gapBeyond is the probability that more periods than these lie between two
// probes of the same target, out of m targets: if it comes at place i in a round
// and at place j in the next, there are m-i+j.
func gapBeyond(m, periods int) float64 {
	if rest := 2*m - 1 - periods; periods >= m {
		return float64(max(rest, 0)*(max(rest, 0)+1)) / float64(2*m*m)
	}
	return 1 - float64(periods*(periods+1))/float64(2*m*m)
}

func probeTimeFigures(o Observations) []Figure {
	const points = 80
	f := Figure{
		Title: "Until somebody probes a crashed member",
		Text: "For each time, the part of all crashed members that somebody had begun to probe by then. " +
			"The lines lie on that of theory, 1 - exp(-t): how fast a crash is noticed does not depend on the size of the cluster. " +
			"Among ten members it is a little faster, because each of them comes round within nine periods. " +
			"Where a quarter of the others are down fewer probe, and it takes 1/0.75 times as long.",
		X: Axis{Label: "periods since the crash"},
		Y: Axis{Label: "part of the crashed members"},
	}
	steps := Figure{
		Title: "The same where all begin their periods at once",
		Text: "The synchronous model of the SWIM paper: everybody sends its probe at the same moment. " +
			"A crashed member stays unprobed for a whole period with probability 1/e, so the bars follow a geometric distribution with a mean of 1.58 periods. " +
			"Among ten members it is 1.49 here and 1.53 in the paper, where each target is drawn anew: " +
			"a member that goes round its list does not leave one out for several rounds, which among few shows.",
		X: Axis{Label: "periods until the first failed probe"},
		Y: Axis{Label: "part of the crashed members"},
	}
	for _, s := range probeTimeSetups(true) {
		waits := o["waits, "+s.name()]
		if len(waits) == 0 {
			continue
		}
		if s.lockstep {
			steps.Series = append(steps.Series, counted(fmt.Sprintf("N = %d", s.nodes), waits, 8))
		} else {
			f.Series = append(f.Series, distribution(s.name(), waits, points))
		}
	}
	f.Series = append(f.Series, exponential("1 - exp(-t)", 1), exponential("1 - exp(-0.75 t)", 0.75))
	geometric := Series{Name: "theory", Mark: MarkTheory}
	for i := range 8 {
		geometric.add(float64(i+1), math.Exp(-float64(i))*(1-math.Exp(-1)))
	}
	steps.Series = append(steps.Series, geometric)
	return []Figure{f, steps}
}

// exponential returns how waits would be distributed that end with the same
// probability at any moment.
func exponential(name string, rate float64) Series {
	return series(name, MarkTheory, 80, func(i int) (x, y float64) {
		t := float64(i) / 10
		return t, 1 - math.Exp(-rate*t)
	})
}
