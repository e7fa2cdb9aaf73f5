package sim

import (
	"slices"

	"github.com/selkie-go/selkie/swim"
)

// A mark names a state that runs should reach now and then. A soak in which one
// was never reached does not test what it seems to.
type mark uint8

const (
	markUp mark = iota
	markActive
	markIdle
	markDown
	markDownHeard
	markGoodbyeHeard
	markRename
	markRejoin
	markConflict
	markDefunct

	markRenewed
	markRenewedAgain
	markRenewalWaits
	markRefuted
	markFallen
	markLeaves
	markUndead
	markReused
	markExplained
	markVouched
	markConfigured
	markDistrust
	markTrustAgain
	markGarbage

	markMet
	markForgotten
	markMetTombstone
	markRefuteWon
	markAccusedByUs
	markAccusedByOthers
	markTwoAccusers
	markThreeAccusers
	markFourAccusers
	markVerdictHeard
	markVerdict
	markLone
	markLoneHealed
	markLoneConfirmed
	markLeftWhileSuspect
	markReclassified
	markCameBack
	markReplaced
	markReplacedDown
	markReplacedWhileProbed
	markContactHealed
	markMetadata

	markPacketFull
	markFeedCut
	markPayload
	markPadded
	markRelayed
	markForwarded
	markNack
	markTurnUndead
	markSuspectTold
	markGoodbyePing
	markNothingToSay
	markLate

	markAnswered
	markRotated

	markLost // the first of those for packets that do not arrive
)

// losses are the reasons for which packets do not arrive, and a mark each.
var losses = []string{"cut", "loss", "burst", "too-large", "queue", "checksum", "nobody", "other-cluster", "socket",
	"short", "version", "key", "replay", "forged", "payload", "source", "unknown", "challenge"}

// The marks behind those of losses: one for each reason for which a core
// ignores something, then its counters.
var (
	markDrop  = markLost + mark(len(losses))
	markStats = markDrop + mark(swim.NumDrops)
	numMarks  = int(markStats) + len(counters)
)

// maxMarks is at least numMarks; a test says so.
const maxMarks = 128

// marks counts how often each was reached.
type marks [maxMarks]uint64

func (m *marks) hit(at mark) { m[at]++ }

// A MarkInfo describes a mark.
type MarkInfo struct {
	Name string // as in Result.Marks
	Text string // what happened, in a sentence
}

// Marks returns all marks there are, in a fixed order. The runs of a soak should
// reach each.
func Marks() []MarkInfo {
	return slices.DeleteFunc(everyMark(), func(m MarkInfo) bool { return m.Name == "" })
}

// everyMark returns the marks by their numbers. What can not happen here has no
// name.
func everyMark() []MarkInfo {
	all := append([]MarkInfo(nil), described[:]...)
	for _, why := range losses {
		all = append(all, MarkInfo{"lost " + why, "A packet did not arrive: " + why + "."})
	}
	for d := range swim.NumDrops {
		if d := swim.Drop(d); d == swim.DropUnordered {
			all = append(all, MarkInfo{}) // the identities of a World keep the laws
		} else {
			all = append(all, MarkInfo{"drop " + d.String(), "A core ignored something: " + d.String() + "."})
		}
	}
	for _, c := range counters {
		all = append(all, MarkInfo{c.name, c.text})
	}
	return all
}

