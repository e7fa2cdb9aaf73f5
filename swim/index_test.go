package swim

import (
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
)

// filed returns the slots that the index has under a hash.
func filed(x *index, hash uint32) (slots []uint32) {
	for slot, i, ok := x.seek(hash, hash); ok; slot, i, ok = x.seek(hash, i) {
		slots = append(slots, slot)
	}
	slices.Sort(slots)
	return slots
}

func TestIndexAgreesWithAMap(t *testing.T) {
	seeded(t, 100, func(t *testing.T, rnd *rand.Rand) {
		// Few different hashes, which collide in the table or altogether; most
		// lie at its end, so that runs of entries wrap around.
		hashes := make([]uint32, 40)
		for i := range hashes {
			hashes[i] = rnd.Uint32()
			if i%4 != 0 {
				hashes[i] |= 0xfffc
			}
		}
		var x index
		model := map[uint32]uint32{} // slot to hash
		check := func(step int) {
			if x.used != len(model) {
				t.Fatalf("step %d: %d entries, want %d", step, x.used, len(model))
			}
			if 4*x.used > 3*len(x.table) {
				t.Fatalf("step %d: %d entries in a table of %d", step, x.used, len(x.table))
			}
			for _, hash := range hashes {
				var want []uint32
				for slot, h := range model {
					if h == hash {
						want = append(want, slot)
					}
				}
				slices.Sort(want)
				if got := filed(&x, hash); !slices.Equal(got, want) {
					t.Fatalf("step %d: slots %v under %#x, want %v", step, got, hash, want)
				}
			}
		}
		for step := range 600 {
			slot := uint32(rnd.IntN(100))
			if hash, ok := model[slot]; ok {
				x.remove(hash, slot)
				delete(model, slot)
			} else {
				hash := hashes[rnd.IntN(len(hashes))]
				x.insert(hash, slot)
				model[slot] = hash
			}
			if step%20 == 0 {
				check(step)
			}
		}
		c := x.clone()
		for _, slot := range slices.Sorted(maps.Keys(model)) {
			c.remove(model[slot], slot)
		}
		for i, e := range c.table {
			if e != 0 {
				t.Fatalf("entry %#x at %d is left of nothing", e, i)
			}
		}
		check(-1) // the clone was emptied, not the index
	})
}

func TestIndexFindsTheLastSlotThereIs(t *testing.T) {
	var x index
	const last = 1<<32 - 2
	x.insert(0, last)
	if got := filed(&x, 0); !slices.Equal(got, []uint32{last}) {
		t.Errorf("found %v", got)
	}
}
