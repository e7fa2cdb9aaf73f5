package swim

// numBounds is how many tables have a bound.
const numBounds = 12

// bound checks that one table keeps to its limit, the loosest of all
// configurations that were in force.
func (g *Guard[ID, Addr]) bound(i int) {
	c, most := g.core, &g.most
	most.MaxMembers = max(most.MaxMembers, c.cfg.MaxMembers)
	most.MaxTombstones = max(most.MaxTombstones, c.cfg.MaxTombstones)
	most.MaxBroadcasts = max(most.MaxBroadcasts, c.cfg.MaxBroadcasts)
	most.MaxRelays = max(most.MaxRelays, c.cfg.MaxRelays)
	terminal := c.tally[Down] + c.tally[Left]
	slots := int(c.roster.slots) // a count that was damaged takes no memory
	what, have, limit := "", 0, 0
	switch i {
	case 0:
		what, have, limit = "members", min(slots, c.roster.len()-terminal), most.MaxMembers
	case 1:
		what, have, limit = "tombstones", min(slots, terminal), most.MaxTombstones
	case 2:
		what, have, limit = "broadcasts", len(c.queue.items), most.MaxBroadcasts
	case 3:
		what, have, limit = "relays", len(c.relays), most.MaxRelays
	case 4:
		what, have, limit = "contacts", len(c.contacts.list), maxContacts
	case 5:
		what, have, limit = "fallen", len(c.fallen), maxFallen
	case 6:
		what, have, limit = "asked", len(c.asked.entries), ledgerSize
	case 7:
		what, have, limit = "fed", len(c.fed.entries), ledgerSize
	case 8:
		what, have, limit = "warned", len(c.warned.entries), ledgerSize
	case 9:
		what, have, limit = "graves", c.graves.len(), 2*c.roster.len()+65
	case 10:
		what, have, limit = "helpers", max(len(c.probe.helpers), len(c.leaving.acked)), maxIndirect
	case 11:
		what, have, limit = "bytes of credit for payloads", max(c.queue.credit, -c.queue.credit*maxDatagram), maxDatagram
	}
	switch {
	case have <= limit:
	case i == 11: // no memory, so faulty memory may change it for a while
		g.violated("D5", "%d %s, at most %d", have, what, limit)
	default:
		g.violated("S16", "%d %s, at most %d", have, what, limit)
	}
}

// checkTasks: whatever has something to do will be woken to do it. Whether
// there is anybody to contact takes a look at all seeds, so that is asked for
// only now and then.
func (g *Guard[ID, Addr]) checkTasks(lost bool) {
	c := g.core
	probe, gossip, forget := &c.tasks[TimerProbe], &c.tasks[TimerGossip], &c.tasks[TimerForget]
	if c.us.phase == connected {
		switch {
		case !probe.armed:
			g.violated("D13", "nothing will probe")
		case probe.due > c.now.Add(2*c.longest.tasks[TimerProbe]):
			g.violated("D13", "the next probe comes at %v, now is %v", probe.due, c.now)
		case !gossip.armed && c.cfg.Gossip.Every != Off && c.untold():
			g.violated("L8", "nothing will gossip")
		case gossip.armed && gossip.due > c.now.Add(c.cfg.Gossip.Every):
			g.violated("L8", "the next gossip comes at %v, now is %v", gossip.due, c.now)
		}
	}
	if c.us.phase == saysGoodbye && !gossip.armed {
		g.violated("S24", "nothing will end the goodbye")
	}
	if lost && !c.tasks[TimerAnnounceDown].armed && c.cfg.AnnounceDown.Every != Off && c.us.present() && c.anyLost() {
		g.violated("L7", "nothing will contact the lost")
	}
	if rests := c.tally[Down] + c.tally[Left] + c.tally[tallyLone]; rests > 0 {
		if next, any := c.graves.top(); !any || !forget.armed || forget.due > max(next.at, c.now) {
			g.violated("S27", "%d are gone, forget at %v (armed %v), the first at %v", rests, forget.due, forget.armed, next.at)
		}
	}
}
