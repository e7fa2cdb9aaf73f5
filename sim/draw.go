package sim

import "time"

// Mix says from what [Draw] draws.
type Mix struct {
	MaxNodes int // if zero, 64
	// Least and Most bound the time in which things go wrong, of a cluster that
	// probes every second; others take as many periods. If zero, 5 to 60
	// minutes.
	Least, Most time.Duration
	// Wire is what all nodes speak. If nil, [WirePlain], foca's in one plan of
	// sixteen, and [WireSealed] in one of four of the others.
	Wire *Wire
	// Large lets one cluster in fifty have up to 1,000 nodes, for a shorter
	// time.
	Large bool
}

// Draw returns the plan of a seed: a cluster, its configuration, and what goes
// wrong. In 15 of 100 plans nothing does, in 15 one thing does and badly, and in
// the others some of all that can. The same seed and mix give the same plan.
func Draw(seed uint64, m Mix) Plan {
	if m.MaxNodes == 0 {
		m.MaxNodes = 64
	}
	if m.Least == 0 && m.Most == 0 {
		m.Least, m.Most = 5*time.Minute, time.Hour
	}
	d := roll(seed, "plan")
	nodes := d.log(1, m.MaxNodes)
	lasts := d.duration(m.Least, max(m.Least, m.Most))
	if m.Large && d.below(50) == 0 {
		nodes = d.log(65, 1000)
		lasts = max(lasts*64/time.Duration(nodes), time.Minute)
	}
	p := Plan{Seed: seed, Nodes: nodes}
	switch {
	case m.Wire != nil:
		p.Wire = *m.Wire
	case roll(seed, "which wire").below(16) == 0:
		p.Wire = WireFoca
	case roll(seed, "whether sealed").below(4) == 0:
		p.Wire = WireSealed
	}
	drawConfig(roll(seed, "config"), &p)
	period := p.Config.Period
	p.For = lasts / time.Second * period
	p.Form = 60 * period
	s := &swarm{plan: &p, d: roll(seed, "faults"), period: period, next: uint32(nodes)}
	switch style := d.below(100); {
	case style < 15:
		s.work()
	case style < 30:
		s.work()
		s.single()
	default:
		s.work()
		s.subset()
	}
	s.core(d)
	if p.Wire == WireSealed {
		s.d = roll(seed, "rotations")
		s.rotations()
	}
	return p
}

// log draws a number from least to most, which are positive, so that each of its
// doublings is as likely as the next.
func (d *dice) log(least, most int) int { return int(d.doublings(int64(least), int64(most))) }

// logTime is log of times.
func (d *dice) logTime(least, most time.Duration) time.Duration {
	const unit = 10 * time.Microsecond
	return time.Duration(d.doublings(int64(max(1, least/unit)), int64(max(1, most/unit)))) * unit
}

func (d *dice) doublings(least, most int64) int64 {
	from, to := log2(uint64(least)), log2(uint64(most)+1)
	power := from + int64(d.below(int(max(0, to-from))+1))
	const fine = 1 << 16
	part := int64(scale(fine, power%one)) // from fine to twice that
	return max(least, min(most, part<<(power/one)/fine))
}
