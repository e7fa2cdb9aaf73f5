package sim

import (
	"testing"
	"time"

	"github.com/selkie-go/selkie/swim"
)

// eventful lets a world go through much of what may happen to a cluster. It
// draws what happens to whom from its own dice, so that each seed is another.
func eventful(seed uint64, p Profile, nodes int, watch func(*World)) *World {
	w := New(seed, p)
	if watch != nil {
		watch(w)
	}
	w.Grow(nodes)
	w.Run(20 * p.Config.Period)
	d := roll(seed, "eventful")
	anybody := func() *Node { return w.nodes[d.below(nodes)] }
	for range 40 {
		n := anybody()
		switch d.below(12) {
		case 0:
			n.Crash()
		case 1:
			n.Start(Boot{})
		case 2:
			n.Start(Boot{Life: 1 + uint32(d.below(3))})
		case 3:
			n.Pause()
			w.After(d.duration(0, 20*p.Config.Period), n.Resume)
		case 4:
			n.Freeze()
			w.After(d.duration(0, 20*p.Config.Period), n.Resume)
		case 5:
			n.Do((*Core).Leave)
		case 6:
			i := w.Impair("loss", nil, nil, Link{Loss: 0.5, Duplicate: 0.2, Copies: 3, Spread: 10 * time.Second, Hold: 0.1, Replay: 0.1})
			w.After(d.duration(0, 60*p.Config.Period), i.End)
		case 7:
			cut := w.Partition(Set{n.number}, w.except(n))
			w.After(d.duration(0, 60*p.Config.Period), cut.End)
		case 8:
			i := w.Impair("deaf", nil, Set{n.number}, Link{Cut: true})
			w.After(d.duration(0, 60*p.Config.Period), i.End)
		case 9:
			n.Do(func(c *Core, rt swim.Runtime[ID]) error { return c.SetMetadata(c.Self().Metadata+1, rt) })
		case 10:
			if n.running && n.core.Self().State != swim.Alive {
				n.Do(func(c *Core, rt swim.Runtime[ID]) error {
					next, _ := c.Self().ID.Renew()
					return c.ChangeIdentity(next, rt)
				})
			}
		case 11:
			var known []swim.Update[ID]
			if n.running {
				for u := range n.core.State() {
					u.By = append([]ID(nil), u.By...)
					known = append(known, u)
				}
			}
			if len(known) > 0 {
				anybody().Start(Boot{Known: known[1:]})
			}
		}
		w.Run(d.duration(0, 10*p.Config.Period))
	}
	w.Run(30 * p.Config.Period)
	return w
}

// except returns all nodes but one.
func (w *World) except(n *Node) Set {
	var others Set
	for _, m := range w.nodes {
		if m != n {
			others = append(others, m.number)
		}
	}
	return others
}

// Whatever happens, no promise is broken.
func TestPromisesHoldWhateverHappens(t *testing.T) {
	seeds := uint64(12)
	if testing.Short() {
		seeds = 3
	}
	for _, p := range Profiles() {
		for seed := range seeds {
			w := eventful(seed, p, 2+int(seed)%9, nil)
			for i, v := range w.Violations {
				if i < 3 {
					t.Errorf("%s seed %d: %v", p.Name, seed, v)
				}
			}
		}
	}
}
