package swim

import (
	"fmt"
	"math/rand/v2"
)

// Damage overwrites one value of the state, as faulty memory would, and says
// which. It is for simulations: from whatever this makes of some members at any
// time the cluster has to recover by itself.
//
// It reaches every value that the protocol decides by: of records and doubts,
// of our own record, of what is under way, of what waits, of counts, cursors
// and moments. It overwrites the value alone, so that what it implies no longer
// holds: a member that is down may still have its turn to be probed.
//
// It does not reach what holds the state together: identities of members and
// our own, under which records are filed, places in lists and tables, lengths,
// and pointers. A flip there may crash the process, which the others see as a
// crash. Nor does it reach what only the owner knows, which nobody could
// restore: the configuration, payloads and their names. Counters decide
// nothing, and randomness is as good as any.
//
// Some damage is not undone, since it is as good as the truth to everybody: a
// seed may have become an address that is asked until it answered, or the
// reverse, so SetSeeds again; a version of metadata, once higher, stays, and at
// the largest value SetMetadata has no higher one. A largest incarnation is
// gone with a renewal or when it is forgotten.
func (c *Core[ID, Addr]) Damage(rnd *rand.Rand) string {
	d := damage[ID, Addr]{core: c, rnd: rnd}
	kinds := [...]func(){
		d.record, d.record, d.doubt, d.ourselves, d.renewal, d.task, d.probe,
		d.relay, d.contact, d.ledger, d.queue, d.backlog, d.order, d.moment,
		d.tally, d.sized, d.digest,
	}
	for d.said == "" { // some kinds there may be none of
		kinds[below(rnd, uint64(len(kinds)))]()
	}
	return d.said
}

// A damage is one value being overwritten.
type damage[ID Identity[ID, Addr], Addr comparable] struct {
	core *Core[ID, Addr]
	rnd  *rand.Rand
	said string
}

// pick draws one of n.
func (d *damage[ID, Addr]) pick(n int) int { return int(below(d.rnd, uint64(n))) }

// bits draws a value: the ends of what it may be, a moment near now, its
// neighbours, one flipped bit, or anything.
func (d *damage[ID, Addr]) bits(old uint64) uint64 {
	now := uint64(d.core.now)
	near := below(d.rnd, 1<<36) // a minute, about
	values := [...]uint64{
		0, 1, 1<<64 - 1, 1<<64 - 2, 1<<63 - 1, 1<<63 - 2, 1 << 63, now, now + near, now - near, near,
		old + 1, old - 1, old ^ 1<<below(d.rnd, 8), old ^ 1<<below(d.rnd, 64), d.rnd.Uint64(),
	}
	return values[d.pick(len(values))]
}

// hit overwrites a number.
func hit[T ~int | ~int64 | ~uint64 | ~uint32 | ~uint8, ID Identity[ID, Addr], Addr comparable](d *damage[ID, Addr], what string, v *T) {
	old := *v
	for *v == old {
		*v = T(d.bits(uint64(old)))
	}
	d.said = fmt.Sprintf("%s: %d -> %d", what, uint64(old), uint64(*v))
}

// flip overwrites what is true or not.
func (d *damage[ID, Addr]) flip(what string, v *bool) {
	*v = !*v
	d.said = fmt.Sprintf("%s: %v -> %v", what, !*v, *v)
}

// name overwrites an identity by that of a member, or by none.
func (d *damage[ID, Addr]) name(what string, v *ID) {
	old := *v
	var other ID
	if slot, ok := d.member(); ok && d.pick(4) > 0 {
		other = d.core.roster.at(slot).id
	}
	*v = other
	d.said = fmt.Sprintf("%s: %v -> %v", what, old, other)
}

// member draws a slot that is taken.
func (d *damage[ID, Addr]) member() (slot uint32, ok bool) {
	r := d.core.roster
	for range 64 {
		if r.slots == 0 {
			break
		}
		if slot = uint32(d.pick(int(r.slots))); r.at(slot).flags&isKnown != 0 {
			return slot, true
		}
	}
	return 0, false
}

