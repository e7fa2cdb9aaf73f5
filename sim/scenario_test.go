package sim

import (
	"flag"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/selkie-go/selkie/swim"
)

var scenarioSize = flag.Int("scenario-size", 1, "how many times as large as usual the scenarios are")

// What went wrong elsewhere goes well here.
func TestScenarios(t *testing.T) {
	for _, s := range scripts() {
		t.Run(s.name, func(t *testing.T) {
			s.size = *scenarioSize
			r := s.run(1, nil)
			for _, v := range r.Violations {
				t.Error(v)
			}
			if r.Invalid != "" {
				t.Error(r.Invalid)
			}
		})
	}
}

// Every scenario can end badly: with a setting, a fault or an owner that the
// protocol can not make up for, it finds the promise broken that it is about.
func TestScenariosCanFail(t *testing.T) {
	for _, c := range []struct {
		scenario  script
		condition string
		invariant string
		profile   func(*swim.Config)
		spoil     func(*play)
	}{
		{scenario: addressReuse, condition: "the clusters have the same name", invariant: "S23",
			spoil: func(p *play) { p.After(time.Minute, func() { p.each(nil, func(n *Node) { n.Cluster = 0 }) }) }},
		{scenario: bitflip, condition: "there is no checksum", invariant: "S23",
			spoil: func(p *play) { p.Unchecked = true }},
		{scenario: deadTalk, condition: "owners answer all that arrives", invariant: "S14",
			profile: func(c *swim.Config) { c.Notify.Received = true },
			spoil: func(p *play) {
				p.Halt = func(Violation) bool { return true }
				p.After(2*time.Minute, func() { p.each(nil, answerAll) })
			}},
		{scenario: isolatedObserver, condition: "one accuser is enough", invariant: "L12",
			profile: func(c *swim.Config) { c.Rules.SoleVerdict = true }},
		{scenario: longPartition, condition: "the lost are not contacted", invariant: "L7", spoil: forsake},
		{scenario: massRestart, condition: "the lost are not contacted", invariant: "L6", spoil: forsake},
		{scenario: mixedFleet, condition: "the lost are not contacted", invariant: "L7",
			profile: func(c *swim.Config) { c.AnnounceDown.Every = swim.Off }},
		{scenario: nonTransitive, condition: "nobody is asked to probe, and suspects are not told", invariant: "L12",
			profile: func(c *swim.Config) {
				c.IndirectProbes, c.Rules.SilentSuspicion, c.Transmissions = swim.Off, true, swim.Scale{Factor: 1}
			}},
		{scenario: oldCluster, condition: "somebody is away for a year", invariant: "L2",
			spoil: func(p *play) {
				const year = 365 * 24 * time.Hour
				p.After(10*year, func() { p.Node(3).Crash() })
				p.After(11*year, func() { p.Node(3).Start(Boot{}) })
			}},
		{scenario: poisonRecord, condition: "somebody dies of it", invariant: "L2",
			spoil: func(p *play) { p.After(time.Minute, func() { p.Node(8).Crash() }) }},
		{scenario: rollingRestart, condition: "one takes longer than the others have patience", invariant: "L2",
			spoil: func(p *play) {
				p.After(30*time.Second, func() { p.Node(39).Crash() })
				p.After(time.Minute, func() { p.Node(39).Start(Boot{}) })
			}},
		{scenario: scaleCliff, condition: "there is no room for so many", invariant: "L5",
			profile: func(c *swim.Config) { c.MaxMembers = 100 }},
		{scenario: scaleCliff, condition: "owners gossip for each member", invariant: "L8",
			spoil: func(p *play) { p.After(time.Second, func() { chatter(p) }) }},
		{scenario: syncStorm, condition: "a round trip takes longer than the time-out", invariant: "L3",
			spoil: func(p *play) {
				p.After(30*time.Second, func() {
					p.Impair("far", nil, nil, Link{Latency: Latency{Constant, 300 * time.Millisecond, 0}, Loss: 0.5})
				})
			}},
		{scenario: tombstones, condition: "more tombstones are allowed", invariant: "S16",
			profile: func(c *swim.Config) { c.MaxTombstones = 5000 },
			spoil:   func(p *play) { p.Halt = func(Violation) bool { return true } }},
	} {
		t.Run(c.scenario.name+"/"+strings.ReplaceAll(c.condition, " ", "-"), func(t *testing.T) {
			s := c.scenario
			if c.profile != nil {
				s.profile = s.profile.with(c.profile)
			}
			s.spoil = c.spoil
			r := s.run(1, nil)
			if !slices.ContainsFunc(r.Violations, func(v Violation) bool { return v.Invariant == c.invariant }) {
				t.Errorf("although %s, %s held; violations: %v", c.condition, c.invariant, r.Violations)
			}
		})
	}
}

// forsake stops everybody from contacting the lost, seeds too, once the cluster
// is one.
func forsake(p *play) {
	p.After(20*time.Second, func() {
		p.profile.Config.AnnounceDown.Every = swim.Off
		p.each(nil, func(n *Node) {
			n.Seeds = Set{}
			n.Do(func(c *Core, rt swim.Runtime[ID]) error { return c.Configure(p.profile.Config, rt) })
		})
	})
}

// answerAll makes the owner of a node gossip for each packet.
func answerAll(n *Node) {
	n.OnNotify = func(note swim.Notification[ID]) {
		if note.Kind == swim.NotifyReceived {
			n.world.After(100*time.Millisecond, func() { n.Do((*Core).Gossip) })
		}
	}
}

// chatter makes owners gossip every second once for each thirty members.
func chatter(p *play) {
	p.each(nil, func(n *Node) {
		for range n.core.NumActive() / 30 {
			n.Do((*Core).Gossip)
		}
	})
	p.After(time.Second, func() { chatter(p) })
}

// The same seed tells the same story.
func TestScenarioIsTheSameTwice(t *testing.T) {
	for _, s := range []script{massRestart, isolatedObserver} {
		if a, b := s.run(3, nil), s.run(3, nil); a.Hash != b.Hash {
			t.Errorf("%s: %x, then %x", s.name, a.Hash, b.Hash)
		}
		if a, b := s.run(3, nil), s.run(4, nil); a.Hash == b.Hash {
			t.Errorf("%s: two seeds, one hash", s.name)
		}
	}
}

// Names are those that one types, texts are sentences.
func TestScenariosCanBeListed(t *testing.T) {
	all := Scenarios()
	if !slices.IsSortedFunc(all, func(a, b Scenario) int { return strings.Compare(a.Name, b.Name) }) {
		t.Error("they are not in the order of their names")
	}
	for _, s := range all {
		if s.Name != strings.ToLower(s.Name) || strings.Contains(s.Name, " ") || !strings.HasSuffix(s.Text, ".") {
			t.Errorf("%q: %q", s.Name, s.Text)
		}
	}
}
