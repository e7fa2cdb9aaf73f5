package sealed

// keptSubkeys is how many keys of sessions are kept, about 1 kB each. Deriving
// one again takes some microseconds.
const keptSubkeys = 32

// subkeys are the keys of the sessions that were heard last.
type subkeys struct {
	slots [keptSubkeys]struct {
		id      KeyID
		session [8]byte
		key     *subkey
		used    uint64
	}
	clock uint64
}

// get returns the key of a session if it is in the slot where it was put.
func (s *subkeys) get(slot int, id KeyID, session [8]byte) *subkey {
	if slot < 0 || slot >= keptSubkeys {
		return nil
	}
	e := &s.slots[slot]
	if e.key == nil || e.session != session || e.id != id {
		return nil
	}
	s.clock++
	e.used = s.clock
	return e.key
}

// put keeps the key of a session in the place of the one that was not used for
// longest, and returns the slot.
func (s *subkeys) put(id KeyID, session [8]byte, key *subkey) int {
	oldest := 0
	for i := range s.slots {
		if s.slots[i].used < s.slots[oldest].used {
			oldest = i
		}
	}
	s.clock++
	e := &s.slots[oldest]
	e.id, e.session, e.key, e.used = id, session, key, s.clock
	return oldest
}
