package swim

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
)

// A guard watches one core from outside, after every input: that what it holds
// fits together, that what it sends is allowed, and that what it tells its
// owner adds up. The numbers in the complaints are those of the invariants.
type guard[ID Identity[ID, Addr], Addr comparable] struct {
	core *Core[ID, Addr]

	id      ID
	inc     Incarnation
	left    bool
	up      map[Addr]ID          // what the events add up to
	held    map[Addr]witness[ID] // the roster after the last input
	evicted uint64               // how many records were forgotten early
	most    Config               // the loosest limits of all configurations so far
	pkt     Packet[ID]
	buf     []byte
}

// A witness is a record as it was.
type witness[ID any] struct {
	id       ID
	inc      Incarnation
	meta     uint64
	state    State
	lone     bool
	until    Instant
	accusers int
}

func newGuard[ID Identity[ID, Addr], Addr comparable](core *Core[ID, Addr]) *guard[ID, Addr] {
	return &guard[ID, Addr]{core: core, id: core.us.id, up: map[Addr]ID{}, held: map[Addr]witness[ID]{}, most: core.cfg}
}

// A complaints collects what is wrong.
type complaints []error

func (c *complaints) add(format string, args ...any) { *c = append(*c, fmt.Errorf(format, args...)) }

// check looks at a core after an input that sent these packets and told the
// owner this.
func (g *guard[ID, Addr]) check(packets []Datagram[ID], notes []Notification[ID]) error {
	var wrong complaints
	c := g.core
	g.most.Period = max(g.most.Period, c.cfg.Period)
	g.most.MaxMembers = max(g.most.MaxMembers, c.cfg.MaxMembers)
	g.most.MaxTombstones = max(g.most.MaxTombstones, c.cfg.MaxTombstones)
	g.most.MaxBroadcasts = max(g.most.MaxBroadcasts, c.cfg.MaxBroadcasts)
	g.most.MaxRelays = max(g.most.MaxRelays, c.cfg.MaxRelays)
	g.checkSelf(&wrong)
	g.checkPackets(&wrong, packets)
	g.checkEvents(&wrong, notes)
	g.checkRecords(&wrong)
	g.checkOrders(&wrong)
	g.checkBounds(&wrong)
	g.checkTasks(&wrong)
	return errors.Join(wrong...)
}

// checkSelf: an incarnation never falls within a life, a life never returns.
func (g *guard[ID, Addr]) checkSelf(wrong *complaints) {
	us := &g.core.us
	switch {
	case us.id == g.id && us.inc < g.inc:
		wrong.add("S3: incarnation of %v fell from %d to %d", us.id, g.inc, us.inc)
	case us.id != g.id && us.id.Addr() == g.id.Addr() && !us.id.Supersedes(g.id):
		wrong.add("S25: became %v after %v", us.id, g.id)
	case us.id == g.id && g.left && us.state() != Left:
		wrong.add("S24: %v is back without another identity", us.id)
	case us.addr != us.id.Addr():
		wrong.add("address %v of %v", us.addr, us.id)
	}
	if _, known := g.core.roster.find(us.addr); known {
		wrong.add("S9: the roster holds our own address")
	}
	g.id, g.inc, g.left = us.id, us.inc, us.state() == Left
}

