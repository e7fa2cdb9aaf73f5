package sim

import "time"

// Mix says from what [Draw] draws.
type Mix struct {
	MaxNodes    int           // if zero, 64
	Least, Most time.Duration // of the time in which things go wrong; if zero, 5 to 60 minutes
}

// Draw returns the plan of a seed: a cluster, its configuration, and what goes
// wrong.
func Draw(seed uint64, m Mix) Plan {
	if m.MaxNodes == 0 {
		m.MaxNodes = 64
	}
	d := roll(seed, "plan")
	p := Plan{Seed: seed, Profile: LAN.Name, Nodes: d.between(2, m.MaxNodes), Form: 30 * time.Second, For: d.duration(m.Least, m.Most)}
	p.Faults = append(p.Faults, Fault{Name: "a", Kind: FaultCrash, At: time.Second, Nodes: Nodes(0)})
	return p
}
