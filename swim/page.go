package swim

// A joiner reads the whole list of members from whoever answers it, page by page.
// A page is as many as fit into a packet, in the order of the feeder's probes,
// which changes by one place in a period: whoever is missed by that, or comes
// meanwhile, is told of by gossip.

// Pages of an announce.
const (
	anyPage   = 0 // a random sample
	firstPage = 1
)

// Bounds of a list that is read.
const (
	maxPages = 1024 // that are asked for
	maxTries = 3    // how often, each
)

// A reading is the list of one member that we read.
type reading[ID any] struct {
	from  ID
	page  uint32  // that we wait for; 0 if we read none
	asked Instant // when we last asked for it
	tries uint8   // how often
}

// stretch returns some members of an order, in the order.
func (o *order) stretch(from, most int, slots []uint32) []uint32 {
	from = max(0, min(from, len(o.slots)))
	return append(slots[:0], o.slots[from:min(from+most, len(o.slots))]...)
}

// turnPage goes on with the list that a feed was a page of, until one is empty or
// says that it is the last. One list is read at a time, and only forwards, so it
// has an end.
func (c *Core[ID, Addr]) turnPage(h *Header[ID], members int) {
	rd := &c.reading
	switch {
	case !c.isReading() && h.Page == firstPage && members > 0:
		*rd = reading[ID]{from: h.Src, page: firstPage}
	case rd.page == 0 || rd.from != h.Src || h.Page != 0 && h.Page != rd.page:
		return
	case h.Page == 0 || members == 0 || rd.page >= maxPages:
		*rd = reading[ID]{}
		return
	}
	rd.page, rd.tries = rd.page+1, 0
	c.readOn()
}

// isReading reports whether a page is waited for. Where announces are off nobody
// asks again for one that does not come.
func (c *Core[ID, Addr]) isReading() bool {
	return c.reading.page != 0 && c.now.Sub(c.reading.asked) <= 2*c.cfg.Period
}

// readOn asks for the page that we wait for, and again within a period if it does
// not come, and reports whether it did. Of one who does not answer, or takes no
// part any more, nothing more is read.
func (c *Core[ID, Addr]) readOn() bool {
	rd := &c.reading
	if rd.page == 0 {
		return false
	}
	if _, active := c.find(rd.from); !active || rd.tries >= maxTries || !c.us.present() {
		*rd = reading[ID]{}
		return false
	}
	rd.tries++
	rd.asked = c.now
	c.announceTo(rd.from, rd.page)
	c.announceSoon()
	return true
}