// checkPackets: what is sent fits, is what our own codec reads and writes, is
// not for ourselves, and is not too much.
func (g *guard[ID, Addr]) checkPackets(wrong *complaints, packets []Datagram[ID]) {
	c := g.core
	fan := max(c.cfg.IndirectProbes, c.cfg.Gossip.Num, c.cfg.Announce.Num, c.cfg.AnnounceDown.Num)
	var said []Message
	for _, d := range packets {
		if len(d.Data) > c.cfg.MaxPacket {
			wrong.add("S13: a packet of %d bytes, at most %d", len(d.Data), c.cfg.MaxPacket)
		}
		if err := c.codec.Parse(d.Data, &g.pkt); err != nil {
			wrong.add("S13: sent %x: %v", d.Data, err)
			continue
		}
		if g.pkt.Header.Message == MessageAnnounce {
			g.pkt.PadTo = len(d.Data)
		}
		var err error
		if g.buf, err = c.codec.Append(g.buf[:0], len(d.Data), &g.pkt); err != nil || !bytes.Equal(g.buf, d.Data) {
			wrong.add("S13: sent %x, which encodes as %x (%v)", d.Data, g.buf, err)
		}
		h := &g.pkt.Header
		said = append(said, h.Message)
		if h.Dst != d.To || h.Dst.Addr() == h.Src.Addr() || h.Dst.Addr() == c.us.addr {
			wrong.add("S9: from %v to %v, handed over for %v", h.Src, h.Dst, d.To)
		}
		if g.left && h.SrcState != Left {
			wrong.add("S24: a header says alive after leave")
		}
		for i := range g.pkt.Updates {
			if u := &g.pkt.Updates[i]; u.ID.Addr() == c.us.addr {
				wrong.add("S9: an update about ourselves: %v", u)
			}
		}
	}
	// A probe event may judge, console and ping before it renews, which is
	// announced to whoever demanded it and gossiped.
	if len(packets) > 4+fan {
		wrong.add("S14: %d packets at once: %v", len(packets), said)
	}
}

// checkEvents: what the owner was told obeys the grammar and adds up to what
// the core says it knows.
func (g *guard[ID, Addr]) checkEvents(wrong *complaints, notes []Notification[ID]) {
	for _, n := range notes {
		at := n.Member.ID.Addr()
		known, up := g.up[at]
		switch n.Kind {
		case NotifyUp:
			if up {
				wrong.add("S6: %v while %v is up", n, known)
			}
			g.up[at] = n.Member.ID
		case NotifyRename:
			if !up || known != n.Old || !n.Member.ID.Supersedes(n.Old) {
				wrong.add("S6: %v while %v is up: %v", n, known, up)
			}
			g.up[at] = n.Member.ID
		case NotifyDown:
			if !up || known != n.Member.ID || n.Member.State.Active() {
				wrong.add("S6: %v while %v is up: %v", n, known, up)
			}
			delete(g.up, at)
		}
	}
	active := 0
	for m := range g.core.Known() {
		if !m.Active() {
			continue
		}
		active++
		if id, up := g.up[m.ID.Addr()]; !up || id != m.ID {
			wrong.add("S7: %v is active; of that address the owner knows %v (%v)", m, id, up)
		}
	}
	if active != len(g.up) || active != g.core.NumActive() {
		wrong.add("S7: %d active, %d by events, %d counted", active, len(g.up), g.core.NumActive())
	}
}

