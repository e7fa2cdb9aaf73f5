package swim

import (
	"encoding/binary"
	"slices"
	"time"
)

// Reconciliation: two members whose digests differ find out in what. The one that
// noticed sends cells of a sketch of whom it knows; the other one subtracts its
// own, finds the symbols of what they do not share, sends its records of those
// that only it has, and asks for the others. If the cells do not suffice it asks
// for more, and where a list is shorter than a sketch, both read the other's list
// (rule 35).
//
// What is learnt so is old news of the others: it obeys the order of truth, but is
// not gossiped, and confirms nothing.

const (
	cellBytes   = 8 + 4 + 1 // of a cell in a packet
	symbolBytes = 8

	// leastUpdate is about how many bytes an update takes at the least.
	leastUpdate = 7
	// surePacket is how large a packet every path carries, headers added.
	surePacket = 508

	fewCells  = 32   // in the first packet, if the digests do not tell of more
	mostCells = 2048 // of one exchange, which find some 1,450 differences
	// mostPackets bounds how many packets one may be answered with, and how many
	// answers are heard.
	mostPackets = 32
	// mostTimes is how many times as many bytes records may be as what they answer.
	mostTimes = 4
	// mostVain is how often in a row an exchange that changed nothing doubles the
	// time until the next.
	mostVain = 4
	// syncPace is how many members may be put into sketches for others in a
	// second: about a tenth of one processor.
	syncPace = 500_000
	// mostExchanges bounds the long exchanges that others began.
	mostExchanges = 4
)

// A syncing is what we reconcile.
type syncing[ID any] struct {
	exchange[ID]         // the last that we began
	number       uint32  // of it
	open         bool    // its answers are waited for
	left         uint8   // how many of them still count, that tell what differs
	next         int     // how many cells of a long one were sent
	vain         uint8   // how many before it changed nothing
	agreed       Instant // when somebody had the same digest
	heard        Instant // when somebody had a digest

	theirs []exchange[ID] // long ones that others began
	served window
}

// An exchange is one reconciliation.
type exchange[ID any] struct {
	with  ID
	key   sketchKey
	began Instant
	cells []cell // ours, of a long one
	diff  []cell // ours without theirs, as far as they came
}

// end makes room for another exchange, in the same memory.
func (e *exchange[ID]) end() { *e = exchange[ID]{cells: e.cells[:0], diff: e.diff[:0]} }

// synchronises reports whether we compare digests.
func (c *Core[ID, Addr]) synchronises() bool {
	return !c.cfg.Rules.SilentDigest && !c.limits.Unsynced
}

// Sync reconciles with an active member at once, whatever the digests say: for an
// owner who knows that it missed something, such as after [Core.Apply] of a state
// that was saved long ago. What comes of it takes a few round trips.
//
// It returns [ErrNotConnected] if it is no active member, or we left or are down,
// and [ErrEncode] if the format has no way to say it, see [Limits], or if
// Rules.SilentDigest is on.
func (c *Core[ID, Addr]) Sync(with ID, rt Runtime[ID]) error {
	c.enter(rt)
	defer c.exit()
	slot, active := c.find(with)
	if !active || c.us.phase != connected {
		return ErrNotConnected
	}
	if !c.synchronises() {
		return ErrEncode
	}
	c.sync.vain = 0
	c.beginSync(slot, c.roomForCells())
	c.settle()
	return nil
}

// compareDigest reconciles with a member whose digest is not ours. If both have been
// settled, gossip missed one of us. Else it may only not be there yet, but where
// changes never cease nobody is ever settled.
func (c *Core[ID, Addr]) compareDigest(sender uint32, theirs Digest) {
	if theirs.Members == 0 || !c.synchronises() || c.us.phase != connected {
		return
	}
	s, ours := &c.sync, c.digest()
	s.heard = c.now
	if ours.same(theirs) {
		s.agreed, s.vain = c.now, 0
		return
	}
	if c.view.changed > s.began {
		s.vain = 0
	}
	patience := 4 * c.size().spread
	if ours.Settled && theirs.Settled {
		patience = 0
	}
	began, agreed := c.since(s.began), c.since(s.agreed)
	if c.isReading() || began < c.cfg.Period<<min(s.vain, mostVain) || min(began, agreed) < patience {
		return
	}
	cells := c.roomForCells()
	if apart := max(ours.Members, theirs.Members) - min(ours.Members, theirs.Members); apart < fewCells/4 {
		cells = min(cells, fewCells)
	}
	c.beginSync(sender, cells)
}

