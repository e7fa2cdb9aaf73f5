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

// add derives the key of a session, and puts it in the place of the one that
// was not used for longest.
func (s *subkeys) add(k *held, session [8]byte, purpose string) (*subkey, int) {
	oldest := 0
	for i := range s.slots {
		if s.slots[i].used < s.slots[oldest].used {
			oldest = i
		}
	}
	s.clock++
	e := &s.slots[oldest]
	e.id, e.session, e.used = k.id, session, s.clock
	e.key = newSubkey(k.key, session[:], purpose)
	return e.key, oldest
}
