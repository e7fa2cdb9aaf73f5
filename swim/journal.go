package swim

// A journal lists the slots of the roster that an input may have changed, so
// that whoever watches a core need not look at all of them after each. A slot
// may be listed more than once. It is kept only while a [Guard] is attached;
// otherwise it costs a branch where a record changes.
type journal struct {
	touched   []uint32
	forgotten []uint32 // whose record was removed; it may hold another one since
}

// touch notes that the record in a slot changes.
func (c *Core[ID, Addr]) touch(slot uint32) {
	if c.journal != nil {
		c.journal.touched = append(c.journal.touched, slot)
	}
}

// forgot notes that the record in a slot is removed.
func (c *Core[ID, Addr]) forgot(slot uint32) {
	if c.journal != nil {
		c.journal.forgotten = append(c.journal.forgotten, slot)
	}
}

// clear empties the journal for the next input.
func (j *journal) clear() { j.touched, j.forgotten = j.touched[:0], j.forgotten[:0] }
