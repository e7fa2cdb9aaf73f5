package swim

// auditBacklog counts anew what waits to be told, one priority in turn.
func (c *Core[ID, Addr]) auditBacklog() {
	if c.backlog.rings[c.audit.turn/4%uint32(numPriorities)].recount() {
		c.mended()
	}
}

// sweep mends the records that were to be told and can not be written. Those
// of nobody leave the backlog.
func (c *Core[ID, Addr]) sweep(slots []uint32) {
	for _, slot := range slots {
		if r := c.roster.at(slot); r.flags&isKnown == 0 {
			c.backlog.purge(slot)
			c.mended()
		} else {
			c.mend(slot, r)
		}
	}
}

// purge takes out whatever is queued about a slot, wherever it is.
func (b *backlog) purge(slot uint32) {
	for p := range b.rings {
		r := &b.rings[p]
		for place := r.bound[MaxTransmissions]; place != r.bound[0]; place++ {
			if *r.at(place) == slot {
				r.remove(place)
			}
		}
	}
}

// recount counts the items anew if the counts do not add up, and reports
// whether they were wrong.
func (r *ring) recount() (wrong bool) {
	sum := r.live[MaxTransmissions]
	wrongs := sum // negative as soon as one is: every core does this in every period
	for told := range MaxTransmissions {
		n := r.live[told]
		sum += n
		wrongs |= n | (int(r.bound[told]-r.bound[told+1]) - n)
	}
	if sum == r.count && wrongs >= 0 {
		return false
	}
	r.live, r.count = [MaxTransmissions + 1]int{}, 0
	for told := range MaxTransmissions {
		for place := r.bound[told+1]; place != r.bound[told]; place++ {
			if *r.at(place) != hole {
				r.live[told]++
				r.count++
			}
		}
	}
	return true
}
