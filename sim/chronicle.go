package sim

import (
	"slices"

	"github.com/selkie-go/selkie/swim"
)

// A chronicle keeps what really happened beside what the owners of the nodes
// were told, as it happens: how fast news travel is the difference.
type chronicle struct {
	w      *World
	report Report
	nodes  []*annals
	free   [][]bool // the memory of stories that ended
	// promises are those of the plan that is carried out, if it is one.
	promises *promises
}

// annals are what happened to one node.
type annals struct {
	open    []*story
	started swim.Instant // when the process that runs started
	ended   swim.Instant // when the one before it did
	life    uint32       // of the identity that it spoke for last
	inc     swim.Incarnation
	raised  swim.Instant // when it spoke at that incarnation first
	meta    uint64
	left    bool
	newest  uint32 // generation that the address ever had
	reused  bool   // the process has one that the address had before
	probing rounds
}

// A story is a piece of news that not everybody has heard yet.
type story struct {
	index   int // in Report.News
	waiting int
	waits   []bool // by node
	life    uint32
	version uint64 // of NewsMetadata
}

func (c *chronicle) of(n *Node) *annals {
	for int(n.number) >= len(c.nodes) {
		c.nodes = append(c.nodes, &annals{})
	}
	return c.nodes[n.number]
}

// began notes that a process started.
func (c *chronicle) began(n *Node) {
	if n.first != nil {
		return // a twin has no story of its own
	}
	self := n.core.Self()
	c.supersede(n, NewsCrash, NewsLeave, NewsStart, NewsMetadata)
	*c.of(n) = annals{open: c.of(n).open, started: c.w.now, ended: c.of(n).ended, newest: c.of(n).newest, life: self.ID.Life, raised: c.w.now}
	c.of(n).lives(self.ID.Life)
	c.tell(n, NewsStart, story{life: self.ID.Life}, func(*Node) bool { return true })
}

// lives notes which generation a process has.
func (a *annals) lives(life uint32) {
	a.reused = life <= a.newest
	a.newest = max(a.newest, life)
}

// ended notes that a process ended.
func (c *chronicle) ended(n *Node) {
	if n.first != nil {
		return // a twin has no story of its own
	}
	a := c.of(n)
	a.ended = c.w.now
	c.report.MemberSeconds += c.w.now.Sub(a.started).Seconds()
	c.count(n)
	for _, m := range c.w.nodes {
		for _, s := range slices.Clone(c.of(m).open) {
			c.excuse(m, s, n)
		}
	}
	c.supersede(n, NewsStart, NewsMetadata)
	if !a.left {
		c.tell(n, NewsCrash, story{life: a.life}, func(o *Node) bool {
			m, known := o.core.Member(n.number)
			return known && m.Active()
		})
		c.expectEnd(n)
	}
}

// count adds up the counters of a process.
func (c *chronicle) count(n *Node) {
	s := n.core.Stats()
	c.report.Refutations += int(s.Refutations)
	c.report.Renewals += int(s.Renewals)
}

// wrote is shown every packet that a node encodes: its header says what is new
// about it.
func (c *chronicle) wrote(n *Node, p *swim.Packet[ID]) {
	if n.first != nil {
		return // a twin has no story of its own
	}
	h, a := &p.Header, c.of(n)
	if h.Message == swim.MessagePing {
		if h.SrcState == swim.Alive {
			c.probed(n, a, h)
		}
		a.probing.count(h.Number, c.w.codec.Limits()) // those of a goodbye have numbers, too
	}
	if h.Src.Life != a.life {
		a.left = false // who said goodbye may come back as somebody else
		a.lives(h.Src.Life)
	}
	if h.SrcIncarnation != a.inc || h.Src.Life != a.life {
		a.inc, a.life, a.raised = h.SrcIncarnation, h.Src.Life, c.w.now
	}
	if h.SrcMetadata > a.meta {
		a.meta = h.SrcMetadata
		c.supersede(n, NewsMetadata)
		c.tell(n, NewsMetadata, story{life: h.Src.Life, version: a.meta}, func(o *Node) bool {
			m, known := o.core.Member(n.number)
			return known && m.Active()
		})
	}
	if h.SrcState == swim.Left && !a.left {
		a.left = true
		c.defunct(n)
		c.supersede(n, NewsStart, NewsMetadata)
		c.tell(n, NewsLeave, story{life: h.Src.Life}, func(o *Node) bool {
			m, known := o.core.Member(n.number)
			return known && m.Active()
		})
	}
}

// told is shown what the owner of a node is told.
func (c *chronicle) told(n *Node, note *swim.Notification[ID]) {
	if n.first != nil {
		return // a twin has no story of its own
	}
	m := &note.Member
	c.probes(n, note)
	if c.promises != nil {
		c.judge(n, note)
	}
	switch note.Kind {
	case swim.NotifyDown:
		if m.State == swim.Down {
			c.report.Downs++
			if c.wrong(n, m.ID) {
				c.report.FalseDowns++
			}
		}
	case swim.NotifySuspect:
		c.report.Suspicions++
		if c.wrong(n, m.ID) {
			c.report.FalseSuspicions++
		}
	case swim.NotifyUp, swim.NotifyRename, swim.NotifyUpdated:
	default:
		return
	}
	if m.ID.Node >= uint32(len(c.w.nodes)) {
		return // somebody made that member up
	}
	about := c.w.nodes[m.ID.Node]
	open := c.of(about).open
	for i := len(open) - 1; i >= 0; i-- { // from the last, because one that everybody heard is taken out
		if s := open[i]; s.waitsFor(n) && s.isTold(c.report.News[s.index].Kind, note) {
			c.heard(about, s, n)
		}
	}
}

