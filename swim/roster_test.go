package swim

import (
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"unsafe"
)

// numbered returns the identity of one life at the n-th of many addresses.
func numbered(n int, generation uint64) ID {
	return ID{Addr{lo: mapped | uint64(10<<24+n), port: 7946}, generation}
}

// A named is an identity whose address is a string.
type named struct {
	name string
	gen  int
}

func (n named) Addr() string                { return n.name }
func (n named) Supersedes(older named) bool { return n.gen > older.gen }
func (n named) Renew() (named, bool)        { return named{n.name, n.gen + 1}, true }

func TestRecordTakes80BytesWithoutPointers(t *testing.T) {
	if size := unsafe.Sizeof(record[ID]{}); size != 64 {
		t.Errorf("a record takes %d bytes", size)
	}
}

// checkOrder checks that the records of an order's members name their places.
func checkOrder(t *testing.T, r *roster[ID, Addr], o *order) {
	t.Helper()
	if o.cursor < 0 || o.cursor > o.len() {
		t.Fatalf("cursor %d of %d", o.cursor, o.len())
	}
	if len(o.soon) > maxSoon {
		t.Fatalf("%d are next in turn", len(o.soon))
	}
	for place, slot := range o.slots {
		rec := r.at(slot)
		if rec.pos != uint32(place) || rec.flags&inOrder != o.flag {
			t.Fatalf("at place %d: %v at place %d with flags %b", place, rec.id, rec.pos, rec.flags)
		}
	}
}

// D4: lookup, insertion and removal agree with a built-in map.
func TestRosterAgreesWithAMap(t *testing.T) {
	type known struct {
		id     ID
		record *record[ID]
		slot   uint32
		order  recordFlags
	}
	seeded(t, 30, func(t *testing.T, rnd *rand.Rand) {
		r := newRoster[ID, Addr]()
		model := map[Addr]known{}
		check := func(r *roster[ID, Addr]) {
			t.Helper()
			inOrders := map[recordFlags]int{}
			for at, want := range model {
				slot, ok := r.find(at)
				if !ok || slot != want.slot {
					t.Fatalf("%v is in slot %d (%v), want %d", at, slot, ok, want.slot)
				}
				if rec := r.at(slot); rec.id != want.id || rec.meta != uint64(slot)+want.id.gen {
					t.Fatalf("record of %v: %+v", want.id, rec)
				}
				inOrders[want.order]++
			}
			seen := 0
			for slot, rec := range r.each {
				if model[rec.id.addr].slot != slot || r.at(slot) != rec {
					t.Fatalf("each yields %v at slot %d", rec.id, slot)
				}
				seen++
			}
			if r.len() != len(model) || seen != len(model) {
				t.Fatalf("%d members, %d seen, want %d", r.len(), seen, len(model))
			}
			if r.active.len() != inOrders[inActive] || r.lost.len() != inOrders[inLost] {
				t.Fatalf("%d active, %d lost, want %v", r.active.len(), r.lost.len(), inOrders)
			}
			checkOrder(t, r, &r.active)
			checkOrder(t, r, &r.lost)
		}
		var snapshot *roster[ID, Addr]
		var old map[Addr]known
		for step := range 4000 {
			if step == 2000 {
				snapshot, old = r.clone(), maps.Clone(model)
			}
			id := numbered(rnd.IntN(1500), uint64(step))
			m, ok := model[id.addr]
			if slot, found := r.find(id.addr); found != ok || ok && (slot != m.slot || r.at(slot) != m.record) {
				t.Fatalf("%v: found %v, want %v", id, found, ok)
			}
			switch what := rnd.IntN(6); {
			case !ok:
				m.slot = r.insert(id)
				m.record = r.at(m.slot)
				if want := (record[ID]{id: id, flags: isKnown}); *m.record != want {
					t.Fatalf("a new record is %+v", *m.record)
				}
				m.order = 0
				m.id = id
			case what == 0 && m.order == 0:
				r.remove(m.slot)
				delete(model, id.addr)
				continue
			case what == 1:
				r.rename(m.slot, id)
				m.id = id
			case what == 2:
				r.next(&r.active, rnd)
				r.next(&r.lost, rnd)
				continue
			case m.order == inActive:
				r.leave(&r.active, m.slot)
				m.order = 0
			case m.order == inLost:
				r.leave(&r.lost, m.slot)
				m.order = 0
			case rnd.IntN(2) == 0:
				r.enter(&r.active, m.slot, rnd.IntN(4) == 0)
				m.order = inActive
			default:
				r.enter(&r.lost, m.slot, true)
				m.order = inLost
			}
			m.record.meta = uint64(m.slot) + m.id.gen
			model[id.addr] = m
			if step%500 == 0 {
				check(r)
			}
		}
		check(r)
		model = old
		check(snapshot) // whatever happened to the roster since
	})
}

