package sim

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/selkie-go/selkie/swim"
)

// Explain tells how a violation came to be: what the node last learnt of the
// member that it is about, who told it, who told them, and so on, back to whoever
// said it first and why. It is some lines of text, the oldest event first. The
// recorder must have been told of the run.
func (r *Recorder) Explain(v Violation) string {
	s := &explanation{r: r, told: map[int]bool{}, who: map[uint32]bool{v.Node: true}, by: map[string]bool{}}
	end := r.whenBroken(v)
	root := r.lastChange(v.Node, v.About, end)
	if root >= 0 {
		s.who[v.About] = true
		s.change(root)
		s.change(r.origin(v.Node, v.About, root))
		s.change(r.origin(v.Node, v.About, root-1))
		s.context(end)
	}
	s.lastStep(v.Node, end, root < 0)
	return s.text(v)
}

// An explanation is a story in the making.
type explanation struct {
	r     *Recorder
	told  map[int]bool // events that have their line
	lines []sentence
	who   map[uint32]bool // whose starts and pauses belong to it
	by    map[string]bool // the faults that lost packets
	chain int             // changes followed
	p     swim.Packet[ID]
}

// A sentence is what the story says about one event.
type sentence struct {
	event int
	text  string
}

// Bounds of a story, which somebody has to read.
const (
	maxChain    = 48 // changes that are followed
	maxLastStep = 12 // events of the last step
)

// tell adds a line about an event, once.
func (s *explanation) tell(event int, format string, args ...any) {
	if !s.told[event] {
		s.told[event] = true
		s.lines = append(s.lines, sentence{event, fmt.Sprintf(format, args...)})
	}
}

func (s *explanation) text(v Violation) string {
	slices.SortFunc(s.lines, func(a, b sentence) int { return cmp.Compare(a.event, b.event) })
	var b strings.Builder
	fmt.Fprintf(&b, "%v\n", v)
	if s.r.left > 0 {
		fmt.Fprintf(&b, "(%d earlier events were left out)\n", s.r.left)
	}
	for _, l := range s.lines {
		at := s.r.line(l.event)
		fmt.Fprintf(&b, "%11.6fs %7d  %s\n", time.Duration(at.at).Seconds(), at.step, l.text)
	}
	return b.String()
}

// change tells of a change and of what it came from.
func (s *explanation) change(number int) {
	if number < 0 || s.told[number] || s.chain == maxChain {
		return
	}
	s.chain++
	e := s.r.Event(number)
	about := e.Change.About()
	s.who[e.Node] = true
	s.tell(number, "node %d: %v, %s", e.Node, e.Change, s.why(number, &e, about))
	if c := &e.Change; c.Knew && c.Before.State == swim.Suspect && !c.corroborates() {
		s.suspicion(e.Node, about, number-1)
	}
}

// suspicion tells how one began that has ended, and of its second accuser: it
// takes two to have somebody declared down.
func (s *explanation) suspicion(node, about uint32, most int) {
	began := s.r.origin(node, about, most)
	s.change(began)
	for i := began; i >= 0 && i <= most; i++ {
		l := s.r.line(i)
		if l.kind != EventChange || l.node != node {
			continue
		}
		c := s.r.Event(i).Change
		if c.About() != about || len(c.After.By) < 2 {
			continue
		}
		s.change(i)
		for _, accuser := range c.After.By {
			if !slices.Contains(c.Before.By, accuser) && accuser.Node != node {
				s.change(s.r.accusation(accuser, about, i))
			}
		}
		return
	}
}

// why says what brought a change about, and goes on to tell of that.
func (s *explanation) why(number int, e *Event, about uint32) string {
	at := s.r.input(number)
	if at < 0 {
		return "of itself"
	}
	in := s.r.Event(at)
	switch in.Kind {
	case EventReceive:
		return s.heard(at, &in, about, e.Change.corroborates())
	case EventTimer:
		return s.due(at, &in, e, about)
	}
	if about == e.Node && !e.Change.Knew {
		return "as its life begins"
	}
	return "because its owner said so"
}

