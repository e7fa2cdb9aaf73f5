package swim

import (
	"slices"
	"time"
)

// contacts are addresses to ask, which need not be members: seeds for ever,
// others until they answered. Together with the members that are down they are
// the lost, whom we contact as long as we live: this is how a partition heals.
type contacts[ID any] struct {
	list []contact[ID]
	next int           // whose turn it is, once all of the roster's lost had theirs
	left int           // how many of the roster's lost have theirs before, in this round
	wait time.Duration // between two contacts while we are alone; grows
}

type contact[ID any] struct {
	id   ID
	seed bool
}

// maxContacts bounds the addresses to ask.
const maxContacts = 1024

// Announce asks one address whether we may join. Its member there may be of
// any identity. Nothing changes until it answers; the question is repeated,
// with the tasks of Config.AnnounceDown, until then, or until the member there
// is active, or down and contacted for that.
//
// It returns [ErrLeft] after [Core.Leave] or when we are down for good,
// [DropEcho] for our own address,
// [ErrFull] if too many addresses are waiting for an answer, and [ErrEncode] if
// the codec can not write it.
func (c *Core[ID, Addr]) Announce(to ID, rt Runtime[ID]) error {
	c.enter(rt)
	defer c.exit()
	if !c.us.present() {
		return ErrLeft
	}
	if to.Addr() == c.us.addr {
		return c.drop(DropEcho)
	}
	if !c.writable(to) {
		return ErrEncode
	}
	if c.contactAt(to) < 0 {
		if len(c.contacts.list) >= maxContacts {
			return ErrFull
		}
		c.contacts.list = append(c.contacts.list, contact[ID]{id: to})
	}
	c.announceTo(to, firstPage)
	c.armContact()
	return nil
}

// SetSeeds replaces the addresses that are contacted for ever while they are
// not active members. Our own among them is skipped. More than 1,024, with
// those that wait for the answer to an Announce, are [ErrFull], and one that the
// codec can not write is [ErrEncode].
func (c *Core[ID, Addr]) SetSeeds(seeds []ID, rt Runtime[ID]) error {
	c.enter(rt)
	defer c.exit()
	asking := 0
	for _, known := range c.contacts.list {
		if !known.seed {
			asking++
		}
	}
	if len(seeds)+asking > maxContacts {
		return ErrFull
	}
	if !c.writable(seeds...) {
		return ErrEncode
	}
	c.contacts.list = slices.DeleteFunc(c.contacts.list, func(known contact[ID]) bool { return known.seed })
	c.contacts.next = 0
	for _, id := range seeds {
		if i := c.contactAt(id); i >= 0 {
			c.contacts.list[i].seed = true
		} else if id.Addr() != c.us.addr {
			c.contacts.list = append(c.contacts.list, contact[ID]{id: id, seed: true})
		}
	}
	c.rearmContact()
	return nil
}

// contactAt returns where the contact of an address is, or -1.
func (c *Core[ID, Addr]) contactAt(id ID) int {
	return slices.IndexFunc(c.contacts.list, func(known contact[ID]) bool { return known.id.Addr() == id.Addr() })
}

// announceSizes are the bytes to which an announce is padded, by how many
// before it went unanswered. The padding makes room for the answer, which may
// not be larger; but a path may swallow large packets.
var announceSizes = [...]int{1200, 1200, 576, 576, 0, 0}

// knockSize is the padding to a member that we hold down, or alone: it will say
// that it holds us down, or contact us in turn.
const knockSize = 128

func (c *Core[ID, Addr]) announceTo(to ID, page uint32) {
	tries := c.asked.ask(to.Addr(), c.now)
	p := &c.out
	p.Reset()
	p.Header = Header[ID]{Dst: to, Message: MessageAnnounce, Page: page}
	p.PadTo = announceSizes[int(tries)%len(announceSizes)]
	if slot, known := c.roster.find(to.Addr()); known && c.roster.at(slot).flags&inLost != 0 && c.synchronises() {
		p.PadTo = knockSize
	}
	c.transmit(p, c.cfg.MaxPacket)
}

