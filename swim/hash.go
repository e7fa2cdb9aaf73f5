package swim

import (
	"fmt"
	"hash/fnv"
)

// A hasher folds a state into one number, the same at every process.
type hasher[ID any] struct {
	sum   interface{ Write([]byte) (int, error) }
	codec Codec[ID]
	buf   []byte
}

func (h *hasher[ID]) number(values ...uint64) {
	for _, v := range values {
		for range 8 {
			h.buf = append(h.buf, byte(v))
			v >>= 8
		}
	}
	h.flush()
}

func (h *hasher[ID]) id(id ID) {
	h.buf = h.codec.AppendID(h.buf, id)
	h.flush()
}

func (h *hasher[ID]) bytes(b []byte) {
	h.number(uint64(len(b)))
	_, _ = h.sum.Write(b)
}

func (h *hasher[ID]) flush() {
	_, _ = h.sum.Write(h.buf)
	h.buf = h.buf[:0]
}

func (h *hasher[ID]) flag(flags ...bool) {
	for _, f := range flags {
		if f {
			h.number(1)
		} else {
			h.number(0)
		}
	}
}

// Hash returns a hash of everything that decides what this core does next, its
// configuration too, but not its randomness: equal for cores in the same state,
// in whatever process, and almost surely different for others. Counters do not
// count. It looks at everything, so it is for tests, fuzzing and simulation.
func (c *Core[ID, Addr]) Hash() uint64 {
	sum := fnv.New64a()
	h := &hasher[ID]{sum: sum, codec: c.codec}
	fmt.Fprint(sum, c.cfg)
	h.number(uint64(c.now), uint64(c.pause.frozen), uint64(c.pause.heard), uint64(c.health.doubt))
	h.id(c.us.id)
	h.number(uint64(c.audit.last), uint64(c.audit.turn), uint64(c.audit.slot), uint64(c.audit.late), uint64(c.us.stands[0]), uint64(c.us.stands[1]))
	h.number(uint64(c.us.inc), c.us.meta, uint64(c.us.phase), uint64(c.us.untold), uint64(c.us.overheard))
	c.hashRenewal(h)
	for _, t := range c.tasks {
		h.number(uint64(t.token), uint64(t.since), uint64(t.due), uint64(t.at), uint64(t.left.token), uint64(t.left.at), uint64(t.newest))
		h.flag(t.armed, t.outstanding)
	}
	c.hashRoster(h)
	c.hashTold(h)
	c.hashProbing(h)
	c.hashSync(h)
	if rd := &c.reading; rd.page != 0 {
		h.id(rd.from)
		h.number(uint64(rd.page), uint64(rd.asked), uint64(rd.tries))
	}
	for _, l := range []*ledger[Addr]{&c.asked, &c.fed, &c.warned, &c.answered} {
		h.number(uint64(len(l.order)), uint64(l.next))
		for _, at := range l.order {
			e := l.entries[at]
			h.number(uint64(e.at), uint64(e.count), uint64(e.page), uint64(e.from), uint64(e.to))
			h.flag(e.open)
		}
	}
	return sum.Sum64()
}

func (c *Core[ID, Addr]) hashRenewal(h *hasher[ID]) {
	w, l := &c.renewal, &c.leaving
	h.flag(w.wanted, w.heard, w.reported, w.demanded)
	if w.demanded {
		h.id(w.demander)
	}
	if w.heard {
		h.id(w.newest)
	}
	h.number(uint64(w.last), uint64(w.trigger), uint64(w.wait), uint64(l.until), uint64(l.first), uint64(len(l.acked)))
	for _, id := range l.acked {
		h.id(id)
	}
	h.number(uint64(c.todo.refuted), uint64(c.admit.since), uint64(c.admit.n))
}