// due says what a timer event decided about a member.
func (s *explanation) due(at int, in, e *Event, about uint32) string {
	switch {
	case in.Timer.Kind == swim.TimerProbe && about != e.Node:
		return s.probe(at, in.Node, about)
	case in.Timer.Kind == swim.TimerSuspicion && e.Change.LoneNow:
		return "because the time to refute is over, though nobody else accused it"
	case in.Timer.Kind == swim.TimerSuspicion:
		return "because the time to refute is over"
	case in.Timer.Kind == swim.TimerForget:
		return "because it was remembered for long enough"
	}
	return "by its timer event " + in.Timer.String()
}

// heard says who told a node about a member, and goes on with why they did,
// unless that only adds to what was known.
func (s *explanation) heard(at int, in *Event, about uint32, corroborated bool) string {
	if read(in.Data, &s.p) != nil {
		return "from bytes that are no packet"
	}
	h := s.p.Header
	what := ""
	for _, u := range s.p.Updates {
		if u.ID.Node == about {
			what = u.String()
		}
	}
	switch {
	case what != "":
	case h.Src.Node == about:
		what = "itself"
	case h.Message == swim.MessageTurnUndead && h.About.Node == about:
		what = h.String()
	}
	sent := s.r.sent(at, in)
	if sent < 0 {
		return fmt.Sprintf("from a %v that %d never sent", h.Message, in.Peer)
	}
	if was := s.r.Event(sent); !in.sameFlight(&was) {
		return fmt.Sprintf("from what %d sent as: %s, and was damaged on its way", in.Peer, message(&was, &s.p))
	}
	if what == "" {
		return fmt.Sprintf("on a %v of %d that says nothing of it", h.Message, in.Peer)
	}
	if from := s.r.origin(in.Peer, about, s.r.inputEnd(sent)); !corroborated {
		s.change(from)
	}
	if line := s.r.line(sent); in.At.Sub(line.at) > time.Second {
		return fmt.Sprintf("told by %d (%v: %s), sent %v before", in.Peer, h.Message, what, in.At.Sub(line.at))
	}
	return fmt.Sprintf("told by %d (%v: %s)", in.Peer, h.Message, what)
}

// probe tells what became of the packets of a failed probe.
func (s *explanation) probe(judged int, prober, target uint32) string {
	ping := s.r.lastPing(prober, target, judged, &s.p)
	if ping < 0 {
		return "because a probe failed"
	}
	n := s.p.Header.Number
	var asked []int // ping-reqs that arrived
	for i := ping; i < judged; i++ {
		l := s.r.line(i)
		if l.kind != EventSend && l.kind != EventLost {
			continue
		}
		if e := s.r.Event(i); read(e.Data, &s.p) == nil && ofProbe(&s.p.Header, &e, n, prober, target) {
			if e.Kind == EventLost && s.r.sentBefore(i, &e) {
				continue // told where it was sent
			}
			s.packet(i, &e, &asked)
		}
	}
	for _, i := range asked {
		e := s.r.Event(i)
		s.tell(i, "node %d: ping-req #%d of %d to %d %s, who did nothing", e.Node, n, target, e.Peer, s.fate(i, &e))
	}
	return fmt.Sprintf("because its probe #%d failed", n)
}

// packet tells of one packet of a probe. That a request arrived need not be
// told of a helper that did as it was asked.
func (s *explanation) packet(number int, e *Event, asked *[]int) {
	h, fate := s.p.Header, s.fate(number, e)
	switch {
	case h.Message == swim.MessagePingReq && strings.HasPrefix(fate, "arrived"):
		*asked = append(*asked, number)
		return
	case h.Message == swim.MessageIndirectPing:
		*asked = slices.DeleteFunc(*asked, func(i int) bool { return s.r.line(i).peer == e.Node })
		s.tell(number, "node %d: indirect-ping #%d for %v to %d %s", e.Node, h.Number, h.About, e.Peer, fate)
		return
	}
	s.tell(number, "node %d: %v to %d %s", e.Node, h, e.Peer, fate)
}

