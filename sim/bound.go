package sim

import (
	"math/bits"
	"slices"
	"time"

	"github.com/selkie-go/selkie/swim"
)

// spreadFactor is the c of the dissemination bound D: c·log2(N+1) rounds of
// gossip. TestNewsReachEverybodyInTime measures that 98 news in a hundred have
// reached everybody after 0.8·log2(N+1) rounds, with the usual number of
// transmissions and without loss.
//
// Gossip picks at random whom to tell, so it may miss somebody, and then no
// time is long enough. Who was missed hears from the member itself, by its next
// probe: wherever something must hold in every run, the time for that is added.
const spreadFactor = 2

// maxBackOff is the longest that a member waits before it renews again
// (rule 15).
const maxBackOff = 10 * time.Minute

// bounds are the times within which the protocol promises things, by the
// configurations in force: of each setting the slowest of them counts.
type bounds struct {
	nodes int // all who ever took part
	seeds int
	slow  swim.Config
	// lost is how many one of them contacts, if that is more: some may be made up.
	lost int
	// renewals is how often one of them renewed already: the next waits longer.
	renewals int
}

// boundsOf returns the bounds for a cluster.
func boundsOf(nodes, seeds int, configs ...swim.Config) bounds {
	slow := configs[0].WithDefaults()
	for _, c := range configs[1:] {
		c = c.WithDefaults()
		slow.Period = max(slow.Period, c.Period)
		slow.SuspicionFactor = max(slow.SuspicionFactor, c.SuspicionFactor)
		slow.MaxSuspicion = max(slow.MaxSuspicion, c.MaxSuspicion)
		slow.Confirmations = max(slow.Confirmations, c.Confirmations)
		slow.MaxHealth = max(slow.MaxHealth, c.MaxHealth)
		slow.DeafLimit = max(slow.DeafLimit, c.DeafLimit)
		slow.Gossip = slower(slow.Gossip, c.Gossip)
		slow.Announce = slower(slow.Announce, c.Announce)
		slow.AnnounceDown = slower(slow.AnnounceDown, c.AnnounceDown)
		slow.ForgetAfter = min(slow.ForgetAfter, c.ForgetAfter)
		slow.MaxMembers = min(slow.MaxMembers, c.MaxMembers)
		slow.MaxTombstones = min(slow.MaxTombstones, c.MaxTombstones)
		slow.MaxNewMembers = min(slow.MaxNewMembers, c.MaxNewMembers)
		slow.MaxPacket = min(slow.MaxPacket, c.MaxPacket)
		slow.RoundTrip = min(slow.RoundTrip, c.RoundTrip)
		slow.StallLimit = min(slow.StallLimit, c.StallLimit)
		slow.Transmissions.Factor = min(slow.Transmissions.Factor, c.Transmissions.Factor)
		slow.Transmissions.Least = min(slow.Transmissions.Least, c.Transmissions.Least)
		slow.Rules.SoleVerdict = slow.Rules.SoleVerdict || c.Rules.SoleVerdict
		slow.Rules.FinalDown = slow.Rules.FinalDown || c.Rules.FinalDown
		slow.Rules.AccuserDeadline = slow.Rules.AccuserDeadline || c.Rules.AccuserDeadline
		slow.Rules.SilentSuspicion = slow.Rules.SilentSuspicion || c.Rules.SilentSuspicion
		slow.Rules.SilentPing = slow.Rules.SilentPing || c.Rules.SilentPing
		slow.Rules.SilentRelay = slow.Rules.SilentRelay || c.Rules.SilentRelay
		slow.Rules.SilentDigest = slow.Rules.SilentDigest || c.Rules.SilentDigest
		slow.Rules.LazyGossip = slow.Rules.LazyGossip || c.Rules.LazyGossip
	}
	return bounds{nodes: nodes, seeds: seeds, slow: slow}
}

// slower returns the less frequent, less wide of two tasks; one that is off is
// the slowest.
func slower(a, b swim.Task) swim.Task {
	if a.Every == swim.Off || b.Every == swim.Off {
		return swim.Task{Every: swim.Off, Num: 1}
	}
	return swim.Task{Every: max(a.Every, b.Every), Num: min(a.Num, b.Num)}
}

// round is the time between two rounds of gossip. Without gossip news travel
// with the probes.
func (b *bounds) round() time.Duration {
	if b.slow.Gossip.Every == swim.Off {
		return b.slow.Period
	}
	return b.slow.Gossip.Every
}

