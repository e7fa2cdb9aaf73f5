package sealed

import "testing"

func TestSubkeysKeepThoseThatWereUsedLast(t *testing.T) {
	var s subkeys
	id := keyA.ID()
	session := func(i int) [8]byte { return [8]byte{byte(i)} }
	made := &subkey{}
	slots := make(map[int]int)
	for i := range keptSubkeys {
		slots[i] = s.put(id, session(i), made)
	}
	if s.get(slots[0], id, session(0)) == nil {
		t.Fatal("the first one is gone, but there is room for all")
	}
	slots[keptSubkeys] = s.put(id, session(keptSubkeys), made)
	for i := range keptSubkeys + 1 {
		if got := s.get(slots[i], id, session(i)) != nil; got != (i != 1) {
			t.Errorf("key %d is kept: %t; only the one that was not used for longest must go", i, got)
		}
	}
}

func TestSubkeyIsOfItsSessionAndKeyAlone(t *testing.T) {
	var s subkeys
	slot := s.put(keyA.ID(), [8]byte{1}, &subkey{})
	for _, other := range []*subkey{
		s.get(slot, keyB.ID(), [8]byte{1}),
		s.get(slot, keyA.ID(), [8]byte{2}),
		s.get(slot+1, keyA.ID(), [8]byte{1}),
		s.get(-1, keyA.ID(), [8]byte{1}),
		s.get(keptSubkeys, keyA.ID(), [8]byte{1}),
	} {
		if other != nil {
			t.Error("somebody else's key")
		}
	}
}
