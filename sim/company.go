package sim

import (
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/selkie-go/selkie/swim"
)

// company returns members that know each other, have all answered each other
// once, and have come to rest, as after a long life. Nobody watches them.
func company(seed uint64, count int, cfg swim.Config) *World {
	w := introduced(count).meet(seed, Profile{Name: LAN.Name, Config: cfg, Links: LAN.Links})
	for _, n := range w.nodes {
		w.After(n.dice.duration(0, cfg.WithDefaults().Period), func() {
			n.Do(func(c *Core, rt swim.Runtime[ID]) error { return c.Configure(cfg, rt) })
		})
	}
	w.Run(2 * time.Second)
	return w
}

// An acquaintance is members that know each other, while nothing is on its way
// between them. Getting to know each other takes as long as many an experiment
// does afterwards, so it is done once; what they draw from then on is their own.
type acquaintance struct {
	at     swim.Instant
	cores  []*Core // by node; only read
	clocks []clock
	events []happening // of timers that wait, in their order
}

var (
	acquaintances = map[int]*acquaintance{}
	introducing   sync.Mutex
)

// introduced returns so many members.
func introduced(count int) *acquaintance {
	introducing.Lock()
	defer introducing.Unlock()
	if acquaintances[count] == nil {
		acquaintances[count] = introduce(count)
	}
	return acquaintances[count]
}

// introduce makes members know each other. A relay serves only those who answered
// it (D8), so each probes all others once. At the usual pace that would take
// minutes of theirs.
func introduce(count int) *acquaintance {
	cfg := swim.LAN(count)
	cfg.Period, cfg.RoundTrip = 40*time.Millisecond, 20*time.Millisecond
	cfg.StallLimit = swim.Off
	w := New(1, Profile{Name: LAN.Name, Config: cfg, Links: LAN.Links})
	w.Watch = false
	known := make([]swim.Update[ID], count)
	for i := range known {
		known[i].ID = ID{Node: w.Add().number, Life: 1}
	}
	for _, n := range w.nodes {
		n.Start(Boot{Known: known})
	}
	w.Run(time.Duration(count+1) * cfg.Period)
	for w.queue.has(arrival) {
		w.Step()
	}
	a := &acquaintance{at: w.now}
	for _, n := range w.nodes {
		a.cores, a.clocks = append(a.cores, n.core), append(a.clocks, n.clock)
	}
	for len(w.queue.heap) > 0 {
		h, _ := w.queue.take()
		a.events = append(a.events, *h)
	}
	return a
}

// has reports whether anything of a kind will happen.
func (q *queue) has(kind happeningKind) bool {
	return slices.ContainsFunc(q.heap, func(e entry) bool { return q.table[e.ref].kind == kind })
}

// meet returns a world in which they go on from there.
func (a *acquaintance) meet(seed uint64, p Profile) *World {
	w := New(seed, p)
	w.Watch, w.unhashed, w.now = false, true, a.at
	for i, core := range a.cores {
		n := w.Add()
		seedA, seedB := label(seed, "core", uint64(n.number))
		n.core, n.clock = core.Clone(rand.New(rand.NewPCG(seedA, seedB))), a.clocks[i]
		n.running, n.lives, n.busy = true, 1, w.now
	}
	for _, h := range a.events {
		n := w.nodes[h.node.number]
		w.queue.add(happening{at: h.at, kind: timing, node: n, epoch: n.epoch, timer: h.timer, due: h.due}, rankTimer+uint8(h.timer.Kind))
	}
	return w
}

// sent returns what all nodes have sent.
func (w *World) sent() Traffic {
	var sum Traffic
	for _, n := range w.nodes {
		sum.Packets += n.Traffic.Packets
		sum.Bytes += n.Traffic.Bytes
	}
	return sum
}

// unanimous reports whether everybody knows so many others.
func (w *World) unanimous(others int) bool {
	for _, n := range w.nodes {
		if n.running && n.core.NumActive() != others {
			return false
		}
	}
	return true
}
