package sim

import (
	"time"

	"github.com/selkie-go/selkie/swim"
)

// drawConfig chooses the network and the configuration of a plan: mostly near
// one of those that people use, with a few settings far from them.
func drawConfig(d *dice, p *Plan) {
	profiles := [...]Profile{LAN, LAN, WAN, Local}
	profile := profiles[d.below(len(profiles))]
	c := profile.Config
	p.Profile = profile.Name

	c.Period = d.duration(c.Period/2, 2*c.Period).Round(time.Millisecond)
	c.RoundTrip = d.duration(c.Period/4, c.Period/4*3)
	c.StallLimit, c.DeafLimit = c.Period/4, max(5*c.Period, 3*time.Second)
	c.Members = p.Nodes
	for _, odd := range oddities {
		if d.below(odd.of) == 0 {
			odd.set(d, &c, p.Nodes)
		}
	}
	p.Config = c
}

// oddities are the settings that a plan may have, each one time in so many.
var oddities = [...]struct {
	of  int
	set func(d *dice, c *swim.Config, nodes int)
}{
	{3, func(d *dice, c *swim.Config, _ int) { c.IndirectProbes = d.between(1, 5) }},
	{20, func(_ *dice, c *swim.Config, _ int) { c.IndirectProbes = swim.Off }},
	{3, func(d *dice, c *swim.Config, _ int) {
		c.Transmissions = swim.Scale{Factor: 1, Base: swim.LogBase(d.below(2)), Least: d.between(1, 15)}
	}},
	{2, func(d *dice, c *swim.Config, _ int) { c.SuspicionFactor = d.log(1, 12) }},
	{3, func(d *dice, c *swim.Config, _ int) { c.MaxSuspicion = d.log(1, 12) }},
	{4, func(d *dice, c *swim.Config, _ int) { c.Confirmations = d.between(1, 2) }},
	{8, func(_ *dice, c *swim.Config, _ int) { c.Confirmations = swim.Off }},
	{3, func(d *dice, c *swim.Config, _ int) { c.MaxHealth = d.log(1, 12) }},
	{8, func(_ *dice, c *swim.Config, _ int) { c.MaxHealth = swim.Off }},
	{4, func(d *dice, c *swim.Config, _ int) { c.DeafLimit = d.duration(c.Period, 10*c.Period) }},
	{8, func(_ *dice, c *swim.Config, _ int) { c.DeafLimit = swim.Off }},
	{3, func(d *dice, c *swim.Config, _ int) {
		c.Gossip = swim.Task{Every: c.Period / time.Duration(d.between(1, 20)), Num: d.between(1, 5)}
	}},
	{20, func(_ *dice, c *swim.Config, _ int) { c.Gossip.Every = swim.Off }},
	{3, func(d *dice, c *swim.Config, _ int) {
		c.Announce = swim.Task{Every: d.logTime(5*c.Period, 60*c.Period), Num: d.between(1, 3)}
	}},
	{40, func(_ *dice, c *swim.Config, _ int) { c.Announce.Every = swim.Off }},
	{3, func(d *dice, c *swim.Config, _ int) {
		c.AnnounceDown = swim.Task{Every: d.logTime(5*c.Period, 100*c.Period), Num: d.between(1, 4)}
	}},
	{40, func(_ *dice, c *swim.Config, _ int) { c.AnnounceDown.Every = swim.Off }},
	{4, func(d *dice, c *swim.Config, _ int) { c.MaxPacket = [...]int{256, 512, 1200, 8000}[d.below(4)] }},
	{8, func(d *dice, c *swim.Config, _ int) { c.MaxPacket = leastPacket() + d.below(100) }},
	{4, func(d *dice, c *swim.Config, _ int) { c.ForgetAfter = d.logTime(20*c.Period, 24*time.Hour) }},
	{8, func(d *dice, c *swim.Config, _ int) { c.ForgetAfter = d.logTime(5*c.Period, 50*c.Period) }},
	{4, func(d *dice, c *swim.Config, _ int) { c.LeaveTimeout = d.logTime(c.Period/2, 10*c.Period) }},
	{4, func(d *dice, c *swim.Config, _ int) { c.StallLimit = d.duration(c.Period/8, c.Period) }},
	{20, func(_ *dice, c *swim.Config, _ int) { c.StallLimit = swim.Off }},
	{10, func(d *dice, c *swim.Config, nodes int) { c.MaxMembers = nodes + d.below(4) }},
	{16, func(d *dice, c *swim.Config, nodes int) { c.MaxMembers = d.between(1, nodes) }},
	{10, func(d *dice, c *swim.Config, nodes int) { c.MaxTombstones = d.log(1, nodes+1) }},
	{20, func(d *dice, c *swim.Config, nodes int) { c.MaxNewMembers = d.log(1, nodes+1) }},
	{10, func(d *dice, c *swim.Config, _ int) { c.MaxRelays = d.log(1, 32) }},
	{10, func(d *dice, c *swim.Config, _ int) { c.MaxBroadcasts = d.log(1, 32) }},
	{15, func(_ *dice, c *swim.Config, _ int) { c.Rules.FinalDown = true }},
	{15, func(_ *dice, c *swim.Config, _ int) { c.Rules.SoleVerdict = true }},
	{15, func(_ *dice, c *swim.Config, _ int) { c.Rules.AccuserDeadline = true }},
	{15, func(_ *dice, c *swim.Config, _ int) { c.Rules.SilentSuspicion = true }},
	{12, func(_ *dice, c *swim.Config, _ int) { c.Rules.SilentPing = true }},
	{12, func(_ *dice, c *swim.Config, _ int) { c.Rules.SilentRelay = true }},
	{12, func(_ *dice, c *swim.Config, _ int) { c.Rules.SilentDigest = true }},
	{12, func(_ *dice, c *swim.Config, _ int) { c.Rules.LazyGossip = true }},
	{5, func(d *dice, c *swim.Config, _ int) { combine(d, c) }},
	{4, func(d *dice, c *swim.Config, _ int) {
		c.Notify = swim.Notify{Suspect: d.below(2) == 0, Updated: d.below(2) == 0, ProbeFailed: d.below(2) == 0,
			Received: d.below(8) == 0, Sent: d.below(8) == 0}
	}},
}

// combine switches each part of Lifeguard on or off, and each departure that can
// be: all combinations come up.
func combine(d *dice, c *swim.Config) {
	coin := func() bool { return d.below(2) == 0 }
	for _, rule := range []*bool{&c.Rules.SilentPing, &c.Rules.SilentRelay, &c.Rules.FinalDown, &c.Rules.SoleVerdict,
		&c.Rules.AccuserDeadline, &c.Rules.SilentSuspicion, &c.Rules.SilentDigest, &c.Rules.LazyGossip} {
		*rule = coin()
	}
	for _, count := range []*int{&c.Confirmations, &c.MaxHealth} {
		if coin() {
			*count = swim.Off
		}
	}
	if coin() {
		c.DeafLimit = swim.Off
	}
}

// leastPacket is the smallest MaxPacket that a core of this world takes.
func leastPacket() int { return codec.MaxHeader() + codec.MaxUpdate() }

// heals reports whether a cluster of so many nodes finds together again after
// whatever went wrong, by its configuration.
func heals(c swim.Config, nodes int) bool {
	return c.Announce.Every != swim.Off && c.AnnounceDown.Every != swim.Off && c.MaxMembers >= nodes-1
}
