package sim

import (
	"time"

	"github.com/selkie-go/selkie/swim"
)

// company returns members that know each other, have all answered each other
// once, and have come to rest, as after a long life. Nobody watches them.
func company(seed uint64, count int, cfg swim.Config) *World {
	w := New(seed, Profile{Name: LAN.Name, Config: cfg, Links: LAN.Links})
	w.Watch = false
	known := make([]swim.Update[ID], count)
	for i := range known {
		known[i].ID = ID{Node: w.Add().number, Life: 1}
	}
	// A relay serves only those who answered it (D8), so let each probe all others
	// once. At the usual pace that would take minutes.
	hurried := cfg
	hurried.Period, hurried.RoundTrip = 40*time.Millisecond, 20*time.Millisecond
	hurried.StallLimit = swim.Off
	for _, n := range w.nodes {
		n.Start(Boot{Known: known, Config: hurried})
	}
	w.Run(time.Duration(count+1) * hurried.Period)
	for _, n := range w.nodes {
		w.After(n.dice.duration(0, cfg.WithDefaults().Period), func() {
			n.Do(func(c *Core, rt swim.Runtime[ID]) error { return c.Configure(cfg, rt) })
		})
	}
	w.Run(2 * time.Second)
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