var described = [markLost]MarkInfo{
	markUp:           {"up", "A member became active."},
	markActive:       {"active", "A node was no longer alone."},
	markIdle:         {"idle", "A node lost all others."},
	markDown:         {"down", "A node declared a member down by itself."},
	markDownHeard:    {"down heard", "A node was told that a member is down."},
	markGoodbyeHeard: {"left", "A node learnt that a member left."},
	markRename:       {"rename", "An active member was replaced by its next life."},
	markRejoin:       {"rejoin", "A node that was declared down took its next identity."},
	markConflict:     {"conflict", "A node reported that somebody else uses its address."},
	markDefunct:      {"defunct", "A node reported its own end."},

	markRenewed:      {"new identity", "A process went on under another identity."},
	markRenewedAgain: {"renewed again", "A process renewed for the second time or later."},
	markRenewalWaits: {"renewal waits", "A node knew of a newer life at its address and had to wait."},
	markRefuted:      {"refuted", "A node raised its incarnation."},
	markFallen:       {"fallen", "A node learnt that its life is over."},
	markLeaves:       {"leaves", "A node said goodbye."},
	markUndead:       {"undead", "A node was down for good."},
	markReused:       {"reused", "An owner went on with an identity that was over."},
	markExplained:    {"explained", "One who knew an earlier life was told the present one."},
	markVouched:      {"vouched", "A forwarded ack was the first to settle a probe."},
	markConfigured:   {"configured", "A configuration changed while running."},
	markDistrust:     {"distrust", "Something was damaged or made up."},
	markTrustAgain:   {"trust again", "The promises held again after damage."},
	markGarbage:      {"garbage", "A node was handed bytes from outside."},

	markMet:                 {"met", "A node learnt of a member that it did not know."},
	markForgotten:           {"forgotten", "A node forgot a member."},
	markMetTombstone:        {"met tombstone", "A node first heard of a member as down or left."},
	markRefuteWon:           {"refute won", "A suspect refuted in time."},
	markAccusedByUs:         {"accused by us", "A node's own probe made a member suspect."},
	markAccusedByOthers:     {"accused by others", "A node was told of a suspicion."},
	markTwoAccusers:         {"two accusers", "A suspicion had its second accuser."},
	markThreeAccusers:       {"three accusers", "A suspicion had its third accuser."},
	markFourAccusers:        {"four accusers", "A suspicion had as many accusers as count."},
	markVerdictHeard:        {"verdict before suspicion", "A node was told down of a member that it held alive, which accuses it."},
	markVerdict:             {"verdict", "The time to refute ran out with two accusers."},
	markLone:                {"lone verdict", "The time to refute ran out with a single accuser."},
	markLoneHealed:          {"lone healed", "A member that was down for one owner alone refuted."},
	markLoneConfirmed:       {"lone confirmed", "A lone verdict found its second accuser."},
	markLeftWhileSuspect:    {"left while suspect", "A suspect said goodbye."},
	markReclassified:        {"reclassified", "A down member turned out to have left."},
	markCameBack:            {"came back", "A down member had refuted before it knew."},
	markReplaced:            {"replaced", "A later life took over the record of an address."},
	markReplacedDown:        {"replaced down", "A later life took over the record of a down or left one."},
	markReplacedWhileProbed: {"replaced while probed", "The target of the running probe was replaced."},
	markContactHealed:       {"contact healed", "A lost member came back by an announce or its feed."},
	markMetadata:            {"metadata", "A newer version of metadata was learnt."},

	markPacketFull:   {"packet full", "An update found no room in a packet."},
	markFeedCut:      {"feed cut", "A feed did not hold all members."},
	markPayload:      {"payload", "A packet carried a payload."},
	markPadded:       {"padded", "An announce was padded."},
	markRelayed:      {"relayed", "A node pinged for another."},
	markForwarded:    {"forwarded", "A relay passed an ack on."},
	markNack:         {"nack", "A relay said that its target did not answer it."},
	markTurnUndead:   {"turn undead", "A node told another that it is down."},
	markSuspectTold:  {"suspect told", "A packet told its receiver that it is suspect."},
	markGoodbyePing:  {"goodbye ping", "A node that leaves pinged to say so."},
	markNothingToSay: {"empty gossip", "A gossip said nothing but its header."},
	markLate:         {"late event", "A timer event came late."},

	markAnswered: {"challenge answered", "A packet was sealed again because its receiver could not know that it is no recording."},
	markRotated:  {"rotation finished", "The key of a cluster was replaced, and the old one retired."},
}

// counters are those of a core that are marks.
var counters = []struct {
	name, text string
	of         func(*swim.Stats) uint64
}{
	{"probes failed", "Nobody answered a probe in time.", func(s *swim.Stats) uint64 { return s.ProbesFailed }},
	{"probes void", "A probe was not judged.", func(s *swim.Stats) uint64 { return s.ProbesVoid }},
	{"refutations", "A core raised its incarnation.", func(s *swim.Stats) uint64 { return s.Refutations }},
	{"renewals", "A core renewed by itself.", func(s *swim.Stats) uint64 { return s.Renewals }},
	{"conflicts", "Somebody else spoke for a core.", func(s *swim.Stats) uint64 { return s.Conflicts }},
	{"lone verdicts", "A core gave a lone verdict.", func(s *swim.Stats) uint64 { return s.LoneVerdicts }},
	{"pauses", "A core noticed that it stood still.", func(s *swim.Stats) uint64 { return s.Pauses }},
	{"deaf", "A core put a verdict off because it heard nobody.", func(s *swim.Stats) uint64 { return s.Deaf }},
	{"evicted", "A tombstone was forgotten early.", func(s *swim.Stats) uint64 { return s.Evicted }},
	{"payloads lost", "A payload no longer fit after a change of configuration.", func(s *swim.Stats) uint64 { return s.PayloadsLost }},
	{"handler errors", "The owner's handler refused a payload.", func(s *swim.Stats) uint64 { return s.HandlerErrors }},
}

// sum adds the counters of a core that ended.
func (m *marks) sum(s swim.Stats) {
	for d, count := range s.Drops {
		m[int(markDrop)+d] += count
	}
	for i := range counters {
		m[int(markStats)+i] += counters[i].of(&s)
	}
}

// reached returns the marks that were reached, those of the cores that run
// included.
func (o *oracle) reached() map[string]int {
	all := o.marks
	if o.w.Watch {
		for _, n := range o.w.nodes {
			if n.running {
				all.sum(n.core.Stats())
			}
		}
	}
	names := map[string]int{}
	for i, info := range everyMark() {
		if all[i] > 0 {
			names[info.Name] = int(all[i])
		}
	}
	return names
}