func TestRosterOfStringAddresses(t *testing.T) {
	r := newRoster[named, string]()
	b := r.insert(named{"b", 1})
	r.insert(named{"a", 1})
	r.rename(b, named{"b", 2})
	if slot, ok := r.find("b"); !ok || slot != b || r.at(slot).id.gen != 2 {
		t.Errorf("found %d, %v: %v", slot, ok, r.at(slot).id)
	}
	if _, ok := r.find("c"); ok {
		t.Error("found an address that is not known")
	}
	name := string([]byte("b"))
	if n := testing.AllocsPerRun(100, func() { r.find(name) }); n != 0 {
		t.Errorf("%v allocations to find one", n)
	}
}

func TestVacantSlotsAreUsedAgain(t *testing.T) {
	r := newRoster[ID, Addr]()
	for round := range 10 {
		for n := range 1000 {
			if slot := r.insert(numbered(n, 0)); slot >= 1000 {
				t.Fatalf("round %d: slot %d for one of 1,000 members", round, slot)
			}
		}
		for _, rec := range r.each {
			slot, _ := r.find(rec.id.addr)
			r.remove(slot)
		}
		if r.len() != 0 {
			t.Fatalf("round %d: %d members are left", round, r.len())
		}
	}
}

func TestMisuseOfOrdersPanics(t *testing.T) {
	r := newRoster[ID, Addr]()
	slot := r.insert(numbered(1, 0))
	panics := func(what string, f func()) {
		t.Helper()
		defer func() {
			if recover() == nil {
				t.Errorf("no panic: %s", what)
			}
		}()
		f()
	}
	panics("leave before enter", func() { r.leave(&r.active, slot) })
	r.enter(&r.active, slot, false)
	panics("enter twice", func() { r.enter(&r.active, slot, false) })
	panics("enter a second order", func() { r.enter(&r.lost, slot, false) })
	panics("leave another order", func() { r.leave(&r.lost, slot) })
	panics("remove while in an order", func() { r.remove(slot) })
	r.leave(&r.active, slot)
	r.remove(slot)
}

// ordered returns a roster with n members in its order active.
func ordered(n int) *roster[ID, Addr] {
	r := newRoster[ID, Addr]()
	for i := range n {
		r.enter(&r.active, r.insert(numbered(i, 0)), false)
	}
	return r
}

// Rule 43.
func TestEachMemberHasOneTurnARound(t *testing.T) {
	seeded(t, 100, func(t *testing.T, rnd *rand.Rand) {
		const all = 60
		r := ordered(all)
		o := &r.active
		inside := make([]bool, all) // the member is in the order
		turns := make([]int, all)   // how many it had in this round
		whole := make([]bool, all)  // it was there from the beginning of the round
		latest := make([]bool, all) // it had its turn since it entered
		for slot := range inside {
			inside[slot] = true
		}
		for round := range 30 {
			copy(whole, inside)
			clear(turns)
			for first := true; first || o.cursor < o.len(); first = false {
				slot, ok := r.next(o, rnd)
				if !ok {
					break
				}
				if turns[slot]++; turns[slot] > 1 || !inside[slot] {
					t.Fatalf("round %d: %d has turn %d, inside: %v", round, slot, turns[slot], inside[slot])
				}
				latest[slot] = true
				for range rnd.IntN(4) {
					slot := uint32(rnd.IntN(all))
					if inside[slot] {
						r.leave(o, slot)
						whole[slot] = false
					} else if turns[slot] == 0 {
						r.enter(o, slot, rnd.IntN(3) == 0)
						latest[slot] = false
					} else {
						continue // it would have a second turn, as a new member
					}
					inside[slot] = !inside[slot]
				}
				checkOrder(t, r, o)
			}
			for slot := range all {
				if whole[slot] && turns[slot] != 1 {
					t.Fatalf("round %d: %d was there throughout and had %d turns", round, slot, turns[slot])
				}
				if inside[slot] && !latest[slot] {
					t.Fatalf("round %d: %d entered and had no turn", round, slot)
				}
			}
		}
	})
}

// Rule 43.
func TestTurnsOfAMemberAreLessThanTwoRoundsApart(t *testing.T) {
	const m = 20
	rnd := rand.New(rand.NewPCG(1, 2))
	r := ordered(m)
	last := make([]int, m)
	widest := 0
	for turn := 1; turn < 100_000; turn++ {
		slot, _ := r.next(&r.active, rnd)
		widest = max(widest, turn-last[slot])
		last[slot] = turn
	}
	// With so many turns the worst case happens, if rounds are shuffled at all.
	if widest != 2*m-1 {
		t.Errorf("two turns of a member were %d apart, want %d", widest, 2*m-1)
	}
}