// ofProbe reports whether a packet belongs to a probe.
func ofProbe(h *swim.Header[ID], e *Event, number, prober, target uint32) bool {
	if h.Number != number {
		return false
	}
	switch h.Message {
	case swim.MessagePing:
		return e.Node == prober && e.Peer == target
	case swim.MessageAck:
		return e.Node == target && e.Peer == prober
	case swim.MessagePingReq:
		return e.Node == prober && h.About.Node == target
	case swim.MessageForwardedAck, swim.MessageNack:
		return e.Peer == prober && h.About.Node == target
	case swim.MessageIndirectPing:
		return e.Peer == target && h.About.Node == prober
	case swim.MessageIndirectAck:
		return e.Node == target && h.About.Node == prober
	}
	return false
}

// fate says what became of a packet.
func (s *explanation) fate(number int, e *Event) string {
	if e.Kind == EventLost {
		return s.lost(e)
	}
	for i := number + 1; i < s.r.Len(); i++ {
		l := s.r.line(i)
		if l.cause != e.Step || l.kind != EventReceive && l.kind != EventLost {
			continue
		}
		switch got := s.r.Event(i); {
		case !got.sameFlight(e):
		case got.Kind == EventLost:
			return s.lost(&got)
		default:
			return fmt.Sprintf("arrived after %v%s", got.At.Sub(e.At).Round(10*time.Microsecond), s.r.dropped(i))
		}
	}
	return "never arrived"
}

func (s *explanation) lost(e *Event) string {
	s.by[e.By] = true
	return "was lost: " + whyLost(e)
}

// sameFlight reports whether two events are about the same packet.
func (e *Event) sameFlight(sent *Event) bool {
	from, to := e.ends()
	return from == sent.Node && to == sent.Peer && bytes.Equal(e.Data, sent.Data)
}

// context tells when those of whom the story tells started and stopped, and
// when the faults began and ended that lost their packets.
func (s *explanation) context(end int) {
	first := end
	for _, l := range s.lines {
		first = min(first, l.event)
	}
	stopped := map[uint32]int{}
	for i := range end + 1 {
		l := s.r.line(i)
		if l.kind == EventFault {
			if e := s.r.Event(i); e.By != "" && s.by[e.By] {
				s.tell(i, "%s", line(&e, &s.p))
			}
		}
		if l.kind > EventResume || !s.who[l.node] {
			continue
		}
		if i >= first {
			s.process(i)
			continue
		}
		delete(stopped, l.node)
		if l.kind == EventCrash || l.kind == EventPause {
			stopped[l.node] = i
		}
	}
	for _, i := range slices.Sorted(maps.Values(stopped)) {
		s.process(i)
	}
}

func (s *explanation) process(number int) {
	e := s.r.Event(number)
	s.tell(number, "node %d %s", e.Node, deed(&e))
}

// lastStep tells what the node did when the promise broke; if that is all there
// is to tell, also what came before.
func (s *explanation) lastStep(node uint32, end int, alone bool) {
	for i, n := end, 0; i >= 0 && n < maxLastStep; i-- {
		l := s.r.line(i)
		if l.step != s.r.line(end).step && !alone {
			return
		}
		if l.kind != EventFault && l.kind != EventBroken && (l.node == node || l.kind == EventReceive && l.peer == node) {
			e := s.r.Event(i)
			s.tell(i, "%s", line(&e, &s.p))
			n++
		}
	}
}

// first returns the number of the first event of a step, or of the next.
func (r *Recorder) first(step uint64) int {
	return sort.Search(r.Len(), func(i int) bool { return r.line(i).step >= step })
}

// whenBroken returns the number of the event of a violation, or of the last one
// before.
func (r *Recorder) whenBroken(v Violation) int {
	for i := r.first(v.Step); i < r.Len() && r.line(i).step == v.Step; i++ {
		if l := r.line(i); l.kind == EventBroken && r.Event(i).Text == v.String() {
			return i
		}
	}
	return r.first(v.Step+1) - 1
}

