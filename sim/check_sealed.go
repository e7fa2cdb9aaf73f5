package sim

import (
	"bytes"
	"slices"
	"time"

	"github.com/selkie-go/selkie/transport/sealed"
)

// checkOpened: what is opened is what somebody sealed for this address in this
// cluster, as it was. No process opens it twice, nor if it was sealed before the
// process began, unless it began with an identity that its address had before, or
// that a liar had named: what was sealed for that may be older, and with it came in
// the rest of its session (S23). It was sealed under a key that the process has (F29).
func (o *oracle) checkOpened(n *Node, h *happening, payload []byte) {
	if !o.w.Watch {
		return
	}
	l, s := h.letter, n.sealer
	switch {
	case l == nil:
		o.broken("S23", n, h.from.number, "opened %d bytes that nobody sealed", len(h.data))
		return
	case h.damaged:
		o.broken("S23", n, h.from.number, "opened a packet that was damaged on its way")
	case !bytes.Equal(payload, l.plain):
		o.broken("S23", n, h.from.number, "opened something else than was sealed")
	case l.cluster != s.cluster:
		o.broken("S23", n, h.from.number, "opened a packet of another cluster")
	case slices.Contains(l.openers, s):
		o.broken("S23", n, h.from.number, "opened a packet twice")
	case o.trust && s.fresh && l.born < s.born && !slices.Contains(s.ids, l.to) && !slices.Contains(s.older, l.by):
		o.broken("S23", n, h.from.number, "opened a recording: it was sealed at %v for %v", l.born, l.to)
	case !s.keys.has(l.key):
		o.broken("F29", n, h.from.number, "opened a packet under key %d, and has %v", l.key, s.keys)
	}
	if l.born < s.born && !slices.Contains(s.older, l.by) {
		s.older = append(s.older, l.by)
	}
	l.openers = append(l.openers, s)
}

// checkRefusal: between two correct processes nothing is refused for its key,
// unless that was retired, and the packet is older than everybody had time for
// (F29); what is under a key that the process does not have, is refused for that,
// before anybody looks closer. Nor is anything that is as it was sealed taken for forged, or for a
// replay if it is the first to arrive and hardly later than others (S23).
func (o *oracle) checkRefusal(n *Node, h *happening, why sealed.Fault) {
	l, s := h.letter, n.sealer
	if !o.w.Watch || l == nil || h.damaged || l.by.strange || l.cluster != s.cluster {
		return
	}
	if l.about != nil && l.about.by.strange {
		return // the question is for somebody who does not exist
	}
	if why != sealed.FaultKey && !s.keys.has(l.key) {
		o.broken("F29", n, h.from.number, "looked at a packet under key %d, and has %v: %v", l.key, s.keys, why)
		return
	}
	switch why {
	case sealed.FaultKey:
		if age, least, retired := o.retired(l); !retired || age < least {
			o.broken("F29", n, h.from.number, "refused a packet under key %d, which was sealed %v ago, and has %v", l.key, age, s.keys)
		}
	case sealed.FaultReplay:
		if !slices.Contains(l.openers, s) && l.by.count-l.count < recentEnough {
			o.broken("S23", n, h.from.number, "took a packet for a replay that it never opened, the last but %d", l.by.count-l.count)
		}
	case sealed.FaultShort, sealed.FaultVersion, sealed.FaultCluster, sealed.FaultForged, sealed.FaultPayload, sealed.FaultDestination, sealed.FaultSource:
		o.broken("S23", n, h.from.number, "refused what nobody changed: %v", why)
	}
}

// recentEnough is how many packets a window remembers at the least.
const recentEnough = 1024

// retired returns how old a packet is, and from which age on it may be refused
// for its key, if that is retired.
func (o *oracle) retired(l *letter) (age, least time.Duration, retired bool) {
	least, retired = o.w.locks.retired[l.key]
	return o.w.now.Sub(l.born), least, retired
}

// checkChallenge: a challenge is no larger than what it answers, which may be in
// the name of somebody else (S14).
func (o *oracle) checkChallenge(n *Node, h *happening, size, reply int) {
	if o.w.Watch && reply > size {
		o.broken("S14", n, h.from.number, "answered %d bytes with a challenge of %d", size, reply)
	}
}

// checkAnswer: only a challenge that a process made of a packet of ours, and
// that is as it was, has it sealed again (S23).
func (o *oracle) checkAnswer(n *Node, h *happening) bool {
	l := h.letter
	made := l != nil && !h.damaged && l.about != nil && l.about.by == n.sealer
	if !made {
		o.broken("S23", n, h.from.number, "answered a challenge that nobody made")
	}
	return made
}