// hashRoster goes through the members in the order of their turns, and the
// others as they lie, which is as they came.
func (c *Core[ID, Addr]) hashRoster(h *hasher[ID]) {
	for _, o := range []*order{&c.roster.active, &c.roster.lost} {
		h.number(uint64(o.cursor), uint64(len(o.soon)))
		for _, slot := range o.slots {
			h.id(c.roster.at(slot).id)
		}
		for _, slot := range o.soon {
			h.number(uint64(slot))
		}
	}
	h.number(uint64(c.doubts.token))
	for slot, r := range c.roster.each {
		times := c.roster.times(slot)
		h.id(r.id)
		h.number(uint64(r.inc), r.meta, uint64(times.heard), uint64(times.until), uint64(r.state), uint64(r.flags))
		if r.doubt == 0 {
			continue
		}
		d := c.doubts.at(r.doubt)
		h.flag(d.ours, d.armed)
		h.number(uint64(d.since), uint64(d.least), uint64(d.most), uint64(d.lag), uint64(d.enough), uint64(d.asked), uint64(d.due), uint64(d.token), uint64(d.n), uint64(d.told))
		for _, id := range d.by[:min(d.n, MaxAccusers)] {
			h.id(id)
		}
	}
	for _, f := range c.fallen {
		h.id(f.id)
		h.number(uint64(f.until))
	}
}

// hashTold goes through what is still being told.
func (c *Core[ID, Addr]) hashTold(h *hasher[ID]) {
	c.backlog.each(func(slot uint32, p priority, sent int) {
		h.number(uint64(slot), uint64(p), uint64(sent))
	})
	h.number(uint64(c.queue.credit), uint64(c.fit))
	for _, item := range c.queue.items {
		h.bytes(item.data)
		h.bytes([]byte(item.key.Name))
		h.number(item.key.Version, uint64(item.sent))
	}
}

// hashProbing goes through the probe, the relays and whom to contact.
func (c *Core[ID, Addr]) hashProbing(h *hasher[ID]) {
	p := &c.probe
	h.flag(p.running, p.acked, p.asked, p.nacks)
	h.number(uint64(p.number), uint64(p.inc), uint64(p.sent), uint64(len(p.helpers)))
	if p.running {
		h.id(p.target)
	}
	for _, helper := range p.helpers {
		h.id(helper.id)
		h.flag(helper.vouched, helper.nacked)
	}
	for _, r := range c.relays {
		h.id(r.asker)
		h.id(r.target)
		h.number(uint64(r.number), uint64(r.until), uint64(r.nackAt))
	}
	h.number(uint64(len(c.contacts.list)), uint64(c.contacts.next), uint64(c.contacts.left), uint64(c.contacts.wait))
	for _, s := range c.contacts.list {
		h.id(s.id)
		h.flag(s.seed)
	}
}

// hashSync goes through what is reconciled.
func (c *Core[ID, Addr]) hashSync(h *hasher[ID]) {
	v, s := &c.view, &c.sync
	h.number(v.sum, uint64(v.members), uint64(v.changed), v.ours, v.again, uint64(len(v.stale)))
	for _, slot := range v.stale {
		h.number(uint64(slot))
	}
	h.number(uint64(s.number), uint64(s.left), uint64(s.vain), uint64(s.agreed), uint64(s.heard), uint64(s.served.since), uint64(s.served.n))
	h.number(uint64(s.began), uint64(s.next))
	h.flag(s.open)
	if s.open {
		h.exchange(&s.exchange)
	}
	for i := range s.theirs {
		h.exchange(&s.theirs[i])
	}
	h.number(uint64(c.eager.used))
	h.flag(c.eager.next)
	for _, id := range c.summons {
		h.id(id)
	}
	h.number(uint64(c.liaison.until))
	if c.liaison.until > c.now {
		h.id(c.liaison.with)
	}
}

func (h *hasher[ID]) exchange(e *exchange[ID]) {
	h.id(e.with)
	h.number(e.key[0], e.key[1], uint64(e.began))
	for _, cells := range [][]cell{e.cells, e.diff} {
		h.number(uint64(len(cells)))
		for _, c := range cells {
			h.number(c.sum, uint64(c.check), uint64(uint8(c.count)))
		}
	}
}