// even checks that counts of independent, equally probable happenings do not
// differ more than by chance: six standard deviations.
func even(t *testing.T, counts []int) {
	t.Helper()
	sum := 0
	for _, n := range counts {
		sum += n
	}
	mean := float64(sum) / float64(len(counts))
	for i, n := range counts {
		if d := float64(n) - mean; d*d > 36*mean {
			t.Errorf("happening %d of %d: %d times, %.0f expected", i, len(counts), n, mean)
		}
	}
}

func TestEveryOrderOfARoundIsEquallyProbable(t *testing.T) {
	const m = 4
	rnd := rand.New(rand.NewPCG(1, 2))
	r := ordered(m)
	counts := map[[m]uint32]int{}
	for range 24_000 {
		var round [m]uint32
		for i := range round {
			round[i], _ = r.next(&r.active, rnd)
		}
		counts[round]++
	}
	if len(counts) != 24 {
		t.Errorf("%d orders of 24 happened", len(counts))
	}
	even(t, slices.Collect(maps.Values(counts)))
}

// Rule 14.
func TestNewMemberEntersAnywhereInTheRestOfTheRound(t *testing.T) {
	const m, had = 10, 4
	rnd := rand.New(rand.NewPCG(1, 2))
	counts := make([]int, m-had+1)
	for range 10_000 {
		r := ordered(m)
		for range had {
			r.next(&r.active, rnd)
		}
		entered := r.insert(numbered(m, 0))
		r.enter(&r.active, entered, false)
		for i := range counts {
			if slot, _ := r.next(&r.active, rnd); slot == entered {
				counts[i]++
			}
		}
	}
	even(t, counts)
}

// Rule 84.
func TestThoseLostLastAreNextInTurn(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	r := ordered(10)
	o := &r.active
	for range 3 {
		r.next(o, rnd)
	}
	var entered []uint32
	for n := range 5 {
		slot := r.insert(numbered(100+n, 0))
		r.enter(o, slot, true)
		entered = append(entered, slot)
	}
	r.enter(o, r.insert(numbered(200, 0)), false)
	r.leave(o, entered[3])
	for _, want := range []uint32{entered[4], entered[2], entered[1], entered[0]} {
		if slot, _ := r.next(o, rnd); slot != want {
			t.Fatalf("it is the turn of %d, want %d", slot, want)
		}
	}
	rest := map[uint32]bool{}
	for o.cursor < o.len() {
		slot, _ := r.next(o, rnd)
		rest[slot] = true
	}
	if len(rest) != 10-3+1 {
		t.Errorf("%d others had their turn", len(rest))
	}
}

func TestMassLossKeepsOnlyTheLastInTurn(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	r := newRoster[ID, Addr]()
	o := &r.lost
	const lost = 5 * maxSoon
	for n := range lost {
		r.enter(o, r.insert(numbered(n, 0)), true)
		if len(o.soon) > maxSoon {
			t.Fatalf("%d are next in turn", len(o.soon))
		}
	}
	turns := map[uint32]bool{}
	for i := range lost {
		slot, _ := r.next(o, rnd)
		if want := uint32(lost - 1 - i); i < maxSoon/2 && slot != want {
			t.Fatalf("turn %d: %d, want %d", i, slot, want)
		}
		turns[slot] = true
	}
	if len(turns) != lost {
		t.Errorf("%d of %d had their turn", len(turns), lost)
	}
}

// Rule 44.
func TestOrderOfNoneHasNoTurnAndOfOneItsTurnEveryTime(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	r := newRoster[ID, Addr]()
	if slot, ok := r.next(&r.active, rnd); ok {
		t.Errorf("it is the turn of %d", slot)
	}
	only := r.insert(numbered(1, 0))
	r.enter(&r.active, only, false)
	for range 3 {
		if slot, ok := r.next(&r.active, rnd); !ok || slot != only {
			t.Errorf("it is the turn of %d, %v", slot, ok)
		}
	}
}

func TestOrderInSteadyStateAllocatesNothing(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	r := ordered(1000)
	out := make([]uint32, 0, 200)
	if n := testing.AllocsPerRun(1000, func() {
		slot, _ := r.next(&r.active, rnd)
		r.leave(&r.active, slot)
		id := r.at(slot).id
		r.remove(slot)
		r.enter(&r.active, r.insert(id), slot%2 == 0)
		out = r.sample(&r.active, 3, rnd, out, func(slot uint32) bool { return slot%2 == 0 })
		out = r.sample(&r.active, 200, rnd, out, nil)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