func (d *damage[ID, Addr]) record() {
	slot, ok := d.member()
	if !ok {
		return
	}
	r, times := d.core.roster.at(slot), d.core.roster.times(slot)
	who := fmt.Sprintf("record of %v: ", r.id)
	switch d.pick(11) {
	case 0, 1:
		hit(d, who+"incarnation", &r.inc)
	case 2:
		hit(d, who+"metadata", &r.meta)
	case 3:
		hit(d, who+"state", &r.state)
	case 4, 5:
		old := r.state
		r.state = (r.state + 1 + State(d.pick(numStates-1))) % numStates
		d.said = fmt.Sprintf("%sstate: %v -> %v", who, old, r.state)
	case 6:
		flag := [...]recordFlags{isVerified, isLone, isBehind}[d.pick(3)]
		r.flags ^= flag
		d.said = fmt.Sprintf("%sflags: %b -> %b", who, r.flags^flag, r.flags)
	case 7:
		hit(d, who+"heard", &times.heard)
	case 8:
		hit(d, who+"until", &times.until)
	case 9:
		hit(d, who+"priority", &r.priority)
	case 10:
		hit(d, who+"queued", &r.queued)
	}
}

func (d *damage[ID, Addr]) doubt() {
	c := d.core
	for range 64 {
		slot, ok := d.member()
		if !ok {
			return
		}
		r := c.roster.at(slot)
		if r.doubt == 0 {
			continue
		}
		t := c.doubts.at(r.doubt)
		who := fmt.Sprintf("doubt about %v: ", r.id)
		switch d.pick(14) {
		case 0:
			hit(d, who+"accusers", &t.n)
		case 1:
			d.flip(who+"ours", &t.ours)
		case 2:
			hit(d, who+"since", &t.since)
		case 3:
			hit(d, who+"least", &t.least)
		case 4:
			hit(d, who+"most", &t.most)
		case 5:
			hit(d, who+"due", &t.due)
		case 6:
			hit(d, who+"token", &t.token)
		case 7:
			d.flip(who+"armed", &t.armed)
		case 8:
			d.name(who+"accuser", &t.by[d.pick(MaxAccusers)])
		case 9:
			hit(d, "newest token of doubts", &c.doubts.token)
		case 10:
			hit(d, who+"lag", &t.lag)
		case 11:
			hit(d, who+"confirmations that are enough", &t.enough)
		case 12:
			hit(d, who+"accusers of whom we were told", &t.told)
		case 13:
			hit(d, who+"asked", &t.asked)
		}
		return
	}
}

func (d *damage[ID, Addr]) ourselves() {
	u := &d.core.us
	switch d.pick(9) {
	case 0, 1:
		hit(d, "our incarnation", &u.inc)
	case 2:
		hit(d, "our metadata", &u.meta)
	case 3:
		hit(d, "our phase", &u.phase)
	case 4:
		old := u.phase
		u.phase = (u.phase + 1 + phase(d.pick(int(undead)))) % (undead + 1)
		d.said = fmt.Sprintf("our phase: %d -> %d", old, u.phase)
	case 5:
		hit(d, "how we stand", &u.stands[d.pick(2)])
	case 6:
		hit(d, "how often to tell our header", &u.untold)
	case 7:
		hit(d, "how often we were overheard", &u.overheard)
	case 8:
		if slot, ok := d.member(); ok {
			old := u.addr
			u.addr = d.core.roster.at(slot).id.Addr()
			d.said = fmt.Sprintf("our address: %v -> %v", old, u.addr)
		}
	}
}

func (d *damage[ID, Addr]) renewal() {
	w, l := &d.core.renewal, &d.core.leaving
	switch d.pick(11) {
	case 0:
		d.flip("renewal: wanted", &w.wanted)
	case 1:
		d.name("renewal: newest", &w.newest)
	case 2:
		d.flip("renewal: heard", &w.heard)
	case 3:
		hit(d, "renewal: last", &w.last)
	case 4:
		hit(d, "renewal: trigger", &w.trigger)
	case 5:
		hit(d, "renewal: wait", &w.wait)
	case 6:
		d.flip("renewal: reported", &w.reported)
	case 7:
		d.name("renewal: demander", &w.demander)
	case 8:
		d.flip("renewal: demanded", &w.demanded)
	case 9:
		hit(d, "leaving: until", &l.until)
	case 10:
		hit(d, "leaving: first", &l.first)
	}
}