// since is how long ago something was, and for ever if it never was.
func (c *Core[ID, Addr]) since(t Instant) time.Duration {
	if t == 0 {
		return longestTime
	}
	return c.now.Sub(t)
}

// beginSync asks a member for what we do not share.
func (c *Core[ID, Addr]) beginSync(with uint32, cells int) {
	s := &c.sync
	s.number = c.limits.number(s.number)
	s.open, s.left, s.next = true, mostPackets, 0
	s.vain = min(s.vain+1, mostVain)
	s.exchange = exchange[ID]{with: c.roster.at(with).id, began: c.now, key: sketchKey{c.rnd.Uint64(), c.rnd.Uint64()}, cells: s.cells[:0]}
	c.sketchInto(s.key, cells)
	c.sendCells(0, c.cells, false)
}

// roomForCells is how many cells fit into a packet. When exchanges fail, the path
// may swallow large packets.
func (c *Core[ID, Addr]) roomForCells() int {
	room := c.cfg.MaxPacket
	if c.sync.vain > 2 {
		room = min(room, surePacket)
	}
	return min(max(1, (room-c.codec.MaxHeader()-maxSyncBody)/cellBytes), mostCells)
}

// partRoom is how large the parts of an answer may be: as large as what they
// answer, since that passed, or as what passes everywhere.
func (c *Core[ID, Addr]) partRoom(size int) int { return min(max(size, surePacket), c.cfg.MaxPacket) }

// sketchInto makes c.cells the first cells of the sketch of what we know, and
// keeps the symbol of everybody in c.symbols.
func (c *Core[ID, Addr]) sketchInto(key sketchKey, cells int) {
	c.cells = slices.Grow(c.cells[:0], cells)[:cells]
	clear(c.cells)
	s := sketch{key: key, cells: c.cells}
	s.add(c.symbol(key, c.us.id, c.us.meta))
	c.symbols = c.symbols[:0]
	for _, r := range c.roster.each {
		if r.counts() {
			symbol := c.symbol(key, r.id, r.meta)
			c.symbols = append(c.symbols, symbol)
			s.add(symbol)
		}
	}
}

// slotsOf appends the slots of those of c.symbols that are among some.
func (c *Core[ID, Addr]) slotsOf(some []uint64, slots []uint32) []uint32 {
	slices.Sort(some)
	var seen [64]uint64 // bits for what some of their bits are
	for _, symbol := range some {
		seen[symbol>>6&63] |= 1 << (symbol & 63)
	}
	i := 0
	for slot, r := range c.roster.each {
		if !r.counts() {
			continue
		}
		symbol := c.symbols[i]
		i++
		if seen[symbol>>6&63]>>(symbol&63)&1 == 0 {
			continue
		}
		if _, found := slices.BinarySearch(some, symbol); found {
			slots = append(slots, slot)
		}
	}
	return slots
}

// sendCells sends some cells of the exchange that we began.
func (c *Core[ID, Addr]) sendCells(from int, cells []cell, long bool) {
	s := &c.sync
	c.body = appendCells(c.body[:0], s.key, from, cells, long)
	c.sendBody(Header[ID]{Dst: s.with, Message: MessageSync, Number: s.number}, c.cfg.MaxPacket)
}

// sendBody sends a packet of a reconciliation.
func (c *Core[ID, Addr]) sendBody(h Header[ID], room int) error {
	p := &c.out
	p.Reset()
	p.Header = h
	p.Payloads = append(p.Payloads, c.body)
	return c.transmit(p, room)
}