// feed answers an announce with active members, no more bytes than were asked
// with, unless the format has no padding to ask with: a fresh sample of as many as
// fit, or a page of the list.
func (c *Core[ID, Addr]) feed(sender uint32, page uint32, room int) error {
	asker := c.roster.at(sender)
	at := asker.id.Addr()
	e := c.fed.entries[at]
	if c.fed.recent(at, c.now, c.cfg.Period/2) && !e.next(page) || page > firstPage && !e.has(page) {
		return c.drop(DropRateLimited)
	}
	if c.limits.Unpadded {
		room = c.cfg.MaxPacket
	}
	from := 0
	if page == anyPage {
		c.sample = c.roster.sample(&c.roster.active, room/leastUpdate, c.rnd, c.sample, func(slot uint32) bool {
			return slot == sender
		})
	} else {
		from = e.begin(page)
		c.sample = c.roster.active.stretch(from, room/leastUpdate, c.sample)
	}
	requester := slices.Index(c.sample, sender)
	if requester >= 0 {
		c.sample = slices.Delete(c.sample, requester, requester+1)
	}
	p := &c.out
	p.Reset()
	p.Header = Header[ID]{Dst: asker.id, Message: MessageFeed, Page: page}
	if c.concerns(asker, &p.Header) {
		// An announce may be all that one with a lone verdict says to us, and
		// only it can refute.
		c.load(p, []uint32{sender})
	}
	first := len(p.Updates)
	c.load(p, c.sample)
	if all := from+len(c.sample)+1 >= c.roster.active.len(); all && c.codec.MaxHeader()+len(p.Updates)*c.codec.MaxUpdate() <= room {
		p.Header.Page = 0 // all of them fit for sure
	}
	if err := c.transmit(p, room); err != nil {
		return err
	}
	to := from + sentOf(p.Updates[first:])
	if requester >= 0 && requester <= to-from {
		to++
	}
	c.fed.set(at, trace{at: c.now, page: page, from: from, to: to})
	c.answered.note(at, c.now)
	return nil
}

// sentOf is how many of the updates that could be next were sent one after the
// other. If not even the first was, it is passed over.
func sentOf[ID any](updates []Update[ID]) int {
	for i := range updates {
		if !updates[i].Sent {
			return max(i, 1)
		}
	}
	return len(updates)
}

// fedBy notes that a member answered our announce.
func (c *Core[ID, Addr]) fedBy(sender uint32) {
	r := c.roster.at(sender)
	r.flags |= isVerified
	if i := c.contactAt(r.id); i >= 0 && !c.contacts.list[i].seed {
		c.contacts.list = slices.Delete(c.contacts.list, i, i+1)
		if c.contacts.next > i {
			c.contacts.next--
		}
	}
}

// announceToActive asks some active members for a feed: it repairs what gossip
// did not reach us with.
func (c *Core[ID, Addr]) announceToActive() {
	if c.us.phase != connected {
		return
	}
	c.armEvery(TimerAnnounce, c.cfg.Announce.Every)
	if c.readOn() || c.synchronises() && c.now.Sub(c.sync.heard) < c.cfg.Announce.Every && c.sync.heard > 0 {
		return
	}
	c.sample = c.roster.sample(&c.roster.active, c.cfg.Announce.Num, c.rnd, c.sample, nil)
	for _, slot := range c.sample {
		c.announceTo(c.roster.at(slot).id, anyPage)
	}
}

// announceSoon asks for the next feed within a period: one that held members
// whom we did not know was not the whole list. So a joiner learns a list that
// is larger than a packet in some seconds, and asks rarely once it knows it.
func (c *Core[ID, Addr]) announceSoon() {
	if c.us.present() && c.cfg.Announce.Every != Off && (c.reading.page != 0 || !c.synchronises()) {
		c.armWithin(TimerAnnounce, c.cfg.Period)
	}
}