func (d *damage[ID, Addr]) task() {
	k := TimerKind(d.pick(numTimerKinds))
	t := &d.core.tasks[k]
	what := fmt.Sprintf("task %v: ", k)
	switch d.pick(9) {
	case 0:
		d.flip(what+"armed", &t.armed)
	case 1:
		hit(d, what+"since", &t.since)
	case 2:
		hit(d, what+"due", &t.due)
	case 3:
		d.flip(what+"outstanding", &t.outstanding)
	case 4:
		hit(d, what+"token", &t.token)
	case 5:
		hit(d, what+"at", &t.at)
	case 6:
		hit(d, what+"newest token", &t.newest)
	case 7:
		hit(d, what+"token of the event left behind", &t.left.token)
	case 8:
		hit(d, what+"when the event left behind comes", &t.left.at)
	}
}

func (d *damage[ID, Addr]) probe() {
	p := &d.core.probe
	switch d.pick(10) {
	case 0:
		d.name("probe: target", &p.target)
	case 1:
		hit(d, "probe: incarnation", &p.inc)
	case 2:
		hit(d, "probe: number", &p.number)
	case 3:
		hit(d, "probe: sent", &p.sent)
	case 4:
		d.flip("probe: running", &p.running)
	case 5:
		d.flip("probe: acked", &p.acked)
	case 6:
		d.flip("probe: asked", &p.asked)
	case 7:
		if n := len(p.helpers); n > 0 {
			d.name("probe: helper", &p.helpers[d.pick(n)].id)
		}
	case 8:
		d.flip("probe: nacks", &p.nacks)
	case 9:
		if n := len(p.helpers); n > 0 {
			d.flip("probe: nacked", &p.helpers[d.pick(n)].nacked)
		}
	}
}

func (d *damage[ID, Addr]) relay() {
	if len(d.core.relays) == 0 {
		return
	}
	r := &d.core.relays[d.pick(len(d.core.relays))]
	switch d.pick(5) {
	case 0:
		d.name("relay: asker", &r.asker)
	case 1:
		d.name("relay: target", &r.target)
	case 2:
		hit(d, "relay: number", &r.number)
	case 3:
		hit(d, "relay: until", &r.until)
	case 4:
		hit(d, "relay: nack at", &r.nackAt)
	}
}

func (d *damage[ID, Addr]) contact() {
	l := &d.core.contacts
	switch d.pick(5) {
	case 0:
		hit(d, "contacts: next", &l.next)
	case 1:
		hit(d, "contacts: left", &l.left)
	case 2:
		hit(d, "contacts: wait", &l.wait)
	case 3:
		if n := len(l.list); n > 0 {
			d.flip("contact: seed", &l.list[d.pick(n)].seed)
		}
	case 4:
		if n := len(l.list); n > 0 {
			d.name("contact", &l.list[d.pick(n)].id)
		}
	}
}

func (d *damage[ID, Addr]) ledger() {
	c := d.core
	i := d.pick(3)
	l := [...]*ledger[Addr]{&c.asked, &c.fed, &c.warned}[i]
	what := [...]string{"asked", "fed", "warned"}[i]
	if len(l.order) == 0 {
		return
	}
	at := l.order[d.pick(len(l.order))]
	e := l.entries[at]
	switch d.pick(4) {
	case 0:
		hit(d, fmt.Sprintf("%s %v: at", what, at), &e.at)
	case 1:
		hit(d, fmt.Sprintf("%s %v: count", what, at), &e.count)
	case 2:
		d.flip(fmt.Sprintf("%s %v: open", what, at), &e.open)
	case 3:
		hit(d, what+": next", &l.next)
	}
	l.entries[at] = e
}

