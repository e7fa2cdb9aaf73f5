package sim

import (
	"time"

	"github.com/selkie-go/selkie/swim"
)

// rest lets the cluster that agrees come to rest, and checks that it does: L8,
// and S16 as far as it says that nothing is left over. From here on nobody of
// the core may be suspected any more (L2).
func (r *Rehearsal) rest(live []*Node) {
	w, p := r.World, &r.promises
	w.Run(p.about["L8"].Bound)
	if p.honest() {
		// Only from now on: a probe that was under way when the faults ended may
		// have failed since. What was damaged in somebody's memory may come out
		// at any time.
		p.settled = w.now
	}
	window := 20*p.bounds.slow.Period + p.bounds.round()
	before := r.measure(live)
	w.Run(window)
	p.checked("L8")
	p.checked("S16")
	if why := disagreement(live); why != "" {
		w.oracle.broken("L3", live[0], live[0].number, "agreed, and then did not: %s", why)
		return
	}
	r.quiet(live, before, window)
	for _, n := range live {
		r.clean(n)
		if p.holds("L9") {
			a := w.chronicle.of(n)
			for i := range a.probing.last {
				w.chronicle.starved(n, uint32(i), &a.probing, &a.probing.last[i])
			}
		}
	}
}

// honest reports whether the plan has only faults after which members say what
// is so.
func (p *promises) honest() bool { return p.plan.honest() }

// A measure is what a node had done at a moment.
type measure struct {
	traffic Traffic
	stats   swim.Stats
}

func (r *Rehearsal) measure(live []*Node) []measure {
	var all []measure
	for _, n := range live {
		all = append(all, measure{n.Traffic, n.core.Stats()})
	}
	return all
}

// quiet is L8: with no change there is no gossip, and the traffic does not
// depend on how many members there are. That everybody goes on probing is
// checked here too: one who does not would be noticed by nobody.
func (r *Rehearsal) quiet(live []*Node, before []measure, window time.Duration) {
	w, b := r.World, &r.promises.bounds
	var bytes uint64
	for i, n := range live {
		s, was := n.core.Stats(), before[i].stats
		bytes += n.Traffic.Bytes - before[i].traffic.Bytes
		for _, m := range []swim.Message{swim.MessageGossip, swim.MessageBroadcast, swim.MessagePingReq} {
			if sent := s.Sent[m] - was.Sent[m]; sent > 0 {
				w.oracle.broken("L8", n, n.number, "sent %d %v packets within %v in which nothing changed", sent, m, window)
			}
		}
		if probes, due := s.Probes-was.Probes, uint64(window/b.slow.Period); len(live) > 1 && probes+1 < due {
			w.oracle.broken("L9", n, n.number, "probed %d times in %v", probes, window)
		}
	}
	rate := float64(bytes) / window.Seconds() / float64(len(live))
	if most := b.quietBytes(window, r.plan.Wire.added()); rate > most {
		w.oracle.broken("L8", live[0], live[0].number, "%.0f bytes per member and second within %v in which nothing changed, more than %.0f", rate, window, most)
	}
}

// clean is the end of S16: of what is under way at a node nothing is left but
// what runs always.
func (r *Rehearsal) clean(n *Node) {
	w := r.World
	s := n.core.Stats()
	if alone := n.core.NumActive() == 0; s.Relays > 0 || s.Suspect > 0 || !alone && (s.Backlog > 0 || s.Broadcasts > 0) {
		w.oracle.broken("S16", n, n.number, "left over: %d relays, %d suspects, %d updates, %d payloads", s.Relays, s.Suspect, s.Backlog, s.Broadcasts)
	}
	if dead, known := len(w.nodes)-1-n.core.NumActive(), s.Down+s.Left+s.Lone; known > dead && r.promises.honest() {
		w.oracle.broken("S16", n, n.number, "remembers %d members that are gone, of %d", known, dead)
	}
	timers := 0
	for _, h := range w.queue.table {
		if h.kind == timing && h.node == n && h.epoch == n.epoch {
			timers++
		}
	}
	if most := timersAtRest + len(w.nodes); timers > most {
		w.oracle.broken("S16", n, n.number, "%d timer events are outstanding, more than %d", timers, most)
	}
}

// timersAtRest is how many timer events a node may have outstanding at rest
// beside one for each member: one of each kind, and as many that were replaced.
const timersAtRest = 14