// checkRecords: each record is consistent, later than before, and nothing
// vanishes before its time.
func (g *guard[ID, Addr]) checkRecords(wrong *complaints) {
	c := g.core
	now := make(map[Addr]witness[ID], len(g.held))
	owned := make(map[uint32]bool)
	var tally [numTallies]int
	for slot, r := range c.roster.each {
		tally[tallyOf(r)]++
		w := witness[ID]{id: r.id, inc: r.inc, meta: r.meta, state: r.state, lone: r.flags&isLone != 0, until: c.roster.times(slot).until}
		if found, ok := c.roster.find(r.id.Addr()); !ok || found != slot {
			wrong.add("%v is at slot %d, found at %d (%v)", r.id, slot, found, ok)
		}
		active := r.state.Active() && !w.lone
		if lost := r.state == Down || w.lone; (r.flags&inActive != 0) != active || (r.flags&inLost != 0) != lost {
			wrong.add("%v has flags %b", r.member(), r.flags)
		}
		if w.lone && r.state != Suspect {
			wrong.add("D17: a lone %v", r.member())
		}
		if r.state == Suspect && r.doubt == 0 {
			wrong.add("%v without a doubt", r.member())
		}
		if r.doubt != 0 {
			if owned[r.doubt] {
				wrong.add("two members share doubt %d", r.doubt)
			}
			owned[r.doubt] = true
			w.accusers = g.checkDoubt(wrong, r)
		}
		now[r.id.Addr()] = w
		if before, was := g.held[r.id.Addr()]; was && g.evicted == c.stats.Evicted {
			g.checkSuccession(wrong, before, w)
		}
	}
	if tally != c.tally {
		wrong.add("tallies %v, counted %v", c.tally, tally)
	}
	for at, before := range g.held {
		if _, still := now[at]; still || at == c.us.addr || g.evicted != c.stats.Evicted {
			continue
		}
		if before.state.Active() && !before.lone {
			wrong.add("S27: %v was forgotten while it took part", before.id)
		} else if before.until > c.now {
			wrong.add("S27: %v was forgotten at %v instead of %v", before.id, c.now, before.until)
		}
	}
	g.held, g.evicted = now, c.stats.Evicted
	for _, ref := range c.doubts.free {
		if owned[ref] {
			wrong.add("doubt %d is free and in use", ref)
		}
		owned[ref] = true
	}
	if len(owned) != int(c.doubts.used) {
		wrong.add("S16: %d doubts, of which %d are in use or free", c.doubts.used, len(owned))
	}
}

// checkDoubt: accusers are of distinct addresses, not the accused's, and a
// suspicion that has to end has an event outstanding.
func (g *guard[ID, Addr]) checkDoubt(wrong *complaints, r *record[ID]) int {
	c := g.core
	d := c.doubts.at(r.doubt)
	for i, id := range d.by[:d.n] {
		same := func(other ID) bool { return other.Addr() == id.Addr() }
		if id.Addr() == r.id.Addr() || slices.ContainsFunc(d.by[:i], same) {
			wrong.add("accusers %v of %v", d.by[:d.n], r.id)
		}
	}
	waits := r.state == Suspect && r.flags&isLone == 0 && c.us.phase != gone && (d.ours || !c.cfg.Rules.AccuserDeadline)
	if waits && !d.armed {
		wrong.add("D6: nothing will end the suspicion of %v", r.id)
	}
	if d.armed && d.due > d.deadline() && waits && c.pause.frozen == 0 && d.due > c.now.Add(g.most.Period) {
		wrong.add("D6: %v is judged at %v instead of %v", r.id, d.due, d.deadline())
	}
	if r.state == Suspect && d.since > c.now {
		wrong.add("S18: the suspicion of %v begins at %v, now is %v", r.id, d.since, c.now)
	}
	return int(d.n)
}

// checkSuccession: what is known of an address only ever gets later.
func (g *guard[ID, Addr]) checkSuccession(wrong *complaints, before, after witness[ID]) {
	switch {
	case before.id != after.id:
		if !after.id.Supersedes(before.id) && before.until > g.core.now {
			wrong.add("S25: %v replaced %v", after.id, before.id)
		}
	case g.core.compare(after.inc, after.state, &record[ID]{inc: before.inc, state: before.state}) < 0:
		wrong.add("S1: %v fell from %v %d to %v %d", after.id, before.state, before.inc, after.state, after.inc)
	case after.meta < before.meta:
		wrong.add("S1: metadata of %v fell from %d to %d", after.id, before.meta, after.meta)
	case after.inc == before.inc && after.state == before.state && after.accusers < before.accusers:
		wrong.add("S1: %v has %d accusers after %d", after.id, after.accusers, before.accusers)
	}
}