// spread is D: how long news take to reach everybody who is connected, c·log2(N+1)
// rounds.
func (b *bounds) spread() time.Duration {
	return time.Duration(spreadFactor*bits.Len(uint(b.nodes))) * b.round()
}

// reach is how long news about a member take to reach everybody for sure: those
// whom gossip misses it probes.
func (b *bounds) reach() time.Duration {
	return b.spread() + b.rounds() + b.recovery() + b.slow.Period
}

// least is Min: how long a suspect may refute (rule 102), rounded up.
func (b *bounds) least() time.Duration {
	const log10of2 = 19729 // in units of 1/one, rounded up
	log10 := log2(uint64(max(b.nodes, 1)))*log10of2/one + 1
	return time.Duration(b.slow.SuspicionFactor) * b.slow.Period / one * time.Duration(max(one, log10))
}

// suspicion is Max: the longest that a suspicion runs (rule 59).
func (b *bounds) suspicion() time.Duration {
	longest := b.least()
	if b.slow.Confirmations != swim.Off {
		longest *= time.Duration(b.slow.MaxSuspicion)
	}
	return longest + time.Duration(bits.Len(uint(b.nodes)))*b.round()
}

// deaf is how much later than a suspicion the verdict falls at one that hears
// nobody (D11).
func (b *bounds) deaf() time.Duration { return max(b.slow.DeafLimit, 0) }

// rounds is how long a member may wait until another has probed it (rule 43):
// 2N-1 periods. After it, each member that another one holds active has heard
// from that one.
func (b *bounds) rounds() time.Duration {
	return time.Duration(max(2*b.nodes-1, 1)) * b.slow.Period
}

// recovery is how much longer probes take until they come as often as usual again
// at one that doubts itself most, if each is answered.
func (b *bounds) recovery() time.Duration {
	s := time.Duration(max(b.slow.MaxHealth, 0))
	return b.slow.Period * s * (s + 3) / 2
}

// doubtful is how many times longer a round takes at one that doubts itself most
// all the time.
func (b *bounds) doubtful() time.Duration { return time.Duration(1 + max(b.slow.MaxHealth, 0)) }

// complete is L1: a process that crashed is down or forgotten at each correct
// observer. The observer needs nobody else for it: whoever finds out by itself
// holds a lone verdict, which is down for its owner. Of one that doubts itself
// (D7) the rounds take longer: h is 1 for an observer that probes as often as
// usual, else 9.
func (b *bounds) complete(h time.Duration) time.Duration {
	return h*b.rounds() + 2*h*b.slow.Period + b.suspicion() + b.deaf() + b.spread()
}

// known is J of L5: a process that starts is known to all. It asks all of its
// seeds, of whom one is there, first after a period, then after two, and so on
// (rule 84), but no later than in turns of the task, and D later all know.
func (b *bounds) known() time.Duration {
	wait, sum := b.slow.Period, time.Duration(0)
	if b.slow.AnnounceDown.Every == swim.Off {
		return wait + b.reach() // the owner announces it
	}
	for range turns(b.seeds, b.slow.AnnounceDown) {
		sum += min(wait, b.slow.AnnounceDown.Every)
		wait *= 2
	}
	return sum + b.slow.Period + b.reach()
}

// knows is J' of L5: a process that starts knows all. The list that it reads and
// gossip tell it most, and what they did not digests find out.
func (b *bounds) knows() time.Duration { return b.known() + b.repair() }

// repair is how long what gossip missed is missed. With digests that is until one
// of a member's probes tells it that its view differs and a reconciliation may
// begin, which may have been put off for longest as many failed. Without them it is
// until all, who know it, have probed it, and it had a feed with those who do not.
func (b *bounds) repair() time.Duration {
	if b.slow.Rules.SilentDigest {
		return b.rounds() + b.slow.Period + b.feeds()
	}
	return b.spread() + b.recovery() + longestPutOff*b.slow.Period
}

// longestPutOff is how many periods the next reconciliation waits at most, and some
// until it is over.
const longestPutOff = 16 + 4

// feeds is how long two members can be without each other, both missed by
// gossip: until one of them has asked somebody who knows the other for a feed
// with room for it. A feed is a random sample, so this is no certain bound but
// one for which it would take four times the usual bad luck.
func (b *bounds) feeds() time.Duration {
	if b.slow.Announce.Every == swim.Off {
		return 0
	}
	room := max((b.slow.MaxPacket-codec.MaxHeader())/codec.MaxUpdate(), 1)
	return 4 * b.slow.Announce.Every * time.Duration((b.nodes+room-1)/room)
}