// compared answers the cells that a member sent.
func (c *Core[ID, Addr]) compared(sender uint32, h *Header[ID], room int) error {
	said := &c.said
	if said.long {
		return c.comparedLong(sender, h, room)
	}
	if !c.sync.served.spend(c.now, c.roster.len()+1, syncPace) {
		return c.drop(DropRateLimited)
	}
	c.sketchInto(said.key, len(said.cells))
	subtract(c.cells, said.cells)
	if c.peeler.peel(said.key, c.cells) {
		return c.sendDiff(sender, h, room)
	}
	return c.askForCells(h, 0, room)
}

// comparedLong goes on with an exchange of several packets.
func (c *Core[ID, Addr]) comparedLong(sender uint32, h *Header[ID], room int) error {
	said := &c.said
	most, cost := min(mostCells, max(c.roster.len(), 4*fewCells)), said.from+len(said.cells)
	if said.from == 0 {
		cost += 3 * (c.roster.len() + 1) // now, with many cells, and when it ends
	}
	if !c.sync.served.spend(c.now, cost, syncPace) {
		return c.drop(DropRateLimited)
	}
	e := c.exchangeWith(h.Src, said.key, said.from == 0, most)
	switch {
	case e == nil: // it made way for another
		return c.drop(DropRateLimited)
	case said.from != len(e.diff): // one got lost, or came twice
		return c.askForCells(h, len(e.diff), room)
	}
	said.cells = said.cells[:min(len(said.cells), len(e.cells)-said.from)]
	e.diff = append(e.diff, e.cells[said.from:said.from+len(said.cells)]...)
	subtract(e.diff[said.from:], said.cells)
	switch {
	case c.peeler.peel(said.key, e.diff):
		c.sketchInto(said.key, 0)
		err := c.sendDiff(sender, h, room)
		e.end()
		return err
	case len(e.diff) < len(e.cells):
		return c.askForCells(h, len(e.diff), room)
	}
	e.end()
	c.body = append(c.body[:0], diffList)
	err := c.sendBody(Header[ID]{Dst: h.Src, Message: MessageDiff, Number: h.Number}, room)
	if !c.isReading() {
		c.announceTo(h.Src, firstPage) // and we read theirs
	}
	return err
}

// exchangeWith returns the long exchange that a member began. A new one takes
// the place of the oldest.
func (c *Core[ID, Addr]) exchangeWith(id ID, key sketchKey, begins bool, most int) *exchange[ID] {
	s := &c.sync
	for i := range s.theirs {
		if e := &s.theirs[i]; e.with == id && e.key == key && len(e.cells) > 0 {
			return e
		}
	}
	if !begins {
		return nil
	}
	if len(s.theirs) < mostExchanges {
		s.theirs = append(s.theirs, exchange[ID]{})
	}
	oldest := &s.theirs[0]
	for i := range s.theirs {
		if e := &s.theirs[i]; e.began < oldest.began {
			oldest = e
		}
	}
	c.sketchInto(key, most)
	*oldest = exchange[ID]{with: id, key: key, began: c.now, cells: append(oldest.cells[:0], c.cells...), diff: oldest.diff[:0]}
	return oldest
}

// askForCells answers that the cells so far do not suffice.
func (c *Core[ID, Addr]) askForCells(h *Header[ID], from, room int) error {
	c.body = binary.AppendUvarint(append(c.body[:0], diffMore), uint64(from))
	return c.sendBody(Header[ID]{Dst: h.Src, Message: MessageDiff, Number: h.Number}, room)
}

// sendDiff sends a member the records that it lacks, and the symbols of those
// that we lack, in as many packets as it takes, if it is where it says.
func (c *Core[ID, Addr]) sendDiff(to uint32, h *Header[ID], room int) error {
	wanted := c.peeler.theirs
	c.sample = c.slotsOf(c.peeler.ours, c.sample[:0])
	slots := c.sample
	for range mostPackets {
		p := &c.out
		p.Reset()
		p.Header = Header[ID]{Dst: h.Src, Message: MessageDiff, Number: h.Number}
		some := wanted[:min(len(wanted), max(0, (room-c.codec.MaxHeader()-maxDiffBody)/symbolBytes))]
		c.body = appendSymbols(c.body[:0], some)
		p.Payloads = append(p.Payloads, c.body)
		c.load(p, slots[:min(len(slots), room/leastUpdate)])
		if err := c.transmit(p, room); err != nil {
			return err
		}
		wanted = wanted[len(some):]
		if len(slots) > 0 && (p.Updates[0].Sent || len(some) == 0) { // else it had no room beside the symbols
			slots = slots[sentOf(p.Updates):]
		}
		c.answered.note(h.Src.Addr(), c.now)
		if len(wanted)+len(slots) == 0 || c.roster.at(to).flags&isVerified == 0 {
			return nil
		}
	}
	return nil
}