// waitsFor reports whether a node has yet to hear the story. One that was added
// to the world since is not waited for.
func (s *story) waitsFor(o *Node) bool {
	return int(o.number) < len(s.waits) && s.waits[o.number]
}

// isTold reports whether a notification tells the story.
func (s *story) isTold(kind NewsKind, note *swim.Notification[ID]) bool {
	m := &note.Member
	switch kind {
	case NewsCrash, NewsLeave:
		return note.Kind == swim.NotifyDown || m.ID.Life > s.life
	case NewsStart:
		return note.Kind != swim.NotifyDown && note.Kind != swim.NotifySuspect && m.ID.Life >= s.life
	case NewsMetadata:
		return m.ID.Life > s.life || m.Metadata >= s.version
	default:
		return false
	}
}

// wrong reports whether a member whom somebody doubts runs, as that very
// identity, and packets can pass between the two.
func (c *chronicle) wrong(n *Node, about ID) bool {
	if about.Node >= uint32(len(c.w.nodes)) {
		return false
	}
	m := c.w.nodes[about.Node]
	return m.running && m.stopped == 0 && m.gate.depth == 0 && m.core.Self().ID == about && m.core.Self().State == swim.Alive &&
		c.w.connected(n, m) && c.w.connected(m, n)
}

// connected reports whether packets can pass from one node to another.
func (w *World) connected(from, to *Node) bool {
	if from.Cluster != to.Cluster {
		return false
	}
	for _, i := range w.impairments {
		if (i.Link.Cut || i.Link.Clog || i.Link.Loss >= 1) && i.From.Has(from.number) && i.To.Has(to.number) {
			return false
		}
	}
	return true
}

// tell begins a story: of the others that run, those whom it concerns have to
// hear of it.
func (c *chronicle) tell(about *Node, kind NewsKind, s story, concerns func(o *Node) bool) {
	news := News{Kind: kind, Node: about.number, At: c.w.now, First: -1, Everywhere: -1}
	if n := len(c.free); n > 0 {
		s.waits, c.free = c.free[n-1], c.free[:n-1]
	}
	s.waits = slices.Grow(s.waits[:0], len(c.w.nodes))[:len(c.w.nodes)]
	for i, o := range c.w.nodes {
		s.waits[i] = o != about && o.running && o.core.Self().State == swim.Alive && concerns(o)
		if s.waits[i] {
			news.Observers++
		}
	}
	if news.Observers == 0 {
		c.free = append(c.free, s.waits)
		return
	}
	s.index, s.waiting = len(c.report.News), news.Observers
	c.report.News = append(c.report.News, news)
	a := c.of(about)
	a.open = append(a.open, &s)
}

// heard notes that one of those who have to hear a story has.
func (c *chronicle) heard(about *Node, s *story, o *Node) {
	news := &c.report.News[s.index]
	after := c.w.now.Sub(news.At)
	if news.First < 0 {
		news.First = after
	}
	s.waits[o.number] = false
	s.waiting--
	if s.waiting == 0 {
		news.Everywhere = after
		c.close(about, s)
	}
}

// excuse takes a node from those who have to hear a story: it ended.
func (c *chronicle) excuse(about *Node, s *story, o *Node) {
	if !s.waitsFor(o) {
		return
	}
	s.waits[o.number] = false
	s.waiting--
	if s.waiting == 0 {
		if news := &c.report.News[s.index]; news.First >= 0 {
			news.Everywhere = c.w.now.Sub(news.At)
		}
		c.close(about, s)
	}
}

// supersede ends stories about a node that are no longer so.
func (c *chronicle) supersede(n *Node, kinds ...NewsKind) {
	for _, s := range slices.Clone(c.of(n).open) {
		if slices.Contains(kinds, c.report.News[s.index].Kind) {
			c.report.News[s.index].Missing = s.waiting
			c.close(n, s)
		}
	}
}

func (c *chronicle) close(about *Node, s *story) {
	a := c.of(about)
	a.open = slices.DeleteFunc(a.open, func(other *story) bool { return other == s })
	c.free = append(c.free, s.waits)
}

// sum returns the report so far.
func (c *chronicle) sum() Report {
	before := c.report
	r := before
	r.News = slices.Clone(before.News)
	var sent Traffic
	for _, n := range c.w.nodes {
		sent.Packets += n.Traffic.Packets
		sent.Bytes += n.Traffic.Bytes
		for _, s := range c.of(n).open {
			r.News[s.index].Missing = s.waiting
		}
		if n.running {
			r.MemberSeconds += c.w.now.Sub(c.of(n).started).Seconds()
			c.count(n)
		}
	}
	r.Refutations, r.Renewals = c.report.Refutations, c.report.Renewals
	c.report = before
	if r.MemberSeconds > 0 {
		r.PacketsPerMemberSecond = float64(sent.Packets) / r.MemberSeconds
		r.BytesPerMemberSecond = float64(sent.Bytes) / r.MemberSeconds
	}
	return r
}

// Report returns how fast news have travelled so far. Of suspicions and newer
// metadata it knows only what the configurations ask to be notified of.
func (w *World) Report() Report { return w.chronicle.sum() }