// lost notes that a packet does not arrive.
func (o *oracle) lost(why string) {
	for i, known := range losses {
		if why == known {
			o.marks.hit(markLost + mark(i))
			return
		}
	}
}

// markWritten marks what a packet that was written is remarkable for.
func (o *oracle) markWritten(p *swim.Packet[ID]) {
	m, h := &o.marks, &p.Header
	switch h.Message {
	case swim.MessagePing:
		if h.SrcState == swim.Left {
			m.hit(markGoodbyePing)
		}
	case swim.MessageIndirectPing:
		m.hit(markRelayed)
	case swim.MessageForwardedAck:
		m.hit(markForwarded)
	case swim.MessageNack:
		m.hit(markNack)
	case swim.MessageTurnUndead:
		m.hit(markTurnUndead)
	case swim.MessageAnnounce:
		if p.PadTo > 0 {
			m.hit(markPadded)
		}
	case swim.MessageGossip:
		if len(p.Updates) == 0 && len(p.Payloads) == 0 {
			m.hit(markNothingToSay)
		}
	}
	if len(p.Payloads) > 0 {
		m.hit(markPayload)
	}
	o.asked.updates += uint64(len(p.Updates))
	for i := range p.Updates {
		u := &p.Updates[i]
		if u.State == swim.Suspect && u.ID == h.Dst {
			m.hit(markSuspectTold)
		}
		if !u.Sent {
			m.hit(markPacketFull)
			if h.Message == swim.MessageFeed {
				m.hit(markFeedCut)
			}
			return
		}
	}
}

// markTold marks what the owner of a node is told.
func (o *oracle) markTold(note *swim.Notification[ID]) {
	switch note.Kind {
	case swim.NotifyUp:
		o.asked.ups++
		o.marks.hit(markUp)
	case swim.NotifyDown:
		switch {
		case note.Member.State == swim.Left:
			o.marks.hit(markGoodbyeHeard)
		case note.Cause.Gossiped:
			o.marks.hit(markDownHeard)
		default:
			o.marks.hit(markDown)
		}
	case swim.NotifyRename:
		o.marks.hit(markRename)
	case swim.NotifyActive:
		o.marks.hit(markActive)
	case swim.NotifyIdle:
		o.marks.hit(markIdle)
	case swim.NotifyDefunct:
		o.marks.hit(markDefunct)
	case swim.NotifyRejoin:
		o.marks.hit(markRejoin)
	case swim.NotifyConflict:
		o.marks.hit(markConflict)
	}
}

// markChanged marks how the record of a member changed.
func (o *oracle) markChanged(n *Node, c *swim.Change[ID]) {
	m, was, now := &o.marks, &c.Before, &c.After
	switch {
	case !c.Knows:
		m.hit(markForgotten)
	case !c.Knew:
		m.hit(markMet)
		if !now.State.Active() {
			m.hit(markMetTombstone)
		}
	case was.ID != now.ID:
		m.hit(markReplaced)
		if !was.State.Active() {
			m.hit(markReplacedDown)
		}
		if p := &n.seen.probe; p.on && p.target == was.ID {
			m.hit(markReplacedWhileProbed)
		}
	default:
		o.markSameLife(c)
	}
	if c.Knew && c.Knows && now.Metadata > was.Metadata && was.ID == now.ID {
		m.hit(markMetadata)
	}
	gone := c.Knew && (was.State == swim.Down || c.LoneBefore)
	if gone && c.Knows && now.State == swim.Alive && (o.in.header.Message == swim.MessageAnnounce || o.in.header.Message == swim.MessageFeed) && o.in.read {
		m.hit(markContactHealed)
	}
}

// markSameLife marks how the state of a life changed.
func (o *oracle) markSameLife(c *swim.Change[ID]) {
	m, was, now := &o.marks, &c.Before, &c.After
	switch {
	case c.LoneBefore && now.State == swim.Alive:
		m.hit(markLoneHealed)
	case c.LoneBefore && now.State == swim.Down:
		m.hit(markLoneConfirmed)
	case c.LoneNow && !c.LoneBefore:
		m.hit(markLone)
	case was.State == swim.Suspect && now.State == swim.Alive:
		m.hit(markRefuteWon)
	case was.State == swim.Suspect && now.State == swim.Left:
		m.hit(markLeftWhileSuspect)
	case was.State == swim.Down && now.State == swim.Left:
		m.hit(markReclassified)
	case was.State == swim.Down && now.State.Active():
		m.hit(markCameBack)
	case was.State == swim.Suspect && now.State == swim.Down && o.in.kind == inputTimer:
		m.hit(markVerdict)
	case was.State == swim.Alive && now.State == swim.Suspect:
		switch {
		case o.in.kind == inputTimer:
			m.hit(markAccusedByUs)
		case len(now.By) > 1:
			m.hit(markVerdictHeard)
		default:
			m.hit(markAccusedByOthers)
		}
	}
	if now.State == swim.Suspect && len(now.By) > len(was.By) && len(now.By) > 1 {
		m.hit(markTwoAccusers + mark(len(now.By)-2))
	}
}