// contactLost asks the next of the lost whether they are back. If they are few,
// a new round may begin at somebody who was asked just now, and is passed over.
func (c *Core[ID, Addr]) contactLost() {
	num := c.cfg.AnnounceDown.Num
	for turns, asked := 2*num, 0; turns > 0 && asked < num; turns-- {
		to, any := c.nextLost()
		if !any {
			break
		}
		if !c.asked.askedAt(to.Addr(), c.now) {
			c.announceTo(to, firstPage)
			asked++
		}
	}
	c.armContactAfter(c.cfg.AnnounceDown.Every)
}

// nextLost returns whose turn it is: members that went down lately first, then
// the other lost of the roster in random order, then seeds and others that do
// not take part.
func (c *Core[ID, Addr]) nextLost() (next ID, any bool) {
	lost, list := &c.roster.lost, &c.contacts
	list.left, list.next = min(list.left, lost.len()), max(list.next, 0)
	for round := range 2 {
		if list.left > 0 || len(lost.soon) > 0 {
			list.left = max(0, list.left-1)
			if slot, any := c.roster.next(lost, c.rnd); any {
				return c.roster.at(slot).id, true
			}
		}
		for list.next < len(list.list) {
			known := list.list[list.next]
			switch {
			case c.absent(known.id):
				list.next++
				return known.id, true
			case known.seed:
				list.next++
			default: // it became a member, or one of the lost
				list.list = slices.Delete(list.list, list.next, list.next+1)
			}
		}
		if round == 0 {
			list.left, list.next = lost.len(), 0
		}
	}
	return next, false
}

// absent reports whether an address to ask is neither ours, nor that of an
// active member, nor of one that is asked as a lost one of the roster.
func (c *Core[ID, Addr]) absent(id ID) bool {
	if id.Addr() == c.us.addr {
		return false
	}
	slot, known := c.roster.find(id.Addr())
	return !known || c.roster.at(slot).flags&(inActive|inLost) == 0
}

// anyLost reports whether there is anybody to contact.
func (c *Core[ID, Addr]) anyLost() bool {
	if c.roster.lost.len() > 0 && planted != abandonTheLost {
		return true
	}
	return slices.ContainsFunc(c.contacts.list, func(known contact[ID]) bool { return c.absent(known.id) })
}

// armContact makes sure that the lost are contacted if there are any. Members that
// lost others at the same time begin at different moments, so that while a
// partition lasts somebody tries all the time.
func (c *Core[ID, Addr]) armContact() {
	if every := c.cfg.AnnounceDown.Every; every != Off && !c.tasks[TimerAnnounceDown].armed {
		c.armContactAfter(1 + time.Duration(below(c.rnd, uint64(every))))
	}
}

// armContactAfter is armContact with the time until then. While we are alone that
// is at once, then after a period, and then ever more rarely.
func (c *Core[ID, Addr]) armContactAfter(wait time.Duration) {
	every := c.cfg.AnnounceDown.Every
	if every == Off || c.tasks[TimerAnnounceDown].armed || !c.us.present() || !c.anyLost() {
		return
	}
	if c.roster.active.len() == 0 {
		wait = c.contacts.wait
		c.contacts.wait = min(max(2*wait, c.cfg.Period), every)
	}
	c.arm(TimerAnnounceDown, wait)
}

// contactSoon lets a lost member be the next to be contacted, within a period.
// It may not be where it says, so the longer it does not answer, the longer it
// has to talk until it is asked again.
func (c *Core[ID, Addr]) contactSoon(slot uint32) {
	lost := &c.roster.lost
	if c.roster.at(slot).flags&inLost == 0 || !c.us.present() || c.cfg.AnnounceDown.Every == Off || c.asked.waits(c.roster.at(slot).id.Addr(), c.now, c.cfg.Period) {
		return
	}
	c.roster.leave(lost, slot)
	c.roster.enter(lost, slot, true)
	c.armWithin(TimerAnnounceDown, c.cfg.Period)
}

// rearmContact begins anew to contact the lost.
func (c *Core[ID, Addr]) rearmContact() {
	c.contacts.wait = 0
	c.disarm(TimerAnnounceDown)
	c.armContact()
}