func (d *damage[ID, Addr]) queue() {
	q := &d.core.queue
	n := len(q.items)
	switch pick := d.pick(3); {
	case pick == 0:
		hit(d, "payloads: credit", &q.credit)
	case n == 0:
	case pick == 1:
		hit(d, "payload: sent", &q.items[d.pick(n)].sent)
	default:
		hit(d, "payload: version", &q.items[d.pick(n)].key.Version)
	}
}

func (d *damage[ID, Addr]) backlog() {
	p := d.pick(int(numPriorities))
	r := &d.core.backlog.rings[p]
	if d.pick(2) == 0 {
		hit(d, fmt.Sprintf("backlog %d: count", p), &r.count)
		return
	}
	told := d.pick(4)
	hit(d, fmt.Sprintf("backlog %d: told %d times", p, told), &r.live[told])
}

func (d *damage[ID, Addr]) order() {
	r := d.core.roster
	switch d.pick(3) {
	case 0:
		hit(d, "active: cursor", &r.active.cursor)
	case 1:
		hit(d, "lost: cursor", &r.lost.cursor)
	case 2:
		hit(d, "audit: turn of slot", &d.core.audit.slot)
	}
}

func (d *damage[ID, Addr]) moment() {
	c := d.core
	switch d.pick(11) {
	case 0:
		hit(d, "pause: frozen", &c.pause.frozen)
	case 1:
		hit(d, "admit: since", &c.admit.since)
	case 2:
		hit(d, "admit: count", &c.admit.n)
	case 3:
		hit(d, "refuted", &c.todo.refuted)
	case 4:
		hit(d, "audit: last", &c.audit.last)
	case 5:
		hit(d, "now", &c.now)
	case 6:
		hit(d, "now again", &c.again)
	case 7:
		if n := len(c.fallen); n > 0 {
			hit(d, "fallen: until", &c.fallen[d.pick(n)].until)
		}
	case 8:
		if n := len(c.fallen); n > 0 {
			d.name("fallen", &c.fallen[d.pick(n)].id)
		}
	case 9:
		hit(d, "pause: heard", &c.pause.heard)
	case 10:
		hit(d, "doubt of ourselves", &c.health.doubt)
	}
}

func (d *damage[ID, Addr]) tally() {
	c := d.core
	if i := d.pick(numTallies + 1); i < numTallies {
		hit(d, fmt.Sprintf("tally %d", i), &c.tally[i])
	} else {
		hit(d, "number of members", &c.roster.count)
	}
}

func (d *damage[ID, Addr]) sized() {
	c := d.core
	switch d.pick(6) {
	case 0:
		hit(d, "sized: n", &c.sized.n)
	case 1:
		hit(d, "sized: transmissions", &c.sized.transmissions)
	case 2:
		hit(d, "sized: suspicion", &c.sized.suspicion)
	case 3:
		hit(d, "sized: spread", &c.sized.spread)
	case 4:
		hit(d, "updates in a packet", &c.fit)
	case 5:
		hit(d, "audit: turn", &c.audit.turn)
	}
}

// digest damages what is compared and reconciled.
func (d *damage[ID, Addr]) digest() {
	v, s := &d.core.view, &d.core.sync
	switch d.pick(11) {
	case 0:
		hit(d, "digest: sum", &v.sum)
	case 1:
		hit(d, "digest: members", &v.members)
	case 2:
		hit(d, "digest: changed", &v.changed)
	case 3:
		hit(d, "digest: our part", &v.ours)
	case 4:
		if slot, ok := d.member(); ok {
			hit(d, fmt.Sprintf("digest: part of %v", d.core.roster.at(slot).id), &d.core.roster.times(slot).part)
		}
	case 5:
		hit(d, "sync: number", &s.number)
	case 6:
		hit(d, "sync: began", &s.began)
	case 7:
		hit(d, "sync: agreed", &s.agreed)
	case 8:
		hit(d, "sync: heard", &s.heard)
	case 9:
		hit(d, "sync: vain", &s.vain)
	default:
		hit(d, "liaison: until", &d.core.liaison.until)
	}
}
