package swim

import (
	"math/rand/v2"
	"slices"
)

// Clone returns a core in the same state that shares nothing with this one
// but the codec and the broadcast handler. It draws from rnd, which should be
// in the state that this core's is in if both are to go on alike. The timer
// events that are outstanding are outstanding for the clone too.
func (c *Core[ID, Addr]) Clone(rnd *rand.Rand) *Core[ID, Addr] {
	d := *c
	d.rt, d.rnd, d.journal = nil, rnd, nil
	d.roster = c.roster.clone()
	d.doubts = c.doubts.clone()
	d.graves = c.graves.clone()
	d.fallen = slices.Clone(c.fallen)
	d.backlog = c.backlog.clone()
	d.queue = c.queue.clone()
	d.probe.helpers = slices.Clone(c.probe.helpers)
	d.relays = slices.Clone(c.relays)
	d.leaving.acked = slices.Clone(c.leaving.acked)
	d.contacts.list = slices.Clone(c.contacts.list)
	d.view.stale = slices.Clone(c.view.stale)
	d.sync = c.sync.clone()
	d.summons = slices.Clone(c.summons)
	d.asked = c.asked.clone()
	d.fed = c.fed.clone()
	d.warned = c.warned.clone()
	d.answered = c.answered.clone()
	d.in, d.out = Packet[ID]{}, Packet[ID]{}
	d.buf, d.key, d.slots, d.sample, d.taken = nil, nil, nil, nil, nil
	d.objections, d.said, d.cells, d.symbols, d.peeler, d.body = nil, saying{}, nil, nil, peeler{}, nil
	return &d
}

func (t *doubts[ID, Addr]) clone() doubts[ID, Addr] {
	d := *t
	d.pages = make([]*[doubtPage]doubt[ID, Addr], len(t.pages))
	for i, page := range t.pages {
		copied := *page
		d.pages[i] = &copied
	}
	d.free = slices.Clone(t.free)
	return d
}

func (q *payloads) clone() payloads {
	d := payloads{credit: q.credit, items: slices.Clone(q.items)}
	for i := range d.items {
		d.items[i].data = slices.Clone(d.items[i].data)
	}
	return d
}

func (s *syncing[ID]) clone() syncing[ID] {
	d := *s
	d.exchange = s.exchange.clone()
	d.theirs = slices.Clone(s.theirs)
	for i := range d.theirs {
		d.theirs[i] = d.theirs[i].clone()
	}
	return d
}

func (e *exchange[ID]) clone() exchange[ID] {
	d := *e
	d.cells, d.diff = slices.Clone(e.cells), slices.Clone(e.diff)
	return d
}