func (g *guard[ID, Addr]) checkOrders(wrong *complaints) {
	c := g.core
	for _, o := range []*order{&c.roster.active, &c.roster.lost} {
		if o.cursor < 0 || o.cursor > len(o.slots) || len(o.soon) > maxSoon {
			wrong.add("cursor %d of %d, %d soon", o.cursor, len(o.slots), len(o.soon))
		}
		for place, slot := range o.slots {
			if r := c.roster.at(slot); int(r.pos) != place || r.flags&inOrder != o.flag {
				wrong.add("%v at place %d says %d, flags %b", r.id, place, r.pos, r.flags)
			}
		}
	}
	queued := 0
	seen := make(map[uint32]bool)
	c.backlog.each(func(slot uint32, p priority, told int) {
		queued++
		if seen[slot] || c.roster.at(slot).flags&isKnown == 0 {
			wrong.add("S15: slot %d is queued twice or unknown", slot)
		}
		seen[slot] = true
	})
	if queued > c.roster.len() || queued > c.backlog.len() {
		wrong.add("S15: %d queued, %d counted, %d members", queued, c.backlog.len(), c.roster.len())
	}
}

// checkBounds: every table has its limit.
func (g *guard[ID, Addr]) checkBounds(wrong *complaints) {
	c := g.core
	terminal := c.tally[Down] + c.tally[Left]
	for _, b := range []struct {
		what      string
		have, cap int
	}{
		{"members", c.roster.len() - terminal, g.most.MaxMembers},
		{"tombstones", terminal, g.most.MaxTombstones},
		{"broadcasts", len(c.queue.items), g.most.MaxBroadcasts},
		{"relays", len(c.relays), g.most.MaxRelays},
		{"contacts", len(c.contacts.list), maxContacts},
		{"fallen", len(c.fallen), maxFallen},
		{"asked", len(c.asked.entries), ledgerSize},
		{"fed", len(c.fed.entries), ledgerSize},
		{"warned", len(c.warned.entries), ledgerSize},
		{"graves", c.graves.len(), 2*c.roster.len() + 65},
		{"helpers", len(c.probe.helpers), maxIndirect},
		{"acked goodbyes", len(c.leaving.acked), maxIndirect},
	} {
		if b.have > b.cap {
			wrong.add("S16: %d %s, at most %d", b.have, b.what, b.cap)
		}
	}
	if c.queue.credit < 0 || c.queue.credit > maxDatagram {
		wrong.add("payloads have a credit of %d", c.queue.credit)
	}
}

// checkTasks: whatever has something to do will be woken to do it.
func (g *guard[ID, Addr]) checkTasks(wrong *complaints) {
	c := g.core
	armed := func(k TimerKind) bool { return c.tasks[k].armed }
	if c.us.phase == connected {
		switch {
		case c.roster.active.len() == 0:
			wrong.add("S7: connected to nobody")
		case !armed(TimerProbe):
			wrong.add("D13: nothing will probe")
		case c.tasks[TimerProbe].due > c.now.Add(2*g.most.Period+2*c.cfg.Period):
			wrong.add("D13: the next probe comes at %v, now is %v", c.tasks[TimerProbe].due, c.now)
		case c.untold() && c.cfg.Gossip.Every != Off && !armed(TimerGossip):
			wrong.add("nothing will gossip")
		case armed(TimerGossip) && c.tasks[TimerGossip].due > c.now.Add(c.cfg.Gossip.Every):
			wrong.add("the next gossip comes at %v, now is %v", c.tasks[TimerGossip].due, c.now)
		}
	}
	if c.us.present() && c.anyLost() && c.cfg.AnnounceDown.Every != Off && !armed(TimerAnnounceDown) {
		wrong.add("L7: nothing will contact the lost")
	}
	if c.us.phase == saysGoodbye && !armed(TimerGossip) {
		wrong.add("rule 76: nothing will end the goodbye")
	}
	next, any := c.graves.top()
	if rests := c.tally[Down] + c.tally[Left] + c.tally[tallyLone]; rests > 0 && (!any || !armed(TimerForget) || c.tasks[TimerForget].due > max(next.at, c.now)) {
		wrong.add("rule 77: %d tombstones, forget at %v (armed %v), the first at %v", rests, c.tasks[TimerForget].due, armed(TimerForget), next.at)
	}
}