// lastChange returns the number of the last change of a record of a node, at
// most that one; -1 if there is none.
func (r *Recorder) lastChange(node, about uint32, most int) int {
	for i := most; i >= 0; i-- {
		if l := r.line(i); l.kind == EventChange && l.node == node {
			if c := r.Event(i).Change; c.About() == about {
				return i
			}
		}
	}
	return -1
}

// origin returns the number of the change that made a record of a node what it
// is after that event, but for who accuses; -1 if there is none.
func (r *Recorder) origin(node, about uint32, most int) int {
	i := r.lastChange(node, about, most)
	for i >= 0 {
		if c := r.Event(i).Change; !c.corroborates() {
			return i
		}
		before := r.lastChange(node, about, i-1)
		if before < 0 {
			return i
		}
		i = before
	}
	return i
}

// accusation returns the number of the change by which somebody's own probe
// made them accuse a member; -1 if there is none.
func (r *Recorder) accusation(accuser ID, about uint32, most int) int {
	for i := r.lastChange(accuser.Node, about, most); i >= 0; i = r.lastChange(accuser.Node, about, i-1) {
		c := r.Event(i).Change
		if slices.Contains(c.After.By, accuser) && !slices.Contains(c.Before.By, accuser) {
			return i
		}
	}
	return -1
}

// isInput reports whether an event is an input of a node's core.
func (l *recorded) isInput(node uint32) bool {
	return l.node == node && (l.kind == EventReceive || l.kind == EventTimer || l.kind == EventOwner)
}

// input returns the number of the input that an event is an effect of; -1 if
// there is none.
func (r *Recorder) input(number int) int {
	of := r.line(number)
	for i := number; i >= 0 && r.line(i).step == of.step; i-- {
		if r.line(i).isInput(of.node) {
			return i
		}
	}
	return -1
}

// inputEnd returns the number of the last event of the step that comes before
// the next input of the node.
func (r *Recorder) inputEnd(number int) int {
	of, i := r.line(number), number+1
	for i < r.Len() && r.line(i).step == of.step && !r.line(i).isInput(of.node) {
		i++
	}
	return i - 1
}

// sent returns the number of the event of a packet being sent that was
// received, or, of one that was damaged on its way, of one that its sender sent
// to that node in the same step; -1 if there is none.
func (r *Recorder) sent(number int, in *Event) int {
	damaged := -1
	for i := r.first(in.Cause); i < number && r.line(i).step == in.Cause; i++ {
		if l := r.line(i); l.kind == EventSend && l.node == in.Peer && l.peer == in.Node {
			if e := r.Event(i); in.sameFlight(&e) {
				return i
			}
			damaged = i
		}
	}
	return damaged
}

// sentBefore reports whether a packet that is lost was seen being sent.
func (r *Recorder) sentBefore(number int, lost *Event) bool {
	for i := r.first(lost.Cause); i < number && r.line(i).step == lost.Cause; i++ {
		if r.line(i).kind == EventSend {
			if e := r.Event(i); lost.sameFlight(&e) {
				return true
			}
		}
	}
	return false
}

// dropped says why the core dropped a packet that it received, if it did.
func (r *Recorder) dropped(number int) string {
	for i := number + 1; i <= r.inputEnd(number); i++ {
		if l := r.line(i); l.kind == EventDrop && l.node == r.line(number).node {
			e := r.Event(i)
			return " and was" + strings.TrimPrefix(deed(&e), ".")
		}
	}
	return ""
}

// lastPing returns the number of the last ping of a member, and leaves it in p.
func (r *Recorder) lastPing(prober, target uint32, most int, p *swim.Packet[ID]) int {
	for i := most - 1; i >= 0; i-- {
		l := r.line(i)
		if (l.kind == EventSend || l.kind == EventLost) && l.node == prober && l.peer == target &&
			read(r.Event(i).Data, p) == nil && p.Header.Message == swim.MessagePing {
			return i
		}
	}
	return -1
}