// awaited reports whether a diff answers the exchange that we began.
func (c *Core[ID, Addr]) awaited(h *Header[ID]) bool {
	s := &c.sync
	return s.open && h.Src == s.with && h.Number == s.number && s.left > 0 && c.now.Sub(s.began) <= 2*c.cfg.Period
}

// differed does what the answer of an exchange asks for, after its records were
// applied: what the other one lacks, and where we know better, it is sent.
func (c *Core[ID, Addr]) differed(sender uint32, h *Header[ID], size int) error {
	s, said := &c.sync, &c.said
	c.roster.at(sender).flags |= isVerified
	switch said.head {
	case diffMore:
		return c.sendMoreCells()
	case diffList:
		s.open = false
		c.announceTo(h.Src, firstPage)
		return nil
	}
	s.left--
	if len(said.symbols) > 0 {
		c.sketchInto(s.key, 0)
		c.objections = c.slotsOf(said.symbols, c.objections)
	}
	return c.sendRecords(sender, h.Number, size)
}

// sendMoreCells goes on with the exchange that we began. From the second packet
// on it is a long one, all of whose cells are of one moment. Cells that were sent
// are not sent again: the request came twice.
func (c *Core[ID, Addr]) sendMoreCells() error {
	s := &c.sync
	if c.said.from != s.next {
		return nil
	}
	if s.next == 0 {
		c.sketchInto(s.key, mostCells)
		s.cells = append(s.cells[:0], c.cells...)
	}
	from := s.next
	s.next = min(from+c.roomForCells(), len(s.cells))
	if from < s.next {
		c.sendCells(from, s.cells[from:s.next], true)
	}
	return nil
}

// sendRecords sends a member what it should know: what it asked for, and in what
// of that which it told us it is wrong.
func (c *Core[ID, Addr]) sendRecords(to uint32, number uint32, size int) error {
	// Some may have been forgotten since, by what else the packet told.
	slots := slices.DeleteFunc(c.objections, func(slot uint32) bool { return c.roster.at(slot).flags&isKnown == 0 })
	slices.Sort(slots)
	slots = slices.Compact(slots)
	room := min(c.answerRoom(c.roster.at(to), size), c.partRoom(size))
	for left := mostTimes * max(size, surePacket); len(slots) > 0 && left > 0; left -= room {
		p := &c.out
		p.Reset()
		p.Header = Header[ID]{Dst: c.roster.at(to).id, Message: MessageRecords, Number: number}
		c.load(p, slots[:min(len(slots), room/leastUpdate)])
		c.recall(p.Updates, slots)
		if err := c.transmit(p, room); err != nil {
			return err
		}
		slots = slots[sentOf(p.Updates):]
		c.answered.note(p.Header.Dst.Addr(), c.now)
	}
	return nil
}

// recall completes updates by how long those who are gone are still remembered.
func (c *Core[ID, Addr]) recall(updates []Update[ID], slots []uint32) {
	for i := range updates {
		if u := &updates[i]; !u.State.Active() {
			u.Remaining = c.remaining(slots[i])
		}
	}
}

// remaining is how many milliseconds one that is gone is still remembered.
func (c *Core[ID, Addr]) remaining(slot uint32) uint32 {
	return uint32(max(time.Millisecond, c.roster.times(slot).until.Sub(c.now)) / time.Millisecond)
}

// object notes that we know better than a member that told us what it knows. It
// is told so, if it is one that is in the digest for it and not for us, or with
// other metadata.
func (c *Core[ID, Addr]) object(slot uint32, u *Update[ID], o origin) {
	if o.objects && u.State.Active() {
		c.objections = append(c.objections, slot)
	}
}