// backOff is how long the next renewal waits at most.
func (b *bounds) backOff() time.Duration {
	wait := b.slow.Period
	for range b.renewals + 1 {
		if wait = 2 * wait; wait > maxBackOff {
			return maxBackOff
		}
	}
	return wait
}

// rejoin is L6: a member that was declared down, or started again, is up at all
// who can reach it.
func (b *bounds) rejoin() time.Duration { return 2*b.slow.Period + b.backOff() + b.reach() }

// heal is H of L7: everybody has contacted everybody whom it lost, and all its
// seeds, and those who were contacted are back everywhere. Everybody may be
// among the lost.
func (b *bounds) heal() time.Duration {
	lost := max(b.nodes-1, b.lost) + b.seeds
	return b.slow.AnnounceDown.Every*time.Duration(turns(lost, b.slow.AnnounceDown)) + b.reach()
}

// turns is how often a task runs until it has dealt with so many.
func turns(count int, t swim.Task) int { return (count + t.Num - 1) / max(t.Num, 1) }

// agree is L3: after the last fault all hold the same of all. Suspicions that
// run end (Max), those who are gone are found out (L1), those who were lost are
// contacted (H) and renew (L6), and what gossip did not reach probes do (J').
func (b *bounds) agree() time.Duration {
	sum := b.suspicion() + b.complete(b.doubtful()) + b.rejoin() + b.knows()
	if b.slow.AnnounceDown.Every != swim.Off {
		sum += b.heal()
	}
	return sum
}

// quietBytes is B of L8: the most bytes that a member sends in a second when
// nothing changes, on average over all members and a time. Each probe is a ping
// and an ack, each announce is answered by a feed; once more of each task may
// fall into the time. It does not depend on the number of members. Each packet is
// so much longer on the wire.
func (b *bounds) quietBytes(over time.Duration, added int) float64 {
	often := func(every time.Duration) float64 { return float64(over/every + 1) }
	answered := float64(2 * (max(1200, b.slow.MaxPacket) + added))
	bytes := often(b.slow.Period) * 2 * float64(codec.MaxHeader()+codec.MaxUpdate()+added)
	for _, t := range []swim.Task{b.slow.Announce, b.slow.AnnounceDown} {
		if t.Every != swim.Off {
			bytes += often(t.Every) * float64(t.Num) * answered
		}
	}
	return bytes / over.Seconds()
}

// thorough reports whether news are told often enough, to enough members and in
// packets large enough, that D holds and not only the time of the repairs.
func (b *bounds) thorough() bool {
	usual := swim.Config{Rules: b.slow.Rules}.WithDefaults().Transmissions
	t := b.slow.Transmissions
	return b.slow.Gossip.Every != swim.Off && b.slow.Gossip.Num >= 3 &&
		t.Factor >= usual.Factor && t.Least >= usual.Least && b.slow.MaxPacket >= 1200
}

// roomy reports whether no limit keeps a member from remembering all others.
func (b *bounds) roomy() bool {
	return min(b.slow.MaxMembers, b.slow.MaxTombstones, b.slow.MaxNewMembers) >= b.nodes
}

// longestDelay returns the longest that a packet is on its way if nothing is
// wrong with the network, and false if there is no such time.
func longestDelay(p Profile) (longest time.Duration, any bool) {
	for _, row := range p.Links {
		for _, l := range row {
			most, bounded := l.Latency.most()
			if !bounded {
				return 0, false
			}
			longest = max(longest, most)
		}
	}
	return longest, true
}

// most returns the longest time that a latency draws, and false if its tail is
// too long to reckon with.
func (l Latency) most() (time.Duration, bool) {
	s := sampler{of: l}
	switch l.Shape {
	case Constant:
		return l.Typical, true
	case Bimodal:
		return max(l.Typical, l.Tail), true
	case Lognormal:
		if l.Typical > 0 && l.Tail > l.Typical {
			s.ratio = log2(uint64(l.Tail)) - log2(uint64(l.Typical))
		}
		return s.stretch(quantiles[len(quantiles)-1]), true
	case Exponential:
		return 45 * l.Typical, true // log(2^64)
	default:
		return 0, false
	}
}

// configs returns the configurations that some nodes run with.
func configs(nodes []*Node) []swim.Config {
	var all []swim.Config
	for _, n := range nodes {
		if c := n.core.Config(); !slices.Contains(all, c) {
			all = append(all, c)
		}
	}
	return all
}
